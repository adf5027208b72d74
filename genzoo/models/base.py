"""The one contract that every model fulfils; the only class that the rest of the package knows."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from lightning.pytorch import Trainer
from torch import Tensor
from typing_extensions import Self

from genzoo.hyperparameters import as_plain, whole_number
from genzoo.models.averaging import Weights
from genzoo.models.evaluated import EvaluatedModule, evaluating, images_in
from genzoo.models.feasible import (
    require_feasible_callbacks,
    require_feasible_division,
    require_feasible_precision,
    require_known_metrics,
)
from genzoo.models.stored import StoredModule
from genzoo.models.watched import WatchedModule
from genzoo.networks.batch_norm import require_batches_for_batch_norm
from genzoo.noise import BatchNoise, ImageNoise, Noise, Stream, counter_seed, run_seed
from genzoo.optimizers import tried
from genzoo.sampling.checks import require_floats
from genzoo.sampling.given import Given
from genzoo.spec import DataSpec, is_image

__all__ = ["GenerativeModel", "evaluating", "images_in"]

SAMPLES_AT_ONCE = 256


class GenerativeModel(EvaluatedModule, StoredModule, WatchedModule, ABC):
    """A model that one can train on data and, if it has a prior, draw samples from.

    Whatever works through this contract (pictures, metrics, the command line) never asks which model it has.
    Subclasses name their own constructor arguments and hand the rest to their parent.

    Attributes:
        monitor: The logged quantity that tells the best checkpoint, and whether small or large is good;
            None where no such quantity exists, as in an adversarial game.
        logged: The numbers that training has handed to the loggers last, by name.
        logged_step: The step that they are of, counted from 0; -1 before the first.

    Args:
        data_spec: What the model must know of its data; the command line takes it from the data module.
        latent_dim: Number of latent variables.
        compile_backend: With which backend of ``torch.compile`` the networks are compiled for training, usually
            ``inductor`` (which draws numbers of its own for dropout). None: they are not. What is differentiated
            twice must call a network's ``forward``, which is never compiled. Checkpoints are the same either way.
        **kwargs: Arguments of `AveragedModule`: ``average_decay``.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = None

    def __init__(
        self, data_spec: DataSpec, latent_dim: int = 32, compile_backend: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if compile_backend is not None and compile_backend not in (known := torch.compiler.list_backends(())):
            raise ValueError(f"compile_backend is {compile_backend!r}, but torch has {', '.join(known)}")
        self.store_hyperparameters()
        self.data_spec: DataSpec = as_plain(data_spec)
        self.latent_dim = whole_number("latent_dim", latent_dim, 1)
        self.compile_backend = compile_backend
        self._is_compiled = False
        self.logged: dict[str, float] = {}
        self.logged_step = -1

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
    def decode(self, z: Tensor, y: Given | None = None) -> Tensor:
        """Turns latent variables into data.

        Args:
            z: ``(N, latent_dim)``.
            y: Conditions of a conditional model, as `sample` takes them.

        Returns:
            ``(N, *data_shape)``, images in [-1, 1].

        Raises:
            ValueError: If latent variables or conditions do not fit the model.
        """

    def require_data(self, x: Tensor) -> None:
        """Raises a `ValueError` unless x are items as the model sees them, floats ``(N, *data_shape)``."""
        remedy = "give items as the data module does"
        if is_image(self.data_shape):
            remedy = "bring images there with genzoo.spec.to_size, and bytes to [-1, 1] with genzoo.spec.to_float"
        require_floats(x, self.data_shape, f"this {type(self).__name__}", remedy)

    def require_latents(self, z: Tensor) -> None:
        """Raises a `ValueError` unless z are latent variables of the model, floats ``(N, latent_dim)``."""
        require_floats(z, (self.latent_dim,), f"the decoder of this {type(self).__name__}", "see prior_sample")

    def in_own_type(self, values: Tensor) -> Tensor:
        """Data, latent variables or conditions as the networks take them: in the type of the weights.

        Noise is float32, and so are images: a model of another type hands nothing to its networks but through this.
        """
        return values.to(self.dtype)

    def bfloat16(self) -> Self:
        """As ``half()`` and ``double()``: Lightning's modules note their type there, but not where torch has this."""
        return self.to(torch.bfloat16)

    def fresh_noise(self) -> Noise:
        """Noise that nobody has seeded, from torch's global generator."""
        return BatchNoise(self.device, fresh_seed(), Stream.SAMPLING)

    def forward(self, z: Tensor, y: Given | None = None) -> Tensor:
        """The same as `decode`."""
        return self.decode(z, y)

    def sample(
        self, number: int, y: Given | None = None, seed: int | None = None, weights: Weights | None = None
    ) -> Tensor:
        """Draws data from the model, in eval mode and without gradient.

        Image i is a function of the weights, the seed and i alone (and of its condition), whatever the number.

        Args:
            number: How many.
            y: Conditions of a conditional model: a class for all, by its number or its name, or one for each,
                ``(number,)``; or one vector for all, ``(condition_dim,)``, or one for each. Tensors, arrays or lists.
                Left out, labels go through all classes in turn.
            seed: Of the noise; drawn from torch's global generator if left out.
            weights: ``raw`` or ``averaged``; left out, the averages if the model keeps them.

        Returns:
            ``(number, *data_shape)``, images in [-1, 1], in the type of the weights.

        Raises:
            ValueError: If an argument does not fit the model.
        """
        return self._sample(number, y, seed, lambda z, y, noise: self.decode(z, y), weights)

    def sampling_conditions(self, number: int, y: Given | None) -> Tensor | None:
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
        y: Given | None,
        seed: int | None,
        draw: Callable[[Tensor, Tensor | None, Noise], Tensor],
        weights: Weights | None = None,
    ) -> Tensor:
        number = whole_number("number", number)
        conditions = self.sampling_conditions(number, y)
        seed = fresh_seed() if seed is None else whole_number("seed", seed)

        def draw_some(start: int) -> Tensor:
            indices = torch.arange(start, min(start + SAMPLES_AT_ONCE, number))
            noise = ImageNoise(indices, self.device, seed, Stream.SAMPLING)
            chosen = None if conditions is None else conditions[indices.to(conditions.device)]
            return self.in_own_type(draw(self.prior_sample(len(indices), noise), chosen, noise))

        with evaluating(self, weights):
            none = self.in_own_type(torch.empty(0, *self.data_shape, device=self.device))
            starts = range(0, number, SAMPLES_AT_ONCE)
            return torch.cat([none, *(self.together(partial(draw_some, start)) for start in starts)])

    # Training

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers, found by measuring two blank items.

        A model that logs more by itself adds to them; what is watched must be among them.
        """
        noise = BatchNoise(self.device, 0)
        x = torch.zeros(2, *self.data_shape, device=self.device)
        with evaluating(self, "raw"):
            measured = self.statistics(x, self.blank_labels(2), noise)
            names = self.summary({name: values.mean(0) for name, values in measured.items()})
        return {f"{part}/{name}" for part in ("train", "val", "val/training") for name in names}

    def blank_labels(self, number: int) -> Tensor:
        """Labels such as the data have, ``(number,)`` or ``(number, condition_dim)``, all zero."""
        return torch.zeros(number, dtype=torch.int64, device=self.device)

    def require_trainable(self, trainer: Trainer) -> None:
        """Refuses a trainer that could not train this model to the end.

        Raises:
            ValueError: If optimisers, schedules, callbacks, metrics that are watched, or the precision do not do.
        """
        name, callbacks = type(self).__name__, trainer.callbacks  # type: ignore[attr-defined]
        by_hand = not self.automatic_optimization
        require_feasible_division(name, trainer, self.average_decay, by_hand)
        require_feasible_precision(trainer.precision, self.average_decay)
        require_feasible_callbacks(name, callbacks, by_hand)
        if next(self.parameters(), None) is not None:
            schedules = tried(self.configure_optimizers, name, by_hand, trainer.max_epochs)
            require_known_metrics(self, callbacks, schedules, self.reports)

    def setup(self, stage: str) -> None:
        """Forgets an earlier fit, and compiles the networks in place if asked for; their averages are copied before.

        Raises:
            ValueError: If the trainer could not train this model to the end.
        """
        super().setup(stage)
        if stage == "fit":
            self.require_trainable(self.trainer)
            self.shown, self.logged, self.logged_step = {}, {}, -1
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
        self.show(numbers)

    def on_train_start(self) -> None:
        """Refuses batches of one image if there is batch norm."""
        loader: Any = self.trainer.train_dataloader
        smallest = getattr(loader, "batch_size", None)
        # A loader of one's own may keep an incomplete last batch, which the run may end before.
        if smallest and not loader.drop_last and self.trainer.num_training_batches == len(loader):
            smallest = len(loader.sampler) % smallest or smallest
        require_batches_for_batch_norm(self, type(self).__name__, smallest or 0)


def fresh_seed() -> int:
    """A seed from torch's global generator."""
    return int(torch.randint(2**62, ()))
