"""Loggers that write into the run folder and ask for nothing."""

import csv
import os
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch.loggers
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning_utilities.core.rank_zero import rank_zero_info, rank_zero_only, rank_zero_warn


class _MetricsFile(ExperimentWriter):
    def __init__(self, log_dir: str, first_step: int) -> None:
        super().__init__(log_dir)
        self.metrics_keys = _columns(Path(self.metrics_file_path))
        self._first_step = first_step

    def log_metrics(self, metrics_dict: dict[str, float], step: int | None = None) -> None:
        # Not before there is something new: a run that cannot go on leaves the file as it is.
        if self._first_step > 0:
            _drop_rows(Path(self.metrics_file_path), self._first_step)
            self._first_step = 0
        super().log_metrics(metrics_dict, step)

    def save(self) -> None:
        # The parent's parent writes metrics.csv; the parent adds a hparams.yaml, which config.yaml makes needless.
        super(ExperimentWriter, self).save()

    def _check_log_dir_exists(self) -> None:
        """The folder belongs to this run alone: there is nothing to warn of and nothing to delete."""


class CSVLogger(lightning.pytorch.loggers.CSVLogger):
    """Writes all metrics to ``metrics.csv`` in the run folder.

    Args:
        save_dir: Where the file is written; the command line puts the run folder here.
        flush_logs_every_n_steps: How often the file is written, counted in log entries.
    """

    def __init__(self, save_dir: str = ".", flush_logs_every_n_steps: int = 1) -> None:
        super().__init__(save_dir, name="", version="", flush_logs_every_n_steps=flush_logs_every_n_steps)
        self._first_step = 0

    def place(self, folder: Path, first_step: int = 0) -> None:
        """Makes a run folder the place of the file.

        Args:
            folder: The run folder.
            first_step: Of a run that is resumed in its folder: what the file says of this and later steps is
                dropped, since they are made again.
        """
        self._save_dir = str(folder)
        self._first_step = first_step

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """The writer of the file."""
        if self._experiment is None:
            self._experiment = _MetricsFile(self._save_dir, self._first_step)
        assert isinstance(self._experiment, ExperimentWriter)
        return self._experiment

    @rank_zero_only
    def log_hyperparams(self, params: Any = None) -> None:
        """Does nothing: the run folder's ``config.yaml`` holds all settings."""


def _columns(path: Path) -> list[str]:
    """The names of a file's columns; none if there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file).fieldnames or [])


def _drop_rows(path: Path, first_step: int) -> None:
    """Leaves out the rows of a step and all later ones; a last line that was cut off goes with them."""
    columns = _columns(path)
    if "step" not in columns:
        return
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if str(row["step"]).isdigit() and int(row["step"]) < first_step]
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


class WandbLogger(lightning.pytorch.loggers.WandbLogger):
    """Logs to Weights & Biases, without an account and without a network if need be.

    ``mode="auto"`` uploads as the run goes if this machine is logged in, and else writes the run into its folder,
    to be uploaded with ``wandb sync``. It never prompts, and a server that cannot be reached does not stop the run.

    Args:
        project: Project that the run belongs to; ``WANDB_PROJECT`` overrides the default.
        name: The run's name; the command line puts the name of the run folder here.
        save_dir: Where files are written; the command line puts the run folder here.
        mode: ``auto``, or one of W&B's own: ``online``, ``offline``, ``disabled``. ``WANDB_MODE`` overrides ``auto``.
        entity: User or team that the run belongs to.
        group: Group of runs that this one belongs to.
        tags: Tags of the run.
        notes: A longer description of the run.
        log_model: Whether checkpoints are uploaded: at the end (true), as they come (all), or not at all.
    """

    def __init__(
        self,
        project: str | None = None,
        name: str | None = None,
        save_dir: str = ".",
        mode: Literal["auto", "online", "offline", "disabled"] = "auto",
        entity: str | None = None,
        group: str | None = None,
        tags: list[str] | None = None,
        notes: str | None = None,
        log_model: Literal["all"] | bool = False,
    ) -> None:
        super().__init__(
            name=name,
            save_dir=save_dir,
            project=project or os.environ.get("WANDB_PROJECT", "genzoo"),
            log_model=log_model,
            entity=entity,
            group=group,
            tags=tags,
            notes=notes,
        )
        del self._wandb_init["anonymous"]
        self.mode = mode
        self._has_config = False

    def place(self, folder: Path, first_step: int = 0) -> None:
        """Makes a run folder the place of the files and, unless there is one, its name the name of the run.

        A run that is resumed in its folder goes on as the same W&B run, whose id stands in the names of the files.

        Args:
            folder: The run folder.
            first_step: Not needed: W&B keeps what it was told, and repeated steps stand in it twice.
        """
        # W&B makes a folder of this name before the first step, so that a run that was killed has it too.
        if earlier := sorted((folder / "wandb").glob("*run-*-*")):
            self._id = self._wandb_init["id"] = earlier[-1].name.rpartition("-")[2]
        # Absolute, since one W&B process serves all runs of this one, from the folder in which the first began.
        self._save_dir = self._wandb_init["dir"] = str(folder.absolute())
        if self._name is None:
            self._name = self._wandb_init["name"] = folder.name

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run."""
        import wandb

        if self._experiment is None:
            self._wandb_init["mode"] = self._chosen_mode()
            try:
                return super().experiment
            except wandb.errors.CommError as error:
                rank_zero_warn(f"W&B could not be reached ({error}); the run is written to {self._save_dir} instead")
                self._wandb_init["mode"] = "offline"
        return super().experiment

    def log_config(self, config: dict[str, Any]) -> None:
        """Makes the whole resolved config the run's config, in place of the model's hyperparameters alone."""
        super().log_hyperparams(config)
        self._has_config = True

    @rank_zero_only
    def log_hyperparams(self, params: Any) -> None:
        """Logs hyperparameters, unless `log_config` has given all of them."""
        if not self._has_config:
            super().log_hyperparams(params)

    def _chosen_mode(self) -> str:
        import wandb

        if self.mode != "auto":
            return self.mode
        if "WANDB_MODE" in os.environ:
            return os.environ["WANDB_MODE"]
        try:
            logged_in = wandb.login(prompt=False, verify=False)
        except wandb.errors.AuthenticationError as error:
            rank_zero_warn(f"W&B refuses its credentials ({error}); the run is written to {self._save_dir}")
            logged_in = False
        if not logged_in:
            rank_zero_info(f"Not logged in to W&B: the run is kept in {self._save_dir}/wandb (wandb sync uploads it)")
        return "online" if logged_in else "offline"
