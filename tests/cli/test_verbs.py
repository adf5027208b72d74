"""Runs through the command line: what they leave behind, and that none disturbs another."""

import csv
import os
import sys

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from genzoo.cli import main
from genzoo.cli.run_folder import create_run_folder
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.training.descent import DescentModel
from genzoo.training.model import GenerativeModel
from tests.conftest import read_wandb_run, wandb_config

pytestmark = pytest.mark.usefixtures("working_folder")

DRAWN = [
    *("--data", "FashionMNISTMini", "--data.batch_size", "32"),
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "2"),
    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--trainer.log_every_n_steps", "1"),
]
# Pictures take as long as all else of so short a run.
QUICK = [*DRAWN, "--pictures.kinds", "[]"]
SMALL_VAE = ["--model", "VAE", "--model.networks.hidden_features", "[16]"]
NO_LOGGER = ["--trainer.logger", "false"]


def test_a_run_leaves_everything_in_its_folder(working_folder):
    main(["fit", *SMALL_VAE, *DRAWN, "--run.name", "first", "--model.latent_dim", "5"])
    assert [path.name for path in working_folder.iterdir()] == ["runs"]
    folder = working_folder / "runs" / "vae" / "first"
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoints",
        "config.yaml",
        "images",
        "metrics.csv",
        "provenance.json",
        "report.html",
        "training.json",
        "wandb",
    ]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert sorted(path.name for path in (folder / "images").iterdir()) == [
        "interpolation_epoch_0001.png",
        "latent_epoch_0001.png",
        "neighbours_epoch_0001.png",
        "reconstructions_epoch_0001.png",
        "samples_epoch_0001.png",
        "traversals_epoch_0001.png",
    ]
    assert Image.open(folder / "images" / "samples_epoch_0001.png").size == (8 * 30 + 2, 8 * 30 + 2)

    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["init_args"]["latent_dim"] == 5
    assert config["model"]["init_args"]["networks"]["init_args"]["hidden_features"] == [16]
    assert config["trainer"]["max_epochs"] == 1
    assert config["seed_everything"] == 0
    assert config["checkpoint"]["monitor"] == "val/objective"

    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows if row["train/elbo"]] == ["0", "1"]
    assert all(float(row["val/elbo"]) < 0 for row in rows if row["val/elbo"])

    (wandb_run,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    uploaded = wandb_config(read_wandb_run(wandb_run))
    uploaded.pop("_wandb", None)
    assert uploaded.pop("provenance")["command"].startswith("genzoo fit --model VAE ")
    assert uploaded == config

    model = GenerativeModel.load_from_checkpoint(folder / "checkpoints" / "last.ckpt")
    assert model.latent_dim == 5
    assert model.data_spec["class_names"][1] == "Trouser"
    assert torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 2


def test_the_saved_config_runs_again_and_gives_the_same_weights(working_folder):
    main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--run.name", "first"])
    first = working_folder / "runs" / "vae" / "first"
    main(["fit", "--config", str(first / "config.yaml"), "--run.name", "second"])
    second = working_folder / "runs" / "vae" / "second"
    weights = [torch.load(run / "checkpoints" / "last.ckpt")["state_dict"] for run in (first, second)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    configs = [yaml.safe_load((run / "config.yaml").read_text()) for run in (first, second)]
    assert configs[0].pop("run") != configs[1].pop("run")
    assert configs[0] == configs[1]


@pytest.mark.parametrize("logger", [["--trainer.logger", "genzoo.loggers.CSVLogger"], NO_LOGGER])
def test_other_choices_of_loggers_and_two_runs_in_a_row(working_folder, logger):
    for _ in range(2):
        main(["fit", *SMALL_VAE, *QUICK, *logger])
    runs = list((working_folder / "runs" / "vae").iterdir())
    assert len(runs) == 2
    for run in runs:
        assert (run / "checkpoints" / "last.ckpt").is_file()
        assert (run / "config.yaml").is_file()
        assert (run / "metrics.csv").is_file() == (logger is not NO_LOGGER)
        assert not (run / "wandb").exists()


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path):
    folders = {create_run_folder(str(tmp_path), "VAE", None, "fit") for _ in range(5)}
    assert len(folders) == 5
    assert all(folder.is_dir() and folder.parent == tmp_path / "vae" for folder in folders)


def test_a_process_that_rank_zero_launched_uses_its_folder(tmp_path, monkeypatch):
    from lightning_utilities.core.rank_zero import rank_zero_only

    folder = create_run_folder(str(tmp_path), "VAE", None, "fit")
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    assert create_run_folder(str(tmp_path), "VAE", None, "fit") == folder
    assert len(list((tmp_path / "vae").iterdir())) == 1


def test_a_run_of_a_given_name_is_not_overwritten(working_folder, capsys):
    assert main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--run.name", "mine"]) == 0
    before = (working_folder / "runs" / "vae" / "mine" / "checkpoints" / "last.ckpt").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--run.name", "mine"])
    said = capsys.readouterr().err
    assert (
        "genzoo: there is a run in runs/vae/mine already and it is not overwritten; choose another --run.name" in said
    )
    assert (working_folder / "runs" / "vae" / "mine" / "checkpoints" / "last.ckpt").read_bytes() == before


def test_validate_test_and_predict_take_a_checkpoint(working_folder, capsys):
    main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--run.name", "fitted"])
    fitted = working_folder / "runs" / "vae" / "fitted"
    settings = ["--config", str(fitted / "config.yaml"), "--ckpt_path", str(fitted / "checkpoints" / "last.ckpt")]
    for verb in ("validate", "test", "predict", "predict"):
        unscored = ["--evaluation.groups", "[]"] if verb == "test" else []
        main([verb, *settings, *unscored, "--trainer.limit_test_batches", "2", "--trainer.limit_predict_batches", "2"])
    text = capsys.readouterr().out
    assert "val/elbo" in text
    assert "test/elbo" in text
    for run in ("fitted_predict", "fitted_predict_2"):
        with np.load(working_folder / "runs" / "vae" / run / "predictions.npz") as predictions:
            assert predictions["encoding"].shape == (64, 32)
            assert predictions["reconstruction"].shape == (64, 1, 28, 28)


def test_print_config_prints_a_config_that_parses(working_folder, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--config", "configs/vae.yaml", "--print_config"])
    assert stop.value.code == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["model"]["class_path"] == "genzoo.VAE"
    assert list(working_folder.iterdir()) == []


def test_the_seed_of_the_environment_beats_the_default_and_is_beaten_by_what_is_given(
    working_folder, monkeypatch, caplog
):
    monkeypatch.setenv("PL_GLOBAL_SEED", "7")
    trial = ["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--trainer.fast_dev_run", "true"]
    for arguments, seed in (([], 7), (["--seed_everything", "5"], 5), ([], 7)):
        assert main([*trial, *arguments]) == 0
        assert caplog.messages.count(f"Seed set to {seed}") == 1
        caplog.clear()
        assert os.environ["PL_GLOBAL_SEED"] == "7"
    monkeypatch.delenv("PL_GLOBAL_SEED")
    main(trial)
    assert "Seed set to 0" in caplog.messages
    assert "PL_GLOBAL_SEED" not in os.environ


@pytest.mark.parametrize("seed", ["abc", "-1", "1.5"])
def test_a_seed_of_the_environment_that_is_none_is_misuse(seed, monkeypatch, capsys):
    monkeypatch.setenv("PL_GLOBAL_SEED", seed)
    with pytest.raises(SystemExit) as stop:
        main(["fit", *SMALL_VAE, *QUICK])
    assert stop.value.code == 2
    assert f"PL_GLOBAL_SEED should be a whole number, got {seed}; correct or unset it" in capsys.readouterr().err


def test_fast_dev_run_leaves_nothing(working_folder):
    main(["fit", *SMALL_VAE, *QUICK, "--trainer.fast_dev_run", "true"])
    assert list(working_folder.iterdir()) == []


def test_optimisers_come_from_the_command_line_and_keep_their_other_defaults(working_folder):
    arguments = ["--model", "GAN", "--model.generator_optimizer.lr", "1e-3"]
    schedule = ["--model.discriminator_scheduler", "torch.optim.lr_scheduler.StepLR"]
    schedule += ["--model.discriminator_scheduler.step_size", "1"]
    main(["fit", *arguments, *schedule, *QUICK, *NO_LOGGER, "--run.name", "gan"])
    checkpoint = torch.load(working_folder / "runs" / "gan" / "gan" / "checkpoints" / "last.ckpt", weights_only=True)
    discriminator, generator = (state["param_groups"][0] for state in checkpoint["optimizer_states"])
    assert (generator["lr"], tuple(generator["betas"])) == (1e-3, (0.5, 0.999))
    assert (discriminator["lr"], tuple(discriminator["betas"])) == (pytest.approx(2e-5), (0.5, 0.999))


def test_objective_likelihood_and_prior_go_by_short_names(working_folder, capsys):
    for arguments, expected in (
        (["--model", "GAN", "--model.objective", "Minimax", "--model.prior", "UniformPrior"], "Minimax"),
        (["--model", "VAE", "--model.likelihood", "Gaussian", "--model.likelihood.standard_deviation", "0.3"], "0.3"),
        (["--model", "VAE", "--model.networks", "ConvolutionalEncoderDecoder"], "width: 32"),
    ):
        with pytest.raises(SystemExit):
            main(["fit", *arguments, "--data", "FashionMNISTMini", "--print_config"])
        assert expected in capsys.readouterr().out


@pytest.mark.parametrize("keep", ["-1", "2"])
def test_a_choice_of_ones_own_of_checkpoints_is_kept(working_folder, keep):
    own = ["--checkpoint.save_top_k", keep, "--checkpoint.monitor", "val/kl"] if keep == "2" else []
    arguments = own or ["--checkpoint.save_top_k", keep]
    main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, *arguments, "--trainer.max_epochs", "3", "--run.name", "kept"])
    files = sorted(path.name for path in (working_folder / "runs" / "vae" / "kept" / "checkpoints").iterdir())
    assert "last.ckpt" in files
    assert len(files) == (4 if keep == "-1" else 3)
    assert all(name.startswith("epoch_000") for name in files if name != "last.ckpt")


def test_best_is_the_best(working_folder):
    main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "3", "--run.name", "best"])
    folder = working_folder / "runs" / "vae" / "best" / "checkpoints"
    best = torch.load(folder / "best.ckpt", weights_only=True)
    (state,) = (state for name, state in best["callbacks"].items() if name.startswith("Checkpoints"))
    assert state["monitor"] == "val/objective"
    assert float(state["best_model_score"]) == max(map(float, state["best_k_models"].values()))
    assert sorted(path.name for path in folder.iterdir()) == ["best.ckpt", "last.ckpt"]


def test_a_run_is_kept_that_other_processes_have_trained(working_folder):
    processes = ["--trainer.strategy", "ddp_fork", "--trainer.devices", "1"]
    assert main(["fit", *SMALL_VAE, *DRAWN, *NO_LOGGER, *processes, "--run.name", "mine"]) == 0
    kept = working_folder / "runs" / "vae" / "mine"
    files = ["checkpoints", "config.yaml", "images", "provenance.json", "report.html", "training.json"]
    assert sorted(path.name for path in kept.iterdir()) == files


def test_what_ends_other_processes_is_said_in_front_and_the_run_is_kept(working_folder, capsys):
    arguments = [*SMALL_VAE, *QUICK, *NO_LOGGER, "--trainer.strategy", "ddp_fork", "--trainer.devices", "1"]
    assert main(["fit", *arguments, "--run.name", "mine"]) == 0
    capsys.readouterr()
    assert main(["fit", "runs/vae/mine", "--trainer.max_epochs", "2", "--model.optimizer.lr", "1e30"]) == 1
    assert "\ngenzoo: RuntimeError: loss was not finite at step 3 (epoch 1)" in capsys.readouterr().err
    checkpoint = torch.load(working_folder / "runs" / "vae" / "mine" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 2


def test_a_run_that_could_not_begin_takes_up_no_name(working_folder, capsys):
    arguments = ["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--run.name", "mine"]
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--data.batch_size", "100000"])
    assert "lower the batch_size" in capsys.readouterr().err
    assert not list((working_folder / "runs").glob("vae/*"))
    assert main(arguments) == 0


SMALL_GAN = ["--model", "GAN", *("--model.networks.generator_features", "[8]")]
PLATEAU = "lightning.pytorch.cli.ReduceLROnPlateau"


@pytest.mark.parametrize(
    ("model", "wrong", "said"),
    [
        (SMALL_VAE, ["--model.optimizer.lr", "-1"], "Invalid learning rate: -1.0"),
        (SMALL_VAE, ["--model.optimizer.lr", "1e400"], "lr of Adam is inf"),
        (SMALL_GAN, ["--model.generator_optimizer.lr", ".nan"], "Invalid learning rate: nan"),
        (SMALL_GAN, ["--model.generator_optimizer", "LBFGS"], "LBFGS computes a loss several times"),
        (
            SMALL_GAN,
            ["--model.generator_scheduler", "torch.optim.lr_scheduler.ReduceLROnPlateau"],
            f"choose {PLATEAU} with one of these as monitor: train/discriminator_accuracy",
        ),
        (
            SMALL_GAN,
            ["--model.generator_scheduler", PLATEAU, "--model.generator_scheduler.monitor", "nope"],
            "watches nope, which a GAN does not report; give it one of these as monitor: train/",
        ),
        (
            SMALL_GAN,
            ["--trainer.callbacks", "StochasticWeightAveraging", "--trainer.callbacks.swa_lrs", "0.1"],
            "set average_decay",
        ),
        (SMALL_GAN, ["--trainer.precision", "16-true"], "choose 16-mixed"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_there_is_a_run(model, wrong, said, working_folder, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["fit", *model, *QUICK, *wrong, "--run.name", "mine"])
    assert stop.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("genzoo: ")
    assert said in last
    assert not list((working_folder / "runs").glob("*/*"))


def test_a_run_that_averages_over_its_last_epochs_goes_on(working_folder, capsys):
    averaging = ["--trainer.callbacks", "StochasticWeightAveraging", "--trainer.callbacks.swa_lrs", "0.001"]
    assert main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, *averaging, "--run.name", "mine"]) == 0
    callbacks = yaml.safe_load((working_folder / "runs/vae/mine/config.yaml").read_text())["trainer"]["callbacks"]
    assert callbacks[0]["init_args"]["device"] == "cpu"
    assert main(["fit", "runs/vae/mine", "--trainer.max_epochs", "2"]) == 0
    assert "serialize" not in capsys.readouterr().err


@pytest.mark.usefixtures("working_folder")
def test_a_game_takes_the_schedule_with_a_monitor_by_its_short_name(recwarn):
    schedule = "--model.generator_scheduler"
    watched = [schedule, "ReduceLROnPlateau", f"{schedule}.monitor", "val/discriminator_real"]
    assert main(["fit", *SMALL_GAN, *QUICK, *NO_LOGGER, *watched]) == 0
    assert not [warning for warning in recwarn if "monitor" in str(warning.message)]


def test_a_validation_beyond_the_epoch_is_refused_before_training(working_folder, capsys):
    arguments = ["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, "--trainer.val_check_interval", "3"]
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    said = "genzoo: val_check_interval is 3, but an epoch has 2 batches; give that many at most, or set check_val_every"
    assert said in capsys.readouterr().err
    assert not list((working_folder / "runs").glob("vae/*"))
    assert main([*arguments, "--trainer.check_val_every_n_epoch", "null"]) == 0


def test_measuring_needs_weights(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["test", *SMALL_VAE, "--data", "FashionMNISTMini"])
    assert stop.value.code == 2
    assert "genzoo: test needs the weights of a run: genzoo test runs/MODEL/NAME" in capsys.readouterr().err


def test_a_crashed_run_is_a_crashed_run_in_wandb(working_folder, monkeypatch):
    step = DescentModel.training_step

    def crash(self, batch, batch_idx):
        if batch_idx == 1:
            raise ArithmeticError("for the test")
        return step(self, batch, batch_idx)

    monkeypatch.setattr(DescentModel, "training_step", crash)
    with pytest.raises(ArithmeticError):
        main(["fit", *SMALL_VAE, *QUICK, "--run.name", "crashed"])
    (run,) = working_folder.glob("runs/vae/crashed/wandb/offline-run-*/run-*.wandb")
    assert [record.exit.exit_code for record in read_wandb_run(run) if record.HasField("exit")] == [1]


OWN = """
from genzoo import VAE, FashionMNISTMini


class OwnModel(VAE):
    pass


class OwnData(FashionMNISTMini):
    pass
"""


def test_classes_in_the_working_folder_can_be_named_and_gone_on_with(working_folder):
    (working_folder / "own_of_tests.py").write_text(OWN)
    own = ["--model", "own_of_tests.OwnModel", *SMALL_VAE[2:], *QUICK, *NO_LOGGER, "--data", "own_of_tests.OwnData"]
    assert main(["fit", *own, "--run.name", "own"]) == 0
    run = "runs/ownmodel/own"
    assert main(["fit", run, "--trainer.max_epochs", "2"]) == 0
    assert main(["fit", "--config", f"{run}/config.yaml", "--run.name", "again"]) == 0
    assert main(["validate", run]) == 0
    assert main(["test", run, "--evaluation.groups", "[]", "--trainer.limit_test_batches", "1"]) == 0
    assert main(["predict", run, "--trainer.limit_predict_batches", "1"]) == 0


def test_what_lies_beside_a_config_is_not_run(working_folder, capsys):
    elsewhere = working_folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "planted.py").write_text(f"open({str(working_folder / 'ran')!r}, 'w')\n{OWN}")
    (elsewhere / "config.yaml").write_text("model: planted.OwnModel\ndata: FashionMNISTMini\n")
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--config", "elsewhere/config.yaml", *QUICK])
    assert stop.value.code == 2
    assert "there is no module planted, which planted.OwnModel needs; go to the folder" in capsys.readouterr().err
    assert not (working_folder / "ran").exists()


def test_the_working_folder_stands_once_and_absolute_where_modules_are_looked_for(working_folder, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", ".", str(working_folder), "elsewhere"])
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    assert sys.path == [str(working_folder), "elsewhere"]


MONITOR = "lightning.pytorch.callbacks.LearningRateMonitor"


@pytest.mark.parametrize(
    "given",
    [
        "callbacks: {class_path: LearningRateMonitor}",
        "callbacks: LearningRateMonitor",
        "callbacks: [LearningRateMonitor]",
        "--trainer.callbacks LearningRateMonitor",
        "--trainer.callbacks+ LearningRateMonitor",
        "--trainer.callbacks.class_path LearningRateMonitor",
    ],
)
def test_one_callback_may_be_given_in_any_form(given, working_folder):
    arguments = given.split()
    if not given.startswith("--"):
        (working_folder / "one.yaml").write_text(f"trainer:\n  {given}\n")
        arguments = ["--config", "one.yaml"]
    csv_logger = ["--trainer.logger", "genzoo.loggers.CSVLogger", "--trainer.plugins", "LightningEnvironment"]
    shown = ["--trainer.enable_progress_bar", "true"]
    assert main(["fit", *SMALL_VAE, *QUICK, *shown, *csv_logger, *arguments, "--run.name", "one"]) == 0
    trainer = yaml.safe_load((working_folder / "runs" / "vae" / "one" / "config.yaml").read_text())["trainer"]
    assert [callback["class_path"] for callback in trainer["callbacks"]] == [MONITOR]
    assert [logger["class_path"] for logger in trainer["logger"]] == ["genzoo.loggers.CSVLogger"]
    assert len(trainer["plugins"]) == 1


def test_one_callback_may_be_given_with_every_verb_and_to_go_on(working_folder):
    shown = ["--trainer.enable_progress_bar", "true"]
    own = ["--trainer.callbacks", "ModelSummary"]
    assert main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER, *shown, *own, "--run.name", "one"]) == 0
    for arguments in (
        ["fit", "runs/vae/one", "--trainer.max_epochs", "2", *own],
        ["fit", "runs/vae/one", "--trainer.max_epochs", "3", "--trainer.callbacks.max_depth", "2"],
        ["fit", "--config", "runs/vae/one/config.yaml", "--run.name", "two"],
        ["validate", "runs/vae/one", *own],
        ["test", "runs/vae/one", *own, "--evaluation.groups", "[]", "--trainer.limit_test_batches", "1"],
        ["predict", "runs/vae/one", *own, "--trainer.limit_predict_batches", "1"],
    ):
        assert main(arguments) == 0, arguments


def test_processes_that_are_spawned_can_be_handed_the_model(working_folder):
    (working_folder / "mine.py").write_text(
        "import pickle\nfrom lightning.pytorch import Callback\n\nclass Spawns(Callback):\n"
        "    def on_fit_start(self, trainer, module):\n        pickle.dumps(module.optimizer)\n"
    )
    assert main(["fit", *SMALL_VAE, *QUICK, "--trainer.fast_dev_run", "1", "--trainer.callbacks", "mine.Spawns"]) == 0


def test_a_loading_process_that_is_killed_in_the_middle_of_a_step_is_said(monkeypatch, capsys):
    def told_by_a_signal(*_):
        # Torch's handler of the signal raises wherever the program happens to be.
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")

    monkeypatch.setattr(FashionMNISTMini, "on_after_batch_transfer", told_by_a_signal)
    assert main(["fit", *SMALL_VAE, *QUICK, *NO_LOGGER]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(
        "genzoo: loading by worker processes has failed (DataLoader worker (pid 7) is killed by signal"
    )
