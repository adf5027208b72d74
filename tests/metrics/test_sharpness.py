import numpy as np
import pytest
import scipy.ndimage
import torch

from genzoo.metrics import Sharpness


@pytest.mark.parametrize("batch_size", [1, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_sharpness_is_the_variance_of_scipys_laplacian(channels, batch_size):
    images = torch.randint(0, 256, (40, channels, 9, 12), dtype=torch.uint8)
    metric = Sharpness()
    for batch in images.split(batch_size):
        metric.update(batch)
    edges = [scipy.ndimage.laplace(plane.double().numpy() / 255)[1:-1, 1:-1] for plane in images.flatten(0, 1)]
    assert float(metric.compute()) == pytest.approx(np.mean([edge.var() for edge in edges]), rel=1e-5)


def test_blurred_images_are_less_sharp():
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    blurred = torch.from_numpy(scipy.ndimage.gaussian_filter(images.numpy(), (0, 0, 1, 1)))
    found = []
    for each in (images, blurred):
        metric = Sharpness()
        metric.update(each)
        found.append(float(metric.compute()))
    assert found[1] < 0.1 * found[0]


def test_sharpness_refuses_what_is_no_image_of_bytes():
    with pytest.raises(ValueError, match="Sharpness got float32 images, but takes uint8"):
        Sharpness().update(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match=r"images of \(2, 8\) pixels, but needs at least \(3, 3\)"):
        Sharpness().update(torch.zeros(2, 1, 2, 8, dtype=torch.uint8))
