"""Small runs to publish, as ``genzoo fit`` and ``genzoo test`` leave them."""

import atexit
import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import yaml

from genzoo.cli import main
from genzoo.evaluation.score import Score, write_scores

SMALL = ["--trainer.max_epochs", "2", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"]
QUIET = ["--trainer.logger", "false", "--trainer.enable_progress_bar", "false", "--pictures.every_n_epochs", "9"]
PLAYERS = ["--model.networks", "MLPPlayers", "--model.networks.generator_features", "[8]"]
CLASSES = [*PLAYERS, "--model.networks.discriminator_features", "[8]", "--model.latent_dim", "3"]
SCORES = [
    Score("fd/fashion-mnist-plain", 1.25, 0.0625, False, {"split": "test", "weights": "raw", "number_training": 9000}),
    Score("recall/fashion-mnist-plain", 0.5, 0.75, True, {"split": "test", "weights": "raw", "k": 5}),
    Score("sharpness", float("nan"), None, None, {"split": "test", "weights": "raw"}),
]


CONDITIONAL = ("--model", "ConditionalGAN", *CLASSES)


def fitted(root, arguments=CONDITIONAL):
    """The folder of a run, below a root, that the command line has trained for a few steps."""
    original = _trained(tuple(arguments))
    folder = Path(root) / original.parent.name / original.name
    # With the times of the files: scores are compared with checkpoints by them.
    shutil.copytree(original, folder, copy_function=shutil.copy2)
    return folder


@cache
def _trained(arguments):
    root = Path(mkdtemp())
    atexit.register(shutil.rmtree, root)
    command = ["fit", "--data", "FashionMNISTMini", "--data.batch_size", "8", "--seed_everything", "3", *arguments]
    assert main([*command, *SMALL, *QUIET, "--run.root", str(root), "--run.name", "small"]) == 0
    (folder,) = root.glob("*/small")
    return folder


def with_scores(run, scores=SCORES, checkpoint="last.ckpt", suffix="_test"):
    """The scores that ``genzoo test`` would have left beside a run, a second after its checkpoint was written."""
    folder = run.with_name(f"{run.name}{suffix}")
    folder.mkdir()
    file = run / "checkpoints" / checkpoint
    (folder / "config.yaml").write_text(yaml.safe_dump({"ckpt_path": str(file)}))
    write_scores(scores, folder / "scores.json")
    written = file.stat().st_mtime + 1
    os.utime(folder / "scores.json", (written, written))
    return folder / "scores.json"
