"""What a kind of picture is."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.drawing import Picture

PictureName = Literal["samples", "reconstructions", "interpolation", "traversals", "latent", "neighbours"]


class PictureKind(ABC):
    """A picture that models of some kinds have.

    Attributes:
        name: What it is asked for by, and called in files and loggers.
        is_drawn_often: Whether it costs so little, and says so much, that it is drawn with every epoch.
    """

    name: ClassVar[PictureName]
    is_drawn_often: ClassVar[bool] = False

    @abstractmethod
    def fits(self, scene: Scene) -> bool:
        """Whether a model, with what has been seen of its data, has this picture."""

    @abstractmethod
    def draw(self, scene: Scene) -> Picture:
        """Draws it, uint8, ``(height, width, 3)``: a function of the weights and the scene, asked for where it fits."""
