"""The adversarial game, written once (manual optimisation).

Source: Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, Algorithm 1: k updates of the
discriminator, each on a fresh minibatch and fresh noise, then one update of the generator.

A step is one update of the discriminator: one batch, or several if gradients are accumulated. Whose turn it is
follows from the number of its updates, which is `trainer.global_step`: it counts them and nothing else, and every
checkpoint carries it.
"""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.cli import OptimizerCallable, ReduceLROnPlateau
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.torch_version import TorchVersion

from genzoo.data.arrays import Batch
from genzoo.hyperparameters import whole_number
from genzoo.models.base import GenerativeModel
from genzoo.noise import Noise
from genzoo.optimizers import AdversarialAdam, Interval, LRSchedulerCallable, scheduled
from genzoo.sampling.priors import NormalPrior, Prior
from genzoo.steps import ends_step

Player = Literal["discriminator", "generator"]


class AdversarialModel(GenerativeModel):
    """Two players and the order of their moves; what each of them wants is a subclass's business.

    A subclass sets ``generator`` and ``discriminator``. The two losses come from graphs of their own, and in
    either only the player whose turn it is requires gradients, so that none passes to the other.

    Args:
        prior: p(z), which the generator's inputs are drawn from.
        discriminator_steps: k, the number of discriminator updates before each generator update.
        generator_optimizer: Makes the generator's optimiser from its parameters.
        discriminator_optimizer: Makes the discriminator's optimiser from its parameters.
        generator_scheduler: Makes the generator's learning-rate schedule from its optimiser.
        discriminator_scheduler: Makes the discriminator's learning-rate schedule from its optimiser.
        scheduler_interval: When schedules move on: at the end of every ``epoch``, or with every update of
            their own player (``step``).
        **kwargs: Arguments of `GenerativeModel`.
    """

    progress_metrics = (
        "train/discriminator_loss",
        "train/generator_loss",
        "train/discriminator_real",
        "train/discriminator_fake",
        "train/critic_real",
        "train/critic_fake",
    )
    averaged_modules = ("generator",)

    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self,
        prior: Prior = NormalPrior(),
        discriminator_steps: int = 1,
        generator_optimizer: OptimizerCallable = AdversarialAdam,
        discriminator_optimizer: OptimizerCallable = AdversarialAdam,
        generator_scheduler: LRSchedulerCallable | None = None,
        discriminator_scheduler: LRSchedulerCallable | None = None,
        scheduler_interval: Interval = "epoch",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Compiled by torch 2.9 and older, a network keeps the gradients of its first turn for all others.
        if self.compile_backend is not None and TorchVersion(torch.__version__) < "2.14":
            raise ValueError(
                f"compile_backend of a {type(self).__name__} needs torch 2.14 or newer, which notices whose turn it "
                f"is, but this is torch {torch.__version__}; leave it out"
            )
        self.automatic_optimization = False
        self.prior = prior.build((self.latent_dim,))
        self.discriminator_steps = whole_number("discriminator_steps", discriminator_steps, 1)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.generator_scheduler = generator_scheduler
        self.discriminator_scheduler = discriminator_scheduler
        self.scheduler_interval: Interval = scheduler_interval
        self._begin_anew()

    @abstractmethod
    def discriminator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """What the discriminator minimises on a fresh minibatch, a scalar."""

    @abstractmethod
    def generator_loss(self, x: Tensor, y: Tensor, noise: Noise) -> Tensor:
        """What the generator minimises, a scalar."""

    def configure_callbacks(self) -> list[Callback]:
        """Takes over clipping and accumulation of gradients, which Lightning refuses to do in manual optimisation.

        Lightning asks for callbacks before it looks for these two settings of the trainer, and calls `setup` after.
        """
        return [_OwnDuties(self.trainer)]

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers."""
        players = ("discriminator", "generator")
        return super().reports() | {
            f"train/{player}_{name}" for player in players for name in ("loss", "gradient_norm")
        }

    def setup(self, stage: str) -> None:
        """Forgets an earlier fit, and tells data-parallel training that each backward pass leaves one player out."""
        super().setup(stage)
        if stage == "fit":
            self._begin_anew()
        if isinstance(self.trainer.strategy, DDPStrategy):
            self.trainer.strategy._ddp_kwargs.setdefault("find_unused_parameters", True)

    def _begin_anew(self) -> None:
        """Makes what belongs to one fit; a resume then takes back its part."""
        self._window: list[tuple[Tensor, Tensor, Noise]] = []
        self._recorded: dict[str, list[Tensor]] = {}
        self._latest: dict[str, Tensor] = {}
        self._is_recording = False

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """One update of the discriminator and, after every k-th, one of the generator.

        With accumulation the discriminator's gradient grows from batch to batch, and the step comes with the last of
        them. The generator then plays against the updated discriminator on the same batches once more, so that A
        batches make the step that one batch of their joint size would have made.
        """
        self._window.append((*batch, self.training_noise()))
        is_log_step = self.is_log_step
        # A log step between two generator updates reports the latest of them.
        self._is_recording = self.steps_to_log < self.discriminator_steps

        discriminator, generator = self.optimizers()  # type: ignore[attr-defined]
        is_last = ends_step(self.trainer, batch_idx)
        self._add_gradient("discriminator", discriminator, len(self._window) - 1, is_last)
        if not is_last:
            return
        discriminator.step()
        self._finish("discriminator", discriminator.optimizer)
        if self.trainer.global_step % self.discriminator_steps == 0:
            for place in range(len(self._window)):
                self._add_gradient("generator", generator, place, place + 1 == len(self._window))
            # The same as generator.step(), but trainer.global_step does not count it.
            self.trainer.strategy.optimizer_step(generator.optimizer, closure=lambda: None)
            self._finish("generator", generator.optimizer)
            self.update_average()
        self._window = []
        if self.trainer.is_last_batch:
            self._step_schedules("epoch", generator.optimizer, discriminator.optimizer)
        if is_log_step:
            self.log_training(self._latest, self.trainer.global_step - 1)

    def _add_gradient(self, player: Player, optimizer: LightningOptimizer, place: int, is_last: bool) -> None:
        """Adds a player's gradient on one batch of the window; the devices exchange it with the last of them."""
        if place == 0:
            optimizer.zero_grad()
        strategy: Any = self.trainer.strategy
        waiting = strategy.block_backward_sync() if hasattr(strategy, "block_backward_sync") else nullcontext()
        with self.toggled_optimizer(optimizer), nullcontext() if is_last else waiting:
            x, y, noise = self._window[place]
            loss = (
                self.discriminator_loss(x, y, noise) if player == "discriminator" else self.generator_loss(x, y, noise)
            )
            self.manual_backward(loss / self.trainer.accumulate_grad_batches)
        self.watch(f"{player}_loss", loss, self.trainer.global_step - (player == "generator"))
        self.record(f"{player}_loss", lambda: loss)

    def _finish(self, player: Player, optimizer: Optimizer) -> None:
        """What follows a player's update: its schedule moves on, and what was recorded becomes the latest."""
        self._step_schedules("step", optimizer)
        self._latest |= {name: torch.stack(values).mean() for name, values in self._recorded.items()}
        self._recorded = {}

    def record(self, name: str, value: Callable[[], Tensor]) -> None:
        """Keeps a scalar for the log if one is due; computes nothing otherwise. Batches of one step are averaged.

        Args:
            name: What it is reported as, under ``train/``.
            value: Computes it.
        """
        if self._is_recording:
            with torch.no_grad():
                self._recorded.setdefault(name, []).append(value().detach())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps what was recorded of each player's latest update, which a later log step reports."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["latest"] = {name: float(value) for name, value in self._latest.items()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes it back."""
        super().on_load_checkpoint(checkpoint)
        latest: dict[str, float] = checkpoint.get("latest", {})
        self._latest = {name: torch.tensor(value, device=self.device) for name, value in latest.items()}

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Records the norm of a player's gradient, which is not scaled any more here, and clips it."""
        player = "discriminator" if optimizer is self.trainer.optimizers[0] else "generator"
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self.record(f"{player}_gradient_norm", lambda: nn.utils.get_total_norm(gradients))
        self.configure_gradient_clipping(
            optimizer, self.trainer.gradient_clip_val, self.trainer.gradient_clip_algorithm
        )

    def on_train_epoch_end(self) -> None:
        """Moves on the learning-rate schedules that watch a metric, once it has been reported."""
        super().on_train_epoch_end()
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau):
                metric = self.trainer.callback_metrics.get(config.scheduler.monitor)
                if metric is not None:
                    config.scheduler.step(metric)

    def _step_schedules(self, interval: Interval, *optimizers: Optimizer) -> None:
        # As under automatic optimisation, before the batch ends: a run that stops right after it has lost nothing.
        for config in self.trainer.lr_scheduler_configs:
            by_metric = isinstance(config.scheduler, ReduceLROnPlateau)
            if config.interval == interval and config.scheduler.optimizer in optimizers and not by_metric:
                config.scheduler.step()  # type: ignore[call-arg]

    def configure_optimizers(self) -> tuple[OptimizerConfig | OptimizerLRSchedulerConfig, ...]:
        """The discriminator's optimiser, then the generator's."""
        discriminator = self.discriminator_optimizer(self.discriminator.parameters())
        generator = self.generator_optimizer(self.generator.parameters())
        return (
            scheduled(discriminator, self.discriminator_scheduler, self.scheduler_interval),
            scheduled(generator, self.generator_scheduler, self.scheduler_interval),
        )

    def prior_sample(self, number: int, noise: Noise | None = None) -> Tensor:
        """Draws the generator's inputs, ``(number, latent_dim)``."""
        return self.prior.sample(whole_number("number", number), noise or self.fresh_noise())


class _OwnDuties(Callback):
    """Keeps two settings of a trainer from Lightning, and gives them back: in `setup`, or when a run fails before."""

    def __init__(self, trainer: Any) -> None:
        self.settings = {name: getattr(trainer, name) for name in ("accumulate_grad_batches", "gradient_clip_val")}
        trainer.accumulate_grad_batches, trainer.gradient_clip_val = 1, None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._give_back(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._give_back(trainer)

    def _give_back(self, trainer: Trainer) -> None:
        for name, value in self.settings.items():
            setattr(trainer, name, value)
        self.settings = {}
