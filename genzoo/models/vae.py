r"""Variational autoencoder.

Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.

.. math:: q(z|x) = N(\mu(x), \Sigma(x)), \qquad z = \mu(x) + \Sigma(x)^{1/2} \epsilon, \quad \epsilon \sim N(0, I)

From the paper: a Gaussian prior, a diagonal Gaussian posterior whose moments the encoder computes, the
reparameterisation, the bound with its divergence in closed form (appendix B). Not from the paper: ReLU, Adam,
wider layers and, if asked for, convolutions; KL warm-up and free bits are in `VariationalModel`.
"""

from typing import Any

from torch import Tensor

from genzoo.models.variational import VariationalModel
from genzoo.networks.architectures import EncoderDecoder
from genzoo.networks.mlp import MLPEncoderDecoder


class VAE(VariationalModel):
    """A variational autoencoder: an encoder for mu(x) and log Sigma(x), a decoder for p(x|z).

    Args:
        networks: Builds encoder and decoder.
        **kwargs: Arguments of `VariationalModel`.
    """

    averaged_modules = ("encoder", "decoder", "shared_parameters")

    def __init__(self, networks: EncoderDecoder = MLPEncoderDecoder(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = networks.encoder(self.data_shape, (2 * self.latent_dim,))
        channels, *size = self.data_shape
        outputs = self.likelihood.outputs_per_value - self.likelihood.shared_outputs
        self.decoder = networks.decoder((self.latent_dim,), [outputs * channels, *size])

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu(x) and log Sigma(x), each ``(N, latent_dim)``."""
        mean, log_variance = self.encoder(self.in_own_type(x)).chunk(2, dim=1)
        return mean, log_variance

    def decoder_output(self, z: Tensor) -> Tensor:
        """The decoder's raw output, ``(N, C, ...)``, several times C channels where the likelihood wants more."""
        output: Tensor = self.decoder(self.in_own_type(z))
        return output
