"""Time by parts, of the host and of a device that works behind it."""

import time

import pytest
import torch

from genzoo.training.laps import Laps


def test_times_of_one_name_are_added_and_collected_once(monkeypatch):
    clock = iter([10.0, 11.5, 20.0, 20.25, 30.0, 34.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    laps = Laps()
    for name in ("discriminator", "discriminator", "generator"):
        with laps.of(name, torch.device("cpu")):
            pass
    assert laps.collect() == {"discriminator": 1.75, "generator": 4.0}
    assert laps.collect() == {}


def test_on_a_gpu_events_are_read_only_when_the_numbers_are_asked_for(monkeypatch):
    waited = []

    class Event:
        made = 0

        def __init__(self, enable_timing):
            assert enable_timing
            self.number, Event.made = Event.made, Event.made + 1

        def record(self):
            """The device comes to it in its own time."""

        def synchronize(self):
            waited.append(self.number)

        def elapsed_time(self, last):
            return 1000.0 * (last.number + 1)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    laps = Laps()
    for name in ("generator", "discriminator", "generator"):
        with laps.of(name, torch.device("cuda")):
            pass
    assert waited == []
    assert laps.collect() == pytest.approx({"generator": 2.0 + 6.0, "discriminator": 4.0})
    assert waited == [1, 3, 5]
    assert laps.collect() == {}
