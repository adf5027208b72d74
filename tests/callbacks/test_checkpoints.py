"""Checkpoints: whole or not there, often enough, and the last one up to date."""

import re
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

from genzoo.callbacks.checkpoints import Checkpoints, WholeCheckpointIO
from genzoo.cli import main
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.conftest import RandomImages

FULL = Path("/dev/full")
MODELS = {
    "GAN": (GAN, {"networks": MLPPlayers((8,), (8,))}),
    "VAE": (VAE, {"networks": MLPEncoderDecoder((8,))}),
}


class Steps(Callback):
    """Notes the step of ``last.ckpt`` after each batch."""

    def __init__(self, path):
        self.path, self.steps = path, []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        step = torch.load(self.path, weights_only=True)["global_step"] if self.path.is_file() else None
        self.steps.append(step)


def fit(name, trainer, folder, epochs=2, accumulate=1, **settings):
    data = RandomImages(number=107, batch_size=16)
    kind, own = MODELS[name]
    steps = Steps(folder / "last.ckpt")
    runner = trainer(
        max_epochs=epochs,
        enable_checkpointing=True,
        num_sanity_val_steps=0,
        accumulate_grad_batches=accumulate,
        plugins=[WholeCheckpointIO()],
        callbacks=[steps, Checkpoints(dirpath=folder, save_top_k=0, save_on_train_epoch_end=True, **settings)],
    )
    runner.fit(kind(data_spec=data.spec, **own), datamodule=data)
    return steps.steps


@pytest.fixture
def folder(tmp_path):
    """A folder for checkpoints alone."""
    made = tmp_path / "checkpoints"
    made.mkdir()
    return made


@pytest.mark.parametrize("name", MODELS)
def test_the_last_checkpoint_is_that_of_the_last_epoch(name, trainer, folder):
    assert fit(name, trainer, folder) == [None] * 6 + [6] * 6
    assert [path.name for path in folder.iterdir()] == ["last.ckpt"]
    assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == 12


@pytest.mark.parametrize("name", MODELS)
def test_within_an_epoch_it_is_written_when_it_is_time(name, trainer, folder):
    assert fit(name, trainer, folder, epochs=1, minutes_between=1e-9) == [None, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", MODELS)
def test_it_is_never_written_within_an_accumulated_step(name, trainer, folder):
    assert fit(name, trainer, folder, epochs=1, minutes_between=1e-9, accumulate=3) == [None, None, None, 1, 1, 1]


@pytest.mark.parametrize("name", MODELS)
def test_the_best_one_is_written_although_the_last_one_was_just_now(name, trainer, folder):
    data = RandomImages(number=107, batch_size=16)
    kind, own = MODELS[name]
    monitor = {"monitor": "val/elbo" if name == "VAE" else "val/discriminator_real", "filename": "best"}
    checkpoints = Checkpoints(dirpath=folder, minutes_between=1e-9, save_on_train_epoch_end=True, **monitor)
    runner = trainer(enable_checkpointing=True, callbacks=[checkpoints], num_sanity_val_steps=0)
    runner.fit(kind(data_spec=data.spec, **own), datamodule=data)
    assert sorted(path.name for path in folder.iterdir()) == ["best.ckpt", "last.ckpt"]


def test_without_a_last_checkpoint_none_is_kept(trainer, folder):
    assert fit("VAE", trainer, folder, save_last=False) == [None] * 12
    assert not list(folder.iterdir())


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("megabytes", [0.001, 8])
def test_a_full_disk_leaves_the_checkpoint_from_before(megabytes, folder):
    path = folder / "last.ckpt"
    WholeCheckpointIO().save_checkpoint({"step": 1}, path)
    before = path.read_bytes()
    # What is written beside the old checkpoint goes to a device without room.
    (folder / "last.ckpt.unfinished").symlink_to(FULL)
    content = {"weights": torch.zeros(int(megabytes * 250_000))}
    said = r"last\.ckpt cannot be written \(No space left on device\); the one from before is kept; make room"
    with pytest.raises(OSError, match=said):
        WholeCheckpointIO().save_checkpoint(content, path)
    assert path.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["last.ckpt"]


def test_what_is_no_matter_of_the_disk_is_reported_as_it_is(folder):
    with pytest.raises((TypeError, AttributeError), match="pickle"):
        WholeCheckpointIO().save_checkpoint({"not data": lambda: None}, folder / "last.ckpt")
    assert not list(folder.iterdir())


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
def test_a_run_on_a_full_disk_says_so_and_can_be_resumed(working_folder, capsys):
    model = ["--model", "VAE", "--model.networks.hidden_features", "[8]", "--data", "FashionMNISTMini"]
    quick = ["--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"]
    quiet = ["--trainer.logger", "false", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", *model, *quick, *quiet, "--trainer.max_epochs", "1", "--run.name", "run"]) == 0
    folder = working_folder / "runs" / "vae" / "run" / "checkpoints"
    before = (folder / "last.ckpt").read_bytes()
    (folder / "last.ckpt.unfinished").symlink_to(FULL)
    assert main(["fit", "runs/vae/run", "--trainer.max_epochs", "2"]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(f"genzoo: the checkpoint {folder / 'last.ckpt'} cannot be written")
    assert (folder / "last.ckpt").read_bytes() == before
    assert main(["fit", "runs/vae/run", "--trainer.max_epochs", "2"]) == 0
    assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == 4


def test_weights_beyond_all_bounds_leave_the_good_checkpoint(working_folder, capsys):
    """The losses of a DCGAN are finite all the while."""
    model = ["--model", "DCGAN", "--model.networks.width", "4", "--data", "FashionMNISTMini"]
    quick = ["--trainer.limit_train_batches", "8", "--trainer.limit_val_batches", "0", "--trainer.accelerator", "cpu"]
    quiet = ["--trainer.logger", "false", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", *model, *quick, *quiet, "--trainer.max_epochs", "1", "--run.name", "run"]) == 0
    path = working_folder / "runs" / "dcgan" / "run" / "checkpoints" / "last.ckpt"
    before = path.read_bytes()
    wild = ["--trainer.max_epochs", "3", "--model.generator_optimizer.lr", "1e10"]
    assert main(["fit", "runs/dcgan/run", *wild]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.match(
        r"genzoo: sampler\.generator\..* was not finite after step \d+ \(epoch \d\) and training has stopped", said
    )
    assert said.endswith("runs/dcgan/run/checkpoints/last.ckpt")
    assert path.read_bytes() == before


def test_a_place_that_cannot_hold_a_run_is_named(working_folder, capsys):
    (working_folder / "file").write_text("")
    assert main(["fit", "--model", "VAE", "--data", "FashionMNISTMini", "--run.root", "file"]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("genzoo: the run folder ")
    assert said.endswith("cannot be made (Not a directory); choose another place with --run.root")
    assert [path.name for path in working_folder.iterdir()] == ["file"]


@pytest.mark.parametrize("minutes", [0.0, -1.0])
def test_times_that_are_none_are_refused(minutes):
    with pytest.raises(ValueError, match="minutes_between of Checkpoints should be more than 0"):
        Checkpoints(minutes_between=minutes)
