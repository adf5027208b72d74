"""Ending a run on request: after a whole step, with everything kept."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning_utilities.core.rank_zero import rank_zero_only

from genzoo.callbacks.checkpoints import Checkpoints, agreed
from genzoo.training.steps import ends_step

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunInterruptedError(Exception):
    """A run was asked to stop, and has.

    Args:
        signal_number: What asked for it.
        step: How many steps were done.
        checkpoint: Where the state is kept; empty if there is no ``last.ckpt``.
    """

    def __init__(self, signal_number: int, step: int, checkpoint: str) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name} after step {step}")
        self.signal_number = signal_number
        self.step = step
        self.checkpoint = checkpoint


class Interruption(Callback):
    """Stops a run after the step in progress on SIGTERM and Ctrl-C, on all devices at once.

    It takes the place of Lightning's own handling, which leaves without a checkpoint or with exit code 0. In
    validation the request waits until training goes on. A second Ctrl-C goes to the handler that was there before.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._process = os.getpid()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Installs the handlers, after Lightning has installed its own."""
        self.received, self._process = None, os.getpid()
        # Python lets the main thread alone install handlers; a trainer may run in another.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stops if that was asked for.

        Raises:
            RunInterruptedError: Once ``last.ckpt`` is written.
        """
        if ends_step(trainer, batch_idx) and agreed(trainer, self.received is not None, batch_idx):
            kept = [callback for callback in trainer.checkpoint_callbacks if isinstance(callback, Checkpoints)]
            for callback in kept:
                callback.write_last(trainer)
            # A device that has received no signal itself stops with the others.
            number = signal.SIGTERM if self.received is None else self.received
            raise RunInterruptedError(number, trainer.global_step, kept[0].last_model_path if kept else "")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restores the handlers that were there before."""
        self._restore()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Restores the handlers that were there before."""
        self._restore()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            self._restore()
            signal.raise_signal(number)
        self.received = number
        # Worker processes that load data have inherited the handler, and would say it once each.
        if rank_zero_only.rank == 0 and os.getpid() == self._process:  # type: ignore[attr-defined]
            sys.stderr.write(f"\n{signal.Signals(number).name} received: stopping after this step\n")

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
