"""The verbs that Lightning runs: fit, validate, test and predict, on LightningCLI."""

import logging
import pydoc
import sys
import warnings
from tempfile import TemporaryDirectory
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from genzoo.callbacks.pictures import Pictures
from genzoo.callbacks.predictions import Predictions
from genzoo.callbacks.progress import ProgressBar
from genzoo.cli.configs import with_shipped_configs
from genzoo.cli.errors import Parser, is_deliberate, refuse, sentence
from genzoo.cli.run_folder import SaveConfig, create_run_folder, release_run_folder
from genzoo.data.splits import ArrayDataModule
from genzoo.loggers import CSVLogger, WandbLogger
from genzoo.models.base import GenerativeModel

DEFAULTS = {
    "trainer.logger": [{"class_path": f"genzoo.loggers.{name}"} for name in ("CSVLogger", "WandbLogger")],
    "checkpoint.save_last": True,
    "checkpoint.save_top_k": 0,
    "checkpoint.filename": "epoch_{epoch:04d}",
    "checkpoint.auto_insert_metric_name": False,
    "checkpoint.save_on_train_epoch_end": True,
}


class TrainingCLI(LightningCLI):
    """LightningCLI with genzoo's models and data sets, their links, and one folder per run."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(
            GenerativeModel,
            ArrayDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            save_config_callback=SaveConfig,
            seed_everything_default=0,
            parser_class=Parser,
            parser_kwargs={"prog": "genzoo"},
            args=arguments,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Adds the run folder, checkpoints and pictures, and links the data's spec to the model."""
        parser.add_argument("--run.root", type=str, default="runs", help="Folder of all runs.")
        parser.add_argument("--run.name", type=str | None, default=None, help="Name of this run; the time if left out.")
        parser.add_lightning_class_args(ModelCheckpoint, "checkpoint")
        parser.add_lightning_class_args(Pictures, "pictures")
        parser.set_defaults(DEFAULTS)
        parser.link_arguments("data.spec", "model.init_args.data_spec", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parses the given arguments, without the parent's warning that the command line holds some too."""
        self.config = parser.parse_args(args)

    def before_instantiate_classes(self) -> None:
        """Keeps the best checkpoint too, where the model names what to monitor and the user asks for nothing else."""
        config = self.config[self.subcommand]
        if self.subcommand != "fit" and config.ckpt_path is None:
            refuse(f"{self.subcommand} needs the weights of a run: --ckpt_path runs/MODEL/NAME/checkpoints/last.ckpt")
        if config.trainer.default_root_dir is not None:
            refuse("every run has a folder of its own: give --run.root in place of --trainer.default_root_dir")
        monitor = pydoc.locate(config.model.class_path).monitor  # type: ignore[attr-defined]
        if monitor is not None and config.checkpoint.monitor is None and config.checkpoint.save_top_k == 0:
            config.checkpoint.monitor, config.checkpoint.mode = monitor
            config.checkpoint.save_top_k, config.checkpoint.filename = 1, "best"

    def instantiate_classes(self) -> None:
        """Makes model, data and trainer; a setting that one of them refuses is misuse."""
        try:
            super().instantiate_classes()
        except (ValueError, TypeError) as error:
            if "validate against any of the Union subtypes" not in str(error):
                raise
            refuse(sentence(str(error)))

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Makes the trainer, with everything that writes placed in the run folder."""
        config = self.config[self.subcommand]
        callbacks: list[Callback] = [Predictions()] if self.subcommand == "predict" else []
        given = config.trainer.callbacks or []
        if config.trainer.enable_progress_bar is not False and not any("ProgressBar" in c.class_path for c in given):
            callbacks.append(ProgressBar())
        self.trainer_defaults["callbacks"] = callbacks
        if config.trainer.fast_dev_run:
            self._scratch = TemporaryDirectory()
            return super().instantiate_trainer(default_root_dir=self._scratch.name, **kwargs)

        folder = create_run_folder(config.run.root, type(self.model).__name__, config.run.name, str(self.subcommand))
        trainer = super().instantiate_trainer(default_root_dir=folder, **kwargs)
        for logger in trainer.loggers:
            if isinstance(logger, CSVLogger | WandbLogger):
                logger.place(folder)
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint) and callback.dirpath is None:
                callback.dirpath = str(folder / "checkpoints")
        return trainer


def run(arguments: list[str]) -> int:
    """Runs a verb with its arguments, for instance ``["fit", "--config", "configs/vae.yaml"]``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said on the standard error stream. Misuse ends the
        program with 2.
    """
    _quiet()
    exit_code = 1
    try:
        TrainingCLI(with_shipped_configs(arguments))
        exit_code = 0
    except Exception as error:
        if not is_deliberate(error):
            raise
        sys.stderr.write(f"genzoo: {error}\n")
    finally:
        release_run_folder()
        # A W&B run of its own for every command, also where one process gives several.
        if "wandb" in sys.modules:
            sys.modules["wandb"].finish(exit_code=exit_code)
    return exit_code


def _quiet() -> None:
    """Keeps advertisements and warnings that a user can do nothing about out of the way."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    # The order of our loaders is a function of the seed and the epoch: they resume anywhere.
    warnings.filterwarnings("ignore", message=".*not resumable.*")
    warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.trainer.connectors.callback_connector"):
        logging.getLogger(name).addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    message = record.getMessage().lower()
    return "litlogger" not in message and "litmodels" not in message
