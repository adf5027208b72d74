"""Small classifiers in whose features samples are compared; they come trained with the package."""

from abc import ABC
from collections.abc import Sequence

from torch import Tensor, nn


class ImageClassifier(nn.Module, ABC):
    """Features of images, and a linear layer that tells their classes apart.

    Attributes:
        body: Images ``(N, C, H, W)`` in [-1, 1] to features ``(N, feature_dim)``.
        head: Features to logits ``(N, number_of_classes)``.
    """

    body: nn.Module
    head: nn.Linear

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images: ``(N, C, H, W)`` in [-1, 1] to ``(N, number_of_classes)``."""
        logits: Tensor = self.head(self.body(images))
        return logits


class PlainClassifier(ImageClassifier):
    """Convolutions of 3 x 3, batch norm and ReLU in a row; the features are the means over all places.

    Args:
        channels: Of the images.
        stages: Widths of the layers; the largest of every 2 x 2 values goes from one stage to the next.
        number_of_classes: How many classes to tell apart.
    """

    def __init__(self, channels: int, stages: Sequence[Sequence[int]], number_of_classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stage in stages:
            if layers:
                layers.append(nn.MaxPool2d(2))
            for width in stage:
                layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(channels, number_of_classes)


class ResidualClassifier(ImageClassifier):
    """Residual blocks with SiLU after strided convolutions; the features are the means over all places.

    Args:
        channels: Of the images.
        widths: Of the blocks; each halves height and width before it starts.
        feature_dim: Number of features.
        number_of_classes: How many classes to tell apart.
    """

    def __init__(self, channels: int, widths: Sequence[int], feature_dim: int, number_of_classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.SiLU()]
            layers.append(_ResidualBlock(width))
            channels = width
        layers += [nn.Conv2d(channels, feature_dim, 1), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(feature_dim, number_of_classes)


class _ResidualBlock(nn.Module):
    """x + f(x), then SiLU, where f is two convolutions (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.activation = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """``(N, width, H, W)`` to the same shape."""
        activated: Tensor = self.activation(x + self.change(x))
        return activated
