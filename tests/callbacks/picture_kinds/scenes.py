"""Scenes of tiny models that are not trained."""

import torch

from genzoo.callbacks.picture_kinds.scene import Scene, SeenItems
from genzoo.models import VAE
from genzoo.networks.mlp import MLPEncoderDecoder
from tests.conftest import RandomImages


def scene_of(model, data, number=20, **settings):
    """A scene with the training items of some data as those that have been seen."""
    data.setup("fit")
    seen = SeenItems()
    for batch in data.training_batches(number):
        seen.see(batch, True, 0, 1, 8)
        break
    return Scene(**({"model": model, "seen": seen, "data": data, "columns": 4, "rows": 4, "seed": 0} | settings))


def small_scene(model_class=VAE, networks=MLPEncoderDecoder((8,)), **settings):
    """The scene of a model of noise images."""
    torch.manual_seed(0)
    data = RandomImages(number=60, batch_size=20, validation_fraction=0.0)
    return scene_of(model_class(data_spec=data.spec, networks=networks, **settings), data)


def tiles(picture, columns, size=56):
    """Cuts rows of tiles, below and right in a picture, back into these: ``(rows, columns, size, size)``, grey."""
    rows = (len(picture) - 2) // (size + 2)
    found = picture[-(rows * (size + 2) + 2) :, -(columns * (size + 2) + 2) :, 0]
    return [
        [found[2 + r * (size + 2) :, 2 + c * (size + 2) :][:size, :size] for c in range(columns)] for r in range(rows)
    ]
