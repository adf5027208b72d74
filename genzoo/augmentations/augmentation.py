"""What every augmentation is: a value that builds a module, which changes items before the discriminator sees them.

Real and generated items are changed alike, in the turns of both players, so that what is learned is the distribution
of the data and not that of its changed copies (Zhao et al. 2020; Karras et al. 2020).
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from genzoo.noise import Noise
from genzoo.spec import DataSpec, is_image


class Augmenter(nn.Module, ABC):
    """Changes items at random, each by numbers of its own.

    What it learns on the way is kept in buffers: it goes into the checkpoint and follows the model to its device.

    Attributes:
        steps_done: How many updates of the discriminator there have been, for settings that follow a schedule; the
            model keeps it up to date.
    """

    steps_done: int = 0

    @abstractmethod
    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Changes a whole batch at once, on its device; gradients pass through to the items.

        Args:
            items: ``(N, *data_shape)``, images in [-1, 1].
            noise: Where the random numbers come from.

        Returns:
            Items of the same shape and type; their values may leave [-1, 1].
        """

    @property
    def is_adaptive(self) -> bool:
        """Whether it observes the discriminator; where it does not, nothing need be gathered for it."""
        return type(self).observe is not Augmenter.observe

    def observe(self, real_logits: Tensor) -> None:
        """Called after every update of the discriminator, for augmentations that follow how sure it is.

        Args:
            real_logits: ``(N,)``, of all real items of the update, those of other devices included, without gradient.
        """


class Augmentation(ABC):
    """Says how items are changed: plain data, from which each model builds an augmenter of its own."""

    def require_fit(self, spec: DataSpec) -> None:
        """Asks whether data can be changed so: images, unless an augmentation knows what to do with others.

        Args:
            spec: Of the data.

        Raises:
            ValueError: If they cannot.
        """
        if not is_image(spec["shape"]):
            raise ValueError(
                f"{type(self).__name__} changes images (C, H, W), but the data have shape {tuple(spec['shape'])}; "
                "leave the augmentation out"
            )

    @abstractmethod
    def build(self) -> Augmenter:
        """The module that changes items."""
