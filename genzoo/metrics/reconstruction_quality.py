"""How close reconstructions are to what they are of."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.image import structural_similarity_index_measure

from genzoo.metrics.inputs import TooFewSamplesError


class ReconstructionQuality(Metric):
    r"""Squared error, signal-to-noise ratio and structural similarity of reconstructions, on pixels in [0, 1].

    .. math:: \mathrm{SSE} = \frac1N \sum_n \sum_i (x_{ni} - \hat x_{ni})^2, \qquad
        \mathrm{PSNR} = -10 \log_{10} \frac{\mathrm{SSE}}{\text{values per image}}

    SSE is summed over the values of an image. PSNR, in decibels, is that of the mean error, not a mean over
    images. SSIM has a Gaussian window of 11 pixels and 1.5 pixels deviation. Source: Wang et al. 2004, equation 13.

    Args:
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        TooFewSamplesError: In `compute`, without images.

    Example:
        >>> import torch
        >>> from genzoo.metrics import ReconstructionQuality
        >>> quality = ReconstructionQuality()
        >>> quality.update(torch.full((3, 1, 28, 28), -0.8), torch.full((3, 1, 28, 28), -1.0))
        >>> {name: round(float(value), 2) for name, value in quality.compute().items() if name != "ssim"}
        {'squared_error': 7.84, 'psnr': 20.0}
    """

    is_differentiable = False
    full_state_update = False
    number: Tensor
    values: Tensor
    squared_error: Tensor
    similarity: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("number", "values"):
            self.add_state(name, torch.tensor(0), dist_reduce_fx="sum")
        for name in ("squared_error", "similarity"):
            self.add_state(name, torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, reconstructions: Tensor, images: Tensor) -> None:
        """Takes in reconstructions and what they are of.

        Args:
            reconstructions: ``(N, C, H, W)``, floats in [-1, 1]; what lies outside is clamped.
            images: The same of the images.

        Raises:
            ValueError: If shapes differ, or images are no floats in [-1, 1].
        """
        if reconstructions.shape != images.shape or images.ndim != 4:
            raise ValueError(
                f"got reconstructions of shape {tuple(reconstructions.shape)} of images of shape "
                f"{tuple(images.shape)}, but expected both (N, C, H, W); give each image its reconstruction"
            )
        if not images.is_floating_point() or not images.numel() or images.abs().max() > 1.0:
            raise ValueError(
                f"got {images.dtype} images, but expected floats in [-1, 1]; bring bytes there with "
                "genzoo.spec.to_float"
            )
        # A decoder without an output activation may leave the range, which a picture cannot.
        original, reconstructed = (
            (x.detach().to(self.device, torch.float32).clamp(-1.0, 1.0) + 1.0) / 2.0 for x in (images, reconstructions)
        )
        self.number += len(images)
        self.values += images.numel()
        # In float64: a sum over ten thousand images has more digits than float32 keeps.
        self.squared_error += (original - reconstructed).double().square().sum()
        similarity = structural_similarity_index_measure(reconstructed, original, data_range=1.0, reduction="none")
        assert isinstance(similarity, Tensor)
        self.similarity += similarity.double().sum()

    def compute(self) -> dict[str, Tensor]:
        """``squared_error`` per image, ``psnr`` in decibels, ``ssim`` in [-1, 1]; scalars, float32."""
        if self.number == 0:
            raise TooFewSamplesError("ReconstructionQuality has 0 images, but needs at least 1; update it first")
        return {
            "squared_error": (self.squared_error / self.number).float(),
            "psnr": (-10.0 * (self.squared_error / self.values).log10()).float(),
            "ssim": (self.similarity / self.number).float(),
        }
