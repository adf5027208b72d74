"""What all scores share that compare the features of two sets, real and generated."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from genzoo.metrics.inputs import require_enough, require_features


class TwoSampleMetric(Metric):
    """A score that compares features of generated data with features of real data.

    Features are kept as they come, so that the score depends neither on batches nor on the number of devices. They are
    kept where the metric is, known real ones too, and may come from any device.

    Args:
        real: Features of the real data where they are known beforehand, ``(M, D)``, the same on every device;
            `update` then takes generated ones alone.
        **kwargs: As for `torchmetrics.Metric`.
    """

    is_differentiable = False
    full_state_update = False
    real_features: list[Tensor]
    fake_features: list[Tensor]
    _known: Tensor | None

    def __init__(self, real: Tensor | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # A buffer follows the metric to its device; not persistent, since it is data and no state.
        self.register_buffer("_known", None if real is None else require_features(real, None), persistent=False)
        self.add_state("real_features", default=[], dist_reduce_fx="cat")
        self.add_state("fake_features", default=[], dist_reduce_fx="cat")

    def update(self, features: Tensor, real: bool = False) -> None:
        """Takes in features.

        Args:
            features: ``(N, D)``.
            real: Whether they are of real data.

        Raises:
            ValueError: If they do not fit the features seen before, or are not finite.
        """
        if real and self._known is not None:
            raise ValueError(
                f"{type(self).__name__} was made with the features of its real data and takes no others; make it "
                "without `real` to update them"
            )
        seen = [*([] if self._known is None else [self._known]), *self.real_features[:1], *self.fake_features[:1]]
        kept = self.real_features if real else self.fake_features
        kept.append(require_features(features, seen[0].shape[1] if seen else None).to(self.device))

    def _sets(self, fewest: int = 2) -> tuple[Tensor, Tensor]:
        """The real and the generated features, ``(M, D)`` and ``(N, D)``.

        Raises:
            TooFewSamplesError: If one of them has fewer than ``fewest`` rows.
        """
        name = type(self).__name__
        real = self._known if self._known is not None else _joined(self.real_features)
        fake = _joined(self.fake_features)
        require_enough(name, len(real), len(fake), fewest)
        return real, fake


def _joined(features: list[Tensor] | Tensor) -> Tensor:
    # Joined already where they come from several devices.
    return dim_zero_cat(features) if len(features) else torch.empty(0, 0)
