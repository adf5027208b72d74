"""Folders of runs as training leaves them, without training, and an independent reader of pages."""

import csv
import json
import os
from html.parser import HTMLParser

import numpy as np
import yaml
from PIL import Image

from genzoo.evaluation.score import Score, write_scores

COLUMNS = ["epoch", "step", "train/elbo", "val/elbo", "val/training/elbo", "train/speed/images_per_second"]
VOID = {"wbr", "meta", "img", "input", "link", "br"}
SCORES = [
    Score("fd/fashion-mnist-plain", 1.25, 0.0625, False, {"split": "test", "number_fake": 2000}),
    Score("recall/fashion-mnist-plain", 0.5, 0.75, True, {"split": "test", "number_fake": 2000}),
    Score("sharpness", float("nan"), None, None, {"split": "test", "number_fake": 2000}),
]


def settings_of(**changes):
    """What the config of a run holds, as far as pages look at it."""
    model = {
        "class_path": "genzoo.VAE",
        "init_args": {"latent_dim": 32, "optimizer": {"class_path": "torch.optim.Adam"}},
    }
    data = {"class_path": "genzoo.FashionMNISTMini", "init_args": {"batch_size": 64}}
    run = {"root": "runs", "name": "made"}
    settings = {"seed_everything": 7, "trainer": {"max_epochs": 5}, "model": model, "data": data, "run": run}
    return settings | changes


def make_run(folder, epochs=3, settings=None, numbers=None):
    """A run with a row of training every step, one of validation each epoch, and two kinds of pictures."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(settings or settings_of(), sort_keys=False))
    with (folder / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(numbers or rows(epochs))
    for epoch in range(1, epochs + 1):
        for name in ("samples", "reconstructions"):
            draw(folder / "images" / f"{name}_epoch_{epoch:04d}.png", epoch)
    return folder


def rows(epochs):
    for epoch in range(epochs):
        for step in range(4 * epoch, 4 * epoch + 4):
            yield {"epoch": epoch, "step": step, "train/elbo": -300.0 + step, "train/speed/images_per_second": 1e3 / 3}
        yield {"epoch": epoch, "step": 4 * epoch + 3, "val/elbo": -310.0 + epoch, "val/training/elbo": -305.0 + epoch}


def draw(path, seed, side=24):
    """A picture of noise, which does not become smaller as a PNG."""
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)


def make_test(run, scores=SCORES, suffix="_test"):
    """What ``genzoo test`` leaves beside a run."""
    folder = run.with_name(f"{run.name}{suffix}")
    checkpoint = run / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(exist_ok=True)
    checkpoint.touch()
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(settings_of(ckpt_path=str(checkpoint))))
    write_scores(scores, folder / "scores.json")
    draw(folder / "images" / "nearest_training_images.png", 0)
    later = checkpoint.stat().st_mtime + 1
    os.utime(folder / "scores.json", (later, later))
    return folder


class Page(HTMLParser):
    """What a page holds, as a browser would see it.

    Attributes:
        elements: Each with its attributes.
        cells: The text of every row of a table.
        shown: All text but that of programs and styles.
        data: What the page's program gets.
    """

    def __init__(self, html):
        super().__init__()
        self.elements, self.cells, self.shown, self._open, self._data = [], [], "", [], ""
        self.feed(html)
        self.close()
        assert self._open == []
        self.data = json.loads(self._data)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        tag, attributes = self._open[-1] if self._open else ("", {})
        if attributes.get("id") == "page-data":
            self._data += data
        if tag in ("script", "style"):
            return
        self.shown += data
        if {"td", "th"} & {name for name, _ in self._open}:
            self.cells[-1][-1] += data

    def all(self, tag):
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def row(self, name):
        """The cells of the first row of that name, without it."""
        return next(cells[1:] for cells in self.cells if cells[0] == name)
