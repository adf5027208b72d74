"""Which warnings and messages of libraries reach the user, and how those of genzoo look."""

import logging
import warnings
from pathlib import Path

import genzoo

PACKAGE = Path(genzoo.__file__).parent
FORMAT_OF_LIBRARIES = warnings.formatwarning


def keep_quiet() -> None:
    """Keeps advertisements and warnings that a user can do nothing about out of the way."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    # The order of our loaders is a function of the seed and the epoch: they resume anywhere.
    warnings.filterwarnings("ignore", message=".*not resumable.*")
    # A run that goes on writes where it wrote, and one that measures another writes elsewhere.
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
    warnings.filterwarnings("ignore", message=".*The dirpath has changed.*")
    warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
    # Games move their schedules themselves, and look at the metric then.
    warnings.filterwarnings("ignore", message=".*lr scheduler dict contains the key.*monitor.*")
    warnings.formatwarning = warning_text
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.trainer.connectors.callback_connector"):
        logging.getLogger(name).addFilter(_is_news)


def warning_text(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A warning as it is written; of ours, it does not help to know which line of the code gave it."""
    if Path(filename).is_relative_to(PACKAGE):
        return f"genzoo: {message}\n"
    return FORMAT_OF_LIBRARIES(message, category, filename, lineno, line)


def _is_news(record: logging.LogRecord) -> bool:
    message = record.getMessage().lower()
    return not any(text in message for text in ("litlogger", "litmodels", "already configured with model summary"))
