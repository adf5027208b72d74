"""Divergences between distributions, in closed form."""

from torch import Tensor


def standard_normal_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of a diagonal Gaussian from the standard normal, per dimension, in nats.

    .. math:: D_{KL}(N(\mu, \sigma^2) \,\|\, N(0, 1)) = \tfrac12 (\mu^2 + \sigma^2 - 1 - \log \sigma^2)

    Source: Kingma and Welling 2014, appendix B.

    Args:
        mean: mu, ``(N, L)``.
        log_variance: log sigma^2, ``(N, L)``.

    Returns:
        ``(N, L)``, each entry >= 0.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)
