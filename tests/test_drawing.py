"""Pictures show every pixel and every point as it is, also once they are written or logged."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.utils import make_grid

from genzoo.drawing import grid, save_picture, scatter, tiled
from genzoo.loggers import log_picture
from genzoo.spec import image_spec


def tiles(picture, size, columns):
    """Cuts a grid back into its tiles."""
    rows = (picture.shape[0] - 2) // (size + 2)
    return [
        picture[2 + r * (size + 2) : 2 + r * (size + 2) + size, 2 + c * (size + 2) : 2 + c * (size + 2) + size, 0]
        for r in range(rows)
        for c in range(columns)
    ]


def test_a_grid_shows_every_pixel_as_it_is_in_native_size():
    native = torch.randint(0, 256, (6, 1, 28, 28), dtype=torch.uint8)
    padded = torch.nn.functional.pad(native, (2, 2, 2, 2)).float() / 127.5 - 1
    picture = grid(padded, image_spec(1, 32, 28), columns=3)
    assert picture.dtype == np.uint8
    assert picture.shape == (2 * 30 + 2, 3 * 30 + 2, 3)
    for tile, image in zip(tiles(picture, 28, 3), native, strict=True):
        assert np.array_equal(tile, image[0].numpy())


@pytest.mark.parametrize(("number", "channels", "columns"), [(1, 1, 8), (5, 3, 8), (8, 1, 3), (6, 3, 2), (7, 1, 1)])
def test_images_are_laid_out_as_torchvision_lays_them_out(number, channels, columns):
    images = torch.randint(0, 256, (number, channels, 7, 5), dtype=torch.uint8)
    expected = make_grid(images, nrow=columns, padding=2, pad_value=255).permute(1, 2, 0).expand(-1, -1, 3)
    assert np.array_equal(tiled(images, columns), expected.numpy())


def test_a_saved_picture_reads_back_the_same_and_leaves_nothing_else(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (10, 12, 3), dtype=np.uint8)
    save_picture(tmp_path / "deep" / "picture.png", picture)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "deep" / "picture.png")), picture)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["picture.png"]


def test_tensorboard_gets_the_same_picture(monkeypatch):
    from lightning.pytorch.loggers import TensorBoardLogger

    taken = []

    class Experiment:
        def add_image(self, *args, **kwargs):
            taken.append((args, kwargs))

    logger = object.__new__(TensorBoardLogger)
    monkeypatch.setattr(TensorBoardLogger, "experiment", Experiment())
    picture = np.zeros((4, 4, 3), np.uint8)
    log_picture(logger, "pictures/samples", picture, 3)
    assert taken == [(("pictures/samples", picture, 3), {"dataformats": "HWC"})]


def test_mlflow_gets_the_same_picture(monkeypatch):
    from lightning.pytorch.loggers import MLFlowLogger

    taken = []

    class Experiment:
        def log_image(self, *args, **kwargs):
            taken.append((args, kwargs))

    logger = object.__new__(MLFlowLogger)
    monkeypatch.setattr(MLFlowLogger, "experiment", Experiment())
    monkeypatch.setattr(MLFlowLogger, "run_id", "run")
    picture = np.zeros((4, 4, 3), np.uint8)
    log_picture(logger, "pictures/samples", picture, 3)
    assert taken == [(("run", picture), {"key": "pictures/samples", "step": 3})]


def test_points_are_drawn_where_they_are():
    picture = scatter(torch.tensor([[0.51, 0.51], [-0.89, -0.89], [7.0, 0.0]]), limit=1.0, size=100)
    rows, columns = np.nonzero(picture[:, :, 0] < 255)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(24, 75), (94, 5)]
