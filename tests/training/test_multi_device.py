"""Two processes: one model, different noise, and the scores of one."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from PIL import Image

from genzoo.callbacks.pictures import KINDS, Pictures
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPPlayers
from tests.training.cases import CASES
from tests.training.ranks import CAN_DIVIDE, MODELS, RUNS, DividingOnTheCPU, data
from tests.training.test_inference import require_fits, training_codes

ALL_RUNS = pytest.mark.parametrize("run", RUNS, ids="-".join)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def rank_environment(rank, port):
    """The environment that torchrun gives to one process on each of two nodes."""
    group = {"WORLD_SIZE": 2, "GROUP_RANK": rank, "RANK": rank, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    return os.environ | {name: str(value) for name, value in (group | place).items()}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What both processes saw."""
    folder = tmp_path_factory.mktemp("ranks")
    port = free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.ranks", str(folder)],
            env=rank_environment(rank, port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said[0][-3000:] + said[1][-3000:]
    return folder, [torch.load(folder / f"rank {rank}.pt") for rank in range(2)]


def same(first, second, names):
    different = [name for name in names if not torch.equal(first[name], second[name])]
    assert not different, different


@ALL_RUNS
def test_ranks_share_weights_and_gradients_but_not_noise_or_images(run, ranks):
    first, second = (seen[run] for seen in ranks[1])
    same(first["initial"], second["initial"], first["initial"])
    learnt = [name for name in first["weights"] if "running" not in name]
    same(first["weights"], second["weights"], learnt)
    assert any(not torch.equal(first["weights"][name], value) for name, value in first["initial"].items())
    assert len(first["gradients"]) == len(second["gradients"]) > 0
    assert all(torch.equal(a, b) for a, b in zip(first["gradients"], second["gradients"], strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first["noise"], second["noise"], strict=True))
    images = torch.cat([torch.cat(seen["images"][:4]) for seen in (first, second)])
    assert len(torch.unique(images, dim=0)) == len(images) == 32


@ALL_RUNS
def test_steps_are_counted_as_on_one_device(run, ranks):
    # 35 training images, two devices with batches of 4: 4 batches an epoch.
    assert {seen[run]["step"] for seen in ranks[1]} == {4 if "accumulated" in run[1] else 8}


# What is clipped by Lightning is noted before it is.
@pytest.mark.parametrize(
    "name", [name for name, setting in RUNS if "clipped" in setting and (MODELS | CASES)[name].is_game]
)
def test_gradients_are_clipped_together(name, ranks):
    norms = [float(gradient.norm()) for gradient in ranks[1][0][name, "accumulated and clipped"]["gradients"]]
    assert norms == pytest.approx([0.001] * len(norms), rel=1e-3)


@ALL_RUNS
def test_a_run_on_two_devices_resumes_exactly(run, ranks):
    for seen in ranks[1]:
        # Running averages of batch norm are a device's own, and the checkpoint has those of the first.
        learnt = [name for name in seen[run]["weights"] if "running" not in name]
        same(seen[run]["resumed"], seen[run]["weights"], learnt)


def test_two_devices_fit_the_density_of_all_training_images(ranks, trainer):
    images = data("density")
    model = MODELS["density"].model(data_spec=images.spec)
    trainer().validate(model, datamodule=images, verbose=False, ckpt_path=ranks[0] / "density plain.ckpt")
    require_fits(model.sampler.density, training_codes(model, images))


# Packs are of items of one device.
SCORED = [(name, setting) for name, setting in RUNS if setting != "bf16" and "packs" not in name]


@pytest.mark.parametrize("run", SCORED, ids="-".join)
def test_scores_are_those_of_one_device(run, ranks, trainer):
    folder, (first, second) = ranks
    (name, _), file = run, folder / f"{' '.join(run)}.ckpt"
    model, one = (MODELS | CASES)[name].model(data_spec=data(name).spec), trainer()
    tested = one.test(model, datamodule=data(name), verbose=False, ckpt_path=file)[0]
    assert first[run]["tested"] == pytest.approx(tested, rel=1e-4, abs=1e-5)
    assert second[run]["tested"] == pytest.approx(tested, rel=1e-4, abs=1e-5)

    one.validate(model, datamodule=data(name), verbose=False, ckpt_path=file)
    validated = {name: float(value) for name, value in one.callback_metrics.items()}
    assert first[run]["validated"] == second[run]["validated"]
    assert first[run]["validated"] == pytest.approx(validated, rel=1e-4, abs=1e-5)


# Weights that are divided among devices
divided = pytest.mark.skipif(not CAN_DIVIDE, reason="this torch cannot divide weights without a GPU")


@divided
def test_what_divided_weights_make_is_what_whole_ones_make(ranks):
    folder, (first, second) = ranks
    whole = VAE.load_from_checkpoint(folder / "divided.ckpt")
    number = sum(parameter.numel() for parameter in whole.parameters())
    held = [seen["divided"]["held"] for seen in (first, second)]
    assert sum(held) >= number > max(held)
    for seen in (first, second):
        torch.testing.assert_close(seen["divided"]["samples"], whole.sample(3, seed=0))
        assert seen["divided"]["steps"] == [4, 8]
    drawn = {path.name for path in (folder / "divided" / "images").iterdir()}
    assert drawn == {f"{name}_epoch_0001.png" for name in KINDS}
    pictures = Pictures(columns=2, rows=2).grids(whole)
    with Image.open(folder / "divided" / "images" / "samples_epoch_0001.png") as picture:
        assert np.abs(np.asarray(picture).astype(int) - pictures["samples"]).max() <= 1


@divided
def test_divided_weights_of_which_one_device_has_broken_ones_are_not_kept(ranks):
    said = [seen["divided"]["broken"] for seen in ranks[1]]
    assert said[0].startswith("a weight on another device was not finite after step 4")
    assert "was not finite after step 4" in said[1]
    assert "another device" not in said[1]


@divided
@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("scored", "but one device computes the scores; test with --trainer.strategy auto --trainer.devices 1"),
        ("other rate", "optimizer cannot be changed where a run goes on with divided weights"),
        ("averaged", "but this VAE averages its weights, for which they must be whole; choose --trainer.strategy ddp"),
    ],
)
def test_what_needs_whole_weights_is_refused_on_all_devices(case, reason, ranks):
    assert all(reason in seen["divided"][case] for seen in ranks[1])


def test_a_game_is_not_played_with_divided_weights():
    model = GAN(data_spec=data().spec, networks=MLPPlayers((8,), (8,)))
    with pytest.raises(ValueError, match="this GAN has players that take turns, for which they must be whole"):
        model.require_trainable(Trainer(strategy=DividingOnTheCPU(), accelerator="cpu", logger=False))
