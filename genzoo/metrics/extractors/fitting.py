"""Training a classifier: for features, and for accuracy scores of generated data."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from genzoo.hyperparameters import WholeNumbers
from genzoo.metrics.extractors.classifiers import ImageClassifier
from genzoo.spec import to_float


@dataclass(frozen=True)
class Recipe(WholeNumbers):
    """How a classifier is trained: stochastic gradient descent with momentum, one cycle of the learning rate.

    Args:
        seed: Of weights, order and shifts.
        epochs: How often each image is seen.
        learning_rate: The highest of the cycle.
        shift: By how many pixels an image is moved at most, at random.
        batch_size: Images per step; of an incomplete last batch nothing is seen.
    """

    seed: int = 0
    epochs: int = 5
    learning_rate: float = 0.1
    shift: int = 0
    batch_size: int = 128


def fit_classifier(
    build: Callable[[], ImageClassifier],
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    report: Callable[[int, float], None] | None = None,
) -> ImageClassifier:
    """Trains a classifier; torch's global generator is left as it was.

    Args:
        build: Makes the network.
        images: ``(N, C, H, W)``, uint8.
        labels: ``(N,)``, int64.
        recipe: How.
        report: Called with the number and the mean loss of every epoch.

    Returns:
        The network, in eval mode.

    Raises:
        ValueError: If there is not a single batch.
    """
    batches = len(images) // recipe.batch_size
    if batches == 0:
        raise ValueError(f"there are {len(images)} images, but a batch takes {recipe.batch_size}; give more images")
    # Of the CPU's generator alone, which draws all that is random here: forking those of GPUs would initialise CUDA.
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(recipe.seed)
        network = build().to(images.device)
        optimizer = torch.optim.SGD(
            network.parameters(), recipe.learning_rate, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, recipe.epochs * batches)
        for epoch in range(recipe.epochs):
            total = 0.0
            order = torch.randperm(len(images))[: batches * recipe.batch_size]
            for chosen in order.view(batches, recipe.batch_size):
                logits = network(to_float(_shifted(images[chosen], recipe.shift)))
                loss = functional.cross_entropy(logits, labels[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item()
            if report is not None:
                report(epoch, total / batches)
    return network.eval()


def _shifted(images: Tensor, most: int) -> Tensor:
    """Moves each image by a random number of pixels, up to ``most``, in both directions; black comes in."""
    if most == 0:
        return images
    size = images.shape[-1]
    padded = functional.pad(images, [most] * 4)
    rows, columns = (torch.randint(2 * most + 1, (len(images), 1)) + torch.arange(size) for _ in range(2))
    place = torch.arange(len(images))[:, None, None]
    # Advanced indices about a slice put the colours last.
    return padded[place, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
