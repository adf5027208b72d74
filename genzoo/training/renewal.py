"""Optimisers and schedules of a run that goes on with other settings than it was begun with."""

import warnings
from collections.abc import Sequence
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.cli import ReduceLROnPlateau
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig

CLOCKS = "clocks"
"""The entry of a checkpoint that tells whose its schedules are, of which Lightning keeps a bare list."""


def note_clocks(checkpoint: dict[str, Any], trainer: Trainer, updates: Sequence[int]) -> None:
    """Notes for each schedule whose it is, when it moves on, and how far it would be had it another interval.

    Args:
        checkpoint: Of Lightning; gets the entry ``clocks``.
        trainer: That trains.
        updates: Of each optimiser until now.
    """
    loop = trainer.fit_loop
    # Schedules that count epochs move with the last batch. A run that stops before it counts its epoch as completed.
    epochs = max(loop.epoch_progress.current.ready - 1 + int(loop.epoch_loop.batch_progress.is_last_batch), 0)
    places = {id(optimizer): place for place, optimizer in enumerate(trainer.optimizers)}
    owners = [places[id(config.scheduler.optimizer)] for config in trainer.lr_scheduler_configs]
    checkpoint[CLOCKS] = [
        {"owner": owner, "interval": config.interval, "step": updates[owner], "epoch": epochs}
        for owner, config in zip(owners, trainer.lr_scheduler_configs, strict=True)
    ]


def renew_settings(checkpoint: dict[str, Any], configs: Sequence[OptimizerConfig | OptimizerLRSchedulerConfig]) -> None:
    """Puts the settings of new optimisers and schedules into a checkpoint, in place of those that it was made with.

    What the optimisers have learnt of the gradients stays, unless a new one is of another kind. A schedule in place of
    another one of the same optimiser becomes what it would be had it been the schedule from the start; one that watches
    a metric goes on from the new learning rate, and one whose optimiser had none begins now.

    Args:
        checkpoint: Of Lightning; its entries ``optimizer_states`` and ``lr_schedulers`` are changed.
        configs: What `genzoo.training.optimizers.scheduled` made, new and unused.
    """
    stored: list[dict[str, Any]] = checkpoint["lr_schedulers"]
    # Of a checkpoint of version 0.1.0, which has no clocks, the order of its schedules is all that is known.
    clocks = checkpoint.get(CLOCKS) or [{"owner": place} for place in range(len(stored))]
    earlier = {clock["owner"]: (clock, state) for clock, state in zip(clocks, stored, strict=True)}
    entries: list[Any] = [config.get("lr_scheduler") for config in configs]
    for place, entry in enumerate(entries):
        if entry is not None and place in earlier and not isinstance(entry["scheduler"], ReduceLROnPlateau):
            clock, state = earlier[place]
            is_same = clock.get("interval", entry["interval"]) == entry["interval"]
            _catch_up(entry["scheduler"], state["last_epoch"] if is_same else clock[entry["interval"]])
    checkpoint["lr_schedulers"] = [entry["scheduler"].state_dict() for entry in entries if entry is not None]
    checkpoint["optimizer_states"] = [
        _with_settings(config["optimizer"].state_dict(), state)
        for config, state in zip(configs, checkpoint["optimizer_states"], strict=True)
    ]


def _catch_up(schedule: Any, moves: int) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*before.*optimizer.step.*")
        for _ in range(moves):
            schedule.step()


def _with_settings(new: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """The stored state of an optimiser with new settings; the new state where the two are of different kinds."""
    kinds = [[set(group) - {"initial_lr"} for group in state["param_groups"]] for state in (new, stored)]
    if kinds[0] != kinds[1]:
        return new
    groups = [
        fresh | {"params": old["params"]}
        for fresh, old in zip(new["param_groups"], stored["param_groups"], strict=True)
    ]
    return {"state": stored["state"], "param_groups": groups}
