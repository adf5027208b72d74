"""Bad input, answered by one sentence: what was wrong, what was expected, what to do."""

import sys
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any, NoReturn

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.loggers import Logger
from torch.multiprocessing.spawn import ProcessException

from genzoo.cli.logger_places import places_left_out
from genzoo.cli.refusals import DEBUG, DELIBERATE, is_deliberate, is_reason, packages_of, refuse, say
from genzoo.cli.sentences import sentence
from genzoo.data.loading import worker_error
from genzoo.files import REMEDIES, system_refusal
from genzoo.training.checkpoint_io import happened_while_restoring

# Errors of the system that a wrong name on the command line causes; a full disk, for one, is no misuse.
MISNAMED = (FileExistsError, FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Parser(LightningArgumentParser):
    """The parser of the command line, which says what is wrong in one sentence and exits with code 2."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Ends the program, or raises where the caller asked for that."""
        if not self.exit_on_error:
            super().error(message, ex)
        refuse(sentence(message, self._options()))

    def add_class_arguments(self, class_type: type, *positional: Any, **settings: Any) -> list[str]:
        """Adds what a class takes; a logger need not be told of a folder, for a run has one."""
        if isinstance(class_type, type) and issubclass(class_type, Logger):
            settings["default"] = places_left_out(class_type) | dict(settings.get("default") or {})
        added: list[str] = super().add_class_arguments(class_type, *positional, **settings)
        return added

    def _options(self) -> list[str]:
        """All options of this parser and of its verbs."""
        verbs = [
            verb for action in self._actions if isinstance(action.choices, dict) for verb in action.choices.values()
        ]
        return [option for parser in (self, *verbs) for action in parser._actions for option in action.option_strings]


def answer(error: Exception, has_begun: bool) -> int:
    """Says in a sentence why a command ends; to be called where the error is met.

    Misuse ends the program with code 2: what is found wrong with the settings before training or measuring has begun,
    and what Lightning calls a misconfiguration at any time.

    Args:
        error: What has ended the command.
        has_begun: Whether it had begun to train or to measure.

    Returns:
        The exit code of a failure, 1.

    Raises:
        Exception: The error itself, if it is a fault in the code of ours or the user's and no sentence will do.
    """
    has_begun = has_begun and not isinstance(error, MisconfigurationException)
    reason = failure(error) or (None if has_begun else refusal(error))
    if reason is None:
        raise error
    is_of_system = isinstance(error, OSError) and not isinstance(error, MISNAMED)
    is_of_others = isinstance(error, ProcessException) or worker_error(error) is not None
    if not (has_begun or is_of_system or is_of_others):
        refuse(reason)
    say(reason)
    return 1


def failure(error: Exception) -> str | None:
    """What an error says at any time: of the system, of other processes, or on purpose; None if it is another."""
    if failed := worker_error(error):
        return str(failed)
    if isinstance(error, ProcessException):
        # The text of what was raised there, with its traceback, is all that ddp_spawn passes on.
        return sentence(str(error))
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return system_refusal(error)
    return str(error) if is_deliberate(error) else None


def refusal(error: Exception) -> str | None:
    """What an error says of the settings where nothing has begun yet; None if it is a fault in our code or the user's.

    Whatever the system or a library raises is taken for its refusal of a setting. In our code and the user's, a
    ``raise`` of one of the `DELIBERATE` is a refusal, and every other error a fault.
    """
    if is_deliberate(error):
        return str(error)
    if happened_while_restoring(error):
        first_line = str(error).partition("\n")[0]
        return (
            f"the checkpoint does not fit what it shall be restored to, or is damaged ({type(error).__name__}: "
            f"{first_line}); leave out what changes optimisers and callbacks, or give another checkpoint"
        )
    cause: BaseException = error
    # jsonargparse tells of what was raised inside a class by an error of its own.
    while cause.__cause__ is not None and packages_of(cause)[-1:] == ["jsonargparse"]:
        cause = cause.__cause__
    raiser = next((package for package in reversed(packages_of(cause)) if package not in sys.stdlib_module_names), None)
    if not (isinstance(cause, OSError) or is_reason(cause) or raiser in _installed()):
        return None
    if isinstance(error, (*DELIBERATE, MisconfigurationException)) and str(error).strip():
        return sentence(str(error))
    return f"{type(error).__name__}: {error} ({DEBUG}=1 shows where)"


@cache
def _installed() -> frozenset[str]:
    """The packages that are installed, without genzoo."""
    # Kept, since it reads the metadata of every one of them.
    return frozenset(packages_distributions()) - {"genzoo"}
