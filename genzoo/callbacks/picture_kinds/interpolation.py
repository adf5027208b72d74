"""Ways from one code to another."""

from dataclasses import dataclass
from typing import ClassVar

from genzoo.callbacks.picture_kinds.kind import PictureKind, PictureName
from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.drawing import Picture
from genzoo.hyperparameters import WholeNumbers
from genzoo.latent.drawn import drawn_interpolation
from genzoo.latent.interpolation import interpolate, suited_way
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.sampler import Sampler

# Lines through the plane need more places than rows of images have.
STEPS_OF_POINTS = 60


@dataclass(frozen=True)
class InterpolationPicture(WholeNumbers, PictureKind):
    """Ways between codes that are always the same: those of samples or, without a prior, of items.

    They are spherical where codes come from a standard normal prior, else straight.

    Args:
        rows: How many ways; a conditional model has one of each class.
        steps: How many images on each, both ends among them.
    """

    rows: int = 4
    steps: int = 10

    name: ClassVar[PictureName] = "interpolation"

    def fits(self, scene: Scene) -> bool:
        """Models that can draw samples have it, and those that encode."""
        has_items = scene.seen.first is not None and len(scene.seen.first[0]) > 1
        return scene.model.can_sample or (isinstance(scene.model, Encodes) and has_items)

    def draw(self, scene: Scene) -> Picture:
        """Draws one row for each, as ``genzoo latent interpolate`` does."""
        if scene.model.can_sample:
            y = y_last = scene.conditions(1, self.rows)
            ends = scene.random_codes(2 * (self.rows if y is None else len(y)))
        else:
            assert scene.seen.first is not None
            items, labels = (values[: min(2 * self.rows, len(values) // 2 * 2)] for values in scene.seen.first)
            ends = scene.codes_of((items, labels))
            y, y_last = (labels[::2], labels[1::2]) if scene.model.condition.shape else (None, None)
        steps = self.steps if scene.shows_images else STEPS_OF_POINTS
        names = scene.names(y, len(ends) // 2)

        def picture(sampler: Sampler) -> Picture:
            rows = interpolate(sampler, ends[::2], ends[1::2], steps, suited_way(sampler), y, y_last)
            return drawn_interpolation(sampler, rows.items.cpu(), names, scene.seed)

        return scene.by_sampler(picture)
