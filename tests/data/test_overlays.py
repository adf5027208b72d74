import pytest
import torch
import yaml

import genzoo.data
from genzoo.cli.configs import shipped_configs
from tests.data.official_files import write_for_overlay

OVERLAYS = {path.stem: yaml.safe_load(path.read_text())["data"] for path in (shipped_configs() / "data").glob("*.yaml")}


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_every_overlay_gives_batches_that_fit_its_spec(overlay, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_for_overlay(overlay, tmp_path / "data", monkeypatch)
    settings = {**OVERLAYS[overlay].get("init_args", {}), "batch_size": 4}
    data = getattr(genzoo.data, OVERLAYS[overlay]["class_path"])(**settings)
    spec = data.spec
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    loaders = [data.train_dataloader(), data.test_dataloader(), *data.val_dataloader()]
    for batch in [next(iter(loader)) for loader in loaders]:
        x, y = data.on_after_batch_transfer(batch, 0)
        assert x.dtype == torch.float32
        assert list(x.shape[1:]) == spec["shape"]
        if "condition_image" in spec:
            assert list(y.shape[1:]) == spec["condition_image"]
            assert -1 <= y.min() <= y.max() <= 1
        elif "attribute_names" in spec:
            assert y.shape[1:] == (len(spec["attribute_names"]),)
        else:
            assert y.dtype == torch.int64
            assert 0 <= y.min() <= y.max() < max(1, len(spec["class_names"]))
        if spec.get("range"):
            assert -1 <= x.min() <= x.max() <= 1


def test_every_data_set_has_an_overlay():
    public = {name for name, value in vars(genzoo.data).items() if isinstance(value, type)}
    concrete = {
        name
        for name in public
        if issubclass(value := getattr(genzoo.data, name), genzoo.data.ArrayDataModule)
        and not getattr(value, "__abstractmethods__", None)
    }
    assert concrete - {settings["class_path"] for settings in OVERLAYS.values()} == {"BinarizedFashionMNISTMini"}
