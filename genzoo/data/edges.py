"""Clothes and the edges of their pictures, from which a model is to draw them again."""

import numpy as np
from numpy.typing import NDArray

from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.splits import Arrays, Split

# The slope of brightness, in grey levels per pixel, from which on a pixel is an edge.
THRESHOLD = 40


class FashionMNISTMiniEdges(FashionMNISTMini):
    """The part of Fashion-MNIST that comes with the package; each image with its edges in place of a label.

    Edges are white on black, found by `edges_of`. There are no classes.
    """

    class_names = ()
    condition_channels = 1

    def load(self, split: Split) -> Arrays:
        """Reads one of the two splits: images and their edges, each ``(N, 1, 28, 28)``, uint8.

        Raises:
            ValueError: If a file is not the one that was shipped.
        """
        images, _ = super().load(split)
        return images, edges_of(images)


def edges_of(images: NDArray[np.uint8], threshold: int = THRESHOLD) -> NDArray[np.uint8]:
    r"""Finds edges: where brightness changes by at least a threshold from pixel to pixel.

    The slope is that of Sobel and Feldman (1968), two differences of neighbours two pixels apart, each smoothed across
    by the weights 1, 2, 1:

    .. math:: 8 |\nabla x| = \sqrt{g_w^2 + g_h^2} \geq 8 \cdot \text{threshold}

    Outside an image lie its outermost pixels once more, so that its frame is no edge. Whole numbers alone are computed
    with, so that every machine finds the same edges.

    Args:
        images: ``(N, 1, H, W)``.
        threshold: In grey levels per pixel, 0 to 180.

    Returns:
        ``(N, 1, H, W)``, 255 on edges, else 0.
    """
    x = np.pad(images.astype(np.int32), [(0, 0), (0, 0), (1, 1), (1, 1)], mode="edge")
    rows = x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]
    columns = x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]
    across, down = rows[..., 2:] - rows[..., :-2], columns[..., 2:, :] - columns[..., :-2, :]
    return np.where(across**2 + down**2 >= (8 * threshold) ** 2, 255, 0).astype(np.uint8)
