r"""Auxiliary classifier GAN.

Source: Odena, Olah and Shlens, "Conditional image synthesis with auxiliary classifier GANs", ICML 2017, equations 2, 3.

.. math::
    L_S = E[\log P(S = \mathrm{real} | x)] + E[\log P(S = \mathrm{fake} | G(z, c))], \qquad
    L_C = E[\log P(C = c | x)] + E[\log P(C = c | G(z, c))]

The discriminator maximises L_S + L_C, the generator L_C - L_S. From the paper: this; the class goes to the generator
alone, and the discriminator tells source and class from the same features. Not from the paper: weights of L_C; in place
of L_S any objective, penalties and augmentations, as in `GAN`; items without a label count in L_S alone; where the data
have attributes, L_C is the mean log-likelihood of each of them; generated items take the labels of the real ones.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from genzoo.models.gan import GAN
from genzoo.networks.architectures import Players
from genzoo.networks.discriminator import require_single_items
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.conditions import ClassCondition, VectorCondition, required_condition
from genzoo.schedules.schedule import Schedule, require_not_negative, value_at
from genzoo.spec import DataSpec
from genzoo.training.adversarial import Player


class ACGAN(GAN):
    """GAN whose discriminator is not told the class, but has to tell it, of real and generated items.

    Args:
        networks: Builds generator and discriminator.
        discriminator_class_weight: Of L_C in the discriminator's loss, >= 0.
        generator_class_weight: Of L_C in the generator's loss, >= 0.
        **kwargs: Arguments of `GAN`.
    """

    condition: ClassCondition | VectorCondition

    def __init__(
        self,
        networks: Players = MLPPlayers(),
        discriminator_class_weight: float | Schedule = 1.0,
        generator_class_weight: float | Schedule = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(networks=networks, **kwargs)
        self.discriminator_class_weight = discriminator_class_weight
        self.generator_class_weight = generator_class_weight
        for name in ("discriminator_class_weight", "generator_class_weight"):
            require_not_negative(name, getattr(self, name))
        self.discriminator = networks.discriminator(self.data_shape)
        require_single_items(self.discriminator, type(self).__name__)
        features = math.prod(self.discriminator.feature_shape)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(features, self.condition.shape[0]))

    def condition_for(self, data_spec: DataSpec) -> ClassCondition | VectorCondition:
        """The classes or the attributes of the data."""
        condition = required_condition(data_spec, type(self).__name__)
        if not isinstance(condition, ClassCondition | VectorCondition):
            raise ValueError(
                f"an ACGAN tells classes or attributes, but these data have {condition}; choose a ConditionalGAN"
            )
        return condition

    def players(self) -> list[Player]:
        """The discriminator, which moves the classifier too, and the generator."""
        discriminator, *others = super().players()
        return [replace(discriminator, moves=[*discriminator.moves, self.classifier]), *others]

    def discriminator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """That of a GAN, less the weighted L_C."""
        condition = self.condition.encode(y)
        real, fake = self.shown(x, noise), self.shown(self.generate(len(x), condition, noise), noise)
        (real_logits, real_told), (fake_logits, fake_told) = self._read(real), self._read(fake)
        for name, told in {"real": real_told, "generated": fake_told}.items():
            self.recorder.record(f"class_accuracy_{name}", partial(self._accuracy, told, condition))
        likelihood = self._likelihood(real_told, condition) + self._likelihood(fake_told, condition)
        loss = self.judging_loss(real_logits, fake_logits, (real, fake), condition, noise)
        return loss - value_at(self.discriminator_class_weight, self.step) * likelihood

    def generator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """That of a GAN, less the weighted part of L_C that the generator can change."""
        condition = self.condition.encode(y)
        logits, told = self._read(self.shown(self.generate(len(x), condition, noise), noise))
        loss = self.answering_loss(logits, x, condition, noise)
        return loss - value_at(self.generator_class_weight, self.step) * self._likelihood(told, condition)

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """Those of a GAN, and whether the classes of each image and of each generated one are told."""
        condition = self.condition.encode(y)
        (real, real_told), (fake, fake_told) = self._read(x), self._read(self.generate(len(x), condition, noise))
        right = {"real": self._right(real_told, condition), "generated": self._right(fake_told, condition)}
        told = {f"class_accuracy_{name}": values for name, values in right.items()}
        return self.objective.report(real, fake) | told | {"labelled": self._is_labelled(condition)}

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The means, accuracies over the items with a label alone; NaN where there are none."""
        labelled = means["labelled"]
        shares = {name: mean / labelled for name, mean in means.items() if name.startswith("class_accuracy")}
        return {name: mean for name, mean in means.items() if name != "labelled"} | shares

    def _judged(self, judge: Callable[..., Tensor], x: Tensor, condition: Tensor | None) -> Tensor:
        return super()._judged(judge, x, None)

    def _read(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of source, ``(N,)``, and of the classes, ``(N, K)``, in at least float32."""
        logits, told = self.discriminator.read(self.classifier, self.sampler.in_own_type(x))
        return logits, at_least_float32(told)

    def _likelihood(self, told: Tensor, condition: Tensor) -> Tensor:
        """The mean log-likelihood of the right classes in nats, over the items that have one; 0 if none has."""
        if isinstance(self.condition, ClassCondition):
            likelihoods = (condition * told.log_softmax(1)).sum(1)
        else:
            likelihoods = -binary_cross_entropy_with_logits(told, condition.to(told), reduction="none").mean(1)
        return likelihoods.sum() / self._is_labelled(condition).sum().clamp(min=1.0)

    def _accuracy(self, told: Tensor, condition: Tensor) -> Tensor:
        """How often the class is told, or each attribute, of the items that have one."""
        return self._right(told, condition).sum() / self._is_labelled(condition).sum()

    def _right(self, told: Tensor, condition: Tensor) -> Tensor:
        """Whether the class is told, or the share of attributes that are, ``(N,)``; 0 without a label."""
        if isinstance(self.condition, ClassCondition):
            return condition.gather(1, told.argmax(1, keepdim=True)).squeeze(1)
        return ((told > 0.0) == (condition > 0.5)).float().mean(1)

    def _is_labelled(self, condition: Tensor) -> Tensor:
        """1 for items with a label, 0 for those without, ``(N,)``; attributes are always there."""
        return condition.sum(1) if isinstance(self.condition, ClassCondition) else condition.new_ones(len(condition))
