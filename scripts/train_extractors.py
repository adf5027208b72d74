"""Trains the classifiers in whose features genzoo scores samples, or measures those that are shipped.

    python scripts/train_extractors.py train fashion-mnist-plain [--root data]
    python scripts/train_extractors.py measure

Training takes all training images of the data set, on one thread of the CPU, from a seed; the weights go to
``genzoo/metrics/extractors/assets``. The hash that is printed belongs into
`genzoo.metrics.extractors.embedded.EMBEDDED`. Measuring prints accuracy on all test images, hash and size of each file.
"""

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from genzoo.data import Digits, FashionMNIST
from genzoo.data.splits import Split
from genzoo.metrics.extractors.classifiers import ImageClassifier
from genzoo.metrics.extractors.embedded import ASSETS, EMBEDDED, read_weights, write_weights
from genzoo.metrics.extractors.extractor import weights_hash
from genzoo.metrics.extractors.fitting import Recipe, fit_classifier
from genzoo.spec import to_float

RECIPES = {
    "fashion-mnist-plain": Recipe(seed=1, epochs=14, learning_rate=0.1, shift=1),
    "fashion-mnist-residual": Recipe(seed=2, epochs=14, learning_rate=0.1, shift=1),
    "digits": Recipe(seed=3, epochs=60, learning_rate=0.05, shift=1),
}


def load(name: str, split: Split, root: str) -> tuple[Tensor, Tensor]:
    """The images and labels of a split of the data set that a classifier is for."""
    data = FashionMNIST(root=root) if EMBEDDED[name].data == "FashionMNIST" else Digits()
    data.prepare_data()
    images, labels = data.load(split)
    return torch.tensor(images), torch.tensor(labels)


def train(name: str, root: str) -> ImageClassifier:
    """Trains a classifier, and prints how it goes."""
    images, labels = load(name, "train", root)
    start = time.perf_counter()

    def report(epoch: int, loss: float) -> None:
        print(f"epoch {epoch + 1:2}  loss {loss:.4f}  {time.perf_counter() - start:.0f} s", flush=True)

    return fit_classifier(EMBEDDED[name].build, images, labels, RECIPES[name], report)


def measure(name: str, root: str) -> str:
    """One line about a classifier that is shipped."""
    network, path = EMBEDDED[name].build(), ASSETS / f"{name}.npz"
    read_weights(network, path)
    images, labels = load(name, "test", root)
    network.eval()
    with torch.no_grad():
        guesses = torch.cat([network(to_float(chunk)).argmax(1) for chunk in images.split(500)])
    accuracy = (guesses == labels).double().mean()
    return (
        f"{name}: {accuracy:.2%} of {len(labels)} test images right, {network.head.in_features} features, "
        f"{sum(weights.numel() for weights in network.parameters()):,} weights, {path.stat().st_size:,} bytes, "
        f"{weights_hash(network.body, network.head)}"
    )


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("train", "measure"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(EMBEDDED)}; all if left out")
    parser.add_argument("--root", default="data", help="folder with the files of Fashion-MNIST")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in arguments.names or EMBEDDED:
        if arguments.what == "train":
            Path(ASSETS).mkdir(exist_ok=True)
            write_weights(train(name, arguments.root), ASSETS / f"{name}.npz")
        print(measure(name, arguments.root), flush=True)


if __name__ == "__main__":
    main()
