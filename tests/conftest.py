import functools
import gc
import json
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer

from genzoo.data import fashion_mnist
from genzoo.data.idx import read_idx
from genzoo.data.images import ImageDataModule
from genzoo.data.splits import SPLIT_SEEDS

os.environ.setdefault("WANDB_SILENT", "true")
# As many tests as cores run at once: two threads in each, or in the processes that they start, would wait for another.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

# A third of the time that a short run from the command line takes.
embedded = functools.cache(read_idx)
fashion_mnist.read_idx = lambda path: (embedded if path.parent == fashion_mnist.MINI_FOLDER else read_idx)(path)


def pytest_collection_finish():
    # All that was imported stays until the end, and to search it for garbage again and again takes a while.
    gc.freeze()


class RandomImages(ImageDataModule):
    """Small seeded noise images with ten classes, for tests."""

    native_size = 28
    class_names = tuple("abcdefghij")

    def __init__(self, channels: int = 1, number: int = 64, image_size: int = 28, batch_size: int = 16, **kwargs):
        super().__init__(image_size=image_size, batch_size=batch_size, **kwargs)
        self.channels = channels
        self.number = number

    def load(self, split):
        generator = np.random.default_rng(SPLIT_SEEDS[split])
        images = generator.integers(0, 256, (self.number, self.channels, 28, 28), dtype=np.uint8)
        return images, np.arange(self.number, dtype=np.int64) % 10


class RandomPairs(RandomImages):
    """Noise images, each with another one as its condition image."""

    class_names = ()
    condition_channels = 1

    def load(self, split):
        images, _ = super().load(split)
        return images, images[:, :1, ::-1].copy()


@pytest.fixture
def real_and_fake():
    """Five items of either kind, of 2 x 2 pixels, for penalties: float64, as finite differences ask for."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, 1, 2, 2, generator=generator, dtype=torch.float64).unbind()


@pytest.fixture
def trainer(tmp_path):
    """Makes quiet trainers on the CPU."""

    def make(**settings) -> Trainer:
        quiet = {
            "accelerator": "cpu",
            "default_root_dir": tmp_path,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "max_epochs": 1,
        }
        return Trainer(**(quiet | settings))

    return make


@pytest.fixture(autouse=True)
def isolated_surroundings(monkeypatch, tmp_path):
    """No run seed, W&B login or cache of the person who runs the tests reaches into them."""
    for name in [name for name in os.environ if name.startswith("WANDB_") and name != "WANDB_SILENT"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    monkeypatch.delenv("GENZOO_RUN_FOLDER", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "home" / ".netrc"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path(tmp_path / "home").mkdir()
    yield
    # The command line seeds the run through the environment.
    os.environ.pop("PL_GLOBAL_SEED", None)
    os.environ.pop("GENZOO_RUN_FOLDER", None)


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield folder
    # Modules of one test are none of another's.
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__file__", None)).startswith(f"{folder}/"):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def quiet_lightning():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        yield


def read_wandb_run(path):
    """Reads the records of an offline run that has finished.

    W&B's service writes the last block of a run, of a short one all of it, shortly after `finish` has returned.
    """
    deadline = time.monotonic() + 60
    while True:
        records = wandb_records(path.read_bytes())
        if any(record.HasField("exit") for record in records):
            return records
        assert time.monotonic() < deadline, f"{path} has no end: the run was not finished"
        time.sleep(0.01)


def wandb_records(data):
    """The whole records of an offline run: a LevelDB log of protocol buffers behind a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    place, part, records = 7, b"", []
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if kind == 0 or place + 7 + length > len(data):
            break
        part += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            records.append(Record.FromString(part))
            part = b""
    return records


def wandb_config(records):
    """The config of an offline run."""
    updates = (u for record in records for u in [*record.run.config.update, *record.config.update])
    return {update.key or "/".join(update.nested_key): json.loads(update.value_json) for update in updates}


def wandb_values(items):
    """What an entry of the history or the summary of an offline run says, by name."""
    values = {}
    for item in items:
        *path, last = [item.key] if item.key else item.nested_key
        place = values
        for part in path:
            place = place.setdefault(part, {})
        place[last] = json.loads(item.value_json)
    return values
