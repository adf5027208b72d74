"""What a step is: one update of the discriminator, or of the one optimiser; one batch, or several accumulated."""

from lightning.pytorch import Trainer


def ends_step(trainer: Trainer, batch_idx: int) -> bool:
    """Whether a step ends with a batch of training; only there is nothing lost by stopping.

    Args:
        trainer: While it trains.
        batch_idx: Of the batch within its epoch, the last of which ends a step too.
    """
    return (batch_idx + 1) % trainer.accumulate_grad_batches == 0 or trainer.is_last_batch
