"""Where the codes of items lie."""

import colorsys
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genzoo.callbacks.picture_kinds.kind import PictureKind
from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.drawing import TEXT, Picture, beside, captioned
from genzoo.metrics.principal_components import PrincipalComponents
from genzoo.plane import BLACK, COLOURS, GREY, Colour, Plane, names_in_colours, reach
from genzoo.sampling.capabilities import Encodes

SIZE = 480
# A few codes that lie far off may be outside of the picture, which would make all else small.
SHARE_SHOWN = 0.995


class LatentPicture(PictureKind):
    """The codes of up to about 2,000 items, each in the colour of its class: two latent variables as they are.

    Of more of them, the first two principal components of the codes; posterior means where there is a posterior.
    """

    name = "latent"

    def fits(self, scene: Scene) -> bool:
        """Models that encode have it."""
        return isinstance(scene.model, Encodes) and scene.seen.many is not None

    def draw(self, scene: Scene) -> Picture:
        """Draws the plane and, if there is room, the names of the classes at its side."""
        assert scene.seen.many is not None
        codes = scene.codes_of(scene.seen.many).flatten(1)
        finite = codes.isfinite().all(1)
        labels, names = scene.seen.many[1], list(scene.model.data_spec.get("class_names", ()))
        has_classes = labels.ndim == 1 and len(names) > 0
        colours = colours_of(len(names)) if has_classes else []
        found = in_plane(codes[finite])
        limit = 1.1 * reach(found.places, SHARE_SHOWN)
        plane = Plane(-limit, limit, SIZE)
        # In the order of the items, so that no class covers all others. The last colour is that of a missing label, -1.
        palette = [*colours, GREY] if has_classes else [BLACK]
        chosen = labels[finite].tolist() if has_classes else [0] * len(found.places)
        plane.coloured_dots(found.places, [palette[label] for label in chosen], radius=2)
        picture = captioned(plane.picture(), f"{found.axes}, from {-limit:.2g} to {limit:.2g}")
        if not has_classes or len(names) * (TEXT + 4) > SIZE:
            return picture
        return beside([picture, captioned(names_in_colours(names, colours, SIZE), "")])


class InPlane(NamedTuple):
    """Codes as points of the plane.

    Attributes:
        places: ``(N, 2)``; ``(N, 1)`` of a single latent variable.
        axes: What they are, in words.
    """

    places: Tensor
    axes: str


def in_plane(codes: Tensor) -> InPlane:
    """The first two principal components of codes, around their mean; two latent variables as they are.

    Each component points to where the sum of the cubes of its entries is positive: while a model learns, the picture
    does not turn over because an algorithm has chosen the other direction.

    Args:
        codes: ``(N, D)``, finite.
    """
    dimensions = codes.shape[1]
    if dimensions <= 2 or len(codes) < 2:
        words = "the latent variable" if dimensions == 1 else "the two latent variables"
        return InPlane(codes[:, :2], words if dimensions <= 2 else "two latent variables")
    fitted = PrincipalComponents.fit(codes, 2)
    components = fitted.components * torch.where(fitted.components.pow(3).sum(1, keepdim=True) < 0.0, -1.0, 1.0)
    centred = codes.double() - fitted.mean
    places = centred @ components.T
    shares, order = (places.square().sum(0) / centred.square().sum().clamp(min=1e-300)).sort(descending=True)
    axes = f"2 of {dimensions} principal components, {shares[0]:.0%} and {shares[1]:.0%} of the variance"
    return InPlane(places[:, order].float(), axes)


def colours_of(number: int) -> list[Colour]:
    """As many colours: up to ten that can be told apart, else all around the wheel of colours."""
    if number <= len(COLOURS):
        return [*COLOURS[:number]]
    wheel = [colorsys.hls_to_rgb(place, 0.45, 0.8) for place in np.arange(number) / number]
    return [(round(255 * red), round(255 * green), round(255 * blue)) for red, green, blue in wheel]
