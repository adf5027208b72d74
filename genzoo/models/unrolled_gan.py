r"""Unrolled GAN.

Source: Metz et al., "Unrolled generative adversarial networks", ICLR 2017, equations 6 to 8.

.. math::
    \theta^0 = \theta_D, \qquad \theta^{k+1} = \theta^k - \eta \nabla_{\theta^k} L_D(\theta_G, \theta^k), \qquad
    L_G = -L_D(\theta_G, \theta^K)

The generator answers a discriminator that has looked ahead K steps, and its gradient passes through these steps: it
learns what the discriminator would do against what it makes. The discriminator itself stays where it is. From the
paper: this; as in the authors' code all steps look at the same batch. Not from the paper: the steps are plain gradient
descent, as in its equations, where the authors' code unrolls Adam; objectives that are not zero-sum have their own L_G
of the logits that theta^K gives; penalties are part of L_D, their items taken as constants.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase

from genzoo.hyperparameters import whole_number
from genzoo.losses.objectives import AdversarialObjective, Minimax
from genzoo.models.gan import GAN
from genzoo.noise import Noise
from genzoo.schedules.schedule import Schedule, require_positive, value_at
from genzoo.training.foreseen import Foreseen
from genzoo.training.recorder import Recorder


class UnrolledGAN(GAN):
    """GAN whose generator answers the discriminator of some steps later.

    Args:
        objective: What the players want, as a function of the discriminator's logits.
        lookahead: K. 0: it is a `GAN`. The time and memory that a step of the generator takes grow with it.
        lookahead_rate: eta, above 0.
        **kwargs: Arguments of `GAN`.

    Raises:
        ValueError: If penalties of the gradient would be differentiated a third time through a norm that cannot be, or
            the discriminator's weights are constrained, which the steps on the way ahead would not be.
    """

    def __init__(
        self,
        objective: AdversarialObjective = Minimax(),
        lookahead: int = 5,
        lookahead_rate: float | Schedule = 0.01,
        **kwargs: Any,
    ) -> None:
        super().__init__(objective=objective, **kwargs)
        self.lookahead = whole_number("lookahead", lookahead)
        require_positive("lookahead_rate", lookahead_rate)
        self.lookahead_rate = lookahead_rate
        if self.lookahead and self.penalties.constraints:
            raise ValueError(
                f"the lookahead leaves out {type(self.penalties.constraints[0]).__name__}, so that the generator would "
                "answer a discriminator that there will never be; choose GradientPenalty in its place, or lookahead 0"
            )
        slopes = [each for each in self.penalties.by_name.values() if each.limits_slope]
        # Batch norm and instance norm of any number of dimensions, whose gradient torch differentiates once.
        if self.lookahead and slopes and any(isinstance(part, _NormBase) for part in self.discriminator.modules()):
            raise ValueError(
                f"{slopes[0].name} would be differentiated a third time on the way through the lookahead, which torch "
                "cannot do with batch norm and instance norm; choose a discriminator_norm of none, layer or group, or "
                "leave the penalty out"
            )

    def generator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """L_G against the discriminator that has looked ahead."""
        if self.lookahead == 0:
            return super().generator_loss(x, y, noise)
        condition = self.condition.encode(y)
        fake, real = self.shown(self.generate(len(x), condition, noise), noise), self.shown(x, noise)
        # In half precision, gradients of gradients lose too much.
        with torch.autocast(self.device.type, enabled=False):
            score = self.looked_ahead(real, fake, condition, noise)
            real_logits, fake_logits = score(real), score(fake)
        objective = self.objective.at(self.step)
        if objective.is_zero_sum:
            # The term of real items too: it depends on the generator by way of the discriminator.
            return -objective.discriminator_loss(real_logits, fake_logits)
        return objective.generator_loss(fake_logits, *([real_logits] if objective.is_relativistic else []))

    def looked_ahead(
        self, real: Tensor, fake: Tensor, condition: Tensor | None, noise: Noise
    ) -> Callable[[Tensor], Tensor]:
        """Looks ahead K steps.

        Args:
            real: ``(N, *data_shape)``, as the discriminator is shown them.
            fake: ``(N, *data_shape)``, the same of generated items, with a graph that leads to the generator.
            condition: Of both, ``(N, *condition.shape)``.
            noise: For penalties.

        Returns:
            The logits ``(N,)`` that the discriminator would give then, of items with this condition.
        """
        ahead = Foreseen(self.discriminator)
        score = partial(self._judged, ahead, condition=condition)
        rate = value_at(self.lookahead_rate, self.step)
        # The steps that the discriminator would take next, with the settings and the penalties that are due then.
        for step in range(self.step + 1, self.step + 1 + self.lookahead):
            loss = self.objective.at(step).discriminator_loss(score(real), score(fake))
            # What is recorded of penalties is what they are where the discriminator is.
            loss = self.penalties.added_to(loss, score, (real, fake), noise, step, Recorder())
            ahead.descend(loss, rate)
        return score
