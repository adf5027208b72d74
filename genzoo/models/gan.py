r"""Generative adversarial network.

Source: Goodfellow et al., "Generative adversarial nets", NeurIPS 2014.

.. math:: \min_G \max_D V(D, G) = E_x[\log D(x)] + E_z[\log(1 - D(G(z)))]

From the paper: the game (Algorithm 1, in `AdversarialModel`), both generator losses (`Minimax` and
`NonSaturating`), fully connected players, ReLU in the generator, dropout in the discriminator. Not from the
paper: Adam in place of SGD with momentum, batch norm in the generator, LeakyReLU in place of maxout in the
discriminator, tanh in place of sigmoid at the output (images in [-1, 1]), and the discriminator gives logits.
"""

from typing import Any

from torch import Tensor, nn

from genzoo.data.arrays import Batch
from genzoo.losses.objectives import AdversarialObjective, NonSaturating
from genzoo.metrics.extractors.pooled_activations import PooledActivations
from genzoo.models.adversarial import AdversarialModel
from genzoo.networks.architectures import Players
from genzoo.networks.discriminator import Discriminator
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import Noise
from genzoo.sampling.given import Given


class GAN(AdversarialModel):
    """Generator against discriminator.

    A variant overrides a few small methods: `condition` (what both players are told), `generate`, `score`.

    Args:
        networks: Builds generator and discriminator.
        objective: What the players want, as a function of the discriminator's logits.
        **kwargs: Arguments of `AdversarialModel`.
    """

    discriminator: Discriminator
    representation_name = "discriminator"

    def __init__(
        self,
        networks: Players = MLPPlayers(),
        objective: AdversarialObjective = NonSaturating(),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.objective = objective
        condition_shape = (self.condition_dim,) if self.condition_dim else ()
        self.generator = networks.generator((self.latent_dim,), self.data_shape, condition_shape)
        self.discriminator = networks.discriminator(self.data_shape, condition_shape)

    def representation(self, x: Tensor) -> Tensor:
        """Features of images for a linear classifier, the discriminator's pooled activations: ``(N, D)``.

        Raises:
            ValueError: If the discriminator has no maps of activations.
        """
        features: Tensor = PooledActivations(self.discriminator)(x)
        return features

    def condition(self, y: Tensor) -> Tensor | None:
        """What both players are told of each image: labels ``(N,)`` to ``(N, condition_dim)``, or nothing."""
        return None

    def generate(self, number: int, condition: Tensor | None, noise: Noise) -> Tensor:
        """Draws images: ``(number, condition_dim)`` to ``(number, *data_shape)`` in [-1, 1]."""
        return self._played(self.generator, self.prior_sample(number, noise), condition)

    def score(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """The discriminator's logits of images, ``(N,)``."""
        return self._played(self.discriminator, x, condition)

    def _played(self, player: nn.Module, x: Tensor, condition: Tensor | None) -> Tensor:
        output: Tensor = player(self.in_own_type(x), None if condition is None else self.in_own_type(condition))
        return output

    def discriminator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """The objective's loss on real images and as many generated ones."""
        condition = self.condition(y)
        real_logits = self.score(x, condition)
        fake_logits = self.score(self.generate(len(x), condition, noise), condition)
        self._record_discrimination(real_logits, fake_logits)
        return self.objective.discriminator_loss(real_logits, fake_logits)

    def generator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """The objective's loss on newly generated images."""
        condition = self.condition(y)
        fake_logits = self.score(self.generate(len(x), condition, noise), condition)
        if self.objective.is_relativistic:
            return self.objective.generator_loss(fake_logits, self.score(x, condition))
        return self.objective.generator_loss(fake_logits)

    def decode(self, z: Tensor, y: Given | None = None) -> Tensor:
        """Images of latent variables and, for a conditional model, of conditions, as `sample` takes them."""
        self.require_latents(z)
        conditions = self.sampling_conditions(len(z), y)
        return self._played(self.generator, z, None if conditions is None else self.condition(conditions))

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """The discriminator's logits, ``(N,)``, beside the labels.

        In eval mode: batch norm uses its running averages, over real and generated batches alike, where training
        norms each kind of batch by itself. Logits compare with each other, not with those of training.
        """
        x, y = batch
        return {"logits": self.score(x, self.condition(y)), "label": y}

    # What is reported

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """What the objective reports of the logits of each image and of as many generated ones."""
        condition = self.condition(y)
        fake = self.generate(len(x), condition, noise)
        return self.objective.report(self.score(x, condition), self.score(fake, condition))

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers."""
        names = super().reports()
        return names | {f"val/{kind}_gap" for kind in ("discriminator", "critic") if f"val/{kind}_real" in names}

    def on_validation_epoch_end(self) -> None:
        """Reports also the gap D(x on training images) - D(x on held-out images): the discriminator's overfitting."""
        super().on_validation_epoch_end()
        for kind in ("discriminator", "critic"):
            name = f"{kind}_real"
            if (0, name) in self._means and (1, name) in self._means:
                gap = self._means[1, name].compute() - self._means[0, name].compute()
                self.log(f"val/{kind}_gap", gap, sync_dist=True)

    def _record_discrimination(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        if self._is_recording:
            for name, values in self.objective.report(real_logits, fake_logits).items():
                self.record(name, values.mean)
