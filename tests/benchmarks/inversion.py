"""How well a generator is inverted, beside the reconstructions of a model that encodes.

    python -m tests.benchmarks.inversion RUN RUN ... [--number 32] [--starts 8]

Errors are summed over the pixels of an image in native size, with values in [0, 1], and averaged over the first images
of the test set. A model that encodes is inverted too, from draws of the prior and from the code of the image.
"""

import argparse
import time

import torch
from torch import Tensor

from genzoo.cli.known_data import data_of
from genzoo.latent.inversion import invert
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.sampler import Sampler, in_eval_mode
from genzoo.spec import to_float, to_native
from genzoo.zoo.loading import load


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", metavar="RUN", nargs="+", help="runs of models of the same data")
    parser.add_argument("--number", type=int, default=32)
    parser.add_argument("--starts", type=int, default=8)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    for place in options.models:
        sampler, data = load(place), data_of(place)
        data.setup("test")
        whole = to_float(torch.as_tensor(data.array("test").images))
        x = whole[: options.number]
        y = torch.as_tensor(data.labels("test"))[: options.number] if sampler.condition.shape else None
        print(f"{place}, {options.number} test images")
        print(f"  mean of the test set        {_error(sampler, whole.mean(0, keepdim=True), x):7.2f}")
        if isinstance(sampler, Encodes):
            with in_eval_mode(sampler):
                print(f"  reconstruction              {_error(sampler, sampler.reconstruct(x, y), x):7.2f}")
        for starts in [2**power for power in range(options.starts.bit_length())]:
            begin = time.perf_counter()
            found = invert(sampler, x, y, starts=starts, steps=options.steps)
            taken = time.perf_counter() - begin
            error = _error(sampler, found.reconstructions, x)
            print(f"  inversion, starts: {starts:2d}       {error:7.2f}   ({taken / options.number:.1f} s per image)")


def _error(sampler: Sampler, found: Tensor, x: Tensor) -> float:
    difference = to_native(found, sampler.data_spec) - to_native(x, sampler.data_spec)
    return float((difference / 2.0).square().flatten(1).sum(1).mean())


if __name__ == "__main__":
    main()
