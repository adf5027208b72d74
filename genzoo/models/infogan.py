r"""InfoGAN.

Source: Chen et al., "InfoGAN: interpretable representation learning by information maximizing generative adversarial
nets", NeurIPS 2016, equations 5 and 6.

.. math::
    \min_{G, Q} \max_D V(D, G) - \lambda L_I(G, Q), \qquad
    L_I(G, Q) = E_{c, x \sim G(z, c)}[\log Q(c | x)] + H(c) \le I(c; G(z, c))

From the paper: a part c of the generator's inputs, categories and numbers, that can be recognised in what it makes; Q,
a head on the features of the discriminator, with one hidden layer (128 units, LeakyReLU(0.1)), of categories and of
Gaussians. From the authors' code: -\lambda L_I is part of the discriminator's loss too, which moves Q and itself by it;
Gaussians have deviation 1. Not from the paper: no batch norm in Q; the players, objective and optimisers of `GAN`.
"""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from genzoo.models.gan import GAN
from genzoo.networks.discriminator import require_single_items
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.coded import CodedPrior
from genzoo.schedules.schedule import Schedule, require_not_negative, value_at
from genzoo.training.adversarial import Player


class InfoGAN(GAN):
    """GAN that learns, without labels, codes for what its images differ in.

    Latent variables are noise, then the codes, as `CodedPrior` has them.

    Args:
        latent_dim: Number of latent variables in front of the codes.
        prior: p(z), with codes.
        information_weight: lambda, the weight of L_I, >= 0; the authors take 1 for categories and as much or less for
            numbers.
        **kwargs: Arguments of `GAN`.
    """

    def __init__(
        self,
        latent_dim: int = 62,
        prior: CodedPrior = CodedPrior(),
        information_weight: float | Schedule = 1.0,
        **kwargs: Any,
    ) -> None:
        if not isinstance(prior, CodedPrior):
            raise ValueError(
                f"an InfoGAN recognises codes, which {type(prior).__name__} has none of; choose CodedPrior"
            )
        self.codes = prior
        super().__init__(latent_dim=latent_dim, prior=prior, **kwargs)
        require_not_negative("information_weight", information_weight)
        self.information_weight = information_weight
        require_single_items(self.discriminator, type(self).__name__)
        hidden = nn.Linear(math.prod(self.discriminator.feature_shape), 128)
        self.recogniser = nn.Sequential(nn.Flatten(), hidden, nn.LeakyReLU(0.1), nn.Linear(128, prior.length))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Noise and codes."""
        return (self.latent_dim + self.codes.length,)

    def players(self) -> list[Player]:
        """The discriminator, which moves Q too, and the generator."""
        discriminator, *others = super().players()
        return [replace(discriminator, moves=[*discriminator.moves, self.recogniser]), *others]

    def discriminator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """That of a GAN, less the weighted L_I."""
        condition, z = self.condition.encode(y), self.acting.prior_sample(len(x), noise)
        real, fake = self.shown(x, noise), self.shown(self.acting.generate(z, condition), noise)
        fake_logits, recognised = self._read(fake, condition)
        told = self._told(recognised, z)
        self.recorder.record_means(lambda: told)
        loss = self.judging_loss(self.score(real, condition), fake_logits, (real, fake), condition, noise)
        return loss - value_at(self.information_weight, self.step) * told["information"].mean()

    def generator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """That of a GAN, less the weighted L_I."""
        condition, z = self.condition.encode(y), self.acting.prior_sample(len(x), noise)
        fake_logits, recognised = self._read(self.shown(self.acting.generate(z, condition), noise), condition)
        loss, told = self.answering_loss(fake_logits, x, condition, noise), self._told(recognised, z)
        return loss - value_at(self.information_weight, self.step) * told["information"].mean()

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """Those of a GAN, and what of the codes of as many generated images is recognised."""
        condition, z = self.condition.encode(y), self.acting.prior_sample(len(x), noise)
        fake_logits, recognised = self._read(self.acting.generate(z, condition), condition)
        return self.objective.report(self.score(x, condition), fake_logits) | self._told(recognised, z)

    def _read(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Logits, ``(N,)``, and what Q makes of the same features, ``(N, codes)``, in at least float32."""
        own = self.sampler.in_own_type(x), self.sampler.condition_in_own_type(condition)
        logits, recognised = self.discriminator.read(self.recogniser, *own)
        return logits, at_least_float32(recognised)

    def _told(self, recognised: Tensor, z: Tensor) -> dict[str, Tensor]:
        """L_I in nats, ``(N,)``, and the share of categories that are recognised, ``(N,)``, if there are any.

        Args:
            recognised: Logits of each categorical code, and the means of the continuous ones.
            z: Latent variables, ``(N, *latent_shape)``.
        """
        sizes = [*self.codes.categories, self.codes.continuous]
        *logits, means = recognised.split(sizes, 1)
        *categories, numbers = z[:, self.latent_dim :].split(sizes, 1)
        likelihoods = -0.5 * ((numbers - means).square() + math.log(2.0 * math.pi))
        information = (likelihoods + math.log(2.0)).sum(1)
        right = []
        for each, category in zip(logits, categories, strict=True):
            information = information + (category * each.log_softmax(1)).sum(1) + math.log(each.shape[1])
            right.append(category.gather(1, each.argmax(1, keepdim=True)).squeeze(1))
        accuracy = {"category_accuracy": torch.stack(right).mean(0)} if right else {}
        return {"information": information} | accuracy
