from functools import partial

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import Logger
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from genzoo.callbacks.pictures import KINDS, Pictures
from genzoo.data.points import GaussianMixture2D
from genzoo.drawing import grid
from genzoo.losses import Gaussian
from genzoo.models import DCGAN, VAE, AutoEncoder, ConditionalGAN, ConditionalVAE, InfoGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling import GaussianMixtureDensity
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
        (AutoEncoder, SMALL, ["interpolation", "latent", "reconstructions", "traversals"]),
        (VAE, SMALL, sorted(KINDS)),
        (DCGAN, DCGANPlayers(4), ["interpolation", "neighbours", "samples", "traversals"]),
        (ConditionalGAN, MLPPlayers((8,), (8,)), ["interpolation", "neighbours", "samples", "traversals"]),
    ],
)
def test_every_model_gets_its_pictures(model_class, networks, names, trainer, tmp_path):
    data = RandomImages(number=100, batch_size=20, validation_fraction=0.4)
    logger = Taking()
    runner = trainer(callbacks=[Pictures(every_n_epochs=2, others_every_n_epochs=2)], max_epochs=3, logger=logger)
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


def made(model_class, data):
    if model_class is DCGAN:
        return DCGAN(data_spec=data.spec, networks=DCGANPlayers(4), average_decay=0.9)
    if model_class is InfoGAN:
        return InfoGAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,)))
    density = GaussianMixtureDensity(2) if model_class is AutoEncoder else None
    return model_class(data_spec=data.spec, networks=SMALL, density=density, latent_dim=4)


@pytest.mark.parametrize("model_class", [DCGAN, InfoGAN, AutoEncoder, ConditionalVAE])
def test_drawing_does_not_disturb_training(model_class, trainer, tmp_path):
    finals = []
    for callbacks in ([], [Pictures()]):
        torch.manual_seed(0)
        data = RandomImages(number=60, batch_size=20)
        model = made(model_class, data)
        trainer(callbacks=callbacks, max_epochs=2).fit(model, datamodule=data)
        assert model.training
        finals.append(model.state_dict() | {"generator": torch.get_rng_state()})
    without, drawn = ({name: torch.as_tensor(value) for name, value in final.items()} for final in finals)
    assert all(torch.equal(without[name], drawn[name]) for name in without)
    assert len([*(tmp_path / "images").iterdir()]) >= 8


def test_other_kinds_are_drawn_seldom_and_in_the_last_epoch(trainer, tmp_path):
    data = RandomImages(number=60, batch_size=20)
    model = VAE(data_spec=data.spec, networks=SMALL)
    pictures = Pictures(kinds=["samples", "latent"])
    trainer(callbacks=[pictures], max_epochs=6).fit(model, datamodule=data)
    epochs = {"samples": (1, 2, 3, 4, 5, 6), "latent": (1, 2, 4, 6)}
    assert {path.name for path in (tmp_path / "images").iterdir()} == {
        f"{name}_epoch_{epoch:04d}.png" for name in epochs for epoch in epochs[name]
    }


@pytest.mark.parametrize("validation_fraction", [0.0, 0.1])
def test_models_of_points_get_all_pictures(validation_fraction, trainer, tmp_path):
    data = GaussianMixture2D(
        "ring", training_points=200, test_points=10, batch_size=50, validation_fraction=validation_fraction
    )
    model = VAE(data_spec=data.spec, networks=SMALL, latent_dim=3, likelihood=Gaussian(activation="identity"))
    trainer(callbacks=[Pictures()]).fit(model, datamodule=data)
    assert {path.name for path in (tmp_path / "images").iterdir()} == {f"{name}_epoch_0001.png" for name in KINDS}


def test_weights_that_are_not_finite_are_no_error_of_drawing(trainer):
    data = RandomImages(number=60, batch_size=20)
    model, pictures = VAE(data_spec=data.spec, networks=SMALL), Pictures()
    trainer(callbacks=[pictures]).fit(model, datamodule=data)
    next(model.sampler.encoder.parameters()).data.fill_(float("nan"))
    next(model.sampler.decoder.parameters()).data.fill_(float("nan"))
    assert pictures.grids(model).keys() == KINDS.keys()


def test_without_a_data_module_there_are_no_neighbours(trainer):
    data = RandomImages(number=60, batch_size=20)
    model, pictures = VAE(data_spec=data.spec, networks=SMALL), Pictures()
    items = TensorDataset(torch.rand(8, 1, 28, 28), torch.arange(8))
    batches = DataLoader(items, batch_size=4)
    trainer(callbacks=[pictures]).fit(model, batches)
    assert pictures.grids(model).keys() == KINDS.keys() - {"neighbours"}


def test_the_last_epoch_is_drawn_also_where_training_stops_early(trainer, tmp_path):
    data = RandomImages(number=60, batch_size=20)
    model = VAE(data_spec=data.spec, networks=SMALL)
    trainer(callbacks=[Pictures(every_n_epochs=5)], max_epochs=9, max_steps=5).fit(model, datamodule=data)
    assert [path.name for path in (tmp_path / "images").glob("samples*")] == ["samples_epoch_0003.png"]
    assert {path.name for path in (tmp_path / "images").glob("*_0003.png")} == {
        f"{name}_epoch_0003.png" for name in KINDS
    }


def test_another_fit_draws_its_own_epochs_and_shows_its_own_data(trainer, tmp_path):
    pictures = Pictures(columns=4, rows=4, kinds=["reconstructions"])
    for channels in (1, 3):
        data = RandomImages(channels=channels, number=60, batch_size=20)
        model = AutoEncoder(data_spec=data.spec, networks=SMALL)
        trainer(callbacks=[pictures], default_root_dir=tmp_path / str(channels)).fit(model, datamodule=data)
        assert [path.name for path in (tmp_path / str(channels) / "images").iterdir()] == [
            "reconstructions_epoch_0001.png"
        ]
        assert pictures._seen.first[0].shape[1] == channels


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="must be at least 1"):
        Pictures(every_n_epochs=0)
    with pytest.raises(ValueError, match="others_every_n_epochs of Pictures must be at least 1"):
        Pictures(others_every_n_epochs=0)
    with pytest.raises(ValueError, match=r"kinds of Pictures are samples, .*, got 'drawings'; choose some of these"):
        Pictures(kinds=["drawings"])
