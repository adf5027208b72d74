"""The folder of a run: everything that a run leaves behind is in it."""

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import yaml
from jsonargparse import Namespace
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, SaveConfigCallback
from lightning_utilities.core.rank_zero import rank_zero_only

from genzoo.loggers import WandbLogger

CONFIG = "config.yaml"
FOLDER_OF_RANK_ZERO = "GENZOO_RUN_FOLDER"


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
                f"the run folder {folder.absolute()} cannot be made ({error.strerror}); give the right to write, or "
                "choose another place with --run.root"
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
    if folder.is_dir() and (not has_begun or {path.name for path in folder.rglob("*") if path.is_file()} <= {CONFIG}):
        shutil.rmtree(folder)
        with suppress(OSError):
            for place in around:
                place.rmdir()


class SaveConfig(SaveConfigCallback):
    """Writes the resolved config to ``config.yaml`` in the run folder and makes it the config of the W&B run.

    Where a run is resumed with other settings, the config until then is kept beside it. The checkpoint that training
    goes on from is no setting, and stays out.

    Args:
        parser: Of the settings.
        config: The settings.
        first_step: Number of steps that a resumed run has behind it.
    """

    def __init__(self, parser: LightningArgumentParser, config: Namespace, first_step: int = 0) -> None:
        super().__init__(parser, config, save_to_log_dir=False)
        self.first_step = first_step

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Runs on rank zero, before anything is trained."""
        path = Path(trainer.default_root_dir) / CONFIG
        settings = self.config.clone()
        settings.weights_only = None
        if stage == "fit":
            settings.ckpt_path = None
        text = self.parser.dump(settings, skip_none=False)
        if path.is_file() and path.read_text() != text:
            path.rename(path.with_name(f"config_until_step_{self.first_step:07d}.yaml"))
        if not path.is_file():
            path.write_text(text)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_config(yaml.safe_load(path.read_text()))
