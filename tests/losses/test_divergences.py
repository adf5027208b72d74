import torch
from torch.distributions import Normal, kl_divergence

from genzoo.losses.divergences import standard_normal_kl


def test_divergence_is_that_of_torch_distributions():
    mean, log_variance = torch.randn(50, 7, dtype=torch.float64), torch.randn(50, 7, dtype=torch.float64) * 2
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(standard_normal_kl(mean, log_variance), expected)


def test_divergence_vanishes_at_the_prior_only():
    assert standard_normal_kl(torch.zeros(1), torch.zeros(1)).item() == 0.0
    assert standard_normal_kl(torch.tensor([0.1, 0.0]), torch.tensor([0.0, 0.1])).min() > 0.0
