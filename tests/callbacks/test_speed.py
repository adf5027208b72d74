"""Images a second and shares of the time, by a clock that the test moves."""

import csv
import time

import pytest
import torch
from lightning.pytorch import Callback

from genzoo.callbacks.speed import Speed, _memory
from genzoo.loggers import CSVLogger
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.conftest import RandomImages


class Clock:
    """Stands still unless it is moved."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


class Passing(Callback):
    """Lets time pass: a second for the data of a batch, others while it validates and draws."""

    def __init__(self, clock):
        self.clock = clock

    def on_train_batch_start(self, *_):
        # Called before the callback under test: the data have just come.
        self.clock.now += 1.0

    def on_validation_end(self, *_):
        self.clock.now += 100.0

    def on_train_epoch_end(self, *_):
        self.clock.now += 1000.0


def taking(seconds, clock, function):
    """A function that takes time."""

    def slow(*args, **kwargs):
        clock.now += seconds
        return function(*args, **kwargs)

    return slow


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def test_shares_of_a_game_and_images_per_second(trainer, tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    data = RandomImages(number=96, batch_size=16, validation_fraction=0.0)
    model = GAN(data_spec=data.spec, networks=MLPPlayers((4,), (4,)), discriminator_steps=2)
    monkeypatch.setattr(model, "discriminator_loss", taking(3.0, clock, model.discriminator_loss))
    monkeypatch.setattr(model, "generator_loss", taking(2.0, clock, model.generator_loss))
    callbacks = [Passing(clock), Speed()]
    trainer(logger=CSVLogger(str(tmp_path)), callbacks=callbacks, log_every_n_steps=4, max_epochs=2).fit(
        model, datamodule=data
    )
    first, second, third = (row for row in rows(tmp_path) if "train/generator_loss" in row)
    # Three steps are over, of which one had an answer; nobody waited for the first batch after a pause.
    assert first["train/speed/images_per_second"] == pytest.approx(3 * 16 / (2 * 1 + 3 * 3 + 2))
    assert first["train/speed/data"] == pytest.approx(2 / 13)
    # The turns of the step that is logged are over, too.
    assert first["train/speed/discriminator"] == pytest.approx(4 * 3 / 13)
    assert first["train/speed/generator"] == pytest.approx(2 * 2 / 13)
    # Steps 3 to 6, and between them the end of an epoch.
    assert second["train/speed/images_per_second"] == pytest.approx(4 * 16 / (3 * 1 + 4 * 3 + 2 * 2))
    assert second["train/speed/data"] == pytest.approx(3 / 19)
    assert third["train/speed/images_per_second"] == pytest.approx(4 * 16 / (4 * 1 + 4 * 3 + 2 * 2))


def test_validation_is_no_part_of_it_and_a_second_fit_begins_anew(trainer, tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    data = RandomImages(number=96, batch_size=16)
    model = VAE(data_spec=data.spec, networks=MLPEncoderDecoder((4,)))
    monkeypatch.setattr(model, "statistics", taking(1.0, clock, model.statistics))
    for name in ("first", "second"):
        settings = {"logger": CSVLogger(str(tmp_path / name)), "callbacks": [Passing(clock), Speed()]}
        runner = trainer(**settings, log_every_n_steps=2, val_check_interval=2, max_epochs=1)
        runner.fit(model, datamodule=data)
        logged = [row for row in rows(tmp_path / name) if "train/loss" in row]
        assert logged[0]["train/speed/images_per_second"] == pytest.approx(16 / 1)
        # One of the two steps came right after validation.
        assert logged[1]["train/speed/images_per_second"] == pytest.approx(2 * 16 / 3)
        assert logged[1]["train/speed/data"] == pytest.approx(1 / 3)
        assert "train/speed/discriminator" not in logged[1]


def test_memory_is_that_of_the_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**30)
    assert _memory(torch.device("cuda")) == 3.0
    of_process = _memory(torch.device("cpu"))
    assert of_process is not None
    block = torch.ones(2**27)
    assert _memory(torch.device("cpu")) >= max(of_process, block.numel() * 4 / 2**30)
