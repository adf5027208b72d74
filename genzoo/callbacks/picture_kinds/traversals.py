"""What a few latent variables change."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from genzoo.callbacks.picture_kinds.kind import PictureKind, PictureName
from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.drawing import Picture
from genzoo.hyperparameters import WholeNumbers
from genzoo.latent.drawn import drawn_traversal
from genzoo.latent.quantiles import latent_quantiles, median_code, normal_probabilities
from genzoo.latent.traversal import Order, first_dimensions, order_by_kl, order_by_variance, traverse
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.sampler import Sampler

STEPS_OF_POINTS = 41
# So many items tell which latent variables matter.
ITEMS_OF_ORDER = 500
UNITS = {"kl": "nats", "variance": "variance"}


@dataclass(frozen=True)
class TraversalsPicture(WholeNumbers, PictureKind):
    """A code of which one latent variable at a time goes through its values.

    Of a model that encodes it is the code in the middle, and shown are the variables that matter most: where there is
    a posterior those of the largest divergence from the prior, else the codes that vary most. Of others it is the code
    of the first sample, since the middle of many dimensions is far from all that they were trained on, and shown are
    the first ones, codes in front of noise.

    Args:
        rows: How many latent variables.
        steps: How many images of each.
        deviations: From where to where: between the quantiles that a normal distribution has so many standard
            deviations from its mean.
    """

    rows: int = 6
    steps: int = 9
    deviations: float = 3.0

    name: ClassVar[PictureName] = "traversals"

    def fits(self, scene: Scene) -> bool:
        """Models that can draw samples have it, and those that encode."""
        return scene.model.can_sample or (isinstance(scene.model, Encodes) and scene.seen.many is not None)

    def draw(self, scene: Scene) -> Picture:
        """Draws one row for each latent variable, as ``genzoo latent traverse`` does."""
        order = _order(scene)
        # Where there is nothing to draw codes from, those of items say where codes lie.
        codes = None if scene.model.can_sample or scene.seen.many is None else scene.codes_of(scene.seen.many)
        sample = None if isinstance(scene.model, Encodes) else scene.random_codes(1)[0]
        y = scene.conditions(1, 1)
        steps = self.steps if scene.shows_images else STEPS_OF_POINTS
        places = normal_probabilities(torch.linspace(-self.deviations, self.deviations, steps))

        def picture(sampler: Sampler) -> Picture:
            if order is None:
                dimensions = first_dimensions(sampler)[: self.rows].tolist()
                names = [str(dimension) for dimension in dimensions]
            else:
                dimensions, scores = order.dimensions[: self.rows].tolist(), order.scores[: self.rows].tolist()
                names = [f"{d}: {score:.2g} {UNITS[order.by]}" for d, score in zip(dimensions, scores, strict=True)]
            values = latent_quantiles(sampler, places, codes)
            # All rows are of one class: it is the latent variables that shall make them differ.
            conditions = None if y is None else y[:1].expand(len(names), *y.shape[1:])
            code = median_code(sampler, codes) if sample is None else sample
            rows = traverse(sampler, code, dimensions, values, conditions)
            return drawn_traversal(sampler, rows.items.cpu(), names, scene.seed)

        return scene.by_sampler(picture)


def _order(scene: Scene) -> Order | None:
    """The order of the latent variables, if there are items that tell it."""
    if not isinstance(scene.model, Encodes) or scene.seen.many is None:
        return None
    x, y = (values[:ITEMS_OF_ORDER] for values in scene.seen.many)
    order = scene.by_sampler(lambda sampler: order_by_kl(sampler, x, y))
    return order_by_variance(scene.codes_of((x, y))) if order is None else order
