r"""VAE/GAN: an autoencoder that is judged by the features of a discriminator, and a GAN whose generator it is.

Source: Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", ICML 2016, Algorithm 1.

.. math:: L_{Enc} = D_{KL}(q(z|x) \| p(z)) + L_f, \; L_{Dec} = \gamma L_f + L_G, \; L_f = -E[\log N(f(x) | f(x'), I)]

with features f of the discriminator, which plays against x' = Dec(z), z ~ q(z|x), and x'' = Dec(z), z ~ p(z). From the
paper: all this, and who minimises what. Not from the paper: players move in turn, each by a pass of its own; x' and x''
together weigh as much as x, where the paper adds their losses; f is what the head sees; no batch norm but in f; Adam.
"""

from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn

from genzoo.losses.divergences import standard_normal_kl
from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.losses.objectives import AdversarialObjective, NonSaturating
from genzoo.networks.architectures import EncoderDecoder, Players
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.discriminator import require_single_items
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.schedules.schedule import Schedule, require_not_negative, value_at
from genzoo.spec import is_image
from genzoo.training.adversarial import AdversarialModel, Player
from genzoo.training.inference import InferenceModel
from genzoo.training.optimizers import AdversarialAdam


class VAEGAN(InferenceModel, AdversarialModel):
    """Encoder and decoder, which is a generator too, against a discriminator; no likelihood of pixels plays a part.

    Args:
        networks: Builds encoder and decoder.
        judge: Builds the discriminator.
        objective: What discriminator and decoder want, as a function of the discriminator's logits.
        gamma: Weight of L_f in the decoder's loss, >= 0.
        optimizer: Makes each player's optimiser from its parameters.
        **kwargs: Arguments of `InferenceModel` and `AdversarialModel`.
    """

    progress_metrics = ("train/discriminator_loss", "train/decoder_loss", "val/feature_error")
    sampler: VariationalSampler
    acting: VariationalSampler

    def __init__(
        self,
        networks: EncoderDecoder = ConvolutionalEncoderDecoder(),
        judge: Players = DCGANPlayers(),
        objective: AdversarialObjective = NonSaturating(),
        gamma: float | Schedule = 1e-3,
        optimizer: OptimizerCallable = AdversarialAdam,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.objective, self.gamma, self.optimizer = objective, gamma, optimizer
        require_not_negative("gamma", gamma)
        values = Gaussian(activation="tanh" if is_image(self.data_shape) else "identity")
        self.sampler = VariationalSampler(self.data_spec, self.latent_shape, networks, values, density=self.density)
        self.discriminator = judge.discriminator(self.data_shape)
        require_single_items(self.discriminator, type(self).__name__)

    def players(self) -> list[Player]:
        """The discriminator, and the two that answer it."""
        return [
            Player("discriminator", [self.discriminator], self.discriminator_loss, self.optimizer),
            Player("encoder", [self.sampler.encoder], self.encoder_loss, self.optimizer),
            Player("decoder", [self.sampler.decoder], self.decoder_loss, self.optimizer),
        ]

    def discriminator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """The objective's loss on images against reconstructions and samples."""
        terms, real, fake = self._pass(x, noise)
        self.recorder.record_means(lambda: terms | self.objective.report(real, fake))
        return self.objective.at(self.step).discriminator_loss(real, fake)

    def encoder_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """L_Enc."""
        terms = self._pass(x, noise)[0]
        return (terms["kl"] + terms["feature_error"]).mean()

    def decoder_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """L_Dec."""
        terms, real, fake = self._pass(x, noise)
        generator_loss = self.objective.at(self.step).generator_loss(fake, real)
        return value_at(self.gamma, self.step) * terms["feature_error"].mean() + generator_loss

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """D_KL and L_f of each image, and the means of what the objective reports beside its x' and its x''."""
        terms, real, fake = self._pass(x, noise)
        return terms | {name: both.view(2, -1).mean(0) for name, both in self.objective.report(real, fake).items()}

    def _pass(self, x: Tensor, noise: Noise) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """D_KL and L_f, but for its constant, ``(N,)``; logits ``(2 N,)`` of x, twice, and of x' and x''."""
        mean, log_variance = map(at_least_float32, self.acting.posterior(x, None))
        codes = mean + (0.5 * log_variance).exp() * noise.normal(*mean.shape), noise.normal(*mean.shape)
        shown = self.sampler.in_own_type(x), *map(self.acting.generate, codes)
        # Features as they are, by a head that changes nothing.
        read = [self.discriminator.read(nn.Identity(), items) for items in shown]
        (real, features), (_, rebuilt), _ = read
        error = 0.5 * (at_least_float32(features) - rebuilt).square().flatten(1).sum(1)
        terms = {"kl": standard_normal_kl(mean, log_variance).sum(1), "feature_error": error}
        return terms, torch.cat([real, real]), torch.cat([fakes for fakes, _ in read[1:]])
