import gc
import os
import resource
import shutil
import signal
import time
from collections import namedtuple
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from genzoo.data import loading
from genzoo.data.arrays import ImageArray
from genzoo.data.loading import BatchLoader, WorkerError, require_shared_memory, share_batch, worker_error
from tests.conftest import RandomImages


@pytest.fixture(autouse=True, scope="module")
def few_objects_to_look_through():
    """Of all that is there already, nothing holds a worker: `no_worker_is_left` need not look at it each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_worker_is_left():
    """Ends the workers of a failed loader, which a traceback may keep, before others are forked beside them."""
    yield
    gc.collect()


class Troubled(ImageArray):
    """Eight images, of which a worker meets trouble in fetching the last ones."""

    def __init__(self, trouble):
        super().__init__(np.zeros((8, 1, 16, 16), np.uint8), np.zeros(8, np.int64))
        self.trouble = trouble

    def __getitems__(self, indices):
        if 7 in indices:
            self.trouble()
        return super().__getitems__(indices)


def loader(trouble=lambda: None, **settings):
    return BatchLoader(Troubled(trouble), batch_size=4, collate_fn=share_batch, num_workers=1, **settings)


@contextmanager
def files_up_to(number_of_bytes):
    """No process may make a larger file, nor a larger piece of shared memory."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (number_of_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_batches_come_in_shared_memory():
    batches = list(loader())
    assert [len(images) for images, _ in batches] == [4, 4]
    assert all(tensor.is_shared() for batch in batches for tensor in batch)
    assert not any(tensor.is_shared() for tensor in share_batch([torch.zeros(2)]))


def test_a_batch_without_room_in_shared_memory_is_said():
    with (
        files_up_to(500),
        pytest.raises(WorkerError, match=r"no room for a batch in shared memory\); set num_workers"),
    ):
        list(loader())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGBUS])
def test_a_worker_that_is_killed_is_said(number, capfd):
    with pytest.raises(WorkerError, match=r"has failed \(DataLoader worker .*\); set num_workers to 0"):
        list(loader(lambda: os.kill(os.getpid(), number)))
    capfd.readouterr()


def test_a_worker_that_is_stuck_is_given_up():
    with pytest.raises(WorkerError, match=r"has failed \(DataLoader timed out after 1 seconds\); set num_workers to 0"):
        list(loader(lambda: time.sleep(3), timeout=1))


def test_workers_that_cannot_be_started_are_said(monkeypatch):
    def no_room(loader):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DataLoader, "__iter__", no_room)
    with pytest.raises(WorkerError, match=r"No space left on device\); set num_workers to 0"):
        iter(loader())


def test_an_error_in_the_data_stays_what_it_is():
    def fail():
        raise RuntimeError("in the data")

    with pytest.raises(RuntimeError, match=r"Caught [\s\S]* in the data"):
        list(loader(fail))


def test_what_torch_says_anywhere_of_a_killed_worker_is_translated():
    found = worker_error(RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that"))
    assert "has failed (DataLoader worker (pid 7) is killed by signal: Bus error); set num_workers to 0" in str(found)
    assert worker_error(RuntimeError("another")) is None
    assert worker_error(ValueError("DataLoader worker (pid 7) is killed")) is None


def test_room_for_the_batches_of_all_workers_is_required(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(2**20))
    require_shared_memory(2**17, num_workers=2)
    with pytest.raises(ValueError, match=r"4 workers need 1\.2 MB of shared memory, but .* only 1\.0 MB left"):
        require_shared_memory(2**17, num_workers=4)


def test_a_data_module_requires_room_and_gives_up_waiting(monkeypatch):
    data = RandomImages(num_workers=2, batch_size=16)
    data.setup("fit")
    assert data.train_dataloader().timeout == loading.SECONDS_TO_WAIT > 0
    monkeypatch.setattr(shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(16 * 28 * 28))
    for loaders in (data.train_dataloader, data.val_dataloader):
        with pytest.raises(ValueError, match=r"2 workers need .* set num_workers to 0"):
            loaders()
    without = RandomImages(num_workers=0)
    without.setup("fit")
    assert without.train_dataloader().timeout == 0
