"""Settings that neither the parser nor Lightning looks at, refused before anything is made of them."""

from pathlib import PurePath

from jsonargparse import Namespace

from genzoo.cli.run_folder import require_run_name
from genzoo.cli.signatures import require_values

# Numbers of the trainer that Lightning does not look at: a 0 of them would be divided by.
POSITIVE = ("accumulate_grad_batches", "check_val_every_n_epoch")


def require_sense(config: Namespace) -> None:
    """Refuses settings that nothing else looks at, or that a run cannot have.

    Args:
        config: All settings of a verb, as the parser gives them.

    Raises:
        ValueError: With the setting and what it should be.
    """
    if config.trainer.default_root_dir is not None:
        raise ValueError("every run has a folder of its own: give --run.root in place of --trainer.default_root_dir")
    if config.trainer.barebones:
        raise ValueError(
            "--trainer.barebones leaves out the checkpoints and numbers that make a run; it is for Python alone"
        )
    if config.trainer.enable_checkpointing is False:
        raise ValueError(
            "a run keeps checkpoints; for fewer give --checkpoint.save_last false and --checkpoint.save_top_k 0"
        )
    for section in ("model", "data"):
        require_values(section, config[section])
    if config.run.name is not None:
        require_run_name(config.run.name)
    for name in POSITIVE:
        if config.trainer[name] is not None and config.trainer[name] < 1:
            raise ValueError(f"trainer.{name} is {config.trainer[name]}, but should be at least 1")
    filename = PurePath(config.checkpoint.filename or "")
    if filename.is_absolute() or ".." in filename.parts:
        raise ValueError(f"checkpoint.filename is {filename}, which leaves the folder of the checkpoints; give a name")
