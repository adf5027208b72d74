"""The verbs that Lightning runs: fit, validate, test and predict, on LightningCLI."""

import os
import pydoc
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml
from jsonargparse import Namespace
from jsonargparse.typing import register_type
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, RichModelSummary, Timer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.plugins import CheckpointIO
from lightning_utilities.core.rank_zero import rank_zero_only

from genzoo.callbacks.alarms import Alarms
from genzoo.callbacks.beginning import Beginning
from genzoo.callbacks.checkpoints import Checkpoints, WholeCheckpointIO
from genzoo.callbacks.closing import Closing
from genzoo.callbacks.final_scores import Evaluation
from genzoo.callbacks.interruption import Interruption, RunInterruptedError
from genzoo.callbacks.pictures import Pictures
from genzoo.callbacks.predictions import Predictions
from genzoo.callbacks.progress import ProgressBar
from genzoo.callbacks.report import Report
from genzoo.callbacks.speed import Speed
from genzoo.checkpoint_files import BEST
from genzoo.cli.class_changes import forget_defaults_of_earlier_classes
from genzoo.cli.configs import require_configs, with_present_names, with_shipped_configs
from genzoo.cli.continuing import Continued, continuing
from genzoo.cli.ending import Stopped
from genzoo.cli.errors import Parser, answer
from genzoo.cli.logger_places import placed
from genzoo.cli.run_folder import SaveConfig, create_run_folder, held, release_run_folder
from genzoo.cli.settings import require_sense
from genzoo.cli.warning_filters import keep_quiet
from genzoo.data.splits import ArrayDataModule
from genzoo.loggers import WandbLogger
from genzoo.networks.batch_norm import require_batches_for_batch_norm
from genzoo.sampling.compatibility import require_same_data
from genzoo.training.model import GenerativeModel

# No checkpoint of every epoch; that of the best one is added for models that say what to monitor.
DEFAULTS = {
    "trainer.logger": [{"class_path": f"genzoo.loggers.{name}"} for name in ("CSVLogger", "WandbLogger")],
    "checkpoint.save_top_k": 0,
    "checkpoint.filename": "epoch_{epoch:04d}",
    "checkpoint.auto_insert_metric_name": False,
    "checkpoint.save_on_train_epoch_end": True,
}
# Where one may be given without a list, but the config of a run, which others are compared with, has a list.
LISTS = ("callbacks", "logger", "plugins")
SEED = "PL_GLOBAL_SEED"

# A setting of callbacks, which would not be known again in the config of a run.
register_type(torch.device)
forget_defaults_of_earlier_classes()


class TrainingCLI(LightningCLI):
    """LightningCLI with genzoo's models and data sets, their links, and one folder per run.

    What it refuses is a `ValueError` with a sentence for the user; `run` says it.

    Args:
        arguments: A verb and what follows it.
        continued: What the command goes on from.
        beginning: Notes whether the command has begun.
        leaving: What is to be done when the command ends, however it ends.
    """

    def __init__(
        self, arguments: list[str], continued: Continued | None, beginning: Beginning, leaving: ExitStack
    ) -> None:
        self.verb = arguments[0]
        self.continued = continued
        self.beginning = beginning
        self.leaving = leaving
        super().__init__(
            GenerativeModel,
            ArrayDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            save_config_callback=None,
            seed_everything_default=_seed_of_environment(),
            parser_class=Parser,
            parser_kwargs={"prog": "genzoo"},
            args=arguments,
        )

    def __getstate__(self) -> dict[str, Any]:
        """All but what this process alone has to do at its end: ddp_spawn hands copies to other processes."""
        return {name: value for name, value in vars(self).items() if name != "leaving"}

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """The verb that is asked for alone: to make the parsers of all of them takes longer than all else."""
        skipped: dict[str, set[str]] = super().subcommands()
        return {self.verb: skipped[self.verb]}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Adds the run folder, checkpoints and pictures, and links the data's spec to the model."""
        parser.add_argument("--run.root", type=str, default="runs", help="Folder of all runs.")
        parser.add_argument("--run.name", type=str | None, default=None, help="Name of this run; the time if left out.")
        parser.add_lightning_class_args(Checkpoints, "checkpoint")
        parser.add_lightning_class_args(Pictures, "pictures")
        parser.add_lightning_class_args(Alarms, "alarms")
        if self.verb == "test":
            parser.add_lightning_class_args(Evaluation, "evaluation")
        parser.set_defaults(DEFAULTS)
        # A data module knows its spec once it is made, before any data are loaded.
        parser.link_arguments("data.spec", "model.init_args.data_spec", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parses the given arguments, without the parent's warning that the command line holds some too."""
        self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """Does nothing, where Lightning lets a checkpoint's settings win: `continuing` has put them below all."""

    def before_instantiate_classes(self) -> None:
        """Says what differs from the run that is continued, and completes what the user leaves out."""
        config = self.config[self.verb]
        if self.verb != "fit" and config.ckpt_path is None:
            raise ValueError(f"{self.verb} needs the weights of a run: genzoo {self.verb} runs/MODEL/NAME")
        if self.continued is None and config.ckpt_path is not None:
            raise ValueError(f"give {config.ckpt_path} by --ckpt_path, or by ckpt_path in the file of a --config")
        require_sense(config)
        config.weights_only = self.continued is None or self.continued.weights_only
        for name in LISTS:
            if isinstance(config.trainer[name], Namespace):
                config.trainer[name] = [config.trainer[name]]
        monitor = pydoc.locate(config.model.class_path).monitor  # type: ignore[attr-defined]
        if monitor is not None and config.checkpoint.monitor is None and config.checkpoint.save_top_k == 0:
            config.checkpoint.monitor, config.checkpoint.mode = monitor
            config.checkpoint.save_top_k, config.checkpoint.filename = 1, Path(BEST).stem
        if self.continued is not None:
            self._compare(self.continued)

    def _compare(self, continued: Continued) -> None:
        trainer = self.config[self.verb].trainer
        if self.verb == "fit" and 0 <= (trainer.max_epochs or -1) <= continued.epochs:
            raise ValueError(
                f"{continued.checkpoint} has had all {trainer.max_epochs} epochs; ask for more with "
                "--trainer.max_epochs"
            )
        if self.verb == "fit" and trainer.fast_dev_run:
            raise ValueError(
                "--trainer.fast_dev_run tries the settings of a new run; give them by --config in place of the run"
            )
        settings = yaml.safe_load(self.parser.dump(self.config, skip_none=False))[self.verb]
        if _is_first_process():
            sys.stderr.writelines(f"genzoo: {difference}\n" for difference in continued.differences(settings))

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Makes the trainer, with everything that writes placed in the run folder."""
        config = self.config[self.verb]
        self._require_fit()
        own: dict[str, list[Callback]] = {
            "fit": [Interruption(), Speed(), Report()],
            "test": [Report()],
            "predict": [Predictions()],
        }
        callbacks = [self.beginning, *own.get(self.verb, [])]
        given = config.trainer.callbacks or []
        if config.trainer.enable_progress_bar is not False and not any("ProgressBar" in c.class_path for c in given):
            callbacks.append(ProgressBar())
        if config.trainer.enable_model_summary is not False and not any("ModelSummary" in c.class_path for c in given):
            # Two levels deep, for the networks are a sampler's.
            callbacks.append(RichModelSummary(max_depth=2))
        # Checkpoints then know how long training took, and find it again when they are measured. Lightning makes one of
        # its own to keep a limit.
        if not config.trainer.max_time and not any("Timer" in c.class_path for c in given):
            callbacks.append(Timer())
        if self.verb == "fit":
            # Below the progress bar, which has its last say when it is torn down.
            callbacks.append(Closing())
        self.trainer_defaults["callbacks"] = callbacks
        # Given here and not as a setting, it does not stand in the config of the run.
        plugins = self.config_init[self.verb].trainer.plugins or []
        if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
            plugins.append(WholeCheckpointIO())
        kwargs["plugins"] = plugins
        # A trial is no run: what Lightning writes goes into a folder that is removed with this object.
        if config.trainer.fast_dev_run:
            self._scratch = TemporaryDirectory()
            return super().instantiate_trainer(default_root_dir=self._scratch.name, **kwargs)

        folder, first_step = self._run_folder()
        loggers = self.config_init[self.verb].trainer.logger
        if isinstance(loggers, list):
            asked = zip(loggers, config.trainer.logger, strict=True)
            kwargs["logger"] = [placed(logger, settings, folder, first_step) for logger, settings in asked]
            for logger in kwargs["logger"]:
                if isinstance(logger, WandbLogger):
                    logger.describe(self._group(folder), self.verb, [config.model.class_path, config.data.class_path])
            # They are given the whole config, in place of what the model alone was made with.
            self.model._log_hyperparams = self.datamodule._log_hyperparams = False
        # Before those callbacks that write checkpoints.
        callbacks.insert(0, SaveConfig(self._kept_config(), first_step))
        trainer = super().instantiate_trainer(default_root_dir=folder, **kwargs)
        if trainer.is_global_zero and not _is_first_process():
            raise ValueError(
                "RANK, LOCAL_RANK or SLURM_PROCID says that this is not the first of several processes, but it runs "
                "alone; unset it, or give --trainer.devices and --trainer.num_nodes"
            )
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint) and callback.dirpath is None:
                callback.dirpath = str(folder / "checkpoints")
        return trainer

    def before_fit(self) -> None:
        """Refuses what the trainer could not do with the model, before it launches further processes."""
        self.model.require_trainable(self.trainer)

    def _kept_config(self) -> str:
        """All settings, in YAML; the checkpoint that training goes on from is none, and stays out."""
        settings = self.config[self.verb].clone()
        settings.weights_only = None
        if self.verb == "fit":
            settings.ckpt_path = None
        text: str = self._parser(self.verb).dump(settings, skip_none=False)
        return text

    def _run_folder(self) -> tuple[Path, int]:
        """The folder of the run, and the number of steps that the run has behind it there."""
        continued = self.continued
        if continued is None or not continued.in_place or continued.folder is None:
            settings, model = self.config[self.verb].run, type(self.model).__name__
            folder, first_step = create_run_folder(settings.root, model, settings.name, self.verb), 0
        else:
            folder, first_step = continued.folder, continued.first_step
        if self.verb == "fit" and _is_first_process():
            self.leaving.enter_context(held(folder))
            if continued is not None and continued.in_place:
                continued.require_unchanged()
        return folder, first_step

    def _group(self, folder: Path) -> str:
        """What a run and the tests of its weights have in common: the folder of the weights, below that of all runs."""
        weights = folder if self.continued is None or self.continued.folder is None else self.continued.folder
        return f"{weights.parent.name}/{weights.name}"

    def _require_fit(self) -> None:
        """Requires that model, data, checkpoint and loggers go together, before anything is made of them."""
        if self.verb == "fit":
            require_batches_for_batch_norm(self.model, type(self.model).__name__, self.datamodule.batch_size)
        if self.continued is not None and self.continued.data_spec is not None:
            require_same_data(self.continued.data_spec, self.datamodule.spec, bool(self.model.condition.shape))
        if self.verb == "test":
            self.config_init.test.evaluation.require_fit(self.model, self.datamodule)
        loggers = self.config_init[self.verb].trainer.logger
        for logger in loggers if isinstance(loggers, list) else []:
            if isinstance(logger, WandbLogger):
                logger.require_usable()


def run(arguments: list[str]) -> int:
    """Runs a verb with its arguments, for instance ``["fit", "--config", "configs/vae.yaml"]``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said on the standard error stream. Misuse ends the
        program with 2.
    """
    keep_quiet()
    beginning, leaving, exit_code = Beginning(), ExitStack(), 1
    leaving.callback(_set_environment, SEED, os.environ.get(SEED))
    try:
        arguments = with_shipped_configs(with_present_names(arguments))
        require_configs(arguments)
        TrainingCLI(*continuing(arguments), beginning, leaving)
        exit_code = 0
    except RunInterruptedError as interruption:
        exit_code = _after(interruption)
    except Stopped as request:
        exit_code = 128 + request.signal_number
        if _is_first_process():
            raise
        # The first process reports for all; one that fails before it would take it down.
        return 0
    except BrokenPipeError:
        raise
    except Exception as error:
        exit_code = answer(error, beginning.is_over)
    finally:
        # A W&B run of its own for every command, also where one process gives several.
        if "wandb" in sys.modules:
            sys.modules["wandb"].finish(exit_code=exit_code)
        # The lock is a file in the run folder, which may be removed only once that is free.
        leaving.close()
        release_run_folder(beginning.is_over)
    return exit_code


def _after(interruption: RunInterruptedError) -> int:
    """Says how to go on; the exit code is what shells give to a process that a signal has ended."""
    if not _is_first_process():
        # It reports for all; one that fails before it would take it down.
        return 0
    folder = Path(interruption.checkpoint).parent.parent
    kept = f"; all of it is kept. Go on with: genzoo fit {folder}" if interruption.checkpoint else ""
    sys.stderr.write(f"genzoo: {interruption}{kept}\n")
    return 128 + interruption.signal_number


def _is_first_process() -> bool:
    return bool(rank_zero_only.rank == 0)  # type: ignore[attr-defined]


def _seed_of_environment() -> int:
    """The seed where none is given: Lightning's own environment variable, else 0."""
    seed = os.environ.get(SEED) or "0"
    if not seed.isdecimal():
        raise ValueError(f"the environment variable {SEED} should be a whole number, got {seed}; correct or unset it")
    return int(seed)


def _set_environment(name: str, value: str | None) -> None:
    """Gives an environment variable a value, or none: Lightning leaves the seed of a run there for the next."""
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
