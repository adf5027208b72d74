"""What scoring 10,000 images of 28 x 28 costs, beside embedding them, and how much memory it takes.

    python tests/benchmarks/metrics.py [--threads 1]

All metrics of distances, coverage, diversity, sharpness and memorisation, of slightly noisy training images
against the 10,000 embedded training images of Fashion-MNIST.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import torch

from genzoo.data import FashionMNISTMini
from genzoo.metrics import (
    Authenticity,
    ClassScore,
    ExtrapolatedFrechetDistance,
    FrechetDistance,
    KernelDistance,
    PairwiseDiversity,
    PrecisionRecall,
    Sharpness,
)
from genzoo.metrics.extractors.embedded import embedded_extractor


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long some work takes, and what it gives."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many counts")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    extractor = embedded_extractor("fashion-mnist-plain")
    real = torch.tensor(FashionMNISTMini().load("train")[0])
    fake = (real + 8.0 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255).byte()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    known, seen = extractor(real).features, extractor(fake)
    assert seen.logits is not None
    works: dict[str, tuple[Callable[[], Any], torch.Tensor]] = {
        "Frechet distance": (lambda: FrechetDistance(extractor.feature_dim, real=known), seen.features),
        "Frechet distance, extrapolated": (lambda: ExtrapolatedFrechetDistance(real=known), seen.features),
        "kernel distance": (lambda: KernelDistance(real=known), seen.features),
        "precision to coverage": (lambda: PrecisionRecall(real=known), seen.features),
        "class score": (lambda: ClassScore(10), seen.logits),
        "pairwise diversity": (PairwiseDiversity, seen.features),
        "sharpness": (Sharpness, fake),
        "authenticity": (lambda: Authenticity(real=known), seen.features),
    }

    def score(make: Callable[[], Any], values: torch.Tensor) -> Any:
        metric = make()
        metric.update(values)
        return metric.compute()

    embedding = min(seconds(lambda: extractor(fake))[0] for _ in range(arguments.repeats))
    print(f"{'embedding':32} {embedding:7.2f} s")
    total = 0.0
    for name, (make, values) in works.items():
        taken = min(seconds(lambda make=make, values=values: score(make, values))[0] for _ in range(arguments.repeats))
        total += taken
        print(f"{name:32} {taken:7.2f} s  {taken / embedding:5.2f} times the embedding")
    print(f"{'all metrics':32} {total:7.2f} s  {total / embedding:5.2f} times the embedding (at most 6)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GB (at most 2), of which {before:.2f} GB before the first metric")


if __name__ == "__main__":
    main()
