import torch

from genzoo.training.recorder import Recorder


def test_what_is_measured_of_items_is_kept_by_its_mean_and_computed_only_if_it_is_reported():
    recorder, asked = Recorder(), []

    def measured():
        asked.append(1)
        return {"real": torch.tensor([1.0, 3.0]), "fake": torch.tensor([0.0, 1.0])}

    recorder.record_means(measured)
    recorder.end_update()
    assert not asked
    assert recorder.latest == {}
    recorder.is_on = True
    recorder.record_means(measured)
    recorder.end_update()
    assert recorder.latest == {"real": 2.0, "fake": 0.5}
