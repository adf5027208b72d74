"""Reconstructions below what they are made of."""

from genzoo.callbacks.picture_kinds.kind import PictureKind
from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.drawing import Picture, in_pairs
from genzoo.sampling.capabilities import Encodes
from genzoo.training.model import evaluating


class ReconstructionsPicture(PictureKind):
    """Reconstructions, each row below that of their originals; points without these."""

    name = "reconstructions"
    is_drawn_often = True

    def fits(self, scene: Scene) -> bool:
        """Models that encode have it."""
        return isinstance(scene.model, Encodes) and scene.seen.first is not None

    def draw(self, scene: Scene) -> Picture:
        """Draws rows of images, or points where they lie."""
        model = scene.model
        assert isinstance(model, Encodes)
        assert scene.seen.first is not None
        x, y = scene.seen.first
        with evaluating(scene.model):
            reconstructed = scene.model.together(lambda: model.reconstruct(x.to(scene.model.device), y))
        if not scene.shows_images:
            return scene.scattered(reconstructed)
        return in_pairs(x, reconstructed, scene.model.data_spec, scene.columns)
