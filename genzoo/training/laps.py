"""Who takes how much of the time of a step, without making the host wait for the device."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Laps:
    """Adds up the time that parts of a step take, by name.

    A GPU works after the host has handed it its tasks: there events are put between the tasks, and read when the
    numbers are asked for.

    Example:
        >>> import torch, time
        >>> from genzoo.training import Laps
        >>> laps = Laps()
        >>> with laps.of("discriminator", torch.device("cpu")):
        ...     time.sleep(0.01)
        >>> 0.01 < laps.collect()["discriminator"] < 1.0
        True
        >>> laps.collect()
        {}
    """

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def of(self, name: str, device: torch.device) -> Iterator[None]:
        """Counts the time of what happens inside.

        Args:
            name: Of the part.
            device: On which it is computed.
        """
        if device.type != "cuda":
            start = time.perf_counter()
            yield
            self._seconds[name] += time.perf_counter() - start
            return
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        yield
        last.record()
        self._events.append((name, first, last))

    def collect(self) -> dict[str, float]:
        """The seconds of each part since the last call; waits for the device, as a log step does anyway."""
        for name, first, last in self._events:
            last.synchronize()
            self._seconds[name] += first.elapsed_time(last) / 1000
        seconds, self._seconds, self._events = dict(self._seconds), defaultdict(float), []
        return seconds
