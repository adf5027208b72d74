"""Training by one optimiser (automatic optimisation), with one objective in training and in evaluation."""

from typing import Any

from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerConfig, OptimizerLRSchedulerConfig
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Adam

from genzoo.data.arrays import Batch
from genzoo.training.model import GenerativeModel
from genzoo.training.optimizers import Interval, LRSchedulerCallable, learning_rate, scheduled
from genzoo.training.steps import ends_step
from genzoo.training.update_size import UpdateSize, names_of


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
        self._measured: dict[str, Tensor] = {}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss on one batch."""
        x, y = batch
        per_image = self.statistics(x, y, self.training_noise())
        summary = self.summary({name: values.mean(0) for name, values in per_image.items()})
        step = self.trainer.global_step
        self.watch.note("loss", summary["loss"], step)
        if self.step_log.steps_until_due == 0 and ends_step(self.trainer, batch_idx):
            # Before the weights follow it.
            self.watch.require_finite()
        # An optimiser may ask for the loss several times a step; the first answer is reported.
        self._measured = self._measured or {name: value.detach() for name, value in summary.items()}
        return summary["loss"]

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, *args: Any, **kwargs: Any) -> None:
        """Moves the weights, and their averages after them; the loss is computed in between."""
        step, is_log_step = self.trainer.global_step, self.step_log.steps_until_due == 0
        # Of several batches of one step the last is reported.
        self._measured = {}
        size = UpdateSize(self._moved() if is_log_step else {})
        super().optimizer_step(epoch, batch_idx, optimizer, *args, **kwargs)
        if is_log_step:
            rate = {"learning_rate": learning_rate(optimizer, self.device)}
            self.log_training(self._measured | rate | size.measured(), step)
        self.update_average()

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers."""
        of_networks = (name for network in self._moved() for name in names_of(network))
        return super().reports() | {f"train/{name}" for name in ("learning_rate", *of_networks)}

    def _moved(self) -> dict[str, list[Parameter]]:
        """The parameters of each network that is trained; none where no device has all of them."""
        parts = {} if self.is_divided else dict((*self.sampler.named_children(), *self.named_children()))
        trained = {name: [p for p in part.parameters() if p.requires_grad] for name, part in parts.items()}
        return {name: found for name, found in trained.items() if found and name not in ("sampler", "average")}

    def configure_optimizers(self) -> OptimizerConfig | OptimizerLRSchedulerConfig:
        """One optimiser over all parameters."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return scheduled(self.optimizer(trained), self.scheduler, self.scheduler_interval)
