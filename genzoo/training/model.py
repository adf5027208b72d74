"""The one contract that every model fulfils; the only class that the rest of the package knows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from typing_extensions import Self

from genzoo.checkpoint_files import local_file, read_checkpoint
from genzoo.data.arrays import Batch
from genzoo.hyperparameters import as_plain, whole_number
from genzoo.moved import renamed
from genzoo.networks.batch_norm import require_batches_for_batch_norm
from genzoo.networks.discriminator import require_batches_of_packs
from genzoo.noise import BatchNoise, ImageNoise, Noise, Stream, counter_seed, run_seed
from genzoo.sampling.conditions import Condition, NoCondition
from genzoo.sampling.given import Given
from genzoo.sampling.images import Samples
from genzoo.sampling.sampler import Sampler, in_eval_mode
from genzoo.sampling.stored import SAMPLER
from genzoo.schedules.schedule import Schedule
from genzoo.spec import DataSpec
from genzoo.training.averaging import WeightAverage, Weights, chosen_weights, fit_average, keeps_averages, require_decay
from genzoo.training.checkpoint_io import SafeCheckpointIO
from genzoo.training.combinations import warn_of_combinations
from genzoo.training.divided import Together
from genzoo.training.feasible import (
    require_feasible_callbacks,
    require_feasible_division,
    require_feasible_precision,
    require_known_metrics,
)
from genzoo.training.finite_watch import FiniteWatch
from genzoo.training.laps import Laps
from genzoo.training.optimizers import tried
from genzoo.training.renewal import note_clocks
from genzoo.training.schedule_log import HoldsSettings, ScheduleLog
from genzoo.training.split_means import SplitMeans, images_in
from genzoo.training.step_log import StepLog
from genzoo.training.storing import (
    DATA,
    class_of_checkpoint,
    fit_settings,
    identity_of_data,
    rename_weights,
    require_same_data_for_checkpoints,
    store_hyperparameters,
)

Result = TypeVar("Result")


class GenerativeModel(LightningModule, ABC):
    """A model that one can train on data and, if it has a prior, draw samples from.

    Whatever works through this contract (pictures, metrics, the command line) never asks which model it has. What the
    model is, apart from its training, is its sampler, which a subclass makes in its constructor. Subclasses name their
    own constructor arguments and hand the rest to their parent.

    Attributes:
        monitor: The logged quantity that tells the best checkpoint, and whether small or large is good;
            None where no such quantity exists, as in an adversarial game.
        progress_metrics: Names of the logged quantities that the progress bar shows.
        sampler: What is trained: networks, prior, condition.
        condition: What samples depend on.
        watch: Notes losses that are not finite.
        means: What was measured of the images of a split.
        step_log: The way of training's numbers to the loggers.
        schedule_log: The present values of settings that follow schedules.
        laps: The time that parts of a step take.
        together: Computes what needs the networks outside of a step, where weights are divided on all devices at once.

    Args:
        data_spec: What the model must know of its data; the command line takes it from the data module.
        latent_dim: Number of latent variables.
        average_decay: Of the averages of the sampler's weights, for instance 0.999, or a schedule that counts their
            updates, such as `HalfLife`. 0.0: none are kept. Training moves the raw weights; validation, tests,
            predictions and samples use the averages. A checkpoint holds both.
        compile_backend: With which backend of ``torch.compile`` the networks are compiled for training, usually
            ``inductor`` (which draws numbers of its own for dropout). None: they are not. What is differentiated
            twice must call a network's ``forward``, which is never compiled. Checkpoints are the same either way.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = None
    progress_metrics: ClassVar[tuple[str, ...]] = ()

    sampler: Sampler

    def __init__(
        self,
        data_spec: DataSpec,
        latent_dim: int = 32,
        average_decay: float | Schedule = 0.0,
        compile_backend: str | None = None,
    ) -> None:
        super().__init__()
        if compile_backend is not None and compile_backend not in (known := torch.compiler.list_backends(())):
            raise ValueError(f"compile_backend is {compile_backend!r}, but torch has {', '.join(known)}")
        store_hyperparameters(self)
        self.data_spec: DataSpec = as_plain(data_spec)
        self.latent_dim = whole_number("latent_dim", latent_dim, 1)
        self.condition = self.condition_for(self.data_spec)
        self.average_decay = require_decay(average_decay)
        self.average: WeightAverage | None = None
        self._weights: Weights = "raw"
        self.compile_backend = compile_backend
        self._is_compiled = False
        self.watch = FiniteWatch(self)
        self.means = SplitMeans()
        self.step_log = StepLog(self, self.progress_metrics)
        self.schedule_log = ScheduleLog(self)
        self.laps = Laps()
        self.together = Together(self)

    def condition_for(self, data_spec: DataSpec) -> Condition:
        """What samples depend on, given what the data are like; an unconditional model depends on nothing."""
        return NoCondition()

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of one item of data, ``(C, H, W)`` for images."""
        return tuple(self.data_spec["shape"])

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent variables of one item."""
        return (self.latent_dim,)

    # Sampling

    @property
    def can_sample(self) -> bool:
        """Whether the model has something to draw latent variables from."""
        return self.sampler.can_sample

    def prior_sample(self, number: int, noise: Noise | None = None) -> Tensor:
        """Draws latent variables, ``(number, *latent_shape)``, as `Sampler.prior_sample` does."""
        return self.acting.prior_sample(number, noise)

    def decode(self, z: Tensor, y: Given | None = None) -> Tensor:
        """Turns latent variables into data, as `Sampler.decode` does."""
        return self.acting.decode(z, y)

    def forward(self, z: Tensor, y: Given | None = None) -> Tensor:
        """The same as `decode`."""
        return self.decode(z, y)

    def sample(
        self,
        number: int,
        y: Given | None = None,
        seed: int | None = None,
        weights: Weights | None = None,
        truncation: float | None = None,
    ) -> Samples:
        """Draws data from the model as `Sampler.sample` does, in eval mode and without gradient.

        Args:
            number: How many.
            y: What they depend on.
            seed: Of the noise; drawn from torch's global generator if left out.
            weights: ``raw`` or ``averaged``; left out, the averages if the model keeps them.
            truncation: Keeps latent variables near the middle of their prior.

        Returns:
            ``(number, *data_shape)``, images in [-1, 1], in the type of the weights.

        Raises:
            ValueError: If an argument does not fit the model.
        """
        with evaluating(self, weights):
            return self.together(lambda: self.acting.sample(number, y, seed, truncation))

    def bfloat16(self) -> Self:
        """As ``half()`` and ``double()``: Lightning's modules note their type there, but not where torch has this."""
        return self.to(torch.bfloat16)

    # Raw and averaged weights

    @property
    def acting(self) -> Sampler:
        """The sampler whose weights act: those that are trained or, while they are switched on, their averages."""
        if self._weights == "averaged" and self.average is not None:
            return self.average.standing_in(self.sampler)
        return self.sampler

    @property
    def weights(self) -> Weights:
        """Which weights act: those that are trained (``raw``) or their averages (``averaged``)."""
        return self._weights

    @property
    def best_weights(self) -> Weights:
        """The averages where there are any, else the raw weights; `chosen_weights` says more."""
        return chosen_weights(None, self)

    @contextmanager
    def using(self, weights: Weights | None = None) -> Iterator[None]:
        """Lets one of the two sets of weights act for a while, in all but `sample`, which is told its weights.

        Args:
            weights: Which of them; left out, `best_weights`.

        Raises:
            ValueError: If there are no such weights.
            RuntimeError: If there are no averages, or none that have been updated.
        """
        before, self._weights = self._weights, chosen_weights(weights, self)
        try:
            yield
        finally:
            self._weights = before

    def update_average(self) -> None:
        """Takes the sampler's weights into their averages; to be called after each of its updates."""
        if self.average is not None:
            self.average.update(self.sampler)

    def _make_average(self) -> None:
        if keeps_averages(self.average_decay) and self.average is None:
            self.average = WeightAverage(self.sampler, self.average_decay).to(self.device)

    # Training

    def settings(self) -> dict[str, Any]:
        """What may follow schedules, by name, for the log.

        These are the constructor's arguments, as far as the model keeps them under their names, and the ``settings`` of
        what it has made of others.
        """
        settings = {name: value for name, value in vars(self).items() if name in self.hparams}
        holding = (value for value in vars(self).values() if isinstance(value, HoldsSettings))
        return settings | {name: value for part in holding for name, value in part.settings.items()}

    @property
    def is_fitting(self) -> bool:
        """Whether a trainer is fitting this model, validation in between included."""
        return self._trainer is not None and self._trainer.state.fn == TrainerFn.FITTING

    def setup(self, stage: str) -> None:
        """Makes ready what training or evaluation needs: averages, safe checkpoints, compiled networks.

        Raises:
            ValueError: If the trainer could not train this model to the end.
        """
        self._make_average()
        # Lightning's default alone is replaced, and no plugin that the user has chosen.
        if type(self.trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            self.trainer.strategy.checkpoint_io = SafeCheckpointIO()
        if stage != "fit":
            return
        self._weights = "raw"
        self.require_trainable(self.trainer)
        self.step_log.begin()
        if self.compile_backend is not None and not self._is_compiled:
            # The averages have been copied before: they stay as they are.
            for network in (*self.sampler.children(), *self._networks_beside_sampler()):
                network.compile(backend=self.compile_backend)
            self._is_compiled = True

    def _networks_beside_sampler(self) -> list[torch.nn.Module]:
        return [part for name, part in self.named_children() if name not in ("sampler", "average")]

    def require_trainable(self, trainer: Trainer) -> None:
        """Refuses a trainer that could not train this model to the end.

        Raises:
            ValueError: If optimisers, schedules, callbacks, metrics that are watched, or the precision cannot be used.
        """
        name, callbacks = type(self).__name__, trainer.callbacks  # type: ignore[attr-defined]
        by_hand = not self.automatic_optimization
        require_feasible_division(name, trainer, self.average_decay, by_hand)
        require_feasible_precision(trainer.precision, self.average_decay)
        require_feasible_callbacks(name, callbacks, by_hand)
        if next(self.parameters(), None) is not None:
            schedules = tried(self.configure_optimizers, name, by_hand, trainer.max_epochs)
            require_known_metrics(self, callbacks, schedules, self.reports)

    def on_fit_start(self) -> None:
        """Forgets the losses of an earlier run, and warns of settings that go badly together."""
        self.watch.begin()
        warn_of_combinations(self)

    def on_train_start(self) -> None:
        """Refuses batches of one image if there is batch norm, and those that cannot be divided into packs."""
        loader: Any = self.trainer.train_dataloader
        usual = getattr(loader, "batch_size", None)
        sizes = {usual} if usual else set()
        # A loader of one's own may keep an incomplete last batch, which the run may end before.
        if usual and not loader.drop_last and self.trainer.num_training_batches == len(loader):
            sizes.add(len(loader.sampler) % usual or usual)
        require_batches_for_batch_norm(self, type(self).__name__, min(sizes, default=0))
        require_batches_of_packs(self, type(self).__name__, sizes)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Re-seeds the global generators, which dropout draws from, as a function of (seed, rank, batch)."""
        seed = counter_seed(run_seed(), Stream.GLOBAL, self.global_rank, self._batch)
        # Not torch.manual_seed, which formats a stack trace for every kind of device that the machine has not.
        torch.default_generator.manual_seed(seed)
        if self.device.type != "cpu":
            torch.get_device_module(self.device).manual_seed(seed)

    def training_noise(self) -> Noise:
        """Noise for the current batch, a function of (seed, rank, batch)."""
        return BatchNoise(self.device, run_seed(), Stream.TRAINING, self.global_rank, self._batch)

    @property
    def _batch(self) -> int:
        # Batches that are done: one that was interrupted, and is repeated after a resume, counts once.
        progress: Any = self.trainer.fit_loop.epoch_loop.batch_progress.total
        return int(progress.processed)

    def on_train_epoch_end(self) -> None:
        """Stops if a loss was not finite."""
        self.watch.require_finite()

    def updates(self) -> list[int]:
        """How often each optimiser has moved, in the order of optimisers."""
        return [self.trainer.global_step] * len(self.trainer.optimizers)

    def log_training(self, values: dict[str, Tensor], step: int) -> None:
        """Hands scalars of a log step to the loggers, unless a loss was not finite.

        Args:
            values: The scalars by name, without ``train/``.
            step: Which step they are of, counted from 0.
        """
        self.watch.require_finite()
        self.step_log.hand_out(values | self.schedule_log.values(step), step)

    # Evaluation

    @abstractmethod
    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """What is measured of each image in evaluation.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            y: Their labels, as batches have them.
            noise: Where the randomness comes from.

        Returns:
            For each name a tensor ``(N, ...)``.
        """

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The scalars to report, from the means of `statistics` over a batch or a whole split."""
        return means

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers, found by measuring two blank items.

        A model that logs more by itself adds to them; what is watched must be among them.
        """
        noise = BatchNoise(self.device, 0)
        x, y = torch.zeros(2, *self.data_shape, device=self.device), self.condition.blank(2).to(self.device)
        with evaluating(self, "raw"):
            names = self.summary({name: values.mean(0) for name, values in self.statistics(x, y, noise).items()})
        measured = {f"{part}/{name}" for part in ("train", "val", "val/training") for name in names}
        return measured | {f"train/{name}" for name in self.schedule_log.schedules}

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Takes in held-out images (loader 0) or training images (loader 1, to measure overfitting)."""
        self._take_in(batch, dataloader_idx)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Takes in test images."""
        self._take_in(batch, 0)

    def on_validation_epoch_start(self) -> None:
        """Forgets what was measured before, and measures the same network on all devices."""
        self.means = SplitMeans()
        if self.trainer.world_size > 1:
            # Running averages of batch norm are a device's own; checkpoints have those of the first.
            for buffer in self.buffers():
                torch.distributed.broadcast(buffer, 0)

    def on_test_epoch_start(self) -> None:
        """Forgets what was measured before."""
        self.means = SplitMeans()

    def on_validation_epoch_end(self) -> None:
        """Reports held-out images under ``val/`` and training images under ``val/training/``."""
        self.report("val", self.means.of(0))
        self.report("val/training", self.means.of(1))

    def on_test_epoch_end(self) -> None:
        """Reports under ``test/``."""
        self.report("test", self.means.of(0))

    def _take_in(self, batch: Batch, loader: int) -> None:
        x, y = batch
        places = self.means.places(len(x), loader, self.trainer)
        with self.using():
            statistics = self.statistics(x, y, ImageNoise(places, self.device, run_seed(), Stream.EVALUATION))
        self.means.take_in(statistics, loader, int((places < images_in(self.trainer, loader)).sum()))

    def report(self, part: str, means: dict[str, Tensor]) -> None:
        """Logs the summary of what was measured, if anything was.

        Args:
            part: How the names begin: ``val``, ``val/training`` or ``test``.
            means: Of the statistics, over all images.
        """
        if means:
            summary = {f"{part}/{name}": value for name, value in self.summary(means).items()}
            self.log_dict(summary, sync_dist=True)
            self.step_log.show(summary)

    @property
    def is_divided(self) -> bool:
        """Whether a strategy divides the weights among devices."""
        return self.together.is_needed

    def call(self, compute: Callable[[], Result]) -> Result:
        """Calls a function: as a method, since a strategy can gather divided weights for one alone."""
        return compute()

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps non-finite weights out of checkpoints, and notes how the sampler is made and what data it has seen."""
        self.watch.require_finite()
        self.watch.require_finite_weights()
        checkpoint[SAMPLER] = as_plain(self.sampler)
        if self.is_fitting:
            note_clocks(checkpoint, self.trainer, self.updates())
        if self.is_fitting and (identity := identity_of_data(self.trainer)) is not None:
            checkpoint[DATA] = identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Loads a checkpoint's weights if they fit, and keeps this model's settings where they differ.

        Raises:
            ValueError: If the weights do not fit, or if training shall go on from weights alone, or with other data
                among the checkpoints of the run.
        """
        self._make_average()
        self.fit_state(checkpoint.get("state_dict", {}))
        if self._trainer is None:
            return
        if self.is_fitting:
            require_same_data_for_checkpoints(self.trainer, checkpoint.get(DATA))
        fit_settings(self, checkpoint, self.is_fitting)

    def fit_state(self, state: dict[str, Any]) -> None:
        """Changes the weights of a checkpoint, by name, to those that this model has; in place."""
        rename_weights(state, self, self.sampler)
        fit_average(state, self.average, self.sampler)

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | Path, **kwargs: Any) -> Self:  # type: ignore[override]
        """Loads the model of a checkpoint, whichever subclass of this class it is.

        Nothing that the file holds is run, unless ``weights_only=False`` is given.

        Args:
            checkpoint_path: The file, or its address (``https://...``, or another that fsspec knows).
            **kwargs: As for Lightning's method of the same name: ``map_location``, ``strict``, ``weights_only`` and
                new values of hyperparameters.

        Raises:
            FileNotFoundError: If there is no such file.
            CheckpointError: If the file is no checkpoint, or none of a model of this class.
        """
        weights_only = kwargs.setdefault("weights_only", True)
        with local_file(checkpoint_path) as file:
            # Only to look at: mapped, the weights are not read, which Lightning does below.
            checkpoint = read_checkpoint(file, name=checkpoint_path, mmap=True, weights_only=weights_only)
            stored = checkpoint.get("hyper_parameters", {})
            # Lightning reads the file once more: what has moved since it was written is handed over as new values.
            moved = {name: value for name, value in renamed(stored).items() if value != stored[name]}
            found = class_of_checkpoint(cls, stored | moved, checkpoint_path, kwargs)
            model = super(GenerativeModel, found).load_from_checkpoint(file, **moved | kwargs)
        if model.average is not None and model.average.updates > 0:
            model._weights = "averaged"
        return model


@contextmanager
def evaluating(model: GenerativeModel, weights: Weights | None = None) -> Iterator[None]:
    """Eval mode without gradient, with averaged weights where there are any; all is restored afterwards.

    Args:
        model: What is evaluated.
        weights: As for `GenerativeModel.using`.
    """
    with in_eval_mode(model), model.using(weights):
        yield
