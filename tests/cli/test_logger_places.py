"""Loggers of Lightning and the user's, which are told of no folder, write into that of the run."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from jsonargparse import Namespace
from lightning.pytorch.loggers import CometLogger, Logger, MLFlowLogger, TensorBoardLogger
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

import genzoo.loggers
from genzoo.cli import main
from genzoo.cli.logger_places import placed, places_left_out

GAN = ["fit", "--model", "GAN", "--model.networks.generator_features", "[4]", "--data", "Digits"]
GAN += ["--data.image_size", "8", "--data.batch_size", "16", "--data.subset", "64", "--trainer.accelerator", "cpu"]
GAN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
GAN += ["--trainer.log_every_n_steps", "1", "--run.name", "run", "--pictures.columns", "2", "--pictures.rows", "2"]
RUN = Path("runs/gan/run")

OWN = """
from pathlib import Path
from lightning.pytorch.loggers import Logger

class Diary(Logger):
    name, version = "diary", 0

    def __init__(self, save_dir: str = "pages"):
        self.pages = Path(save_dir)

    def log_metrics(self, metrics, step=None):
        self.pages.mkdir(exist_ok=True)
        (self.pages / f"{step}").touch()

    def log_hyperparams(self, *_):
        pass
"""


def read(folder):
    """What TensorBoard reads in a folder."""
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    return events.Reload()


class Folder(Logger):
    """Keeps what it is given."""

    name, version = "folder", 0

    def __init__(self, save_dir: str = "files", purge_step: int | None = None, depth: int = 1):
        self.given = save_dir, purge_step, depth

    def log_metrics(self, metrics, step=None):
        """Keeps nothing."""

    def log_hyperparams(self, *_):
        """Keeps nothing."""


@pytest.mark.parametrize(
    ("logger", "places"),
    [
        (TensorBoardLogger, {"save_dir": ".", "name": "", "version": ""}),
        (MLFlowLogger, {}),
        (CometLogger, {}),
        (genzoo.loggers.CSVLogger, {}),
        (genzoo.loggers.WandbLogger, {}),
    ],
)
def test_only_what_a_logger_has_no_use_for_is_left_out(logger, places):
    assert places_left_out(logger) == places


@pytest.mark.parametrize(
    ("asked", "first_step", "given"),
    [
        ({"save_dir": "files", "purge_step": None, "depth": 2}, 0, ("/run/files", None, 2)),
        ({"save_dir": "files", "purge_step": None, "depth": 2}, 7, ("/run/files", 7, 2)),
        ({"save_dir": "elsewhere", "purge_step": None, "depth": 2}, 7, ("elsewhere", None, 2)),
    ],
)
def test_a_logger_is_made_anew_in_the_run_folder_unless_it_was_told_of_another(asked, first_step, given):
    settings = Namespace(class_path="Folder", init_args=Namespace(**asked))
    assert placed(Folder(**asked), settings, Path("/run"), first_step).given == given


def test_tensorboard_has_scalars_pictures_and_config_of_a_run_that_goes_on(working_folder):
    assert main([*GAN, "--trainer.logger", "[CSVLogger, TensorBoardLogger]", "--trainer.max_epochs", "1"]) == 0
    last = RUN / "checkpoints" / "last.ckpt"
    shutil.copy(last, "first.ckpt")
    assert main(["fit", str(RUN), "--trainer.max_epochs", "2"]) == 0
    # As if it had been killed in the second epoch, whose steps are then made again.
    shutil.move("first.ckpt", last)
    assert main(["fit", str(RUN), "--trainer.max_epochs", "2"]) == 0
    assert main(["validate", str(RUN)]) == 0
    assert [path.name for path in working_folder.iterdir()] == ["runs"]

    events = read(RUN)
    columns, *rows = (line.split(",") for line in (RUN / "metrics.csv").read_text().splitlines())
    for name in ("train/generator_loss", "val/discriminator_real"):
        logged = [(int(row[columns.index("step")]), row[columns.index(name)]) for row in rows]
        expected = [(step, pytest.approx(float(value), rel=1e-6)) for step, value in logged if value]
        assert len(expected) > 1
        assert [(event.step, event.value) for event in events.Scalars(name)] == expected
    pictures = events.Images("pictures/samples")
    assert [picture.step for picture in pictures] == [event.step for event in events.Scalars("val/discriminator_real")]
    for picture, path in zip(pictures, sorted((RUN / "images").glob("samples_*.png")), strict=True):
        drawn = np.asarray(Image.open(io.BytesIO(picture.encoded_image_string)))
        assert np.array_equal(drawn, np.asarray(Image.open(path)))
    assert yaml.safe_load((RUN / "hparams.yaml").read_text())["trainer"]["log_every_n_steps"] == 1
    settings = HParamsPluginData.FromString(events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    assert settings.session_start_info.hparams["model/class_path"].string_value == "genzoo.GAN"

    (measured,) = (folder for folder in RUN.parent.iterdir() if folder != RUN)
    assert read(measured).Scalars("val/discriminator_real")[0].value == pytest.approx(
        events.Scalars("val/discriminator_real")[-1].value, rel=1e-6
    )


@pytest.mark.parametrize("value", ["mine.Diary", "[CSVLogger, mine.Diary]"])
def test_a_logger_of_ones_own_lies_in_the_run_folder_too(value, working_folder):
    (working_folder / "mine.py").write_text(OWN)
    assert main([*GAN, "--trainer.logger", value, "--trainer.max_epochs", "1"]) == 0
    assert list((RUN / "pages").iterdir())
    assert (RUN / "metrics.csv").exists() == ("CSV" in value)


@pytest.mark.parametrize("name", ["CSVLogger", "lightning.pytorch.loggers.CSVLogger", "genzoo.loggers.CSVLogger"])
def test_the_file_of_numbers_is_written_by_the_logger_that_keeps_it(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([*GAN, "--trainer.logger", name, "--print_config"])
    logger = yaml.safe_load(capsys.readouterr().out)["trainer"]["logger"]
    assert logger["class_path"] == "genzoo.loggers.CSVLogger"
