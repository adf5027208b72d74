"""How sharp the edges of images are."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genzoo.metrics.inputs import require_images
from genzoo.metrics.means import ImageMean


class Sharpness(ImageMean):
    r"""The variance of the Laplacian of an image with pixels in [0, 1], averaged over images and colours.

    .. math:: \frac1N \sum_n \mathrm{Var}_{ij}\big(x_{i-1,j} + x_{i+1,j} + x_{i,j-1} + x_{i,j+1} - 4 x_{ij}\big)

    over the places ij that have all four neighbours. High for edges and for noise alike, so compare with real
    data: less is blurred, more is noisy. Source: Pech-Pacheco et al. 2000.

    Args:
        **kwargs: As for `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> from genzoo.metrics import Sharpness
        >>> metric = Sharpness()
        >>> metric.update(torch.full((2, 1, 8, 8), 255, dtype=torch.uint8))
        >>> metric.compute()
        tensor(0.)
    """

    higher_is_better = None
    is_differentiable = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__((), torch.device("cpu"), **kwargs)

    def update(self, images: Tensor) -> None:
        """Takes in images, ``(N, C, H, W)``, uint8, of at least 3 pixels in height and width.

        Raises:
            ValueError: If they are not.
        """
        require_images(images, None, None, "Sharpness")
        if min(images.shape[2:]) < 3:
            raise ValueError(f"Sharpness got images of {tuple(images.shape[2:])} pixels, but needs at least (3, 3)")
        # In pieces, which bounds memory.
        super().update(torch.cat([sharpness(chunk) for chunk in images.split(1024)]).cpu())


def sharpness(images: Tensor) -> Tensor:
    """The variance of the Laplacian of each of ``(N, C, H, W)`` bytes, ``(N,)``."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]], device=images.device)
    # Without padding: at the border of an image not all four neighbours exist.
    edges = functional.conv2d(images.flatten(0, 1)[:, None].float() / 255.0, kernel[None, None])
    return edges.flatten(1).var(1, correction=0).view(images.shape[:2]).mean(1)
