"""Models with an encoder, trained by one optimiser: what an autoencoder and a VAE have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import Adam

from genzoo.models.base import Batch, GenerativeModel
from genzoo.optimizers import Interval, scheduled


class InferenceModel(GenerativeModel):
    """A model that can also tell which latent variables belong to given data.

    It is trained by gradient descent on the entry ``loss`` of its `summary`: the same two functions,
    `statistics` and `summary`, make the objective in training and in evaluation.

    Args:
        optimizer: Makes the optimiser from the parameters.
        scheduler: Makes a learning-rate schedule from the optimiser.
        scheduler_interval: When the schedule moves on: at the end of every ``epoch`` or with every ``step``.
        **kwargs: Arguments of `GenerativeModel`.
    """

    def __init__(
        self,
        optimizer: OptimizerCallable = Adam,
        scheduler: LRSchedulerCallable | None = None,
        scheduler_interval: Interval = "epoch",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.scheduler_interval: Interval = scheduler_interval

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """The latent variables of data: ``(N, *data_shape)`` to ``(N, latent_dim)``, without randomness."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Data through the bottleneck and back: ``(N, *data_shape)`` to the same shape."""
        return self.decode(self.encode(x))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss on one batch."""
        x, y = batch
        per_image = self.statistics(x, y, self.training_noise())
        summary = self.summary({name: values.mean(0) for name, values in per_image.items()})
        self.watch("loss", summary["loss"], self.trainer.global_step)
        if self.is_log_step and not self.accumulates(batch_idx):
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
