"""The line of the progress bar."""

import io
import re

import pytest
import rich
from rich.console import Console
from rich.progress import Progress

from genzoo.callbacks.progress import ProgressBar, short_name
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.conftest import RandomImages


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("train/discriminator_loss", "D"),
        ("train/generator_loss", "G"),
        ("train/discriminator_real", "D real"),
        ("train/critic_fake", "D fake"),
        ("train/elbo", "elbo"),
        ("val/elbo", "val elbo"),
        ("val/squared_error", "val squared error"),
        ("mine", "mine"),
    ],
)
def test_names_are_short(name, short):
    assert short_name(name) == short


PROBABILITIES = [name for name in GAN.progress_metrics if "critic" not in name]
CRITICS = [name for name in GAN.progress_metrics if "discriminator_" not in name or "loss" in name]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "names",
    [AutoEncoder.progress_metrics, VAE.progress_metrics, PROBABILITIES, CRITICS, VAEGAN.progress_metrics],
    ids=["autoencoder", "vae", "gan", "wgan", "vae_gan"],
)
def test_all_numbers_stand_on_one_line(names, width):
    """With the numbers of an epoch and a step that are as long as those of the shipped settings."""
    written = io.StringIO()
    bar = ProgressBar()
    bar.numbers = dict(zip(names, (-287.44, 0.95234, 0.001234, 12.3456), strict=False))
    with Progress(*bar.configure_columns(None), console=Console(file=written, width=width)) as progress:
        bar.train_progress_bar_id = progress.add_task("Epoch 12/25", total=282, completed=141)
        progress.add_task("Validation", total=32)
    epoch, validation = written.getvalue().rstrip("\n").split("\n")
    expected = ("-287.4", "0.952", "0.00123", "12.3")
    assert " ".join(f"{short_name(name)} {value}" for name, value in zip(names, expected, strict=False)) in epoch
    assert "Epoch 12/25" in epoch
    assert "141/282" in epoch
    assert "…" not in epoch
    assert not any(value in validation for value in expected)


@pytest.fixture
def own_console():
    """Lightning writes with the console that all of a process share, which is then made anew."""
    yield
    rich.reconfigure()


@pytest.mark.usefixtures("own_console")
@pytest.mark.parametrize(
    ("model", "networks", "names"),
    [
        (VAE, MLPEncoderDecoder(hidden_features=(8,)), ["elbo", "val elbo"]),
        (GAN, MLPPlayers((8,), (8,)), ["D", "G", "D real", "D fake"]),
    ],
)
def test_a_training_shows_its_own_numbers(model, networks, names, trainer):
    """In a terminal of 80 columns, once an epoch with a log step has ended."""
    written = io.StringIO()
    bar = ProgressBar(console_kwargs={"file": written, "width": 80, "force_terminal": True})
    data = RandomImages(number=48, batch_size=16)
    trainer(callbacks=[bar], enable_progress_bar=True, log_every_n_steps=1, max_epochs=2).fit(
        model(data_spec=data.spec, networks=networks), datamodule=data
    )
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue()).splitlines()
    # The line of the last epoch is written anew many times; what stays is the last of them.
    last = [line for line in lines if line.startswith("Epoch 1/1")][-1]
    assert re.search(" ".join(rf"{re.escape(name)} -?\d[\d.e+-]*" for name in names), last), last
    assert len(last) <= 80
