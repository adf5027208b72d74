"""The one contract that every model fulfils; the only class that the rest of the package knows."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from lightning.pytorch import Trainer
from torch import Tensor
from typing_extensions import Self

from genzoo.hyperparameters import as_plain
from genzoo.metrics.means import ImageMean
from genzoo.models.averaging import AveragedModule, Weights
from genzoo.networks.batch_norm import require_batches_for_batch_norm
from genzoo.noise import BatchNoise, ImageNoise, Noise, Stream, counter_seed, run_seed
from genzoo.optimizers import renew_settings
from genzoo.spec import DataSpec

Batch = tuple[Tensor, Tensor]
"""Images ``(N, C, H, W)``, float32 in [-1, 1], and labels ``(N,)``, int64."""

SAMPLES_AT_ONCE = 256
NEVER = torch.iinfo(torch.int64).max


class GenerativeModel(AveragedModule, ABC):
    """A model that one can train on data and, if it has a prior, draw samples from.

    Whatever works through this contract (pictures, metrics, the command line) never asks which model it has.
    Subclasses name their own constructor arguments and hand the rest to their parent.

    Attributes:
        monitor: The logged quantity that tells the best checkpoint, and whether small or large is good;
            None where no such quantity exists, as in an adversarial game.
        progress_metrics: Names of the logged quantities that the progress bar shows.
        shown: Their latest values, as plain numbers: what Lightning's own ``prog_bar=True`` keeps on the device
            is read back at every step.
        logged: The numbers that training has handed to the loggers last, by name.
        logged_step: The step that they are of, counted from 0; -1 before the first.

    Args:
        data_spec: What the model must know of its data; the command line takes it from the data module.
        latent_dim: Number of latent variables.
        compile_backend: With which backend of ``torch.compile`` the networks are compiled for training, usually
            ``inductor`` (which draws numbers of its own for dropout). None: they are not. What is differentiated
            twice must call a network's ``forward``, which is never compiled. Checkpoints are the same either way.
        **kwargs: Arguments of `AveragedModule`.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = None
    progress_metrics: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, data_spec: DataSpec, latent_dim: int = 32, compile_backend: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
        if compile_backend is not None and compile_backend not in (known := torch.compiler.list_backends(())):
            raise ValueError(f"compile_backend is {compile_backend!r}, but torch has {', '.join(known)}")
        self._store_hyperparameters()
        self.data_spec = data_spec
        self.latent_dim = latent_dim
        self.compile_backend = compile_backend
        self._is_compiled = False
        self._means: dict[tuple[int, str], ImageMean] = {}
        self._images_evaluated: dict[int, int] = {}
        self.shown: dict[str, float] = {}
        self.logged: dict[str, float] = {}
        self.logged_step = -1
        self._first_not_finite: dict[str, Tensor] = {}

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of one item of data, ``(C, H, W)`` for images."""
        return tuple(self.data_spec["shape"])

    @property
    def num_classes(self) -> int:
        """Number of classes of the data, 0 if they have no labels."""
        return len(self.data_spec.get("class_names", ()))

    @property
    def condition_dim(self) -> int:
        """Length of the condition that samples depend on, 0 for an unconditional model."""
        return 0

    @property
    def can_sample(self) -> bool:
        """Whether the model has a prior to draw from."""
        return True

    # Sampling

    @abstractmethod
    def prior_sample(self, number: int, noise: Noise | None = None) -> Tensor:
        """Draws latent variables from the prior, ``(number, latent_dim)``.

        Args:
            number: How many.
            noise: Where the randomness comes from; fresh noise if left out.
        """

    @abstractmethod
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Turns latent variables into data.

        Args:
            z: ``(N, latent_dim)``.
            y: Conditions of a conditional model: labels ``(N,)``, int64, or vectors ``(N, condition_dim)``.

        Returns:
            ``(N, *data_shape)``, images in [-1, 1].
        """

    def fresh_noise(self) -> Noise:
        """Noise that nobody has seeded, from torch's global generator."""
        return BatchNoise(self.device, fresh_seed(), Stream.SAMPLING)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The same as `decode`."""
        return self.decode(z, y)

    def sample(
        self, number: int, y: Tensor | None = None, seed: int | None = None, weights: Weights | None = None
    ) -> Tensor:
        """Draws data from the model, in eval mode and without gradient.

        Image i is a function of the weights, the seed and i alone (and of its condition), whatever the number.

        Args:
            number: How many.
            y: Conditions of a conditional model: labels ``(number,)``, int64, or vectors
                ``(number, condition_dim)``. Left out, labels go through all classes in turn.
            seed: Of the noise; drawn from torch's global generator if left out.
            weights: ``raw`` or ``averaged``; left out, the averages if the model keeps them.

        Returns:
            ``(number, *data_shape)``, images in [-1, 1].
        """
        return self._sample(number, y, seed, lambda z, y, noise: self.decode(z, y), weights)

    def sampling_conditions(self, number: int, y: Tensor | None) -> Tensor | None:
        """The conditions under which samples are drawn; an unconditional model takes none.

        Raises:
            ValueError: If the conditions do not fit the model.
        """
        if y is not None:
            raise ValueError(f"{type(self).__name__} is unconditional: it cannot sample under a given y; leave y out")
        return None

    def _sample(
        self,
        number: int,
        y: Tensor | None,
        seed: int | None,
        draw: Callable[[Tensor, Tensor | None, Noise], Tensor],
        weights: Weights | None = None,
    ) -> Tensor:
        conditions = self.sampling_conditions(number, y)
        seed = fresh_seed() if seed is None else seed
        items = [torch.empty(0, *self.data_shape, device=self.device)]
        with evaluating(self, weights):
            for start in range(0, number, SAMPLES_AT_ONCE):
                indices = torch.arange(start, min(start + SAMPLES_AT_ONCE, number))
                noise = ImageNoise(indices, self.device, seed, Stream.SAMPLING)
                chosen = None if conditions is None else conditions[indices.to(conditions.device)]
                items.append(draw(self.prior_sample(len(indices), noise), chosen, noise))
        return torch.cat(items)

    # Training

    def setup(self, stage: str) -> None:
        """Compiles the networks in place, if that is asked for; their averages are copied before."""
        super().setup(stage)
        if self.compile_backend is not None and stage == "fit" and not self._is_compiled:
            for name, network in self.named_children():
                if name != "average":
                    network.compile(backend=self.compile_backend)
            self._is_compiled = True

    @property
    def is_log_step(self) -> bool:
        """Whether this training step's numbers go to the loggers; no other step hands them anything.

        To be asked before the step's optimiser has moved.
        """
        return self.steps_to_log == 0

    @property
    def steps_to_log(self) -> int:
        """How many steps remain until the next whose numbers go to the loggers; 0 if this one's do."""
        interval: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return (-self.trainer.global_step - 1) % interval if interval > 0 else sys.maxsize

    def accumulates(self, batch_idx: int) -> bool:
        """Whether a batch's gradient is only added up, and the step comes with a later batch.

        Args:
            batch_idx: Of the batch within its epoch.
        """
        return (batch_idx + 1) % self.trainer.accumulate_grad_batches != 0 and not self.trainer.is_last_batch

    def training_noise(self) -> Noise:
        """Noise for the current batch, a function of (seed, rank, batch)."""
        return BatchNoise(self.device, run_seed(), Stream.TRAINING, self.global_rank, self._batch)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Re-seeds the global generator, which dropout draws from, as a function of (seed, rank, batch)."""
        torch.manual_seed(counter_seed(run_seed(), Stream.GLOBAL, self.global_rank, self._batch))

    @property
    def _batch(self) -> int:
        # Batches that are done: one that was interrupted, and is repeated after a resume, counts once.
        progress: Any = self.trainer.fit_loop.epoch_loop.batch_progress.total
        return int(progress.processed)

    def log_training(self, values: dict[str, Tensor], step: int) -> None:
        """Hands scalars to the loggers under ``train/``; for log steps.

        Args:
            values: The scalars by name.
            step: Which step they are of, counted from 0.
        """
        self.require_finite()
        named = {f"train/{name}": value for name, value in values.items()}
        # Lightning's own way to the loggers repeats the latest numbers at every batch of an accumulated step.
        self.log_dict(named, logger=False)
        numbers = dict(zip(named, torch.stack([value.float() for value in named.values()]).tolist(), strict=True))
        for logger in self.trainer.loggers:
            logger.log_metrics(numbers | {"epoch": self.trainer.current_epoch}, step)
            logger.save()
        self.logged, self.logged_step = numbers, step
        self._show(numbers)

    def _show(self, values: Mapping[str, Tensor | float]) -> None:
        self.shown |= {name: float(values[name]) for name in self.progress_metrics if name in values}

    def watch(self, name: str, loss: Tensor, step: int) -> None:
        """Notes on the device whether a loss is finite; `require_finite` reads the note.

        Args:
            name: What the loss is reported as, under ``train/``.
            loss: Of this step, a scalar.
            step: Which step this is, counted from 0 as in the loggers.
        """
        never = loss.new_full((), NEVER, dtype=torch.int64)
        found = torch.where(loss.detach().isfinite(), never, step)
        self._first_not_finite[name] = torch.minimum(self._first_not_finite.get(name, never), found)

    def require_finite(self) -> None:
        """Stops the training of a model whose loss has ceased to be a number; to be asked on all devices at once.

        Asked on log steps, at the end of an epoch and before a checkpoint is written, so that none is overwritten
        by a broken one and no other step waits for the device.

        Raises:
            RuntimeError: If a watched loss was not finite, on whichever device.
        """
        if self.trainer.world_size > 1 and self._first_not_finite:
            # All devices stop together: none waits for one that has.
            noted = torch.stack([*self._first_not_finite.values()])
            torch.distributed.all_reduce(noted, torch.distributed.ReduceOp.MIN)
            self._first_not_finite = dict(zip(self._first_not_finite, noted.unbind(), strict=True))
        self.require_finite_here()

    def require_finite_here(self) -> None:
        """The same, as far as this device knows.

        Raises:
            RuntimeError: If a watched loss was not finite.
        """
        steps = {name: int(step) for name, step in self._first_not_finite.items()}
        first = min(steps, key=steps.__getitem__, default=None)
        if first is not None and steps[first] != NEVER:
            kept = getattr(self.trainer.checkpoint_callback, "last_model_path", "")
            raise RuntimeError(
                f"{first} was not finite at step {steps[first]} (epoch {self.trainer.current_epoch}) and training has "
                "stopped; try a lower learning rate, clipped gradients or 32-bit precision. "
                + (f"The last good checkpoint is {kept}" if kept else "There is no checkpoint from before")
            )

    def on_fit_start(self) -> None:
        """Forgets the losses of an earlier run."""
        self._first_not_finite = {}

    def on_train_start(self) -> None:
        """Refuses batches of one image if there is batch norm."""
        loader: Any = self.trainer.train_dataloader
        smallest = getattr(loader, "batch_size", None)
        # A loader of one's own may keep an incomplete last batch, which the run may end before.
        if smallest and not loader.drop_last and self.trainer.num_training_batches == len(loader):
            smallest = len(loader.sampler) % smallest or smallest
        require_batches_for_batch_norm(self, type(self).__name__, smallest or 0)

    def on_train_epoch_end(self) -> None:
        """Stops if a loss has ceased to be a number."""
        self.require_finite()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps weights that are not numbers out of checkpoints."""
        self.require_finite()

    # Evaluation: the means of per-image statistics over a whole split

    @abstractmethod
    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """What is measured of each image in evaluation.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            y: Labels ``(N,)``, int64.
            noise: Where the randomness comes from.

        Returns:
            For each name a tensor ``(N, ...)``.
        """

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The scalars to report, from the means of `statistics` over a batch or a whole split."""
        return means

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Takes in held-out images (loader 0) or training images (loader 1, to measure overfitting)."""
        self._take_in(batch, dataloader_idx)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Takes in test images."""
        self._take_in(batch, 0)

    def on_validation_epoch_start(self) -> None:
        """Forgets what was measured before, and measures the same network on all devices."""
        self._means, self._images_evaluated = {}, {}
        if self.trainer.world_size > 1:
            # Running averages of batch norm are a device's own; checkpoints have those of the first.
            for buffer in self.buffers():
                torch.distributed.broadcast(buffer, 0)

    def on_test_epoch_start(self) -> None:
        """Forgets what was measured before."""
        self._means, self._images_evaluated = {}, {}

    def on_validation_epoch_end(self) -> None:
        """Reports held-out images under ``val/`` and training images under ``val/training/``."""
        self._report("val", 0)
        self._report("val/training", 1)

    def on_test_epoch_end(self) -> None:
        """Reports under ``test/``."""
        self._report("test", 0)

    def _take_in(self, batch: Batch, loader: int) -> None:
        x, y = batch
        seen = self._images_evaluated.get(loader, 0)
        self._images_evaluated[loader] = seen + len(x)
        indices = (seen + torch.arange(len(x))) * self.trainer.world_size + self.global_rank
        noise = ImageNoise(indices, self.device, run_seed(), Stream.EVALUATION)
        with self.using():
            statistics = self.statistics(x, y, noise)
        # Several devices have equally many images each, if need be by repeating the last ones.
        count = int((indices < images_in(self.trainer, loader)).sum())
        for name, repeated in statistics.items():
            values = repeated[:count]
            if (loader, name) not in self._means:
                self._means[loader, name] = ImageMean(tuple(values.shape[1:]), values.device)
            self._means[loader, name].update(values)

    def _report(self, prefix: str, loader: int) -> None:
        means = {name: mean.compute() for (index, name), mean in self._means.items() if index == loader}
        if means:
            summary = {f"{prefix}/{name}": value for name, value in self.summary(means).items()}
            self.log_dict(summary, sync_dist=True)
            self._show(summary)

    # Hyperparameters and checkpoints

    def _store_hyperparameters(self) -> None:
        self.save_hyperparameters()
        if "_instantiator" not in self.hparams:
            plain = {name: as_plain(value) for name, value in self.hparams.items()}
            cls = type(self)
            rebuild = {
                "_class_path": f"{cls.__module__}.{cls.__qualname__}",
                "_instantiator": "lightning.pytorch.cli.instantiate_module",
            }
            self.save_hyperparameters(plain | rebuild)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes a checkpoint's weights where they fit, and this model's settings where they are others.

        Raises:
            ValueError: If the weights do not fit.
        """
        super().on_load_checkpoint(checkpoint)
        stored = checkpoint.get("hyper_parameters", {})
        others = {name: value for name, value in self.hparams.items() if name in stored and stored[name] != value}
        self._require_fitting_weights(checkpoint["state_dict"], others, stored)
        if self.is_fitting and any("optimizer" in name or "scheduler" in name for name in others):
            configs: Any = self.configure_optimizers()
            renew_settings(checkpoint, configs if isinstance(configs, tuple) else (configs,))

    def _require_fitting_weights(self, state: dict[str, Any], others: dict[str, Any], stored: dict[str, Any]) -> None:
        own = {name: tuple(value.shape) for name, value in self.state_dict().items() if isinstance(value, Tensor)}
        there = {name: tuple(value.shape) for name, value in state.items() if isinstance(value, Tensor)}
        if wrong := [name for name in (own | there) if own.get(name) != there.get(name)]:
            name = wrong[0]
            settings = "; ".join(f"{key} was {stored[key]} and is {value}" for key, value in others.items())
            raise ValueError(
                f"the weights of the checkpoint do not fit this {type(self).__name__}: {name} is "
                f"{there.get(name, 'missing')} there and {own.get(name, 'missing')} here"
                + (f" ({settings}); leave out what changes the networks" if settings else "")
            )

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | Path, **kwargs: Any) -> Self:  # type: ignore[override]
        """Loads the model of a checkpoint, whichever subclass of this class it is.

        Args:
            checkpoint_path: The file; a URL works on the model's own class.
            **kwargs: As for Lightning's method of the same name: ``map_location``, ``strict`` and new values of
                hyperparameters.

        Raises:
            ValueError: If the checkpoint's model is not of this class.
        """
        stored = _class_of_checkpoint(checkpoint_path)
        if stored is not None and not issubclass(stored, cls):
            raise ValueError(
                f"{checkpoint_path} holds a {stored.__name__}, not a {cls.__name__}; "
                f"load it with {stored.__name__}.load_from_checkpoint"
            )
        model = super(GenerativeModel, stored or cls).load_from_checkpoint(checkpoint_path, **kwargs)
        model.switch_to_best_weights()
        return model


def _class_of_checkpoint(checkpoint_path: str | Path) -> type[GenerativeModel] | None:
    if not Path(checkpoint_path).is_file():
        return None
    stored = torch.load(checkpoint_path, map_location="cpu", mmap=True, weights_only=True)
    module, _, name = stored.get("hyper_parameters", {}).get("_class_path", "").rpartition(".")
    if module.partition(".")[0] == "genzoo":
        import_module(module)
    # As in Lightning, a class of somebody else's is taken only where it is imported already.
    return getattr(sys.modules.get(module), name, None)


@contextmanager
def evaluating(model: AveragedModule, weights: Weights | None = None) -> Iterator[None]:
    """Eval mode without gradient, with averaged weights where there are any; all is put back afterwards.

    Args:
        model: What is evaluated.
        weights: As for `AveragedModule.using`.
    """
    modes = {part: part.training for part in model.modules()}
    model.eval()
    try:
        with torch.no_grad(), model.using(weights):
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def images_in(trainer: Trainer, loader: int = 0) -> int:
    """How many images the data set has that a trainer is evaluating.

    Args:
        trainer: While it validates, tests or predicts.
        loader: Which of its loaders is meant.
    """
    loaders: Any = next(
        found
        for is_running, found in (
            (trainer.validating or trainer.sanity_checking, trainer.val_dataloaders),
            (trainer.testing, trainer.test_dataloaders),
            (trainer.predicting, trainer.predict_dataloaders),
        )
        if is_running
    )
    return len((loaders[loader] if isinstance(loaders, list) else loaders).dataset)


def fresh_seed() -> int:
    """A seed from torch's global generator."""
    return int(torch.randint(2**62, ()))
