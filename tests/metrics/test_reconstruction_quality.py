import pytest
import torch
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from genzoo.metrics import ReconstructionQuality


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_it_is_squared_error_and_torchmetrics_whatever_the_batch(batch_size):
    images = torch.rand(40, 3, 16, 16) * 2 - 1
    reconstructions = (images + 0.3 * torch.randn(images.shape)).clamp(-1, 1)
    metric = ReconstructionQuality()
    for pair in zip(reconstructions.split(batch_size), images.split(batch_size), strict=True):
        metric.update(*pair)
    found = metric.compute()
    x, y = (images + 1) / 2, (reconstructions + 1) / 2
    torch.testing.assert_close(found["squared_error"], (x - y).square().flatten(1).sum(1).mean())
    torch.testing.assert_close(found["psnr"], PeakSignalNoiseRatio(data_range=1.0)(y, x))
    torch.testing.assert_close(found["ssim"], StructuralSimilarityIndexMeasure(data_range=1.0)(y, x))


def test_perfect_reconstructions():
    images = torch.rand(4, 1, 28, 28) * 2 - 1
    metric = ReconstructionQuality()
    metric.update(images, images)
    found = metric.compute()
    assert (float(found["squared_error"]), float(found["psnr"])) == (0, torch.inf)
    assert float(found["ssim"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("images", "reconstructions", "message"),
    [
        (torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 9, 9), "give each image its reconstruction"),
        (torch.full((2, 1, 8, 8), 2.0), torch.zeros(2, 1, 8, 8), r"expected floats in \[-1, 1\]"),
        (torch.zeros(2, 1, 8, 8).byte(), torch.zeros(2, 1, 8, 8), r"expected floats in \[-1, 1\]"),
    ],
)
def test_what_is_no_reconstruction_is_refused(images, reconstructions, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionQuality().update(reconstructions, images)
