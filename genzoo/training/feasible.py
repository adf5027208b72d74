"""What a trainer cannot do with a model: said in a sentence before anything is trained, not after an epoch."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from torch.optim.lr_scheduler import ReduceLROnPlateau

from genzoo.schedules.schedule import Schedule
from genzoo.training.averaging import keeps_averages

# Callbacks of Lightning that cannot work with any model, and what to do in their place.
USELESS_CALLBACKS = {
    "LearningRateFinder": "looks for one learning rate at model.lr, where there is none; try a few with short runs",
    "BackboneFinetuning": "thaws a part called backbone, which there is not; leave it out",
}
# And those that cannot work where a model moves its optimisers itself.
USELESS_BY_HAND = {
    "StochasticWeightAveraging": "averages the weights of one optimiser; set average_decay of the model, 0.999 say",
    "GradientAccumulationScheduler": "works with one optimiser; set accumulate_grad_batches of the trainer",
    "SpikeDetection": "looks for one loss, where each player has its own; leave it out",
}

DIVIDING_STRATEGIES = (FSDPStrategy, ModelParallelStrategy, DeepSpeedStrategy)

# Packages whose classes log nothing but what `GenerativeModel.reports` and the attribute ``logs`` tell.
PACKAGES_THAT_TELL = {"genzoo", "lightning", "torch", "builtins", "abc"}


def divides_weights(trainer: Trainer) -> bool:
    """Whether each device of a trainer holds a part of the weights, so that none can compute alone."""
    return isinstance(trainer.strategy, DIVIDING_STRATEGIES)


def require_feasible_division(owner: str, trainer: Trainer, average_decay: float | Schedule, by_hand: bool) -> None:
    """Refuses to divide among devices what has to be whole.

    Args:
        owner: Name of the model.
        trainer: With any strategy.
        average_decay: Of the model.
        by_hand: Whether the model moves its optimisers itself.

    Raises:
        ValueError: If the strategy divides weights, and there are players or averages.
    """
    if not divides_weights(trainer) or not (by_hand or keeps_averages(average_decay)):
        return
    reason = "has players that take turns" if by_hand else "averages its weights"
    raise ValueError(
        f"{type(trainer.strategy).__name__} divides weights among devices, but this {owner} {reason}, for which they "
        "must be whole; choose --trainer.strategy ddp" + ("" if by_hand else ", or leave average_decay out")
    )


def require_feasible_callbacks(owner: str, callbacks: Iterable[Callback], by_hand: bool) -> None:
    """Refuses callbacks that cannot do their work.

    Args:
        owner: Name of the model.
        callbacks: Of the trainer.
        by_hand: Whether the model moves its optimisers itself, as an adversarial one does.

    Raises:
        ValueError: If there is such a callback.
    """
    useless = USELESS_CALLBACKS | (USELESS_BY_HAND if by_hand else {})
    for callback in callbacks:
        for name in (kind.__name__ for kind in type(callback).__mro__ if kind.__name__ in useless):
            raise ValueError(f"{name} cannot work with a {owner}: it {useless[name]}")
        if by_hand and getattr(callback, "_train_time_interval", None) is not None:
            raise ValueError(
                f"train_time_interval of {type(callback).__name__} has no effect on a {owner}, whose optimisers "
                "Lightning does not move; give Checkpoints minutes_between, or save every_n_train_steps"
            )


def require_known_metrics(
    model: LightningModule,
    callbacks: Sequence[Callback],
    schedules: Iterable[object],
    reports: Callable[[], set[str]],
) -> None:
    """Refuses to watch a metric that is not reported.

    What a model or a callback from elsewhere logs is not known: where there is one, any name may be right. A callback
    of ours tells by ``logs`` how the names begin of what it logs.

    Args:
        model: What is trained.
        callbacks: Of the trainer.
        schedules: Learning-rate schedules of the model.
        reports: Gives the names of what the model reports.

    Raises:
        ValueError: If a metric is missing or unknown.
    """
    kinds = {kind for thing in (model, *callbacks) for kind in type(thing).__mro__}
    is_all_known = {kind.__module__.partition(".")[0] for kind in kinds} <= PACKAGES_THAT_TELL
    by_callbacks = tuple(prefix for callback in callbacks for prefix in getattr(callback, "logs", ()))
    for watching, metric in _watched(callbacks, schedules):
        if metric is None:
            wrong = "does not say which metric it watches; choose lightning.pytorch.cli.ReduceLROnPlateau with"
        elif is_all_known and not metric.startswith(by_callbacks) and metric not in reports():
            wrong = f"watches {metric}, which a {type(model).__name__} does not report; give it"
        else:
            continue
        known = ", ".join(sorted(name for name in reports() if name.count("/") == 1))
        raise ValueError(f"{watching} {wrong} one of these as monitor: {known}")


def _watched(callbacks: Iterable[Callback], schedules: Iterable[object]) -> Iterator[tuple[str, str | None]]:
    for callback in callbacks:
        is_strict = isinstance(callback, ModelCheckpoint) or (isinstance(callback, EarlyStopping) and callback.strict)
        if is_strict and callback.monitor is not None:  # type: ignore[attr-defined]
            yield type(callback).__name__, callback.monitor  # type: ignore[attr-defined]
    for schedule in schedules:
        if isinstance(schedule, ReduceLROnPlateau):
            # Lightning's kind has a monitor; torch's has none.
            yield type(schedule).__name__, getattr(schedule, "monitor", None)


def require_feasible_precision(precision: str, average_decay: float | Schedule) -> None:
    """Refuses to train in types that lose what training needs.

    Args:
        precision: Of the trainer.
        average_decay: Of the model.

    Raises:
        ValueError: If the weights would be float16, or averages of bfloat16.
    """
    if precision == "16-true":
        raise ValueError(
            "precision 16-true cannot train: small gradients become 0, as the epsilon of Adam does; choose 16-mixed or "
            "bf16-mixed (16-true is fine to validate, test and predict)"
        )
    if precision == "bf16-true" and keeps_averages(average_decay):
        raise ValueError(
            f"averages with average_decay {average_decay} do not move in precision bf16-true, which keeps three digits "
            "of them; choose bf16-mixed, or leave average_decay out"
        )
