r"""Generative adversarial network.

Source: Goodfellow et al., "Generative adversarial nets", NeurIPS 2014.

.. math:: \min_G \max_D V(D, G) = E_x[\log D(x)] + E_z[\log(1 - D(G(z)))]

From the paper: the game (Algorithm 1, in `AdversarialModel`), both generator losses (`Minimax` and
`NonSaturating`), fully connected players, ReLU in the generator, dropout in the discriminator. Not from the
paper: Adam in place of SGD with momentum, batch norm in the generator, LeakyReLU in place of maxout in the
discriminator, tanh in place of sigmoid at the output (images in [-1, 1]), the discriminator gives logits, and other
objectives, penalties and augmentations if asked for.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor

from genzoo.augmentations.augmentation import Augmentation
from genzoo.data.arrays import Batch
from genzoo.losses.objectives import AdversarialObjective, NonSaturating
from genzoo.losses.regularisation import Regularisation
from genzoo.metrics.extractors.pooled_activations import PooledActivations
from genzoo.networks.architectures import Players
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import Noise, Stream
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.priors import NormalPrior, Prior
from genzoo.training.adversarial import AdversarialModel, Player
from genzoo.training.optimizers import AdversarialAdam, LRSchedulerCallable
from genzoo.training.penalty_terms import PenaltyTerms


class GAN(AdversarialModel):
    """Generator against discriminator.

    Args:
        networks: Builds generator and discriminator.
        objective: What the players want, as a function of the discriminator's logits.
        prior: p(z), which the generator's inputs are drawn from.
        penalties: What is added to the discriminator's loss, and what its weights have to obey.
        augmentation: How all that the discriminator is shown in training is changed; None: not at all.
        generator_optimizer: Makes the generator's optimiser from its parameters.
        discriminator_optimizer: Makes the discriminator's optimiser from its parameters.
        generator_scheduler: Makes the generator's learning-rate schedule from its optimiser.
        discriminator_scheduler: Makes the discriminator's learning-rate schedule from its optimiser.
        **kwargs: Arguments of `AdversarialModel`.
    """

    progress_metrics = (
        "train/discriminator_loss",
        "train/generator_loss",
        "train/discriminator_real",
        "train/discriminator_fake",
        "train/critic_real",
        "train/critic_fake",
    )
    representation_name = "discriminator"

    sampler: GeneratorSampler
    acting: GeneratorSampler

    def __init__(
        self,
        networks: Players = MLPPlayers(),
        objective: AdversarialObjective = NonSaturating(),
        prior: Prior = NormalPrior(),
        penalties: Sequence[Regularisation] = (),
        augmentation: Augmentation | None = None,
        generator_optimizer: OptimizerCallable = AdversarialAdam,
        discriminator_optimizer: OptimizerCallable = AdversarialAdam,
        generator_scheduler: LRSchedulerCallable | None = None,
        discriminator_scheduler: LRSchedulerCallable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.objective, self.augmentation = objective, augmentation
        self.penalties = PenaltyTerms(penalties, self.data_spec, objective)
        self.generator_optimizer, self.generator_scheduler = generator_optimizer, generator_scheduler
        self.discriminator_optimizer, self.discriminator_scheduler = discriminator_optimizer, discriminator_scheduler
        self.sampler = GeneratorSampler(self.data_spec, self.latent_shape, networks, prior, self.condition)
        self.discriminator = networks.discriminator(self.data_shape, self.condition.shape)
        self.augmenter = None
        if augmentation is not None:
            augmentation.require_fit(self.data_spec, objective)
            self.augmenter = augmentation.build()

    def players(self) -> list[Player]:
        """The discriminator, and the generator that answers it; a prior that is learned moves with it."""
        return [
            Player(
                "discriminator",
                [self.discriminator],
                self.discriminator_loss,
                self.discriminator_optimizer,
                self.discriminator_scheduler,
            ),
            Player(
                "generator",
                [self.sampler],
                self.generator_loss,
                self.generator_optimizer,
                self.generator_scheduler,
            ),
        ]

    def generate(self, number: int, condition: Tensor | None, noise: Noise) -> Tensor:
        """Draws images: ``(number, *condition.shape)`` to ``(number, *data_shape)`` in [-1, 1]."""
        acting = self.acting
        return acting.generate(acting.prior_sample(number, noise), condition)

    def shown(self, x: Tensor, noise: Noise) -> Tensor:
        """Images as the discriminator is shown them in training: augmented, if so asked, by noise of their own."""
        if self.augmenter is None:
            return x
        self.augmenter.steps_done = self.step
        self.recorder.record_means(self.augmenter.report)
        augmented: Tensor = self.augmenter(x, noise.branch(Stream.SHOWN))
        return augmented

    def score(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """The discriminator's logits of images, ``(N,)``."""
        return self._judged(self.discriminator, x, condition)

    def _judged(self, judge: Callable[..., Tensor], x: Tensor, condition: Tensor | None) -> Tensor:
        return judge(self.sampler.in_own_type(x), self.sampler.condition_in_own_type(condition))

    def discriminator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """The objective's loss on real images and as many generated ones, and the penalties."""
        condition = self.condition.encode(y)
        real = self.shown(x, noise)
        real_logits = self.score(real, condition)
        # Not detached: in this turn the generator requires no gradients, so that there is no graph of it.
        fake = self.shown(self.generate(len(x), condition, noise), noise)
        return self.judging_loss(real_logits, self.score(fake, condition), (real, fake), condition, noise)

    def judging_loss(
        self, real: Tensor, fake: Tensor, shown: tuple[Tensor, Tensor], condition: Tensor | None, noise: Noise
    ) -> Tensor:
        """What the discriminator minimises, once it has made logits of real and generated images as they were shown."""
        self.recorder.record_means(lambda: self.objective.report(real, fake))
        if self.augmenter is not None and self.augmenter.is_adaptive and self.is_fitting:
            self._real_logits.append(real.detach())
        loss = self.objective.at(self.step).discriminator_loss(real, fake)
        # Not the discriminator itself, which may be compiled: what is compiled cannot be differentiated twice.
        score = partial(self._judged, self.discriminator.forward, condition=condition)
        return self.penalties.added_to(loss, score, shown, noise, self.step, self.recorder)

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._real_logits: list[Tensor] = []

    def after_update(self, player: Player) -> None:
        """Constrains the discriminator once it has moved, and shows its logits of real images to an augmentation."""
        if player.name == "discriminator":
            self.penalties.constrain(self.discriminator, self.step)
        if self.augmenter is not None and self._real_logits:
            # Those of all devices, on which its state, like the weights, must be the same.
            logits: Any = self.all_gather(torch.cat(self._real_logits))
            above = logits.flatten() - (self.objective.threshold or 0.0)
            self.augmenter.observe(above.repeat_interleave(self.discriminator.pack_size))
            self._real_logits = []

    def generator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """The objective's loss on newly generated images."""
        condition = self.condition.encode(y)
        fake = self.shown(self.generate(len(x), condition, noise), noise)
        return self.answering_loss(self.score(fake, condition), x, condition, noise)

    def answering_loss(self, fake_logits: Tensor, x: Tensor, condition: Tensor | None, noise: Noise) -> Tensor:
        """What the generator minimises once its images have been judged; x are real ones, to compare them with."""
        objective = self.objective.at(self.step)
        if objective.is_relativistic:
            return objective.generator_loss(fake_logits, self.score(self.shown(x, noise), condition))
        return objective.generator_loss(fake_logits)

    def representation(self, x: Tensor) -> Tensor:
        """Features of images for a linear classifier, the discriminator's pooled activations: ``(N, D)``.

        Raises:
            ValueError: If the discriminator has no maps of activations.
        """
        features: Tensor = PooledActivations(self.discriminator)(self.sampler.in_own_type(x))
        return features

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """The discriminator's logits, ``(N,)``, beside the labels.

        In eval mode: batch norm uses its running averages, over real and generated batches alike, where training
        norms each kind of batch by itself. Logits compare with each other, not with those of training.
        """
        x, y = batch
        return {"logits": self.discriminator.of_each(self.score, x, self.condition.encode(y)), "label": y}

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """What the objective reports of the logits of each image and of as many generated ones."""
        condition = self.condition.encode(y)
        items = x, self.generate(len(x), condition, noise)
        return self.objective.report(*(self.discriminator.of_each(self.score, each, condition) for each in items))

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers."""
        of_augmentation = () if self.augmenter is None else self.augmenter.report()
        names = super().reports() | {f"train/{name}" for name in (*self.penalties.by_name, *of_augmentation)}
        return names | {f"val/{kind}_gap" for kind in ("discriminator", "critic") if f"val/{kind}_real" in names}

    def on_validation_epoch_end(self) -> None:
        """Reports also the gap D(x on training images) - D(x on held-out images): the discriminator's overfitting."""
        super().on_validation_epoch_end()
        held_out, training = self.means.of(0), self.means.of(1)
        for kind in ("discriminator", "critic"):
            if (name := f"{kind}_real") in held_out and name in training:
                self.log(f"val/{kind}_gap", training[name] - held_out[name], sync_dist=True)
