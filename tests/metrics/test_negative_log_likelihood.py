import math

import pytest
import torch

from genzoo.metrics import NegativeLogLikelihood, TooFewSamplesError


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_nll_and_its_error_whatever_the_batch(batch_size):
    values = torch.randn(500, dtype=torch.float64) * 75 - 228
    metric = NegativeLogLikelihood(784)
    for batch in values.split(batch_size):
        metric.update(batch)
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found["nll"] == pytest.approx(-float(values.mean()), rel=1e-6)
    assert found["nll_error"] == pytest.approx(float(values.std()) / 500**0.5, rel=1e-6)
    assert found["bits_per_dimension"] == pytest.approx(found["nll"] / 784 / math.log(2), rel=1e-6)


def test_nll_refuses_what_is_no_log_likelihood():
    for values in (torch.zeros(3, 2), torch.tensor([1.0, torch.nan])):
        with pytest.raises(ValueError, match="expected one finite number per image"):
            NegativeLogLikelihood(784).update(values)
    metric = NegativeLogLikelihood(784)
    metric.update(torch.zeros(1))
    with pytest.raises(TooFewSamplesError, match="has 1 images, but needs at least 2"):
        metric.compute()
