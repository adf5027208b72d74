"""The folder of a run: everything that a run leaves behind is in it."""

import errno
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning_utilities.core.rank_zero import rank_zero_only, rank_zero_warn

from genzoo.checkpoint_files import CONFIG
from genzoo.files import reason, remedy, write_whole
from genzoo.loggers import WandbLogger
from genzoo.provenance import add_provenance, provenance
from genzoo.report.story import LOCK
from genzoo.training.steps import ends_step
from genzoo.training.storing import identity_of_data

FOLDER_OF_RANK_ZERO = "GENZOO_RUN_FOLDER"
# What file systems without locks answer, as some over networks are.
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)
# File systems take 255 bytes, and verbs, numbers and endings are added.
LONGEST_NAME = 200

# The run folder that this process has made and, from there outwards, those that it had to make around it.
_made: list[Path] = []


def require_run_name(name: str) -> None:
    """Requires that a name is that of one folder, which is made beside those of other runs and nowhere else.

    Raises:
        ValueError: If it is not.
    """
    if name.strip() != name or not name or name[0] in ".-" or {"/", "\\"} & {*name} or not name.isprintable():
        raise ValueError(
            f"run.name is {name!r}, but should name a folder: letters, digits and signs other than / and \\, and no . "
            "or - in front"
        )
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"run.name has {len(name.encode())} bytes, but should have at most {LONGEST_NAME}")


def create_run_folder(root: str, model: str, name: str | None, verb: str) -> Path:
    """Creates ``root/model/name``, or ``root/model/TIME`` without a name; two runs never share one.

    The time is rank zero's: processes that it launches find the folder in their environment.

    Args:
        root: Folder of all runs.
        model: The model's class name.
        name: Given name of the run.
        verb: What is run; anything but ``fit`` adds it to the folder's name.

    Raises:
        FileExistsError: If there is a fitted run of the given name.
        OSError: If the folder cannot be made.
    """
    is_rank_zero = rank_zero_only.rank == 0  # type: ignore[attr-defined]
    if not is_rank_zero and FOLDER_OF_RANK_ZERO in os.environ:
        return Path(os.environ[FOLDER_OF_RANK_ZERO])
    stem = name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    if verb != "fit":
        stem = f"{stem}_{verb}"
    folder, number = Path(root) / model.lower() / stem, 1
    while is_rank_zero:
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        try:
            folder.mkdir(parents=True)
            _made[:] = made
            break
        except FileExistsError:
            if name is not None and verb == "fit":
                raise FileExistsError(
                    f"there is a run in {folder} already and it is not overwritten; choose another --run.name"
                ) from None
            number += 1
            folder = folder.with_name(f"{stem}_{number}")
        except OSError as error:
            raise OSError(
                f"the run folder {folder.absolute()} cannot be made ({reason(error)}); "
                f"{remedy(error, 'choose another place with --run.root')}"
            ) from error
    os.environ[FOLDER_OF_RANK_ZERO] = str(folder)
    return folder


def release_run_folder(has_begun: bool) -> None:
    """Removes the folder that this process made if it holds only the config: what could not begin takes up no name.

    Args:
        has_begun: Whether the run has; if it has not, whatever its loggers have left goes too.
    """
    if not _made:
        return
    os.environ.pop(FOLDER_OF_RANK_ZERO, None)
    folder, *around = _made
    _made.clear()
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    # Of processes that Lightning has started by itself, this one knows only what they have left.
    has_begun = has_begun or CONFIG in files
    if folder.is_dir() and (not has_begun or files <= {CONFIG}):
        shutil.rmtree(folder)
        with suppress(OSError):
            for place in around:
                place.rmdir()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keeps a run folder to this process while it trains.

    The system frees it when the process ends, however it ends; the file that is left by one that was killed means
    nothing.

    Args:
        folder: The run folder, in which a file is locked for as long.

    Raises:
        ValueError: If another process trains the run.
        OSError: If the file cannot be written.
    """
    path = folder / LOCK
    # Who holds it is read first: some versions of filelock empty the file as soon as they try to lock it.
    holder, lock = _holder(path), FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"{folder} is being trained by {holder}; wait for its end, or begin another run with --run.name"
        ) from None
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        rank_zero_warn(f"the file system of {folder} has no locks: see to it that no other process trains this run")
        yield
        return
    try:
        # Where locks are made of such files, filelock has written the same.
        this = f"{os.getpid()}\n{platform.node()}\n"
        if not path.read_text().startswith(this):
            path.write_text(this)
        yield
    finally:
        # Removed while it is locked, so that no other process locks a file that is about to disappear.
        with suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    """Who wrote a lock, as far as it says so."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return f"process {lines[0]} on {lines[1]}" if len(lines) >= 2 else "another process"


class SaveConfig(Callback):
    """Writes all settings to ``config.yaml`` in the run folder once the run has begun, and gives them to its loggers.

    Training has begun when its first step is done, or the first checkpoint is about to be written: what cannot begin,
    or go on, leaves no trace, and every checkpoint lies beside the settings that it was made with. Where a run goes on
    with other settings, the config until then is kept beside it. With what the run was made, `provenance`, is added to
    ``provenance.json`` at the same time.

    Args:
        config: The settings, in YAML.
        first_step: Number of steps that a resumed run has behind it.
    """

    def __init__(self, config: str, first_step: int = 0) -> None:
        self.config = config
        self.first_step = first_step
        self._is_saved = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Gives the settings to the loggers, which Lightning lets begin now; that of W&B awaits the first step."""
        for logger in trainer.loggers:
            logger.log_hyperparams(yaml.safe_load(self.config))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves with the first step."""
        if ends_step(trainer, batch_idx):
            self._save(trainer)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Saves before the first checkpoint."""
        self._save(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves where nothing is trained: the checkpoint has been loaded."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._save(trainer)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves: the checkpoint has been loaded."""
        self._save(trainer)

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves: the checkpoint has been loaded."""
        self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        if self._is_saved or not trainer.is_global_zero:
            return
        self._is_saved = True
        folder, data = Path(trainer.default_root_dir), trainer.datamodule  # type: ignore[attr-defined]
        made_with = {"first_step": self.first_step, "date": datetime.now().astimezone().isoformat(timespec="seconds")}
        made_with |= provenance()
        if (identity := identity_of_data(trainer)) is not None:
            made_with["data_identity"] = identity
        add_provenance(folder, made_with)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                settings = yaml.safe_load(self.config)
                logger.log_config(settings | {"provenance": made_with})
                logger.log_data(type(data).__name__, {"identity": identity, "settings": settings["data"]})
        path = folder / CONFIG
        before = path.read_text(encoding="utf-8") if path.is_file() else self.config
        if before != self.config:
            write_whole(_unused(path.with_name(f"config_until_step_{self.first_step:07d}.yaml")), before)
        write_whole(path, self.config)


def _unused(path: Path) -> Path:
    """A path, with a number if there is such a file already."""
    numbered = (path.with_stem(f"{path.stem}_{number}") for number in count(2))
    return path if not path.exists() else next(other for other in numbered if not other.exists())
