"""Loggers that write into the run folder and ask for nothing."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch.loggers
import numpy as np
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning.pytorch.loggers.utilities import _scan_checkpoints
from lightning_utilities.core.rank_zero import rank_zero_info, rank_zero_only, rank_zero_warn

from genzoo.files import system_refusal, whole_file, write_whole
from genzoo.wandb_account import is_logged_in, keep_wandb_quiet

# Where a run folder keeps the identity of its W&B run, so that a resumed run goes on as the same one.
BEGUN = "wandb/run.json"
IDENTITY = ("id", "project", "entity", "name")
# What W&B's table of runs shows of a quantity beside its last value. Lightning has made the step the axis of all.
SUMMARIES = {
    "val/elbo": "max",
    "val/objective": "max",
    "val/squared_error": "min",
    "val/fd/*": "min",
    "val/mode_divergence": "min",
    "val/modes": "max",
    "train/speed/images_per_second": "mean",
    "train/memory/gib": "max",
}
# What says of a run where it belongs, and the environment variables that say the same.
DESCRIPTION = {"group": "WANDB_RUN_GROUP", "job_type": "WANDB_JOB_TYPE", "tags": "WANDB_TAGS"}
# The environment variable by which the agent of a sweep tells a run of itself.
SWEEP = "WANDB_SWEEP_ID"
# The modes of W&B that talk to a server, and so need a login.
UPLOADING = ("online", "run", "shared")


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
        # The parent's own way adds a hparams.yaml, which config.yaml makes needless, rewrites metrics.csv where it
        # stands when there is a new column, and leaves half a row on a full disk.
        if not self.metrics:
            return
        path = Path(self.metrics_file_path)
        columns = sorted({*self.metrics_keys, *(name for row in self.metrics for name in row)})
        if columns == self.metrics_keys and path.is_file():
            _append_rows(path, columns, self.metrics)
        else:
            _write_rows(path, columns, [*_rows(path), *self.metrics])
        self.metrics, self.metrics_keys = [], columns

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


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file but for a last one that was cut off; none if there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(line for line in file if line.endswith("\n")))


def _write_rows(path: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    with whole_file(path) as unfinished, unfinished.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _append_rows(path: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """Adds all rows or none."""
    size = path.stat().st_size
    try:
        with path.open("a", newline="") as file:
            csv.DictWriter(file, columns).writerows(rows)
    except OSError as error:
        # Shortening a file needs no room, so that it works on a full disk too.
        with suppress(OSError):
            os.truncate(path, size)
        raise OSError(system_refusal(error, path)) from error


def _drop_rows(path: Path, first_step: int) -> None:
    """Leaves out the rows of a step and all later ones; a last line that was cut off goes with them."""
    columns = _columns(path)
    if "step" in columns:
        rows = [row for row in _rows(path) if str(row["step"]).isdigit() and int(row["step"]) < first_step]
        _write_rows(path, columns, rows)


class WandbLogger(lightning.pytorch.loggers.WandbLogger):
    """Logs to Weights & Biases, without an account and without a network if need be.

    ``mode="auto"`` uploads as the run goes if this machine is logged in, and else writes the run into its folder,
    to be uploaded with ``wandb sync``. It never prompts, and a server that cannot be reached does not stop the run.

    What is given here beats W&B's own environment variables, and these beat the defaults.

    Args:
        project: Project that the run belongs to; left out, ``WANDB_PROJECT``, else ``genzoo``.
        name: The run's name; left out, ``WANDB_NAME``, else on the command line the name of the run folder.
        save_dir: Where files are written; ``.`` is ``WANDB_DIR``, else on the command line the run folder.
        mode: ``auto``, or one of W&B's own: ``online``, ``offline``, ``disabled``. ``WANDB_MODE`` overrides ``auto``.
        entity: User or team that the run belongs to; left out, ``WANDB_ENTITY``.
        group: Group of runs that this one belongs to; left out, ``WANDB_RUN_GROUP``.
        tags: Tags of the run; left out, ``WANDB_TAGS``.
        notes: A longer description of the run; left out, ``WANDB_NOTES``.
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
            save_dir=save_dir if save_dir != "." else os.environ.get("WANDB_DIR") or ".",
            project=project or os.environ.get("WANDB_PROJECT") or "genzoo",
            log_model=log_model,
            entity=entity,
            group=group,
            tags=tags,
            notes=notes,
            resume=None if os.environ.get("WANDB_RESUME") else "allow",
        )
        # Lightning always passes it, and W&B has deprecated it.
        del self._wandb_init["anonymous"]
        self.mode = mode
        self._given = {"project": project, "name": name, "entity": entity}
        self._folder: Path | None = None
        self._data: dict[str, Any] = {}
        self._summarised: set[str] = set()

    def place(self, folder: Path, first_step: int = 0) -> None:
        """Makes a run folder the place of the files and, unless there is one, its name the name of the run.

        The W&B run then begins with the first thing that is logged, so that a run that cannot begin, or go on, leaves
        nothing. A run that is resumed in its folder goes on as the same W&B run.

        Args:
            folder: The run folder.
            first_step: Not needed: W&B deletes nothing, so that repeated steps appear in it twice.
        """
        self._folder = folder
        if self._save_dir == ".":
            self._save_dir = str(folder)
        # Absolute, since one W&B process serves all runs of this one, from the folder in which the first began.
        self._save_dir = self._wandb_init["dir"] = str(Path(self._save_dir or ".").absolute())
        begun = _begun(folder)
        if begun:
            self._wandb_init |= begun | {"resume": "allow"}
        else:
            self._wandb_init["name"] = os.environ.get("WANDB_NAME") or folder.name
        self._wandb_init |= {setting: value for setting, value in self._given.items() if value is not None}
        self._id, self._name, self._project = (self._wandb_init[setting] for setting in ("id", "name", "project"))

    def describe(self, group: str, job_type: str, tags: list[str]) -> None:
        """Says where the run belongs, as far as neither the settings nor the environment do.

        Args:
            group: Name that a run has in common with the others of its weights, such as its test.
            job_type: What is done with the weights.
            tags: What else it has in common with others.
        """
        for name, value in {"group": group, "job_type": job_type, "tags": tags}.items():
            if not (self._wandb_init.get(name) or os.environ.get(DESCRIPTION[name])):
                self._wandb_init[name] = value

    def require_usable(self) -> None:
        """Looks, on the first device, at settings and environment, before anything is made.

        Raises:
            ValueError: If W&B does not take them, or if the mode needs a login and there is none.
        """
        import wandb

        if rank_zero_only.rank == 0:  # type: ignore[attr-defined]
            _require_understood(self._wandb_init["project"])
            if self._asked_mode in UPLOADING:
                try:
                    has_login = is_logged_in()
                except wandb.errors.AuthenticationError as error:
                    raise ValueError(f"W&B refuses its credentials ({error}); log in anew with wandb login") from error
                if not has_login:
                    raise ValueError(
                        f"the W&B mode {self._asked_mode} needs a login; run wandb login or set WANDB_API_KEY, or "
                        "choose the mode offline (wandb sync uploads such a run later)"
                    )

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run; in a run folder, what becomes one as soon as something is asked of it."""
        return _AwaitedRun(self) if self._folder is not None and self._experiment is None else self.begun_run()

    def begun_run(self) -> Any:
        """The W&B run, on the first device; it begins now unless it has before."""
        if self._experiment is None:
            # One line says where the run is, in place of four here and two dozen at the end.
            keep_wandb_quiet()
            self.require_usable()
            self._wandb_init["mode"] = self._chosen_mode()
            if SWEEP in os.environ:
                # The agent says which run of which project it is; W&B warns of any other answer.
                self._wandb_init["project"] = self._wandb_init["entity"] = None
            run = self._begin()
            self._say_where(run)
            if self._folder is not None and self._wandb_init["mode"] != "disabled":
                write_whole(self._folder / BEGUN, json.dumps({key: getattr(run, key) or None for key in IDENTITY}))
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs numbers, and says of new ones what W&B's table of runs shows of them; in a sweep, their last values."""
        for name in metrics.keys() - self._summarised:
            # There the number that is optimised is looked for under its own name, and others would stand below it.
            if SWEEP not in os.environ and (summary := summary_of(name)) is not None:
                # By its own name: of several patterns that fit W&B takes the first, which is Lightning's.
                self.experiment.define_metric(name, step_metric="trainer/global_step", summary=f"{summary},last")
        self._summarised |= metrics.keys()
        super().log_metrics(metrics, step)

    def log_config(self, config: dict[str, Any]) -> None:
        """Makes the whole resolved config the run's config, in place of the model's hyperparameters alone."""
        super().log_hyperparams(config)

    @rank_zero_only
    def log_data(self, name: str, description: Mapping[str, Any]) -> None:
        """Says which data the run's checkpoints come from, if they are uploaded.

        They are an input of the run, an artifact that holds their description and no items, so that all runs on the
        same data hang together. W&B knows inputs of runs online alone; offline the checkpoints carry the description.

        Args:
            name: Of the data.
            description: What tells them from others, as JSON can write it.
        """
        self._data = {"data": name, **description}
        run = self.experiment
        if self._log_model is False or run.offline or run.disabled:
            return
        import wandb

        artifact = wandb.Artifact(name, type="dataset", metadata=self._data)
        with artifact.new_file("data.json") as file:
            json.dump(self._data, file, indent=1)
        run.use_artifact(artifact)

    def _scan_and_log_checkpoints(self, checkpoint_callback: ModelCheckpoint) -> None:
        """Uploads the checkpoints that are new, as ``model-ID`` with the aliases ``last`` and ``best``.

        Lightning's own way knows no ``last``, and describes the callback in place of what the weights come from.
        """
        import wandb

        for time, path, score, _ in _scan_checkpoints(checkpoint_callback, self._logged_model_time):
            of_path = {checkpoint_callback.last_model_path: "last", checkpoint_callback.best_model_path: "best"}
            metadata: dict[str, Any] = {"file": Path(path).name, **self._data}
            if score is not None and of_path.get(path) != "last":
                metadata["score"] = {str(checkpoint_callback.monitor): float(score)}
            artifact = wandb.Artifact(f"model-{self.experiment.id}", type="model", metadata=metadata)
            artifact.add_file(path, name="model.ckpt", policy="mutable")
            self.experiment.log_artifact(artifact, aliases=[of_path[path]] if path in of_path else [])
            self._logged_model_time[path] = time

    @rank_zero_only
    def log_hyperparams(self, params: Any) -> None:
        """Logs hyperparameters, unless this is a run folder's logger: that one is given all settings."""
        if self._folder is None:
            super().log_hyperparams(params)

    def _begin(self) -> Any:
        import wandb

        try:
            return super().experiment
        except wandb.errors.CommError as error:
            rank_zero_warn(f"W&B could not be reached ({error}); the run is written to {self._save_dir} instead")
            self._wandb_init["mode"] = "offline"
        return super().experiment

    @property
    def _asked_mode(self) -> str:
        return os.environ.get("WANDB_MODE", "auto") if self.mode == "auto" else self.mode

    def _chosen_mode(self) -> str:
        import wandb

        if self._asked_mode != "auto":
            return self._asked_mode
        try:
            has_login = is_logged_in()
        except wandb.errors.AuthenticationError as error:
            rank_zero_warn(f"W&B refuses its credentials ({error}); the run is written to {self._save_dir}")
            has_login = False
        if not has_login:
            rank_zero_info(f"Not logged in to W&B: the run is kept in {self._save_dir}/wandb (wandb sync uploads it)")
        return "online" if has_login else "offline"

    def _say_where(self, run: Any) -> None:
        """Says where the run can be looked at, unless that has been said with the reason."""
        if self._wandb_init["mode"] == "online":
            rank_zero_info(f"W&B shows this run at {run.url}")
        elif self._asked_mode == "offline":
            rank_zero_info(f"W&B is offline: the run is kept in {self._save_dir}/wandb (wandb sync uploads it)")


def summary_of(name: str) -> str | None:
    """What tells of a whole run's values of a quantity how good it got: ``min``, ``max``, ``mean``; None for most."""
    return next((summary for pattern, summary in SUMMARIES.items() if fnmatch(name, pattern)), None)


class _AwaitedRun:
    """Stands for a W&B run that has not begun.

    Lightning asks each logger for its experiment while it sets up, before anything is logged: beginning the run then
    would leave one behind of every command that fails.
    """

    def __init__(self, logger: WandbLogger) -> None:
        self._logger = logger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logger.begun_run(), name)


def _begun(folder: Path) -> dict[str, Any]:
    """Which W&B run was begun in a run folder; empty if none was."""
    if (folder / BEGUN).is_file():
        begun: dict[str, Any] = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
        return begun
    # Runs of earlier versions: the id stands in the names of W&B's own folders.
    earlier = sorted((folder / "wandb").glob("*run-*-*"))
    return {"id": earlier[-1].name.rpartition("-")[2], "name": folder.name} if earlier else {}


def _require_understood(project: str) -> None:
    """Requires that W&B takes its environment variables, and the name of a project, as they are."""
    import wandb

    settings = wandb.Settings()
    try:
        settings.update_from_env_vars(dict(os.environ))
        settings.project = project
    except wandb.errors.UsageError as error:
        raise ValueError(f"W&B does not take a setting: {error}; choose another") from error
    except ValueError as error:
        # The first line only counts the faults; the next two are the setting and what is wrong with it.
        setting, wrong = str(error).splitlines()[1:3]
        raise ValueError(
            f"W&B does not understand the environment variable WANDB_{setting.upper()}: "
            f"{wrong.partition(' [type=')[0].strip()}; correct or unset it"
        ) from error


@rank_zero_only
def log_histogram(logger: Logger, name: str, values: np.ndarray, step: int) -> None:
    """Hands numbers to a logger that shows how they are distributed.

    Args:
        logger: Any of Lightning's loggers.
        name: What they are called there.
        values: Any number of them, ``(N,)``.
        step: The step that scalars of the same moment carry.
    """
    if isinstance(logger, lightning.pytorch.loggers.WandbLogger):
        import wandb

        # W&B takes more than numbers, and Lightning hands on what it is given.
        histogram: Any = wandb.Histogram(values.tolist())
        logger.log_metrics({name: histogram}, step)
    elif isinstance(logger, TensorBoardLogger):
        logger.experiment.add_histogram(name, values, step)


def log_picture(logger: Logger, name: str, picture: np.ndarray, step: int) -> None:
    """Hands a picture to a logger, if it is one that takes pictures.

    Args:
        logger: Any of Lightning's loggers.
        name: What the picture is called there.
        picture: uint8, ``(height, width, 3)``; passed on exactly as it is.
        step: The step that scalars of the same moment carry.
    """
    if hasattr(logger, "log_image"):
        logger.log_image(key=name, images=[picture], step=step)
    elif isinstance(logger, TensorBoardLogger):
        logger.experiment.add_image(name, picture, step, dataformats="HWC")
    elif isinstance(logger, MLFlowLogger):
        logger.experiment.log_image(logger.run_id, picture, key=name, step=step)


def log_table(logger: Logger, name: str, table: Mapping[str, Sequence[Any]], step: int) -> None:
    """Hands a table to a logger, if it is one that shows tables.

    Args:
        logger: Any of Lightning's loggers.
        name: What the table is called there.
        table: Its columns by heading, all of one length; None where a cell is empty.
        step: The step that scalars of the same moment carry.
    """
    rows = [list(row) for row in zip(*table.values(), strict=True)]
    if isinstance(logger, lightning.pytorch.loggers.WandbLogger):
        logger.log_table(key=name, columns=list(table), data=rows, step=step)
    elif isinstance(logger, TensorBoardLogger):
        lines = [list(table), ["---"] * len(table), *rows]
        text = "\n".join("| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in lines)
        logger.experiment.add_text(name, text, step)
    elif isinstance(logger, MLFlowLogger):
        columns = {heading: list(cells) for heading, cells in table.items()}
        logger.experiment.log_table(logger.run_id, columns, f"{name}.json")
