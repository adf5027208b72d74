"""Deep convolutional GAN.

Source: Radford, Metz and Chintala, "Unsupervised representation learning with deep convolutional generative
adversarial networks", ICLR 2016. The game and its losses are those of `GAN`; the networks, and what is not
from the paper in them, are in `genzoo.networks.deep_convolutional`.

From the paper: 100 inputs, uniform on [-1, 1]; Adam with learning rate 2e-4 and beta1 0.5; minibatches of 128
(the data modules' default).
"""

from typing import Any

from genzoo.models.gan import GAN
from genzoo.networks.architectures import Players
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.sampling.priors import Prior, UniformPrior


class DCGAN(GAN):
    """GAN with convolutional players.

    Args:
        latent_dim: Number of latent variables.
        prior: p(z), which the generator's inputs are drawn from.
        networks: Builds generator and discriminator.
        **kwargs: Arguments of `GAN`.
    """

    def __init__(
        self,
        latent_dim: int = 100,
        prior: Prior = UniformPrior(),
        networks: Players = DCGANPlayers(),
        **kwargs: Any,
    ) -> None:
        super().__init__(latent_dim=latent_dim, prior=prior, networks=networks, **kwargs)
