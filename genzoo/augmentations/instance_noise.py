r"""Instance noise: what the discriminator is shown lies everywhere, so that real and generated items overlap.

Sources: Sonderby et al., "Amortised MAP inference for image super-resolution", ICLR 2017, section 3.2 and appendix C;
Arjovsky and Bottou, "Towards principled methods for training generative adversarial networks", ICLR 2017, section 3.

.. math:: D(x + \sigma \epsilon), \quad D(G(z) + \sigma \epsilon'), \qquad \epsilon, \epsilon' \sim N(0, I)
"""

from dataclasses import dataclass

from torch import Tensor

from genzoo.augmentations.augmentation import Augmentation, Augmenter
from genzoo.losses.objectives import AdversarialObjective
from genzoo.noise import Noise
from genzoo.schedules.schedule import Schedule, require_not_negative, value_at
from genzoo.spec import DataSpec


@dataclass(frozen=True)
class InstanceNoise(Augmentation):
    """Adds Gaussian noise to items of any kind, points too.

    As long as there is noise the generator learns the data without it; the less there is, the finer the difference that
    the discriminator sees. Both papers let it go to 0 in training: ``Linear(start=0.1, end=0.0, steps=10000)``.

    Args:
        deviation: sigma, >= 0, in the units of the data; images are in [-1, 1].
    """

    deviation: float | Schedule = 0.1

    def __post_init__(self) -> None:
        require_not_negative("deviation of InstanceNoise", self.deviation)

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """Anything can be noisy."""

    def build(self) -> "NoiseAdder":
        """The module, which has no state."""
        return NoiseAdder(self.deviation)


class NoiseAdder(Augmenter):
    """Adds the noise of `InstanceNoise`.

    Args:
        deviation: Its standard deviation.
    """

    def __init__(self, deviation: float | Schedule) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Adds noise to each value of items ``(N, *data_shape)``."""
        return (items + value_at(self.deviation, self.steps_done) * noise.normal(*items.shape)).to(items.dtype)
