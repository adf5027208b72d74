"""Scores of a trained model on the test split, each with its protocol and what real data get."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from numpy.typing import NDArray

from genzoo.data.splits import ArrayDataModule
from genzoo.drawing import save_picture
from genzoo.evaluation.compared import Comparison
from genzoo.evaluation.groups import all_scores, require_fit
from genzoo.evaluation.score import Score, score_table, write_scores
from genzoo.evaluation.score_group import GroupName
from genzoo.hyperparameters import whole_number
from genzoo.loggers import log_picture, log_table
from genzoo.report.pictures import IMAGES
from genzoo.training.model import GenerativeModel
from genzoo.zoo.entry import BETTER


class Evaluation(Callback):
    """Scores a model once it has been tested, by all that fits it, and writes ``scores.json`` into the run folder.

    Samples of a conditional model get the conditions of the split that they are compared with, in its shares. A group
    that cannot be computed is left out with a line in the log, and the others are written.

    Where samples are scored, ``images/nearest_training_images.png`` shows some of them, each in front of the training
    images that are nearest to it in features.

    | group | for | scores |
    |---|---|---|
    | ``samples`` | images | distances, coverage, diversity, sharpness, memorisation in features |
    | ``likelihood`` | variational models | importance-weighted nll, bits per dimension |
    | ``reconstruction`` | models with an encoder, images | squared error, PSNR, SSIM beside principal components |
    | ``classes`` | conditional models, images | 1-NN and CNN accuracy scores, agreement of a classifier |
    | ``modes`` | `GaussianMixture2D`, `StackedDigits` | modes found, and how evenly |
    | ``representation`` | data with classes, images | linear SVM on codes or on a discriminator's activations |
    | ``parzen`` | images | Parzen windows, historical |

    Args:
        groups: Which of them are computed; those that do not fit are refused. Left out, all that fit but for
            ``representation`` and ``parzen``.
        number: How many samples; left out, as many as there are test images.
        extractor: In whose features samples are compared: the name of an embedded one, ``inception-v3``, or the path
            of a class or function without arguments that makes a module. Left out: those embedded for the data.
        likelihood_samples: S, how many importance samples each image gets.
        conditional_number: On how many generated images the classifiers of ``classes`` are trained; left out, as
            many as there are training images.
        seed: Of the samples.
    """

    def __init__(
        self,
        groups: Sequence[GroupName] | None = None,
        number: int | None = None,
        extractor: str | None = None,
        likelihood_samples: int = 500,
        conditional_number: int | None = None,
        seed: int = 0,
    ) -> None:
        self.groups = groups
        self.number = None if number is None else whole_number("number of Evaluation", number, 1)
        self.extractor = extractor
        self.likelihood_samples = whole_number("likelihood_samples of Evaluation", likelihood_samples, 1)
        self.conditional_number = (
            None
            if conditional_number is None
            else whole_number("conditional_number of Evaluation", conditional_number, 1)
        )
        self.seed = whole_number("seed of Evaluation", seed)
        self.scores: list[Score] = []

    def comparison(self, model: GenerativeModel, data: ArrayDataModule) -> Comparison:
        """What every group of scores is given."""
        return Comparison(
            model, data, self.number, self.extractor, self.likelihood_samples, self.conditional_number, self.seed
        )

    def require_fit(self, model: GenerativeModel, data: ArrayDataModule) -> None:
        """Asks whether all can be computed that was named; no data need be loaded.

        Args:
            model: What is to be scored.
            data: What it is to be compared with.

        Raises:
            ValueError: If a group does not fit the model or the data, or the extractor does not.
        """
        require_fit(self.comparison(model, data), self.groups)

    def compute(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        """The scores of a model on data whose parts are loaded.

        Raises:
            ValueError: If what was named does not fit.
        """
        comparison = self.comparison(model, data)
        require_fit(comparison, self.groups)
        yield from all_scores(comparison, self.groups)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuses what was named and does not fit, before anything is computed."""
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if stage == "test" and isinstance(pl_module, GenerativeModel) and isinstance(data, ArrayDataModule):
            self.require_fit(pl_module, data)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuses weights that no device has whole.

        Raises:
            ValueError: If a strategy divides them.
        """
        assert isinstance(pl_module, GenerativeModel)
        if pl_module.is_divided:
            raise ValueError(
                f"{type(trainer.strategy).__name__} divides weights among devices, but one device computes the scores; "
                "test with --trainer.strategy auto --trainer.devices 1"
            )

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Computes the scores on the first device, prints them, and hands them to file and loggers."""
        assert isinstance(pl_module, GenerativeModel)
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if not trainer.is_global_zero or not isinstance(data, ArrayDataModule):
            return
        # Some scores train a classifier, which Lightning's inference mode forbids.
        with torch.inference_mode(False), torch.enable_grad():
            # A test loads the test images alone, and floors are made of training images.
            data.setup("fit")
            comparison = self.comparison(pl_module, data)
            require_fit(comparison, self.groups)
            self.scores = list(all_scores(comparison, self.groups))
        if self.scores:
            self._hand_out_scores(trainer)
            self._hand_out_pictures(trainer, comparison.pictures)

    def _hand_out_scores(self, trainer: Trainer) -> None:
        sys.stdout.write(f"\n{score_table(self.scores)}\n\n")
        path = Path(trainer.default_root_dir) / "scores.json"
        write_scores(self.scores, path)
        sys.stdout.write(f"written to {path}\n")
        for logger in trainer.loggers:
            logger.log_metrics({f"test/{score.name}": score.value for score in self.scores}, trainer.global_step)
            log_table(logger, "scores", self._columns(), trainer.global_step)
            logger.save()

    def _columns(self) -> dict[str, list[Any]]:
        return {
            "score": [score.name for score in self.scores],
            "value": [score.value for score in self.scores],
            "real data": [score.floor for score in self.scores],
            "better": [BETTER[score.higher_is_better] or None for score in self.scores],
            "protocol": [json.dumps(score.protocol, sort_keys=True) for score in self.scores],
        }

    def _hand_out_pictures(self, trainer: Trainer, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        for name, picture in pictures.items():
            save_picture(Path(trainer.default_root_dir) / IMAGES / f"{name}.png", picture)
            for logger in trainer.loggers:
                log_picture(logger, f"pictures/{name}", picture, trainer.global_step)
