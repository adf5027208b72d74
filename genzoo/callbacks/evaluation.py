"""Scores of a trained model on the test split, each with its protocol and what real data get."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning_utilities.core.rank_zero import rank_zero_info
from rich.progress import track
from torch import Tensor

from genzoo.callbacks.pictures import log_picture, save_picture, tiled
from genzoo.data.digits import StackedDigits
from genzoo.data.points import GaussianMixture2D
from genzoo.data.splits import ArrayDataModule, Part
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
from genzoo.metrics.feature_cache import cached_embedding
from genzoo.metrics.likelihood import NegativeLogLikelihood, parzen_of
from genzoo.metrics.memorisation import nearest_training_images
from genzoo.metrics.modes import MixtureCoverage, StackedModes
from genzoo.metrics.reconstruction import PrincipalComponents, ReconstructionQuality
from genzoo.metrics.samples import ALONE
from genzoo.metrics.score import Plain, Score, score_table, versions, write_scores
from genzoo.metrics.selection import extractors_for, real_images
from genzoo.metrics.suite import score_samples
from genzoo.models.adversarial import AdversarialModel
from genzoo.models.base import GenerativeModel, evaluating
from genzoo.models.inference import InferenceModel
from genzoo.models.variational import VariationalModel
from genzoo.noise import ImageNoise, Stream
from genzoo.spec import is_image, to_float, to_native, to_uint8

Group = Literal["samples", "likelihood", "reconstruction", "classes", "modes", "representation", "parzen"]

IMAGES_AT_ONCE = 100
SHOWN, NEIGHBOURS = 10, 7
MODES_NUMBERS = {"points": 2500, "stacked": 26_000}


class Evaluation(Callback):
    """Scores a model once it has been tested, by all that fits it, and writes ``scores.json`` into the run folder.

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
        groups: Which of them are computed, where they fit; ``representation`` and ``parzen`` only if they are named.
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
        groups: Sequence[Group] = ("samples", "likelihood", "reconstruction", "classes", "modes"),
        number: int | None = None,
        extractor: str | None = None,
        likelihood_samples: int = 500,
        conditional_number: int | None = None,
        seed: int = 0,
    ) -> None:
        if min(likelihood_samples, *(value for value in (number, conditional_number) if value is not None), 1) < 1:
            raise ValueError("number, conditional_number and likelihood_samples of Evaluation should be at least 1")
        self.groups = groups
        self.number = number
        self.extractor = extractor
        self.likelihood_samples = likelihood_samples
        self.conditional_number = conditional_number
        self.seed = seed
        self.scores: list[Score] = []
        self.nearest: Tensor | None = None

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Computes the scores on the first device, prints them, and hands them to file and loggers."""
        assert isinstance(pl_module, GenerativeModel)
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if not trainer.is_global_zero or not isinstance(data, ArrayDataModule):
            return
        # Some scores train a classifier, which Lightning's inference mode forbids.
        with torch.inference_mode(False), torch.enable_grad():
            data.setup("fit")
            self.scores = list(self.compute(pl_module, data))
        if not self.scores:
            return
        if self.nearest is not None:
            picture = tiled(self.nearest, NEIGHBOURS + 1)
            save_picture(Path(trainer.default_root_dir) / "images" / "nearest_training_images.png", picture)
            for logger in trainer.loggers:
                log_picture(logger, "pictures/nearest_training_images", picture, trainer.global_step)
        path = Path(trainer.default_root_dir) / "scores.json"
        write_scores(self.scores, path)
        sys.stdout.write(f"\n{score_table(self.scores)}\n\nwritten to {path}\n")
        for logger in trainer.loggers:
            logger.log_metrics({f"test/{score.name}": score.value for score in self.scores}, trainer.global_step)
            logger.save()

    def compute(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        """The scores of a model on data whose parts are loaded."""
        compute: dict[Group, Callable[[GenerativeModel, ArrayDataModule], Iterator[Score]]] = {
            "samples": self._samples,
            "likelihood": self._likelihood,
            "reconstruction": self._reconstruction,
            "classes": self._classes,
            "modes": self._modes,
            "representation": self._representation,
            "parzen": self._parzen,
        }
        for group in self.groups:
            yield from compute[group](model, data)

    # Each group gives nothing where it does not fit.

    def _samples(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        if not model.can_sample or not is_image(model.data_shape):
            return
        extractors = extractors_for(data, self.extractor)
        if not extractors:
            rank_zero_info(
                f"genzoo: no extractor is embedded for {type(data).__name__}, so that samples are not scored; choose "
                "one with --evaluation.extractor (inception-v3, or the path of a network)"
            )
        real, training = real_images(data, "test"), real_images(data, "training")
        samples = drawn(model, data, self.number or len(real), self.seed)
        if extractors:
            self.nearest = _beside_nearest(samples[:SHOWN], training, extractors[0])
        # Sharpness does not depend on the extractor.
        scores = (score_samples(samples, real, e, training, self._protocol(model, data)) for e in extractors)
        yield from {score.name: score for group in scores for score in group}.values()

    def _likelihood(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        if not isinstance(model, VariationalModel):
            return
        items = _items(data, "test")
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
        if not isinstance(model, InferenceModel) or not is_image(model.data_shape):
            return
        quality, linear = ReconstructionQuality(**ALONE), ReconstructionQuality(**ALONE)
        components = PrincipalComponents.fit(to_float(real_images(data, "training")), model.latent_dim)
        with evaluating(model):
            for x in _items(data, "test").split(IMAGES_AT_ONCE):
                # Resizing may overstep the range by a rounding error.
                native = to_native(x, model.data_spec).clamp(-1.0, 1.0)
                quality.update(to_native(model.reconstruct(x.to(model.device)).cpu(), model.data_spec), native)
                linear.update(components.reconstruct(native), native)
        protocol = self._protocol(model, data) | {"floor": f"{model.latent_dim} principal components"}
        floors = {name: float(value) for name, value in linear.compute().items()}
        yield from _scores(quality.compute(), protocol, {"squared_error": False, "psnr": True, "ssim": True}, floors)

    def _classes(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        labels = _labels(data, "test")
        if not model.condition_dim or not is_image(model.data_shape) or labels is None:
            return
        real, training, training_labels = (
            real_images(data, "test"),
            real_images(data, "training"),
            _labels(data, "training"),
        )
        assert training_labels is not None
        number = self.conditional_number or len(training)
        asked = torch.arange(number) % model.num_classes
        samples = drawn(model, data, number, self.seed, asked)
        protocol = self._protocol(model, data) | {"number_fake": number, "number_real": len(real)}
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
                value, floor = (agreement_of(extractor, *pair) for pair in ((samples, asked), (real, labels)))
                named = {"extractor": extractor.name, "extractor_hash": extractor.hash}
                yield Score(f"agreement/{extractor.name}", value, floor, True, protocol | named)

    def _modes(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        if not model.can_sample:
            return
        metric: MixtureCoverage | StackedModes
        if isinstance(data, GaussianMixture2D):
            metric, number = MixtureCoverage(data.means, data.sigma, **ALONE), self.number or MODES_NUMBERS["points"]
            metric.update(model.sample(number, seed=self.seed).cpu())
        elif isinstance(data, StackedDigits):
            # The digits of scikit-learn have a classifier that comes with the package; those of MNIST have none.
            name = self.extractor or ("digits" if data.native_size == 8 else None)
            if name is None:
                rank_zero_info("genzoo: modes are not counted without a classifier; choose --evaluation.extractor")
                return
            metric, number = (
                StackedModes(extractors_for(data, name)[0], **ALONE),
                self.number or MODES_NUMBERS["stacked"],
            )
            metric.update(drawn(model, data, number, self.seed))
        else:
            return
        protocol = self._protocol(model, data) | {"number_fake": number}
        yield from _scores(metric.compute(), protocol, {"modes": True, "high_quality": True, "mode_divergence": False})

    def _representation(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        truth = {part: _labels(data, part) for part in ("training", "test")}
        if truth["test"] is None or not is_image(model.data_shape):
            return
        features: Callable[[Tensor], Tensor]
        if isinstance(model, InferenceModel):
            name, features = "linear_accuracy/codes", model.encode
        elif isinstance(model, AdversarialModel) and model.condition_dim == 0:
            name, features = "linear_accuracy/discriminator", PooledActivations(model.discriminator)
        else:
            return
        metric, pixels = LinearAccuracy(**ALONE), LinearAccuracy(**ALONE)
        with evaluating(model):
            for part in ("training", "test"):
                for x, y in zip(_items(data, part).split(256), truth[part].split(256), strict=True):  # type: ignore[union-attr]
                    metric.update(features(x.to(model.device)).float().flatten(1).cpu(), y, test=part == "test")
                    pixels.update(x.flatten(1), y, test=part == "test")
        protocol = self._protocol(model, data) | {"floor": "the same machine on pixels"}
        yield Score(name, float(metric.compute()), float(pixels.compute()), True, protocol)

    def _parzen(self, model: GenerativeModel, data: ArrayDataModule) -> Iterator[Score]:
        if not model.can_sample or not is_image(model.data_shape) or "validation" not in data.parts:
            return
        pixels = {
            part: real_images(data, part).flatten(1).float() / 255.0 for part in ("training", "validation", "test")
        }
        number = self.number or len(pixels["test"])
        samples = drawn(model, data, number, self.seed).flatten(1).float() / 255.0
        value, floor = (
            parzen_of(centres, pixels["validation"][:1000], pixels["test"])
            for centres in (samples, pixels["training"][:number])
        )
        yield Score("parzen_log_likelihood", value, floor, True, self._protocol(model, data) | {"number_fake": number})

    def _protocol(self, model: GenerativeModel, data: ArrayDataModule) -> dict[str, Plain]:
        return {
            "model": type(model).__name__,
            "data": type(data).__name__,
            "split": "test",
            "weights": model.best_weights,
            "seed": self.seed,
            "command": shlex.join(["genzoo", *sys.argv[1:]]),
            **versions(),
        }


def drawn(
    model: GenerativeModel, data: ArrayDataModule, number: int, seed: int, y: Tensor | None = None, part: Part = "test"
) -> Tensor:
    """Samples of a model as bytes in native size, ``(number, C, H, W)``.

    Args:
        model: What draws them.
        data: Whose conditions a model has that depends on vectors and is given none.
        number: How many.
        seed: Of the noise.
        y: Conditions, as `GenerativeModel.sample` takes them.
        part: Of the data that conditions are taken from, over and over.
    """
    if y is None and model.condition_dim and (labels := torch.from_numpy(data.array(part).labels)).ndim == 2:
        y = labels[torch.arange(number) % len(labels)]
    return to_uint8(to_native(model.sample(number, y, seed), model.data_spec)).cpu()


def _beside_nearest(samples: Tensor, training: Tensor, extractor: FeatureExtractor) -> Tensor:
    """Samples ``(N, C, H, W)``, uint8, each followed by the training images nearest to it."""
    features = extractor(samples).features
    places, _ = nearest_training_images(features, cached_embedding(training, extractor).features, NEIGHBOURS)
    rows = [torch.cat([sample[None], training[near]]) for sample, near in zip(samples, places, strict=True)]
    return torch.cat(rows)


def _items(data: ArrayDataModule, part: Any) -> Tensor:
    """All items of a part as a model sees them, float32."""
    array = data.array(part)
    items = torch.from_numpy(array.images[:])
    return to_float(items) if items.dtype == torch.uint8 else items


def _labels(data: ArrayDataModule, part: Any) -> Tensor | None:
    """The classes of a part, ``(N,)``; None where there are none."""
    labels = torch.from_numpy(data.array(part).labels)
    return labels if len(data.class_names) and labels.ndim == 1 else None


def _scores(
    values: dict[str, Tensor],
    protocol: dict[str, Plain],
    higher_is_better: dict[str, bool],
    floors: dict[str, float] | None = None,
) -> Iterator[Score]:
    for name, value in values.items():
        yield Score(name, float(value), (floors or {}).get(name), higher_is_better.get(name), protocol)
