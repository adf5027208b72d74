import hashlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from genzoo.metrics.extractors import inception
from genzoo.metrics.extractors.inception import WEIGHTS, inception_extractor, wrap_inception
from tests.spoiled import Payload, sign_beside

pytest.importorskip("torch_fidelity")


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def test_weights_that_cannot_be_had_are_named_with_their_place(hub, monkeypatch):
    def unreachable(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(RuntimeError, match="no network") as error:
        inception_extractor()
    assert str(hub / WEIGHTS) in str(error.value)
    assert f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{WEIGHTS}" in str(error.value)


def test_a_file_that_was_named_is_not_downloaded(tmp_path):
    with pytest.raises(RuntimeError, match=r"mine\.pth, but it is not there"):
        inception_extractor(tmp_path / "mine.pth")


def test_another_file_is_not_read(tmp_path):
    path = Path(tmp_path / WEIGHTS)
    path.write_bytes(b"anything")
    with pytest.raises(ValueError, match="whose SHA-256 starts with 6726825d"):
        inception_extractor(path)


def test_a_forged_file_is_not_run(tmp_path, monkeypatch):
    path = tmp_path / "forged.pth"
    torch.save({"extra": Payload(sign_beside(path))}, path)
    monkeypatch.setattr(inception, "WEIGHTS", f"forged-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")
    with pytest.raises(ValueError, match=r"forged\.pth holds more than plain weights, and is not read"):
        inception_extractor(path)
    assert not sign_beside(path).exists()


def test_it_takes_grey_and_colour_of_any_size_and_is_called_fid(tmp_path):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Untrained(FeatureExtractorInceptionV3):
        def load_state_dict(self, state_dict, *args, **kwargs):
            """Keeps the initial weights."""

    torch.save({}, tmp_path / "none.pth")
    torch.manual_seed(0)
    extractor = wrap_inception(Untrained("inception", ["2048"], str(tmp_path / "none.pth")))
    assert (extractor.frechet_name, extractor.feature_dim, extractor.number_of_classes) == ("fid", 2048, 1008)
    grey = torch.randint(0, 256, (2, 1, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(extractor(grey).features, extractor(grey.expand(-1, 3, -1, -1)).features)
