"""How a command says why it ends, without anything heavy: what verbs need that only load what was trained."""

import dis
import errno
import os
import re
import sys
import traceback
from typing import NoReturn

from genzoo.files import REMEDIES, system_error, system_refusal

DEBUG = "GENZOO_DEBUG"
# What a wrong name on the command line causes too, where a full disk, for one, is no misuse.
MISUSE = (errno.EACCES, errno.EPERM, errno.EROFS)
DELIBERATE = (ValueError, OSError, RuntimeError, ImportError)


def refuse(reason: str) -> NoReturn:
    """Ends the program for misuse, with code 2."""
    say(reason)
    sys.exit(2)


def say(reason: str) -> None:
    """Writes why a command ends; with ``GENZOO_DEBUG=1`` below the traceback of the error that is being met."""
    if os.environ.get(DEBUG, "0") not in ("", "0") and sys.exc_info()[0] is not None:
        traceback.print_exc()
    sys.stderr.write(f"genzoo: {reason}\n")


def answer_plainly(error: Exception) -> int:
    """Says in a sentence why a command ends that trains nothing; to be called where the error is met.

    Args:
        error: What has ended the command. One that genzoo has raised on purpose is misuse, and ends the program with
            code 2.

    Returns:
        The exit code of a failure of the system, such as a full disk, used up memory or an absent network: 1.

    Raises:
        Exception: The error itself, if it is a fault in the code and no sentence will do.
    """
    refused = system_error(error)
    if refused is not None and refused.errno in REMEDIES and refused.errno not in MISUSE:
        say(str(error) if is_deliberate(error) else system_refusal(refused))
        return 1
    if is_deliberate(error) and isinstance(error, ConnectionError):
        say(str(error))
        return 1
    if is_deliberate(error):
        refuse(str(error))
    if is_of_memory(error):
        say("there is not enough memory for so much at once; ask for less, or free some")
        return 1
    if isinstance(error, OSError) and error.errno is not None:
        refuse(system_refusal(error))
    raise error


def is_deliberate(error: BaseException) -> bool:
    """Whether an error was raised by genzoo itself, for the user to read, and not by something that broke."""
    return is_reason(error) and packages_of(error)[-1] == "genzoo"


def is_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was used up, which torch and NumPy raise in types and words of their own."""
    return isinstance(error, MemoryError) or bool(
        isinstance(error, RuntimeError) and re.search(r"(can't|cannot) allocate memory|out of memory", str(error))
    )


def is_reason(error: BaseException) -> bool:
    """Whether an error gives a reason and was raised by a statement, not by an operation that failed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not isinstance(error, DELIBERATE):
        return False
    # The type does not tell: a ValueError may be the refusal of a value or the failure of int(). The instruction that
    # the innermost frame stopped at does.
    operation = dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]]
    return operation == "RAISE_VARARGS" and packages_of(error)[-1] not in sys.stdlib_module_names


def packages_of(error: BaseException) -> list[str]:
    """The packages of the functions that an error went through, the one that it was raised in last."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [frame.f_globals.get("__name__", "").partition(".")[0] for frame in frames]
