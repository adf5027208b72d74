"""Scores of samples while training goes on, within a budget of time."""

import time
from typing import Any, ClassVar

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning_utilities.core.rank_zero import rank_zero_info

from genzoo.callbacks.compared import drawn
from genzoo.hyperparameters import whole_number
from genzoo.metrics.extractors import FeatureExtractor
from genzoo.metrics.frechet import FrechetDistance
from genzoo.metrics.manifold import PrecisionRecall
from genzoo.metrics.samples import ALONE, TooFewSamplesError
from genzoo.metrics.selection import extractors_for, real_images
from genzoo.models.base import GenerativeModel
from genzoo.noise import Stream
from genzoo.spec import is_image


class SampleScores(Callback):
    """Compares samples with held-out images after each validation and logs the scores under ``val/``.

    The Frechet distance and precision, recall, density and coverage in the features of one extractor: what can tell
    the best checkpoint of a GAN (``--checkpoint.monitor val/fd/fashion-mnist-plain --checkpoint.save_top_k 1``). An
    epoch for which there is no time left keeps the scores of the one before. Samples come from fixed noise, and each
    device computes the same from the same.

    Attributes:
        logs: How the names of the scores begin.

    Args:
        number: How many samples; left out, as many as there are held-out images.
        extractor: As for `Evaluation`; left out, the first of those that are embedded for the data.
        budget: Share of the time since training began that scoring may take. The first scores are always computed.
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
        self._real: torch.Tensor | None = None
        self._began = self._spent = 0.0
        self.times_scored = 0
        self._latest: dict[str, float] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forgets an earlier fit, finds the extractor and looks at the held-out images, before anything is trained.

        Raises:
            ValueError: If there is no extractor for the data, or nothing is held out.
        """
        assert isinstance(pl_module, GenerativeModel)
        self._begin_anew()
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if not pl_module.can_sample or not is_image(pl_module.data_shape):
            return
        if "validation" not in getattr(data, "parts", {}):
            raise ValueError("SampleScores compares with held-out images, but there are none; set validation_fraction")
        found = extractors_for(data, self.extractor)
        if not found:
            raise ValueError(
                f"no extractor is embedded for {type(data).__name__}; give SampleScores one: inception-v3, or the path "
                "of a network"
            )
        self._extractor = found[0].to(pl_module.device)
        self._real = self._extractor(real_images(data, "validation")).features
        self._began, self._spent = time.monotonic(), 0.0

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Scores, unless the budget is used up."""
        assert isinstance(pl_module, GenerativeModel)
        if self._extractor is None or self._real is None or trainer.sanity_checking:
            return
        began = time.monotonic()
        has_time = self._spent <= self.budget * (began - self._began)
        if self.times_scored == 0 or trainer.strategy.reduce_boolean_decision(has_time):
            self._latest = self._scores(pl_module, self._extractor, self._real)
            self.times_scored += 1
            self._spent += time.monotonic() - began
        pl_module.log_dict({f"val/{name}": value for name, value in self._latest.items()}, sync_dist=True)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Says what it has cost."""
        if self.times_scored:
            share = self._spent / max(time.monotonic() - self._began, 1e-9)
            rank_zero_info(f"genzoo: samples were scored {self.times_scored} times, in {share:.1%} of the time")

    def _scores(self, model: GenerativeModel, extractor: FeatureExtractor, real: torch.Tensor) -> dict[str, float]:
        data: Any = model.trainer.datamodule  # type: ignore[attr-defined]
        samples = drawn(model, data, self.number or len(real), seed=int(Stream.EVALUATION), part="validation")
        features = extractor(samples).features
        metrics = {
            extractor.frechet_name: FrechetDistance(extractor.feature_dim, real, **ALONE),
            "": PrecisionRecall(real=real, **ALONE),
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
