"""Models with an encoder, however they are trained: encodings, reconstructions, and a density fitted to the codes."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from genzoo.data.arrays import Batch
from genzoo.precision import at_least_float32
from genzoo.sampling.autoencoders import EncodingSampler
from genzoo.sampling.densities import FittedPrior
from genzoo.sampling.given import Given
from genzoo.sampling.images import Samples
from genzoo.sampling.stored import RAW
from genzoo.training.model import GenerativeModel, evaluating

# How the names of a density's values begin in a checkpoint.
DENSITY = f"{RAW}density."


class InferenceModel(GenerativeModel):
    """A model that can also tell which latent variables belong to given data.

    A density of its codes, if one is asked for, plays no part in training. It is fitted to the codes of the training
    images whenever the weights have moved and it is needed: for samples, and for every checkpoint.

    Args:
        density: What is fitted to the codes of the training images, for samples to be drawn from.
        **kwargs: Arguments of `GenerativeModel`.
    """

    sampler: EncodingSampler
    acting: EncodingSampler
    representation_name = "codes"

    def __init__(self, density: FittedPrior | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.density = density
        self._step_of_density: int | None = None

    def encode(self, x: Tensor, y: Given | None = None) -> Tensor:
        """The latent variables of data, as `EncodingSampler.encode` gives them."""
        return self.acting.encode(x, y)

    def reconstruct(self, x: Tensor, y: Given | None = None) -> Tensor:
        """Data through the bottleneck and back, as by `EncodingSampler.reconstruct`."""
        return self.acting.reconstruct(x, y)

    def representation(self, x: Tensor) -> Tensor:
        """The latent variables of data as features: ``(N, *data_shape)`` to ``(N, D)``."""
        return self.encode(x).flatten(1)

    def predict_step(self, batch: Batch, batch_idx: int) -> Mapping[str, Tensor]:
        """Encodings, ``(N, *latent_shape)``, and reconstructions, ``(N, *data_shape)``, beside the labels."""
        x, y = batch
        with self.using():
            encoding = self.encode(x, y)
            reconstruction = self.acting.generate(encoding, self.acting.condition_of(x, y))
            return {"encoding": encoding, "reconstruction": reconstruction, "label": y}

    def prior_sample(self, number: int, noise: Any = None) -> Tensor:
        """Draws latent variables, of a density that belongs to the weights of this moment."""
        self._refresh_density()
        return super().prior_sample(number, noise)

    def sample(self, *args: Any, **kwargs: Any) -> Samples:
        """Draws data, by a density that belongs to the weights of this moment."""
        self._refresh_density()
        return super().sample(*args, **kwargs)

    # The density of the codes

    def fit_density(self, batches: Iterable[Tensor | Batch], density: FittedPrior | None = None) -> None:
        """Fits the density to the codes of given images; training with a data module does so by itself.

        Args:
            batches: Training images ``(N, *data_shape)``, with or without labels, which a conditional model needs: a
                data loader, or the ``training_batches`` of a data module. Those beyond the density's ``max_codes`` are
                left alone.
            density: What to fit, in place of the density that the model was made with.

        Raises:
            ValueError: If there is nothing to fit, or too little to fit it to, or images do not fit the model.
        """
        if density is not None:
            self.sampler.replace_density(density)
            self.hparams["density"] = self.sampler.plain_arguments["density"]
        fitted = self.sampler.density
        if fitted is None:
            raise ValueError(f"this {type(self).__name__} was made without a density; give fit_density one to fit")
        codes, number = [torch.empty(0, *self.latent_shape)], 0
        with evaluating(self):
            for batch in batches:
                x, *labels = [batch] if isinstance(batch, Tensor) else batch
                self.sampler.require_data(x)
                wanted = slice(fitted.max_codes - number)
                y = labels[0][wanted] if labels else None
                encoded = self.together(partial(self.encode, x[wanted].to(self.device), y))
                codes.append(at_least_float32(encoded).cpu())
                number += len(codes[-1])
                if number == fitted.max_codes:
                    break
            fitted.fit(torch.cat(codes))
        self._step_of_density = None if self._trainer is None else self.trainer.global_step

    def on_fit_start(self) -> None:
        """Refuses a training after which no density could be fitted."""
        super().on_fit_start()
        self._step_of_density = None
        if self.sampler.density is None:
            return
        if not hasattr(self._data, "training_batches"):
            raise ValueError(
                "a density is fitted to the training images of a data module: train with "
                "trainer.fit(model, datamodule=...), or without a density and call model.fit_density(batches, density)"
            )
        self.sampler.density.require_fittable(len(self._data.parts["train"]))

    def on_train_end(self) -> None:
        """Leaves the density that belongs to the last weights."""
        self._refresh_density()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Puts the density that belongs to the weights of a checkpoint beside them."""
        super().on_save_checkpoint(checkpoint)
        if self.sampler.density is not None and (self.trainer.is_global_zero or self.is_divided):
            self._refresh_density()
            checkpoint["state_dict"].update(self.sampler.density.state_dict(prefix=DENSITY))

    def fit_state(self, state: dict[str, Any]) -> None:
        """Takes the weights of a model that had no density, or another one; this one is then yet to be fitted."""
        super().fit_state(state)
        density = self.sampler.density
        own = {} if density is None else density.state_dict(prefix=DENSITY)
        stored = {name: value for name, value in state.items() if name.startswith(DENSITY)}
        if {name: value.shape for name, value in stored.items()} != {name: value.shape for name, value in own.items()}:
            for name in stored:
                del state[name]
            state.update(own)

    @property
    def _data(self) -> Any:
        return self.trainer.datamodule  # type: ignore[attr-defined]

    def _refresh_density(self) -> None:
        """Fits the density anew if training has moved the weights since."""
        if self.sampler.density is None or not self.is_fitting or self._step_of_density == self.trainer.global_step:
            return
        # Of whole weights the first device alone asks for samples.
        if self.is_divided:
            self.watch.require_finite()
        else:
            self.watch.require_finite_here()
        self.fit_density(self._data.training_batches(self.sampler.density.max_codes))
