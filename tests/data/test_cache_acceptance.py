"""Runs that start at once on a folder that nobody has decoded yet, one of which is killed while it decodes."""

import multiprocessing
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from genzoo.cli import main
from genzoo.data.image_folder import ImageFolder

IMAGES = 2000

ARGUMENTS = [
    *("fit", "--model", "AutoEncoder", "--model.networks.hidden_features", "[4]", "--data", "ImageFolder"),
    *("--data.root", "pictures", "--data.image_size", "8", "--data.cache_dir", "cache", "--trainer.max_epochs", "1"),
    *("--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"),
    *("--trainer.logger", "false", "--trainer.enable_progress_bar", "false"),
]


def run(name):
    """What each of the processes does."""
    with Path("said").open("a") as said:
        os.dup2(said.fileno(), sys.stdout.fileno())
        os.dup2(said.fileno(), sys.stderr.fileno())
    read, decoded = ImageFolder.read, []

    def counted(self, item):
        decoded.append(item)
        if len(decoded) == 200:
            # The first to come this far waits to be killed; those after it do not.
            with suppress(FileExistsError), Path("builder").open("x") as file:
                file.write(name)
                file.flush()
                time.sleep(60)
        return read(self, item)

    ImageFolder.read = counted
    Path(f"{name}.ready").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    code = main([*ARGUMENTS, "--run.name", name])
    Path(f"{name}.decoded").write_text(str(len(decoded)))
    sys.exit(code)


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_one_decodes_all_train_and_a_killed_one_leaves_no_half_file(working_folder):
    for folder in ("train", "test"):
        (working_folder / "pictures" / folder).mkdir(parents=True)
    for number in range(IMAGES):
        folder = "test" if number % 10 == 0 else "train"
        Image.new("L", (8, 8), number % 251).save(working_folder / "pictures" / folder / f"{number:04d}.png")

    names = ("first", "second", "third")
    # Forked, they need not import everything again.
    runs = {name: multiprocessing.get_context("fork").Process(target=run, args=(name,)) for name in names}
    for process in runs.values():
        process.start()
    try:
        wait_for(lambda: all((working_folder / f"{name}.ready").exists() for name in names))
        (working_folder / "go").touch()
        wait_for(lambda: (working_folder / "builder").exists() and (working_folder / "builder").read_text())
        killed = (working_folder / "builder").read_text()
        folders = [path for path in (working_folder / "cache").iterdir() if path.is_dir()]
        assert [path.suffix for path in folders] == [".unfinished"]
        runs[killed].kill()
        for process in runs.values():
            process.join(timeout=120)
        codes = {name: process.exitcode for name, process in runs.items()}
    finally:
        for process in runs.values():
            process.kill()
    survivors = sorted(set(names) - {killed})
    assert [codes[name] for name in survivors] == [0, 0], (working_folder / "said").read_text()
    decoded = sorted(int((working_folder / f"{name}.decoded").read_text()) for name in survivors)
    assert decoded == [0, IMAGES]
    for name in survivors:
        assert (working_folder / "runs" / "autoencoder" / name / "checkpoints" / "last.ckpt").is_file()

    (folder,) = (path for path in (working_folder / "cache").iterdir() if path.is_dir())
    assert folder.suffix == ""
    for split, remainders in (("train", range(1, 10)), ("test", [0])):
        kept = np.fromfile(folder / f"{split}_images.bin", np.uint8).reshape(-1, 3, 8, 8)
        expected = [number % 251 for number in range(IMAGES) if number % 10 in remainders]
        assert kept[:, 0, 0, 0].tolist() == expected
        assert (kept == kept[:, :1, :1, :1]).all()
