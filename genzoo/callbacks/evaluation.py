"""Scores of a trained model on the test split, each with its protocol and what real data get."""

import logging
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.progress import track
from torch import Tensor

from genzoo.callbacks.compared import as_model_sees, beside_nearest, classes_of, drawn, in_native_size, sampled
from genzoo.callbacks.groups import UNASKED, Group, misfit
from genzoo.callbacks.pictures import log_picture, save_picture, tiled
from genzoo.data.digits import StackedDigits
from genzoo.data.points import GaussianMixture2D
from genzoo.data.selection import choose_some
from genzoo.data.splits import PARTS_IN_WORDS, ArrayDataModule, Part
from genzoo.hyperparameters import whole_number
from genzoo.metrics.classification import (
    ClassifierAccuracy,
    LinearAccuracy,
    NearestNeighbourAccuracy,
    PooledActivations,
    TrainTestAccuracy,
    accuracy_of,
    agreement_of,
)
from genzoo.metrics.extractors import FeatureExtractor
from genzoo.metrics.likelihood import NegativeLogLikelihood, parzen_of
from genzoo.metrics.modes import MixtureCoverage, StackedModes
from genzoo.metrics.reconstruction import PrincipalComponents, ReconstructionQuality
from genzoo.metrics.samples import ALONE
from genzoo.metrics.score import Plain, Score, score_table, versions, write_scores
from genzoo.metrics.selection import (
    conditions_like,
    extractors_for,
    real_images,
    require_suited,
    size_protocol,
    suited_extractors,
)
from genzoo.metrics.suite import score_samples
from genzoo.models.adversarial import AdversarialModel
from genzoo.models.base import GenerativeModel, evaluating
from genzoo.models.inference import InferenceModel
from genzoo.models.variational import VariationalModel
from genzoo.noise import ImageNoise, Stream
from genzoo.spec import is_image, to_float, way_to_native

FORESEEN = (ValueError, OSError, RuntimeError, ImportError)

IMAGES_AT_ONCE = 100
SHOWN, NEIGHBOURS = 10, 7
PARTS: tuple[Part, ...] = ("train", "test")
PARZEN_VALIDATION = 1000
MODES_NUMBERS = {"points": 2500, "stacked": 26_000}

logger = logging.getLogger(__name__)


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
        groups: Sequence[Group] | None = None,
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
        self.nearest: Tensor | None = None

    def require_fit(self, model: GenerativeModel, data: ArrayDataModule) -> None:
        """Asks whether all can be computed that was named; no data need be loaded.

        Args:
            model: What is to be scored.
            data: What it is to be compared with.

        Raises:
            ValueError: If a group does not fit the model or the data, or the extractor does not.
        """
        named = self.groups or ()
        for group in named:
            if reason := misfit(group, model, data):
                raise ValueError(f"the scores of {group} do not fit: {reason}; leave {group} out of the groups")
        # With stacked digits, an extractor may be meant for single ones.
        is_for_samples = misfit("samples", model, data) is None and not isinstance(data, StackedDigits)
        if "samples" in named or (self.extractor is not None and is_for_samples):
            self._sample_extractors(data)
        elif self.extractor is not None:
            extractors_for(data, self.extractor)
        if "modes" in named:
            self._modes_metric(data)

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
        self.nearest = None
        # Some scores train a classifier, which Lightning's inference mode forbids.
        with torch.inference_mode(False), torch.enable_grad():
            data.setup("fit")
            self.scores = list(self.compute(pl_module, data))
        if not self.scores:
            return
        sys.stdout.write(f"\n{score_table(self.scores)}\n\n")
        path = Path(trainer.default_root_dir) / "scores.json"
        write_scores(self.scores, path)
        sys.stdout.write(f"written to {path}\n")
        for logger in trainer.loggers:
            logger.log_metrics({f"test/{score.name}": score.value for score in self.scores}, trainer.global_step)
            logger.save()
        if self.nearest is not None:
            picture = tiled(self.nearest.flatten(0, 1), self.nearest.shape[1])
            save_picture(Path(trainer.default_root_dir) / "images" / "nearest_training_images.png", picture)
            for logger in trainer.loggers:
                log_picture(logger, "pictures/nearest_training_images", picture, trainer.global_step)

    def compute(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        """The scores of a model on data whose parts are loaded.

        Raises:
            ValueError: If what was named does not fit.
        """
        self.require_fit(model, data)
        compute: dict[Group, Callable[[GenerativeModel, ArrayDataModule], Iterator[Score]]] = {
            "samples": self._samples,
            "likelihood": self._likelihood,
            "reconstruction": self._reconstruction,
            "classes": self._classes,
            "modes": self._modes,
            "representation": self._representation,
            "parzen": self._parzen,
        }
        for group in UNASKED if self.groups is None else self.groups:
            if misfit(group, model, data):
                continue
            try:
                yield from compute[group](model, data)
            except Exception as error:
                is_surprise = not isinstance(error, FORESEEN)
                logger.warning("genzoo: not all scores of %s can be computed: %s", group, error, exc_info=is_surprise)

    # Each group is asked for only where it fits.

    def _samples(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        extractors = self._sample_extractors(data)
        real, training = real_images(data, "test"), real_images(data, "train")
        samples = drawn(model, data, self.number or len(real), self.seed)
        self.nearest = beside_nearest(samples[:SHOWN], training, extractors[0], NEIGHBOURS)
        protocol = self._protocol(model, data, "test")
        # Sharpness does not depend on the extractor.
        scores = (score_samples(samples, real, extractor, training, protocol) for extractor in extractors)
        yield from {score.name: score for group in scores for score in group}.values()

    def _sample_extractors(self, data: ArrayDataModule) -> list[FeatureExtractor]:
        return suited_extractors(data, self.extractor, "choose one with --evaluation.extractor")

    def _likelihood(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        assert isinstance(model, VariationalModel)
        items = as_model_sees(data, "test")
        nll = NegativeLogLikelihood(items[0].numel(), **ALONE)
        with evaluating(model):
            for start in track(range(0, len(items), IMAGES_AT_ONCE), "Likelihood of test data"):
                x = items[start : start + IMAGES_AT_ONCE].to(model.device)
                noise = ImageNoise(torch.arange(start, start + len(x)), model.device, self.seed, Stream.EVALUATION)
                nll.update(model.log_likelihood(x, self.likelihood_samples, noise))
        protocol = self._protocol(model, data) | {
            "likelihood": type(model.likelihood).__name__,
            "importance_samples": self.likelihood_samples,
            "number_real": len(items),
        }
        yield from _scores(nll.compute(), protocol, {"nll": False, "bits_per_dimension": False})

    def _reconstruction(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        assert isinstance(model, InferenceModel)
        quality, linear = ReconstructionQuality(**ALONE), ReconstructionQuality(**ALONE)
        # What the model is shown is what it can reconstruct: its view is brought to native size, not the file's.
        training = in_native_size(as_model_sees(data, "train"), data)
        number = min(model.latent_dim, training[0].numel())
        components = PrincipalComponents.fit(training, number)
        with evaluating(model):
            for x in as_model_sees(data, "test").split(IMAGES_AT_ONCE):
                native = in_native_size(x, data)
                quality.update(in_native_size(model.reconstruct(x.to(model.device)).cpu(), data), native)
                linear.update(components.reconstruct(native), native)
        protocol = self._protocol(model, data) | {"floor": f"{number} principal components"}
        floors = {name: float(value) for name, value in linear.compute().items()}
        yield from _scores(quality.compute(), protocol, {"squared_error": False, "psnr": True, "ssim": True}, floors)

    def _classes(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        real, training = real_images(data, "test"), real_images(data, "train")
        labels, training_labels = classes_of(data, "test"), classes_of(data, "train")
        number = self.conditional_number or len(training)
        # They stand in for the training images.
        samples, asked = drawn(model, data, number, self.seed, "train"), conditions_like(training_labels, number)
        protocol = self._protocol(model, data, "train") | {"number_fake": number, "number_real": len(real)}
        metrics: dict[str, Callable[[], TrainTestAccuracy]] = {
            "nearest_neighbour_accuracy": lambda: NearestNeighbourAccuracy(**ALONE),
            "classifier_accuracy": lambda: ClassifierAccuracy(model.num_classes, **ALONE),
        }
        for name, make in metrics.items():
            value = accuracy_of(make(), samples, asked, real, labels)
            floor = accuracy_of(make(), training, training_labels, real, labels)
            yield Score(name, value, floor, True, protocol | {"floor": f"{len(training)} training images"})
        for extractor in extractors_for(data, self.extractor):
            if extractor.number_of_classes == model.num_classes:
                samples, asked = drawn(model, data, number, self.seed), conditions_like(labels, number)
                value, floor = (agreement_of(extractor, *pair) for pair in ((samples, asked), (real, labels)))
                named = {"extractor": extractor.name, "extractor_hash": extractor.hash}
                record = protocol | named | self._protocol(model, data, "test")
                yield Score(f"agreement/{extractor.name}", value, floor, True, record)

    def _modes(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        metric = self._modes_metric(data)
        if isinstance(metric, MixtureCoverage):
            number = self.number or MODES_NUMBERS["points"]
            metric.update(sampled(model, data, number, self.seed).cpu())
        else:
            number = self.number or MODES_NUMBERS["stacked"]
            metric.update(drawn(model, data, number, self.seed))
        protocol = self._protocol(model, data, "test") | {"number_fake": number}
        yield from _scores(metric.compute(), protocol, {"modes": True, "high_quality": True, "mode_divergence": False})

    def _modes_metric(self, data: ArrayDataModule) -> MixtureCoverage | StackedModes:
        if isinstance(data, GaussianMixture2D):
            return MixtureCoverage(data.means, data.sigma, **ALONE)
        # The digits of scikit-learn have a classifier that comes with the package; those of MNIST have none.
        name = self.extractor or ("digits" if data.spec["native_size"] == 8 else None)
        if name is None:
            raise ValueError("the digits need a classifier; choose one with --evaluation.extractor")
        classifier = extractors_for(data, name)[0]
        require_suited(classifier, data, channels=1)
        return StackedModes(classifier, **ALONE)

    def _representation(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        features: Callable[[Tensor], Tensor]
        if isinstance(model, InferenceModel):
            name, features = "linear_accuracy/codes", model.encode
        else:
            assert isinstance(model, AdversarialModel)
            name, features = "linear_accuracy/discriminator", PooledActivations(model.discriminator)
        metric, pixels = LinearAccuracy(**ALONE), LinearAccuracy(**ALONE)
        with evaluating(model):
            for part in PARTS:
                labels = classes_of(data, part)
                for x, y in zip(as_model_sees(data, part).split(256), labels.split(256), strict=True):
                    metric.update(features(x.to(model.device)).float().flatten(1).cpu(), y, test=part == "test")
                pixels.update(to_float(real_images(data, part)).flatten(1), labels, test=part == "test")
        protocol = self._protocol(model, data) | {"floor": "the same machine on pixels"}
        yield Score(name, float(metric.compute()), float(pixels.compute()), True, protocol)

    def _parzen(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        pixels = {part: real_images(data, part).flatten(1).float() / 255.0 for part in ("train", "validation", "test")}
        number = self.number or len(pixels["test"])
        samples = drawn(model, data, number, self.seed).flatten(1).float() / 255.0
        training, validation = (
            pixels[part][choose_some(len(pixels[part]), most)]
            for part, most in (("train", number), ("validation", PARZEN_VALIDATION))
        )
        value, floor = (parzen_of(centres, validation, pixels["test"]) for centres in (samples, training))
        protocol = self._protocol(model, data, "test") | {
            "number_fake": number,
            "number_real": len(pixels["test"]),
            "number_validation": len(validation),
            "floor": f"{len(training)} training images",
        }
        yield Score("parzen_log_likelihood", value, floor, True, protocol)

    def _protocol(
        self, model: GenerativeModel, data: ArrayDataModule, conditions: Part | None = None
    ) -> dict[str, Plain]:
        """What all scores depend on; those of samples also on the part of the data that has their conditions."""
        protocol: dict[str, Plain] = {
            "model": type(model).__name__,
            "data": type(data).__name__,
            "split": "test",
            "weights": model.best_weights,
            "seed": self.seed,
            "command": shlex.join(["genzoo", *sys.argv[1:]]),
            **versions(),
        }
        if is_image(model.data_shape):
            protocol |= size_protocol(data) | {"samples_to_native_size": way_to_native(data.spec)}
        if conditions is not None and model.condition_dim:
            protocol["conditions"] = f"those of the {PARTS_IN_WORDS[conditions]} images, in their shares"
        return protocol


def _scores(
    values: dict[str, Tensor],
    protocol: dict[str, Plain],
    higher_is_better: dict[str, bool],
    floors: dict[str, float] | None = None,
) -> Iterator[Score]:
    for name, value in values.items():
        yield Score(name, float(value), (floors or {}).get(name), higher_is_better.get(name), protocol)
