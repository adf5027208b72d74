import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from genzoo.metrics import KernelDistance, TooFewSamplesError
from genzoo.metrics.canonical_order import canonical_order
from genzoo.metrics.kernel import kernel_distance


def naive(real, fake):
    """The unbiased estimate, by scikit-learn's kernel and sums that leave out the diagonal."""
    real, fake = real.double().numpy(), fake.double().numpy()
    kernels = [polynomial_kernel(*pair, degree=3, gamma=None, coef0=1) for pair in ((real, real), (fake, fake))]
    within = [(kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1)) for kernel in kernels]
    return sum(within) - 2 * polynomial_kernel(real, fake, degree=3, coef0=1).mean()


def score(real, fake, batch_size=1000, **settings):
    metric = KernelDistance(**settings)
    for batch in real.split(batch_size):
        metric.update(batch, real=True)
    for batch in fake.split(batch_size):
        metric.update(batch)
    return {name: float(value) for name, value in metric.compute().items()}


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_over_all_pairs_it_is_the_formula_whatever_the_batch(batch_size, monkeypatch):
    monkeypatch.setattr("genzoo.metrics.kernel.ENTRIES_AT_ONCE", 5000)
    real, fake = torch.randn(300, 8), torch.randn(250, 8) * 1.2
    assert score(real, fake, batch_size)["kernel_distance"] == pytest.approx(naive(real, fake), rel=1e-4)


def test_small_differences_of_large_kernels_are_kept():
    generator = torch.Generator().manual_seed(0)
    real, fake = 20 + 0.1 * torch.randn(2, 300, 8, generator=generator)
    assert float(kernel_distance(real, fake)) == pytest.approx(naive(real, fake), rel=1e-6)


def test_it_is_torchmetrics_kernel_distance_on_one_block():
    from torchmetrics.image.kid import poly_mmd

    real, fake = torch.randn(100, 8), torch.randn(100, 8) + 0.3
    ours = score(real, fake)["kernel_distance"]
    assert ours == pytest.approx(float(poly_mmd(real, fake)), rel=1e-3)


def test_it_is_unbiased():
    # Small sets of one distribution: the mean over many of them is 0 within its own error.
    generator = torch.Generator().manual_seed(0)
    values = []
    for _ in range(400):
        real, fake = torch.randn(2, 20, 4, generator=generator).unbind()
        values.append(float(kernel_distance(real, fake)))
    assert abs(np.mean(values)) < 3 * np.std(values) / 20
    assert min(values) < 0


def test_blocks_have_the_mean_of_their_distances_and_its_error():
    real, fake = torch.randn(400, 4), torch.randn(300, 4) + 0.5
    found = score(real, fake, block_size=100)
    blocks = [x[canonical_order(x, 0)][:300].split(100) for x in (real, fake)]
    values = [naive(*pair) for pair in zip(*blocks, strict=True)]
    assert found["kernel_distance"] == pytest.approx(np.mean(values), rel=1e-4)
    assert found["kernel_distance_error"] == pytest.approx(np.std(values, ddof=1) / 3**0.5, rel=1e-4)


def test_the_error_is_about_the_deviation_over_repetitions():
    generator = torch.Generator().manual_seed(0)
    found = [
        score(*(torch.randn(2, 400, 4, generator=generator) + torch.tensor([0.0, 0.5])[:, None, None]).unbind())
        for _ in range(60)
    ]
    deviation = np.std([each["kernel_distance"] for each in found])
    assert np.mean([each["kernel_distance_error"] for each in found]) == pytest.approx(deviation, rel=0.4)


def test_too_few_are_refused():
    with pytest.raises(TooFewSamplesError, match="needs at least 200 of each"):
        score(torch.randn(150, 2), torch.randn(300, 2), block_size=100)
    with pytest.raises(ValueError, match="block_size must be at least 2, got 1"):
        KernelDistance(block_size=1)
