"""The progress bar, with the numbers that matter."""

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar

from genzoo.training.model import GenerativeModel


class ProgressBar(RichProgressBar):
    """Rich's bar with the model's own choice of numbers under short names: ``train/elbo`` is shown as ``elbo``."""

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """The numbers to show."""
        metrics = super().get_metrics(trainer, pl_module)
        # The number of a logger's version, where ours write into a folder with a name.
        metrics.pop("v_num", None)
        assert isinstance(pl_module, GenerativeModel)
        shown = pl_module.step_log.shown
        return metrics | {
            name.removeprefix("train/").replace("/", " ").replace("_", " "): shown[name] for name in shown
        }
