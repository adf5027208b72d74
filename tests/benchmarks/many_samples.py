"""What 100,000 samples cost in one archive: memory, and speed beside a bare loop of the generator.

    python -m tests.benchmarks.many_samples [--config gan] [--number 100000] [--rounds 50] [--blocks 20]

Memory is that of a process of its own, which draws 64 samples first, with all imports that this takes, and then as
many as were asked for: what counts is by how much the second raises the peak of the first.

Speed is measured block by block while samples are drawn and written to an archive. After every so many blocks of 64 a
bare loop draws as many, ``generator(torch.randn(64, latent_dim))``, and writes nothing. Each of the two thus meets
whatever else the machine is doing, and what counts is the median over the rounds of the ratio of their speeds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import genzoo
from genzoo.cli.sample_files import Arrays, Series
from tests.benchmarks.untrained import checkpoint_of

BLOCK = 64
PEAKS = """
import resource, sys
from genzoo.cli import main
for number in ("64", sys.argv[2]):
    assert main(["sample", sys.argv[1], "--number", number, "--out", sys.argv[3], "--overwrite"]) == 0
    sys.stderr.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} ")
"""


def growth(checkpoint: Path, number: int, out: Path) -> float:
    """By how many megabytes many samples raise the peak of the memory that 64 take."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", PEAKS, str(checkpoint), str(number), str(out)]
    said = subprocess.run(program, check=True, capture_output=True, text=True, env=environment).stderr
    few, many = (int(kilobytes) / 1024 for kilobytes in said.split())
    return many - few


def speeds(checkpoint: Path, rounds: int, blocks: int, out: Path) -> list[tuple[float, float]]:
    """Samples per second of ours and of the bare loop, one pair per round."""
    sampler = genzoo.load(checkpoint)
    generator = sampler.generator
    condition = torch.zeros(BLOCK, *sampler.condition.shape) if sampler.condition.shape else None
    found: list[tuple[float, float]] = []

    def bare() -> None:
        with torch.no_grad():
            for _ in range(blocks):
                generator(torch.randn(BLOCK, *sampler.latent_shape), condition)

    def in_turns(series: Series) -> Iterator[Any]:
        drawn = 0
        started = time.perf_counter()
        for batch in sampler.batches(series.number, seed=0):
            yield batch.bytes()
            drawn += len(batch)
            if drawn >= blocks * BLOCK:
                ended = time.perf_counter()
                bare()
                both_ended = time.perf_counter()
                found.append((drawn / (ended - started), blocks * BLOCK / (both_ended - ended)))
                drawn, started = 0, time.perf_counter()

    bare()
    series = Series(sampler.data_spec, (rounds + 1) * blocks * BLOCK)
    Arrays().write(out, series, in_turns(series))
    # The first round is still warming up.
    return found[1:]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", default="gan", help="whose generator: gan, dcgan or cgan")
    parser.add_argument("--number", type=int, default=100_000, help="samples of which memory is measured")
    parser.add_argument("--rounds", type=int, default=50, help="how often speed is measured")
    parser.add_argument("--blocks", type=int, default=20, help="blocks of 64 in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, out = checkpoint_of(options.config, Path(folder) / "run"), Path(folder) / "samples.npz"
        ratios = speeds(checkpoint, options.rounds, options.blocks, out)
        ours, bare = (statistics.median(column) for column in zip(*ratios, strict=True))
        low, middle, high = statistics.quantiles((one / other for one, other in ratios), n=4)
        print(
            f"{options.config} on {torch.get_num_threads()} thread(s): {ours:.0f} samples/s, bare {bare:.0f}; ratio "
            f"{middle:.3f} (half of the {len(ratios)} rounds between {low:.3f} and {high:.3f})"
        )
        megabytes = growth(checkpoint, options.number, out)
        print(f"{options.number} samples raise the peak of memory by {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
