"""The adversarial game, written once (manual optimisation).

Source: Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, Algorithm 1: k updates of the
discriminator, each on a fresh minibatch and fresh noise, then one update of the generator. Not from the paper: any
number of players, of which the first moves as the discriminator does and all others answer as the generator does.

A step is one update of the first player: one batch, or several if gradients are accumulated. Whose turn it is
follows from the number of its updates, which is `trainer.global_step`: it counts them and nothing else, and every
checkpoint carries it.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.torch_version import TorchVersion

from genzoo.data.arrays import Batch
from genzoo.noise import Noise
from genzoo.schedules.schedule import Schedule
from genzoo.training.manual_optimisation import OwnDuties, step_plateaus, step_schedules
from genzoo.training.model import GenerativeModel
from genzoo.training.optimizers import Interval, LRSchedulerCallable, scheduled
from genzoo.training.recorder import Recorder
from genzoo.training.steps import ends_step
from genzoo.training.turns import Turns


@dataclass(frozen=True)
class Player:
    """One side of the game.

    Args:
        name: How its loss is reported: ``generator`` has a ``generator_loss``.
        moves: The modules whose parameters it moves.
        loss: What it minimises on items ``(N, *data_shape)``, their labels and noise, a scalar.
        optimizer: Makes its optimiser from its parameters.
        scheduler: Makes its learning-rate schedule from its optimiser.
    """

    name: str
    moves: Sequence[nn.Module]
    loss: Callable[[Tensor, Tensor, Noise], Tensor]
    optimizer: OptimizerCallable
    scheduler: LRSchedulerCallable | None = None

    def parameters(self) -> list[nn.Parameter]:
        """What it moves."""
        return [parameter for module in self.moves for parameter in module.parameters()]


class AdversarialModel(GenerativeModel):
    """Players and the order of their moves; a subclass says who they are and what each of them minimises.

    The losses come from graphs of their own, and in each only the parameters of the player whose turn it is require
    gradients, so that none passes to another.

    Args:
        discriminator_steps: k, how many updates of the first player come before each of the others: `Turns`.
        scheduler_interval: When schedules move on: at the end of every ``epoch``, or with every update of
            their own player (``step``).
        **kwargs: Arguments of `GenerativeModel`.
    """

    def __init__(
        self, discriminator_steps: int | Schedule = 1, scheduler_interval: Interval = "epoch", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        # Compiled by torch 2.9 and older, a network keeps the gradients of its first turn for all others.
        if self.compile_backend is not None and TorchVersion(torch.__version__) < "2.14":
            raise ValueError(
                f"compile_backend of a {type(self).__name__} needs torch 2.14 or newer, which notices whose turn it "
                f"is, but this is torch {torch.__version__}; leave it out"
            )
        self.automatic_optimization = False
        self.turns = Turns(discriminator_steps)
        self.scheduler_interval: Interval = scheduler_interval
        self._begin_anew()

    @abstractmethod
    def players(self) -> list[Player]:
        """Who plays: the one whose updates are the steps, then those that answer, in their order."""

    def configure_callbacks(self) -> list[Callback]:
        """Takes over clipping and accumulation of gradients, which Lightning refuses to do in manual optimisation.

        Lightning asks for callbacks before it looks for these two settings of the trainer, and calls `setup` after.
        """
        return [OwnDuties(self.trainer)]

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers."""
        kinds = ("loss", "gradient_norm", "learning_rate", "weight_norm", "update_ratio")
        return super().reports() | {f"train/{player.name}_{kind}" for player in self.players() for kind in kinds}

    def setup(self, stage: str) -> None:
        """Forgets an earlier fit, and tells data-parallel training that each backward pass leaves players out."""
        super().setup(stage)
        if stage == "fit":
            self._begin_anew()
        if isinstance(self.trainer.strategy, DDPStrategy):
            # The strategy is made with the trainer, before it is known that a game will be played on it.
            self.trainer.strategy._ddp_kwargs.setdefault("find_unused_parameters", True)

    def _begin_anew(self) -> None:
        """Makes what belongs to one fit; a resume then restores its part."""
        self._window: list[tuple[Tensor, Tensor, Noise]] = []
        self.recorder, self.step = Recorder(), 0

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """One update of the first player and, after every k-th, one of each of the others.

        With accumulation the first player's gradient grows from batch to batch, and the step comes with the last of
        them. The others then play against the updated first on the same batches once more, so that A batches make the
        step of one batch of their joint size, but for what looks at a batch as a whole.
        """
        self._window.append((*batch, self.training_noise()))
        # All players read their settings at it; the trainer's count moves on in between, with the first one's update.
        self.step = self.trainer.global_step
        is_log_step = self.step_log.steps_until_due == 0
        # A log step between two answers reports the latest of them.
        self.recorder.is_on = self.step_log.steps_until_due < self.turns.steps_at(self.trainer.global_step + 1)

        optimizers: Any = self.optimizers()
        (first, its_optimizer), *others = zip(self.players(), optimizers, strict=True)
        is_last = ends_step(self.trainer, batch_idx)
        with self.laps.of(first.name, self.device):
            self._add_gradient(first, its_optimizer, len(self._window) - 1, is_last)
            if not is_last:
                return
            its_optimizer.step()
            self._end_update(first, its_optimizer.optimizer)
        if self.turns.answers_after(self.trainer.global_step):
            for player, optimizer in others:
                with self.laps.of(player.name, self.device):
                    for place in range(len(self._window)):
                        self._add_gradient(player, optimizer, place, place + 1 == len(self._window))
                    # The same as optimizer.step(), but trainer.global_step does not count it.
                    self.trainer.strategy.optimizer_step(optimizer.optimizer, closure=lambda: None)
                    self._end_update(player, optimizer.optimizer)
            self.update_average()
        self._window = []
        if self.trainer.is_last_batch:
            step_schedules(self.trainer, "epoch", [optimizer.optimizer for optimizer in optimizers])
        if is_log_step:
            self.log_training(self.recorder.latest, self.step)

    def _add_gradient(self, player: Player, optimizer: LightningOptimizer, place: int, is_last: bool) -> None:
        """Adds a player's gradient on one batch of the window; the devices exchange it with the last of them."""
        if place == 0:
            optimizer.zero_grad()
        strategy: Any = self.trainer.strategy
        waiting = strategy.block_backward_sync() if hasattr(strategy, "block_backward_sync") else nullcontext()
        with self.toggled_optimizer(optimizer), nullcontext() if is_last else waiting:
            loss = player.loss(*self._window[place])
            # Under autocast, which surrounds the whole step, the gradient of a penalty would lose its float32.
            with torch.autocast(self.device.type, enabled=False):
                self.manual_backward(loss / self.trainer.accumulate_grad_batches)
        self.watch.note(f"{player.name}_loss", loss, self.step)
        self.recorder.record(f"{player.name}_loss", lambda: loss)

    def _end_update(self, player: Player, optimizer: Optimizer) -> None:
        """What follows a player's update: its schedule moves on, and what was recorded becomes the latest."""
        # Autocast keeps the half-precision copies of weights that required a gradient until the whole step is over.
        torch.clear_autocast_cache()
        step_schedules(self.trainer, "step", [optimizer])
        self.recorder.end_update()
        self.after_update(player)

    def updates(self) -> list[int]:
        """Of the first player, whose updates are the steps, and of the others."""
        steps = self.trainer.global_step
        return [steps] + [self.turns.answers_until(steps)] * (len(self.trainer.optimizers) - 1)

    def after_update(self, player: Player) -> None:
        """Called once a player has moved, for models that have something to add to it."""

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Records the norm of a player's gradient, which is not scaled any more here, and clips it."""
        place = next(place for place, known in enumerate(self.trainer.optimizers) if known is optimizer)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        name = self.players()[place].name
        self.recorder.record(f"{name}_gradient_norm", lambda: nn.utils.get_total_norm(gradients))
        self.recorder.begin_update(name, optimizer)
        self.configure_gradient_clipping(
            optimizer, self.trainer.gradient_clip_val, self.trainer.gradient_clip_algorithm
        )

    def on_train_epoch_end(self) -> None:
        """Moves on the learning-rate schedules that watch a metric, once it has been reported."""
        super().on_train_epoch_end()
        step_plateaus(self.trainer)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps what was recorded of each player's latest update, which a later log step reports."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["latest"] = self.recorder.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores what was recorded, as far as this model still reports it."""
        super().on_load_checkpoint(checkpoint)
        latest, reported = checkpoint.get("latest", {}), self.reports()
        # Another objective measures other things: those of the earlier one would be reported, unchanged, ever after.
        known = {name: value for name, value in latest.items() if f"train/{name}" in reported}
        self.recorder.load_state_dict(known, self.device)

    def configure_optimizers(self) -> tuple[OptimizerConfig | OptimizerLRSchedulerConfig, ...]:
        """The optimiser of each player, in their order."""
        return tuple(
            scheduled(each.optimizer(each.parameters()), each.scheduler, self.scheduler_interval, each.name)
            for each in self.players()
        )
