"""Every shipped config runs a step through the command line."""

import csv
import shutil
import warnings

import numpy as np
import pytest
import yaml
from PIL import Image

from genzoo.cli import main
from genzoo.cli.configs import shipped_configs
from genzoo.provenance import read_provenance
from genzoo.training.model import GenerativeModel
from tests.conftest import read_wandb_run, wandb_config, wandb_values
from tests.models.test_contract import MODELS
from tests.training.test_storing import keep, load_in_another_process

CONFIGS = sorted(
    path.relative_to(shipped_configs()).as_posix()
    for folder in ("", "papers")
    for path in (shipped_configs() / folder).glob("*.yaml")
)
STEP = [
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"),
    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--data.batch_size", "8"),
    *("--pictures.columns", "2", "--pictures.rows", "2", "--trainer.log_every_n_steps", "1"),
]

KNOWN_MISTAKES = ".*(asks for the gradient of each|both limit how steep|nothing limits how steep)"


def test_the_configs_are_found():
    adversarial = {"gan.yaml", "dcgan.yaml", "cgan.yaml", "wgan_gp.yaml", "rpgan_r1_r2.yaml", "edges_to_image.yaml"}
    assert {"autoencoder.yaml", "vae.yaml", "cvae.yaml", "vae_gan.yaml"} | adversarial <= set(CONFIGS)
    assert {
        f"{name}.yaml" for name in ("pacgan", "projection", "acgan", "infogan", "unrolled_gan", "papers/dcgan")
    } <= set(CONFIGS)


def name_of(config):
    """The name of its run."""
    return config.removesuffix(".yaml").replace("/", "_")


def run_of(config, folder):
    """The folder of its run."""
    (run,) = folder.glob(f"runs/*/{name_of(config)}")
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder in which every shipped config has run one step, with a checkpoint of each model in `kept`."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "kept").mkdir()
    fitted = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(GenerativeModel, "on_fit_end", lambda self: fitted.append(self), raising=False)
        for config in CONFIGS:
            with warnings.catch_warnings():
                # What is shipped goes well together.
                warnings.filterwarnings("error", message=KNOWN_MISTAKES)
                main(["fit", "--config", f"configs/{config}", *STEP, "--run.name", name_of(config)])
            model = fitted.pop()
            path = folder / "kept" / f"{type(model).__name__}-command-line.ckpt"
            if not path.exists():
                shutil.copyfile(run_of(config, folder) / "checkpoints" / "last.ckpt", path)
                keep(path, model)
    return folder


def test_every_model_loads_in_another_process_and_gives_the_same(runs):
    assert {path.stem.partition("-")[0] for path in (runs / "kept").glob("*.ckpt")} == {cls.__name__ for cls in MODELS}
    assert load_in_another_process(runs / "kept") == len(MODELS)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_runs_and_leaves_checkpoint_pictures_and_wandb_run(config, runs):
    run = run_of(config, runs)
    assert (run / "checkpoints" / "last.ckpt").is_file()
    assert list(run.glob("images/*_epoch_0001.png"))
    assert list(run.glob("wandb/offline-run-*"))


@pytest.mark.parametrize("config", CONFIGS)
def test_the_wandb_run_of_every_config_tells_what_its_folder_does(config, runs):
    run = run_of(config, runs)
    (file,) = run.glob("wandb/offline-run-*/run-*.wandb")
    records = read_wandb_run(file)
    settings = wandb_config(records)
    assert {name: settings[name] for name in settings if name not in ("_wandb", "provenance")} == yaml.safe_load(
        (run / "config.yaml").read_text()
    )
    assert settings["provenance"] == read_provenance(run)[-1]
    assert settings["provenance"]["command"].startswith(f"genzoo fit --config configs/{config}")
    history = [wandb_values(record.history.item) for record in records if record.HasField("history")]
    # Pictures and histograms, which no file of numbers holds, come by themselves.
    numbers = [entry for entry in history if not any("pictures/" in name or "_dimension" in name for name in entry)]
    latest = {}
    with (run / "metrics.csv").open() as table:
        for row, entry in zip(csv.DictReader(table), numbers, strict=True):
            measured = {name: float(value) for name, value in row.items() if value and name not in ("step", "epoch")}
            assert measured
            latest |= measured
            logged = {name: value for name, value in entry.items() if name.startswith(("train/", "val/"))}
            assert logged == pytest.approx(measured, nan_ok=True)
            assert entry["trainer/global_step"] == int(row["step"])
    summary = {}
    for record in records:
        summary |= wandb_values(record.summary.update)
    # Beside the best value, where a number has one.
    last = {name: value["last"] if isinstance(value := summary[name], dict) else value for name in latest}
    assert last == pytest.approx(latest, nan_ok=True)
    drawn = {name: value for entry in history for name, value in entry.items() if name.startswith("pictures/")}
    steps = {entry["trainer/global_step"] for entry in history if any(name.startswith("pictures/") for name in entry)}
    assert steps == {numbers[-1]["trainer/global_step"]}
    assert {f"{name.removeprefix('pictures/')}_epoch_0001.png" for name in drawn} == {
        path.name for path in run.glob("images/*_epoch_*.png")
    }
    for name, value in drawn.items():
        (logged,) = (Image.open(file.parent / "files" / place) for place in value["filenames"])
        shown = Image.open(run / "images" / f"{name.removeprefix('pictures/')}_epoch_0001.png")
        assert np.array_equal(np.asarray(logged), np.asarray(shown))


def test_configs_budget_by_epochs_and_run_on_embedded_data():
    for config in CONFIGS:
        settings = yaml.safe_load((shipped_configs() / config).read_text())
        assert "max_steps" not in settings["trainer"]
        assert settings["trainer"]["max_epochs"] > 0
        # Points are drawn anew.
        assert settings["data"]["class_path"] in ("FashionMNISTMini", "FashionMNISTMiniEdges", "GaussianMixture2D")


def test_points_do_not_fit_a_likelihood_of_pixels(working_folder, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--model", "VAE", "--config", "configs/data/ring.yaml", *STEP])
    assert "genzoo: a Bernoulli likelihood with values in [-1, 1] does not fit points" in capsys.readouterr().err


@pytest.mark.parametrize("overlay", sorted(path.name for path in (shipped_configs() / "trainer").glob("*.yaml")))
def test_trainer_overlays_are_understood(overlay, capsys):
    """They ask for GPUs, so that no trainer can be made of them everywhere."""
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--config", "configs/vae.yaml", "--config", f"configs/trainer/{overlay}", "--print_config"])
    assert stop.value.code == 0
    assert "accelerator: gpu" in capsys.readouterr().out
