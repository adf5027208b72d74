"""What data must know of the trainer that asks for batches: where it stands, and when it validates."""

from typing import Any

from lightning import Trainer


def require_validation_within_an_epoch(trainer: Trainer, batches: int) -> None:
    """Refuses an interval of validations that no epoch is long enough for.

    Args:
        trainer: Knows the interval.
        batches: How many an epoch has.

    Raises:
        ValueError: If validation would never run.
    """
    limit, interval = trainer.limit_train_batches, trainer.val_check_interval
    batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    counts_within_epochs = trainer.check_val_every_n_epoch is not None and trainer.limit_val_batches > 0
    if counts_within_epochs and isinstance(interval, int) and interval > batches:
        raise ValueError(
            f"val_check_interval is {interval}, but an epoch has {batches} batches; give that many at most, or set "
            "check_val_every_n_epoch to null to count across epochs"
        )


def position(trainer: Trainer) -> tuple[int, int]:
    """Where the training stands: the current epoch, and how many of its batches are done."""
    epochs: Any = trainer.fit_loop.epoch_progress.current
    batches: Any = trainer.fit_loop.epoch_loop.batch_progress.current
    # Between two epochs the counts of batches are still those of the last one.
    if epochs.started == epochs.processed:
        return epochs.processed, 0
    if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch and batches.processed == batches.ready:
        # Interrupted between its last batch and its end, an epoch has nothing left to fetch.
        return epochs.processed + 1, 0
    return epochs.processed, batches.processed
