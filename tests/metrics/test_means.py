import pytest
import torch

from genzoo.metrics.means import ImageMean


@pytest.mark.parametrize("batch_size", [1, 7, 100])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_mean_over_images_whatever_the_batch(batch_size, shape):
    values = torch.randn(100, *shape) * 50 - 300
    mean = ImageMean(shape, torch.device("cpu"))
    for batch in values.split(batch_size):
        mean.update(batch)
    torch.testing.assert_close(mean.compute(), values.double().mean(0).float())


def test_a_value_that_is_not_a_number_is_not_hidden():
    mean = ImageMean((), torch.device("cpu"))
    mean.update(torch.tensor([1.0, float("nan")]))
    assert torch.isnan(mean.compute())
