"""The progress bar, with the numbers that matter, on one line."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import CustomBarColumn
from rich.progress import MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from genzoo.training.model import GenerativeModel


class ProgressBar(RichProgressBar):
    """Rich's bar with the model's own choice of numbers, each under a few letters: see :func:`short_name`.

    All stands on one line: where a terminal has too few columns, the bar itself gives way first.

    Args:
        kwargs: Settings of Lightning's bar, ``RichProgressBar``.

    Attributes:
        numbers: What is shown beside the bar of an epoch, by the names under which it is logged.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbers: dict[str, object] = {}

    def configure_columns(self, trainer: Trainer) -> list[ProgressColumn]:
        """What a line consists of; batches a second are left out, since images a second are logged."""
        theme = self.theme
        return [
            TextColumn("[progress.description]{task.description}", table_column=_one_line()),
            CustomBarColumn(
                complete_style=theme.progress_bar,
                finished_style=theme.progress_bar_finished,
                pulse_style=theme.progress_bar_pulse,
            ),
            MofNCompleteColumn(table_column=_one_line()),
            TimeRemainingColumn(compact=True, table_column=_one_line()),
            _Numbers(self),
        ]

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Nothing: Lightning's own column breaks into several lines, so that the numbers have one of their own."""
        assert isinstance(pl_module, GenerativeModel)
        found = super().get_metrics(trainer, pl_module) | pl_module.step_log.shown
        first = (name for name in pl_module.progress_metrics if name in found)
        self.numbers = {name: found[name] for name in dict.fromkeys((*first, *found))}
        # The number of a logger's version, where ours write into a folder with a name.
        self.numbers.pop("v_num", None)
        return {}


def short_name(name: str) -> str:
    """The name of a quantity in a few letters: ``train/discriminator_loss`` is ``D``, ``val/elbo`` is ``val elbo``."""
    name = name.removeprefix("train/").removesuffix("_loss").replace("/", " ").replace("_", " ")
    # A discriminator whose outputs are no probabilities is called a critic.
    return name.replace("discriminator", "D").replace("critic", "D").replace("generator", "G")


def _one_line() -> Column:
    return Column(no_wrap=True, overflow="ellipsis")


class _Numbers(ProgressColumn):
    """The numbers of a bar, beside the line of the epoch alone."""

    def __init__(self, bar: ProgressBar) -> None:
        super().__init__(_one_line())
        self.bar = bar

    def render(self, task: Task) -> Text:
        """As text, with three digits, or four where the whole part alone has three."""
        if task.id != self.bar.train_progress_bar_id:
            return Text()
        words = (f"{short_name(name)} {_in_words(value)}" for name, value in self.bar.numbers.items())
        return Text(" ".join(words), style=self.bar.theme.metrics)


def _in_words(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:.4g}" if abs(value) >= 100 else f"{value:.3g}"
