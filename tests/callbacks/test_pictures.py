from functools import partial

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import Logger
from PIL import Image

from genzoo.callbacks.pictures import Pictures
from genzoo.drawing import grid
from genzoo.models import DCGAN, VAE, AutoEncoder, ConditionalGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.conftest import RandomImages, RandomPairs
from tests.test_drawing import tiles

SMALL = MLPEncoderDecoder((8,))


class Taking(Logger):
    """Takes pictures and keeps them."""

    name, version = "taking", 0

    def __init__(self):
        super().__init__()
        self.pictures, self.steps = [], []

    def log_image(self, key, images, step):
        self.pictures.append((key, images[0], step))

    def log_metrics(self, metrics, step=None):
        self.steps.append(step)

    def log_hyperparams(self, *args, **kwargs):
        pass


@pytest.mark.parametrize(
    ("model_class", "networks", "names"),
    [
        (AutoEncoder, SMALL, ["reconstructions"]),
        (VAE, SMALL, ["reconstructions", "samples"]),
        (DCGAN, DCGANPlayers(4), ["samples"]),
        (ConditionalGAN, MLPPlayers((8,), (8,)), ["samples"]),
    ],
)
def test_every_model_gets_its_pictures(model_class, networks, names, trainer, tmp_path):
    data = RandomImages(number=100, batch_size=20, validation_fraction=0.4)
    logger = Taking()
    runner = trainer(callbacks=[Pictures(every_n_epochs=2)], max_epochs=3, logger=logger)
    runner.fit(model_class(data_spec=data.spec, networks=networks), datamodule=data)
    files = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert files == sorted(f"{name}_epoch_{epoch:04d}.png" for name in names for epoch in (2, 3))
    assert sorted({key for key, _, _ in logger.pictures}) == [f"pictures/{name}" for name in names]
    for key, picture, _ in logger.pictures[-len(names) :]:
        path = tmp_path / "images" / f"{key.removeprefix('pictures/')}_epoch_0003.png"
        assert np.array_equal(np.asarray(Image.open(path)), picture)
    assert {step for _, _, step in logger.pictures} == {5, 8}
    assert {5, 8} <= set(logger.steps)


def test_reconstructions_stand_below_their_held_out_originals(trainer, tmp_path):
    data = RandomImages(number=100, batch_size=20, validation_fraction=0.4)
    pictures = Pictures(columns=4, rows=4)
    model = AutoEncoder(data_spec=data.spec, networks=SMALL)
    trainer(callbacks=[pictures]).fit(model, datamodule=data)
    held_out = next(iter(data.val_dataloader()[0]))[0][:8]
    found = tiles(pictures.grids(model)["reconstructions"], 28, 4)
    assert len(found) == 16
    originals, copies = found[:4] + found[8:12], found[4:8] + found[12:]
    expected = ((model.eval().reconstruct(held_out / 127.5 - 1) + 1) * 127.5).round().to(torch.uint8)
    for place in range(8):
        assert np.array_equal(originals[place], held_out[place, 0].numpy())
        assert np.array_equal(copies[place], expected[place, 0].numpy())


def test_without_held_out_images_training_images_are_shown(trainer):
    data = RandomImages(number=60, batch_size=20, validation_fraction=0.0)
    pictures = Pictures(columns=4, rows=4)
    model = AutoEncoder(data_spec=data.spec, networks=SMALL)
    trainer(callbacks=[pictures]).fit(model, datamodule=data)
    assert "reconstructions" in pictures.grids(model)


def test_a_conditional_model_gets_one_row_per_class():
    model = ConditionalGAN(data_spec=RandomImages().spec, networks=MLPPlayers((8,), (8,)))
    picture = Pictures(columns=5, seed=7).grids(model)["samples"]
    y = torch.arange(10).repeat_interleave(5)
    assert np.array_equal(picture, grid(model.sample(50, y, seed=7), model.data_spec, 5))


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_stand_below_the_condition_images_that_they_are_made_of(channels, trainer):
    data = RandomPairs(channels=channels, number=100, image_size=32, batch_size=20, validation_fraction=0.11)
    model = ConditionalGAN(data_spec=data.spec, networks=ImageToImagePlayers(width=2))
    pictures = Pictures(columns=4, rows=6)
    trainer(callbacks=[pictures]).fit(model, datamodule=data)
    # Of 11 held-out pairs there are two full rows.
    _, y = data.on_after_batch_transfer(next(iter(data.val_dataloader()[0])), 0)
    made = model.sample(11, y, seed=0)
    y = y.expand(-1, channels, -1, -1)
    rows = torch.cat([y[:4], made[:4], y[4:8], made[4:8]])
    assert np.array_equal(pictures.grids(model)["samples"], grid(rows, data.spec, 4))


def test_noise_is_fixed_over_epochs(trainer, tmp_path):
    still = partial(torch.optim.SGD, lr=0.0)
    data = RandomImages(number=60, batch_size=20)
    model = VAE(data_spec=data.spec, networks=SMALL, optimizer=still)
    trainer(callbacks=[Pictures()], max_epochs=2).fit(model, datamodule=data)
    first, second = (np.asarray(Image.open(tmp_path / "images" / f"samples_epoch_000{n}.png")) for n in (1, 2))
    assert np.array_equal(first, second)
    other = Pictures(seed=1).grids(model)["samples"]
    assert not np.array_equal(first, other)


def test_drawing_does_not_disturb_training(trainer):
    finals = []
    for callbacks in ([], [Pictures()]):
        torch.manual_seed(0)
        data = RandomImages(number=60, batch_size=20)
        model = DCGAN(data_spec=data.spec, networks=DCGANPlayers(4))
        trainer(callbacks=callbacks, max_epochs=2).fit(model, datamodule=data)
        finals.append(model.state_dict())
    assert all(torch.equal(finals[0][name], finals[1][name]) for name in finals[0])


def test_the_last_epoch_is_drawn_also_where_training_stops_early(trainer, tmp_path):
    data = RandomImages(number=60, batch_size=20)
    model = VAE(data_spec=data.spec, networks=SMALL)
    trainer(callbacks=[Pictures(every_n_epochs=5)], max_epochs=9, max_steps=5).fit(model, datamodule=data)
    assert [path.name for path in (tmp_path / "images").glob("samples*")] == ["samples_epoch_0003.png"]


def test_another_fit_draws_its_own_epochs_and_shows_its_own_data(trainer, tmp_path):
    pictures = Pictures(columns=4, rows=4)
    for channels in (1, 3):
        data = RandomImages(channels=channels, number=60, batch_size=20)
        model = AutoEncoder(data_spec=data.spec, networks=SMALL)
        trainer(callbacks=[pictures], default_root_dir=tmp_path / str(channels)).fit(model, datamodule=data)
        assert [path.name for path in (tmp_path / str(channels) / "images").iterdir()] == [
            "reconstructions_epoch_0001.png"
        ]
        assert pictures._examples[0].shape[1] == channels


def test_settings_below_one_are_refused():
    with pytest.raises(ValueError, match="must be at least 1"):
        Pictures(every_n_epochs=0)
