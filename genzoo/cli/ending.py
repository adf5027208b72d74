"""How a command ends before it is done: it was asked to stop, or the reader of its output has gone."""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal has asked the program to stop.

    It is no `Exception`, which imports and libraries handle, and no `KeyboardInterrupt`, which Lightning answers with
    words and an exit code of its own.

    Args:
        signal_number: Of the signal.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number = signal_number


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it, Ctrl-C and SIGTERM raise `Stopped` wherever the program is; another one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        # A second signal then ends the program at once, even where it hangs in what handles the first.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # Processes that load data have inherited this, and end in their own way.
        if os.getpid() != process:
            signal.default_int_handler(number, frame)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def silence_closed_outputs() -> bool:
    """Redirects outputs whose reader has gone to the null device, so that Python can flush them when it ends.

    Returns:
        Whether the reader of the standard output or error stream has gone.
    """
    closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed(stream)]
    for stream in closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return bool(closed)


def _is_closed(stream: TextIO) -> bool:
    """Whether a stream is a pipe whose reader has gone."""
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    # Linux calls it an error, macOS a hang-up.
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
