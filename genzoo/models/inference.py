"""Models with an encoder, trained by one optimiser: what an autoencoder and a VAE have in common."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import Adam

from genzoo.data.arrays import Batch
from genzoo.hyperparameters import as_plain, whole_number
from genzoo.models.base import GenerativeModel, evaluating
from genzoo.noise import Noise
from genzoo.optimizers import Interval, LRSchedulerCallable, scheduled
from genzoo.precision import at_least_float32
from genzoo.sampling.densities import FittedDensity, FittedPrior
from genzoo.steps import ends_step


class InferenceModel(GenerativeModel):
    """A model that can also tell which latent variables belong to given data.

    It is trained by gradient descent on the entry ``loss`` of its `summary`: the same two functions,
    `statistics` and `summary`, make the objective in training and in evaluation.

    A density of its codes, if one is asked for, plays no part in training. It is fitted to the codes of the training
    images whenever the weights have moved and it is needed: for samples, and for every checkpoint.

    Args:
        optimizer: Makes the optimiser from the parameters.
        scheduler: Makes a learning-rate schedule from the optimiser.
        scheduler_interval: When the schedule moves on: at the end of every ``epoch`` or with every ``step``.
        density: What is fitted to the codes of the training images, for samples to be drawn from.
        **kwargs: Arguments of `GenerativeModel`.
    """

    def __init__(
        self,
        optimizer: OptimizerCallable = Adam,
        scheduler: LRSchedulerCallable | None = None,
        scheduler_interval: Interval = "epoch",
        density: FittedPrior | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.scheduler_interval: Interval = scheduler_interval
        self.density: FittedDensity | None = None if density is None else density.build((self.latent_dim,))
        self._step_of_density: int | None = None

    representation_name = "codes"

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """The latent variables of data: ``(N, *data_shape)`` to ``(N, latent_dim)``, without randomness.

        Raises:
            ValueError: If the data do not fit the model.
        """

    def reconstruct(self, x: Tensor) -> Tensor:
        """Data through the bottleneck and back: ``(N, *data_shape)`` to the same shape.

        Raises:
            ValueError: If the data do not fit the model.
        """
        return self.decode(self.encode(x))

    def representation(self, x: Tensor) -> Tensor:
        """Features of data for a linear classifier, the codes: ``(N, *data_shape)`` to ``(N, D)``."""
        return self.encode(x).flatten(1)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss on one batch."""
        x, y = batch
        per_image = self.statistics(x, y, self.training_noise())
        summary = self.summary({name: values.mean(0) for name, values in per_image.items()})
        self.watch("loss", summary["loss"], self.trainer.global_step)
        # An optimiser may ask for the loss several times a step; the first answer is reported.
        is_reported = self.logged_step == self.trainer.global_step
        if self.is_log_step and ends_step(self.trainer, batch_idx) and not is_reported:
            self.log_training({name: value.detach() for name, value in summary.items()}, self.trainer.global_step)
        return summary["loss"]

    def predict_step(self, batch: Batch, batch_idx: int) -> Mapping[str, Tensor]:
        """Encodings, ``(N, latent_dim)``, and reconstructions, ``(N, *data_shape)``, beside the labels."""
        x, y = batch
        with self.using():
            encoding = self.encode(x)
            return {"encoding": encoding, "reconstruction": self.decode(encoding), "label": y}

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Moves the weights, and their averages after them."""
        super().optimizer_step(*args, **kwargs)
        self.update_average()

    def configure_optimizers(self) -> OptimizerConfig | OptimizerLRSchedulerConfig:
        """One optimiser over all parameters."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return scheduled(self.optimizer(trained), self.scheduler, self.scheduler_interval)

    # The density of the codes

    def prior_sample(self, number: int, noise: Noise | None = None) -> Tensor:
        """Draws latent variables from the density of the codes, ``(number, latent_dim)``.

        Raises:
            RuntimeError: If there is no density, or it has not been fitted.
        """
        if self.density is None:
            raise RuntimeError(
                f"this {type(self).__name__} has no prior to draw from: it learns to reconstruct images, not how its "
                "codes are distributed; give it a density (--model.density GaussianMixtureDensity) or train a VAE to "
                "generate"
            )
        self._refresh_density()
        return self.density.sample(whole_number("number", number), noise or self.fresh_noise())

    def fit_density(self, batches: Iterable[Tensor | Batch], density: FittedPrior | None = None) -> None:
        """Fits the density to the codes of given images; training with a data module does so by itself.

        Args:
            batches: Training images ``(N, *data_shape)``, with or without labels: a data loader, or the
                ``training_batches`` of a data module. Those beyond the density's ``max_codes`` are left alone.
            density: What to fit, in place of the density that the model was made with.

        Raises:
            ValueError: If there is nothing to fit, or too little to fit it to, or images do not fit the model.
        """
        if density is not None:
            self.density = density.build((self.latent_dim,)).to(self.device)
            self.hparams["density"] = as_plain(density)
        if self.density is None:
            raise ValueError(f"this {type(self).__name__} was made without a density; give fit_density one to fit")
        codes, number = [torch.empty(0, self.latent_dim)], 0
        with evaluating(self):
            for batch in batches:
                x = batch if isinstance(batch, Tensor) else batch[0]
                self.require_data(x)
                wanted = x[: self.density.max_codes - number]
                encoded = self.together(partial(self.encode, wanted.to(self.device)))
                codes.append(at_least_float32(encoded).cpu())
                number += len(codes[-1])
                if number == self.density.max_codes:
                    break
            self.density.fit(torch.cat(codes))
        self._step_of_density = None if self._trainer is None else self.trainer.global_step

    def on_fit_start(self) -> None:
        """Refuses to train what could not be fitted a density afterwards."""
        super().on_fit_start()
        self._step_of_density = None
        if self.density is None:
            return
        data = self._data
        if not hasattr(data, "training_batches"):
            raise ValueError(
                "a density is fitted to the training images of a data module: train with "
                "trainer.fit(model, datamodule=...), or without a density and call model.fit_density(batches, density)"
            )
        self.density.require_fittable(len(data.parts["train"]))

    def on_train_end(self) -> None:
        """Leaves the density that belongs to the last weights."""
        self._refresh_density()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Puts the density that belongs to the weights of a checkpoint beside them."""
        super().on_save_checkpoint(checkpoint)
        if self.density is not None and (self.trainer.is_global_zero or self.is_divided):
            self._refresh_density()
            checkpoint["state_dict"].update(self.density.state_dict(prefix="density."))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the weights of a model that had no density, or another one; this one is then yet to be fitted."""
        state = checkpoint.get("state_dict", {})
        own = {} if self.density is None else self.density.state_dict(prefix="density.")
        stored = {name: value for name, value in state.items() if name.startswith("density.")}
        if {name: value.shape for name, value in stored.items()} != {name: value.shape for name, value in own.items()}:
            for name in stored:
                del state[name]
            state.update(own)
        super().on_load_checkpoint(checkpoint)

    @property
    def _data(self) -> Any:
        return self.trainer.datamodule  # type: ignore[attr-defined]

    def _refresh_density(self) -> None:
        """Fits the density anew if training has moved the weights since."""
        if self.density is None or not self.is_fitting:
            return
        if self._step_of_density != self.trainer.global_step:
            # Of whole weights the first device alone asks for samples.
            if self.is_divided:
                self.require_finite()
            else:
                self.require_finite_here()
            self.fit_density(self._data.training_batches(self.density.max_codes))
