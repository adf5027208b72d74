"""Samples, always from the same noise."""

from genzoo.callbacks.picture_kinds.kind import PictureKind
from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.drawing import Picture, grid, in_pairs
from genzoo.spec import is_image

# As many as are scored (Lin et al. 2018): what the picture shows is what the score counts.
POINTS = 2500


class SamplesPicture(PictureKind):
    """Samples: of a conditional model one row per class, or below the condition images that they are made of."""

    name = "samples"
    is_drawn_often = True

    def fits(self, scene: Scene) -> bool:
        """Models that can draw samples have it."""
        return scene.model.can_sample

    def draw(self, scene: Scene) -> Picture:
        """Draws a grid of images, or points where they lie."""
        model, y = scene.model, scene.conditions(scene.columns)
        number = len(y) if y is not None else scene.columns * scene.rows if scene.shows_images else POINTS
        samples = model.sample(number, y, scene.seed)
        if not scene.shows_images:
            return scene.scattered(samples)
        if y is not None and is_image(model.condition.shape):
            return in_pairs(y, samples, model.data_spec, scene.columns)
        return grid(samples, model.data_spec, scene.columns)
