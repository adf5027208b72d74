"""Whether a command has begun: what goes wrong before is said of its settings, and leaves nothing behind."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class Beginning(Callback):
    """Notes the first batch that is trained on, or measured.

    Attributes:
        is_over: Whether there has been one. The batches that are tried before training do not count.
    """

    def __init__(self) -> None:
        self.is_over = False

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Notes a batch of training."""
        self.is_over = True

    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Notes a batch of validation, unless it is only tried."""
        # Lightning tries a few batches before it trains, when settings may still turn out to be wrong.
        self.is_over = self.is_over or not trainer.sanity_checking

    def on_test_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Notes a batch of a test."""
        self.is_over = True

    def on_predict_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Notes a batch of predictions."""
        self.is_over = True
