"""Checkpoints of the models of shipped configs, as they are before training: speed does not depend on the weights."""

from pathlib import Path

from genzoo.cli import main as genzoo


def checkpoint_of(config: str, folder: Path) -> Path:
    """The checkpoint of a run of a single step.

    Args:
        config: Name of one in ``configs/``.
        folder: Where to put the run.
    """
    settings = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--trainer.logger", "false"]
    limits = ["--trainer.max_steps", "1", "--trainer.limit_val_batches", "0"]
    place = ["--run.root", str(folder), "--run.name", "untrained"]
    assert genzoo(["fit", "--config", f"configs/{config}.yaml", *place, *settings, *limits]) == 0
    (checkpoint,) = folder.rglob("last.ckpt")
    return checkpoint
