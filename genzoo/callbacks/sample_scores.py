"""Scores of samples while training goes on, within a budget of time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning_utilities.core.rank_zero import rank_zero_info
from torch import Tensor

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.evaluation.compared import UNSYNCHRONISED, drawn, real_images
from genzoo.evaluation.suited_extractors import suited_extractors
from genzoo.hyperparameters import whole_number
from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.metrics.frechet import FrechetDistance
from genzoo.metrics.inputs import TooFewSamplesError
from genzoo.metrics.precision_recall import PrecisionRecall
from genzoo.spec import is_image
from genzoo.training.model import GenerativeModel

# Samples that are drawn and embedded to estimate how long a score takes.
PROBE = 16
# Of the noise of the samples that are scored; always the same, so that scores of one model compare.
SAMPLES_SEED = 3


class SampleScores(Callback):
    """Compares samples with held-out images after validations and logs the scores under ``val/``.

    The Frechet distance and precision, recall, density and coverage in the features of one extractor: what can tell
    the best checkpoint of a GAN (``--checkpoint.monitor val/fd/fashion-mnist-plain --checkpoint.save_top_k 1``).
    Samples come from fixed noise, and each device computes the same from the same.

    A score is computed once the budget has room for it. How long the first will take is estimated from a few samples;
    from then on what was spent is counted. An epoch without a score of its own logs the latest one. Until there is one,
    `Checkpoints` that choose by it wait; other callbacks that choose by it, such as Lightning's `EarlyStopping`, fail
    without it, so that for these it is computed at the first validation, whatever it takes.

    Args:
        number: How many samples; left out, as many as there are held-out images.
        extractor: As for `Evaluation`; left out, the first of those that are embedded for the data.
        budget: Share of the time since the fit began that all this may take.

    Attributes:
        logs: How the names of the scores begin.
        times_scored: How often samples were scored in this fit.
    """

    logs: ClassVar[tuple[str, ...]] = (
        "val/fd/",
        "val/fid",
        "val/precision/",
        "val/recall/",
        "val/density/",
        "val/coverage/",
    )

    def __init__(self, number: int | None = None, extractor: str | None = None, budget: float = 0.1) -> None:
        if not 0.0 < budget <= 1.0:
            raise ValueError(f"budget of SampleScores should be more than 0 and at most 1, got {budget}")
        self.number = None if number is None else whole_number("number of SampleScores", number, 1)
        self.extractor = extractor
        self.budget = budget
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._extractor: FeatureExtractor | None = None
        self._began, self._spent = time.monotonic(), 0.0
        self._expected_seconds: float | None = None
        self._real: Tensor | None = None
        self._latest: dict[str, float] = {}
        self.times_scored = 0

    @property
    def awaited(self) -> set[str]:
        """Names of the quantities that are yet to be logged for the first time."""
        if self._extractor is None or self.times_scored:
            return set()
        spread = (f"{name}/{self._extractor.name}" for name in ("precision", "recall", "density", "coverage"))
        return {f"val/{name}" for name in (self._extractor.frechet_name, *spread)}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forgets an earlier fit and finds the extractor, before anything is trained.

        Raises:
            ValueError: If there is no extractor for the data, nothing is held out, or too little for the distance
                that a callback monitors.
        """
        assert isinstance(pl_module, GenerativeModel)
        self._begin_anew()
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if not pl_module.can_sample or not is_image(pl_module.data_shape):
            return
        if "validation" not in getattr(data, "parts", {}):
            raise ValueError("SampleScores compares with held-out images, but there are none; set validation_fraction")
        with self._spending():
            first = suited_extractors(data, self.extractor, "give SampleScores one")[0]
            self._extractor = first.to(pl_module.device)
        distance, held_out = f"val/{self._extractor.frechet_name}", len(data.parts["validation"])
        number, fewest = self.number or held_out, self._extractor.feature_dim
        if min(number, held_out) < fewest and any(name == distance for _, name in _monitors(trainer)):
            raise ValueError(
                f"{distance} is monitored, but needs {fewest} samples and as many held-out images, where there are "
                f"{number} and {held_out}; raise these numbers, or monitor {min(self.awaited - {distance})}"
            )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuses to monitor scores that neither this nor another `SampleScores` will log.

        Raises:
            ValueError: If such a score is monitored.
        """
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        known = {name for callback in callbacks for name in getattr(callback, "awaited", ())}
        for _, name in _monitors(trainer):
            if known and name.startswith(self.logs) and name not in known:
                raise ValueError(f"{name} is monitored, but SampleScores has {', '.join(sorted(known))}; choose one")

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Scores, if there is time for it."""
        assert isinstance(pl_module, GenerativeModel)
        if self._extractor is None or trainer.sanity_checking:
            return
        with self._spending():
            # Within the budget too: what the estimate costs was spent on scores.
            if self._expected_seconds is None:
                self._expected_seconds = self._probe(pl_module, self._extractor)
        has_time = self._spent + self._expected_seconds <= self.budget * (
            time.monotonic() - self._began + self._expected_seconds
        )
        # Clocks of devices differ, but all must log the same.
        if trainer.strategy.reduce_boolean_decision(has_time or self._cannot_wait(trainer)):
            with self._spending():
                self._score(pl_module, self._extractor)
        # Equal on all devices; Lightning would warn of numbers that are not synchronised.
        pl_module.log_dict({f"val/{name}": value for name, value in self._latest.items()}, sync_dist=True)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Says what it has cost, or why there was no score."""
        if self.times_scored:
            share = self._spent / max(time.monotonic() - self._began, 1e-9)
            rank_zero_info(f"genzoo: samples were scored {self.times_scored} times, in {share:.1%} of the time")
        elif self._expected_seconds is not None:
            waiting = sorted({name for _, name in _monitors(trainer)} & self.awaited)
            unknown = "".join(f"; no checkpoint is known to be the best by {name}" for name in waiting)
            rank_zero_info(
                f"genzoo: samples were not scored, since that takes about {self._expected_seconds:.2g} s and no more "
                f"than {self.budget:.0%} of the time may go into it{unknown}; train longer, or give SampleScores a "
                "larger budget or a smaller number"
            )

    @contextmanager
    def _spending(self) -> Iterator[None]:
        """Counts the time of what is done in it."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._spent += time.monotonic() - began

    def _cannot_wait(self, trainer: Trainer) -> bool:
        """Whether a callback fails without a first score."""
        impatient = [
            name
            for callback, name in _monitors(trainer)
            if not isinstance(callback, Checkpoints) and getattr(callback, "strict", True)
        ]
        return not self.awaited.isdisjoint(impatient)

    def _probe(self, model: GenerativeModel, extractor: FeatureExtractor) -> float:
        """How long the first score will take, in seconds: what happens once, and what each image takes."""
        data: Any = model.trainer.datamodule  # type: ignore[attr-defined]

        def timed() -> tuple[float, float]:
            began = time.monotonic()
            samples = drawn(model, data, PROBE, seed=SAMPLES_SEED, part="validation")
            drew = time.monotonic()
            extractor(samples)
            return drew - began, time.monotonic() - drew

        # The first call pays for what happens once, such as compilation, the second for the images alone.
        once, (drawing, looking) = sum(timed()), timed()
        held_out = len(data.parts["validation"])
        number = self.number or held_out
        return once + (drawing * number + looking * (number + held_out)) / PROBE

    def _score(self, model: GenerativeModel, extractor: FeatureExtractor) -> None:
        if self._real is None:
            data: Any = model.trainer.datamodule  # type: ignore[attr-defined]
            self._real = extractor(real_images(data, "validation")).features
        began = time.monotonic()
        self._latest = self._scores(model, extractor, self._real)
        self._expected_seconds = time.monotonic() - began
        self.times_scored += 1

    def _scores(self, model: GenerativeModel, extractor: FeatureExtractor, real: Tensor) -> dict[str, float]:
        data: Any = model.trainer.datamodule  # type: ignore[attr-defined]
        samples = drawn(model, data, self.number or len(real), seed=SAMPLES_SEED, part="validation")
        features = extractor(samples).features
        metrics = {
            extractor.frechet_name: FrechetDistance(extractor.feature_dim, real, **UNSYNCHRONISED),
            "": PrecisionRecall(real=real, **UNSYNCHRONISED),
        }
        scores: dict[str, float] = {}
        for name, metric in metrics.items():
            metric.update(features)
            try:
                computed = metric.compute()
            except TooFewSamplesError as error:
                if self.times_scored == 0:
                    rank_zero_info(f"genzoo: samples are not scored: {error}")
                continue
            named = computed if isinstance(computed, dict) else {"": computed}
            scores |= {name or f"{key}/{extractor.name}": float(value) for key, value in named.items()}
        return scores


def _monitors(trainer: Trainer) -> list[tuple[Callback, str]]:
    """The callbacks that choose by a logged quantity, with its name."""
    named = ((callback, getattr(callback, "monitor", None)) for callback in trainer.callbacks)  # type: ignore[attr-defined]
    return [(callback, name) for callback, name in named if isinstance(name, str)]
