r"""Variational autoencoder.

Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.

.. math:: q(z|x) = N(\mu(x), \Sigma(x)), \qquad z = \mu(x) + \Sigma(x)^{1/2} \epsilon, \quad \epsilon \sim N(0, I)

From the paper: a Gaussian prior, a diagonal Gaussian posterior whose moments the encoder computes, the
reparameterisation, the bound with its divergence in closed form (appendix B). Not from the paper: ReLU, Adam,
wider layers and, if asked for, convolutions; KL warm-up and free bits are in `VariationalModel`.
"""

from typing import Any

from genzoo.networks.architectures import EncoderDecoder
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.training.variational import VariationalModel


class VAE(VariationalModel):
    """A variational autoencoder: an encoder for mu(x) and log Sigma(x), a decoder for p(x|z).

    Args:
        networks: Builds encoder and decoder.
        **kwargs: Arguments of `VariationalModel`.
    """

    def __init__(self, networks: EncoderDecoder = MLPEncoderDecoder(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sampler = VariationalSampler(
            self.data_spec, self.latent_shape, networks, self.likelihood, self.prior, self.density, self.condition
        )
