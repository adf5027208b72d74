"""Training by one optimiser (automatic optimisation), with one objective in training and in evaluation."""

from typing import Any

from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import Adam

from genzoo.data.arrays import Batch
from genzoo.training.model import GenerativeModel
from genzoo.training.optimizers import Interval, LRSchedulerCallable, scheduled
from genzoo.training.steps import ends_step


class DescentModel(GenerativeModel):
    """A model that is trained by gradient descent on the entry ``loss`` of its `summary`.

    The same two functions, `statistics` and `summary`, make the objective in training and in evaluation.

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

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss on one batch."""
        x, y = batch
        per_image = self.statistics(x, y, self.training_noise())
        summary = self.summary({name: values.mean(0) for name, values in per_image.items()})
        step = self.trainer.global_step
        self.watch.note("loss", summary["loss"], step)
        # An optimiser may ask for the loss several times a step; the first answer is reported.
        is_reported = self.step_log.latest_step == step
        if self.step_log.steps_until_due == 0 and ends_step(self.trainer, batch_idx) and not is_reported:
            self.log_training({name: value.detach() for name, value in summary.items()}, step)
        return summary["loss"]

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Moves the weights, and their averages after them."""
        super().optimizer_step(*args, **kwargs)
        self.update_average()

    def configure_optimizers(self) -> OptimizerConfig | OptimizerLRSchedulerConfig:
        """One optimiser over all parameters."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return scheduled(self.optimizer(trained), self.scheduler, self.scheduler_interval)
