"""What stands in an exported file beside the network, for people and programs that have no genzoo."""

import json

from genzoo import __version__
from genzoo.export.parts import Part
from genzoo.spec import is_image, way_to_native


def described(part: Part) -> dict[str, str]:
    """What a user of an exported part must know.

    Returns:
        ``genzoo_version``, ``part`` and ``data_spec`` as JSON; for conditional models ``y``, what it is; ``prior``, the
        name of the class that latent variables are drawn by, where there is one (`NormalPrior`: N(0, 1);
        `UniformPrior`: uniform on [-1, 1); others need genzoo); for images ``bytes``, how bytes in the native size
        are made of them.
    """
    sampler = part.sampler
    described = {"genzoo_version": __version__, "part": part.name, "data_spec": json.dumps(sampler.data_spec)}
    if sampler.condition.shape:
        described["y"] = str(sampler.condition)
    if drawn_from := sampler.plain_arguments.get("density") or sampler.plain_arguments.get("prior"):
        described["prior"] = drawn_from["class_path"].rpartition(".")[2]
    if is_image(sampler.data_shape):
        size = sampler.data_spec.get("native_size", sampler.data_shape[-1])
        described["bytes"] = f"(x + 1) * 127.5, rounded; then {way_to_native(sampler.data_spec)}: {size} pixels"
    return described
