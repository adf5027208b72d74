"""What 100,000 samples cost in one archive: memory, and speed beside a bare loop of the generator.

    python -m tests.benchmarks.many_samples [--config dcgan] [--number 100000] [--rounds 10] [--blocks 200]

Memory is that of a process of its own, which draws 64 samples first, with all imports that this takes, and then as
many as were asked for: what counts is by how much the second raises the peak of the first.

Speed is measured in turns: samples are drawn and written as the command does it, and a bare loop draws as many,
``generator(torch.randn(64, latent_dim))``, and writes nothing. Each of the two thus meets whatever else the machine is
doing, and what counts is the median over the rounds of the ratio of their speeds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

import genzoo
from genzoo.cli.sample_files import Arrays, Series, as_written
from tests.benchmarks.step_speed import CLOCKS, read_clocks
from tests.benchmarks.untrained import checkpoint_of

BLOCK = 64
# The system's own account of a process: `resource` counts what it had before Python began, too.
PEAKS = r"""
import re, sys
from pathlib import Path
from genzoo.cli import main
for number in ("64", sys.argv[2]):
    assert main(["sample", sys.argv[1], "--number", number, "--out", sys.argv[3], "--overwrite"]) == 0
    sys.stderr.write(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1] + " ")
"""


def growth(checkpoint: Path, number: int, out: Path) -> float:
    """By how many megabytes many samples raise the peak of the memory that 64 take."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", PEAKS, str(checkpoint), str(number), str(out)]
    said = subprocess.run(program, check=True, capture_output=True, text=True, env=environment).stderr
    few, many = (int(kilobytes) / 1024 for kilobytes in said.split())
    return many - few


def seconds_in_turns(checkpoint: Path, rounds: int, blocks: int, out: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds of ours and of the bare loop for as many blocks, one pair per round, by each clock."""
    sampler: Any = genzoo.load(checkpoint)
    series = Series(sampler.data_spec, blocks * BLOCK)
    condition = torch.zeros(BLOCK, *sampler.condition.shape) if sampler.condition.shape else None

    def ours() -> None:
        Arrays().write(out, series, map(as_written, sampler.batches(series.number, seed=0)))

    def bare() -> None:
        with torch.no_grad():
            for _ in range(blocks):
                sampler.generator(torch.randn(BLOCK, *sampler.latent_shape), condition)

    found: dict[str, list[tuple[float, float]]] = {clock: [] for clock in CLOCKS}
    # The first round is still warming up, and does not count.
    for round_ in range(rounds + 1):
        started = read_clocks()
        ours()
        ended = read_clocks()
        bare()
        both_ended = read_clocks()
        for clock, rows in found.items():
            rows += [(ended[clock] - started[clock], both_ended[clock] - ended[clock])] * (round_ > 0)
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", default="dcgan", help="whose generator: dcgan, gan or cgan")
    parser.add_argument("--number", type=int, default=100_000, help="samples of which memory is measured")
    parser.add_argument("--rounds", type=int, default=10, help="how often speed is measured")
    parser.add_argument("--blocks", type=int, default=200, help="blocks of 64 in a round")
    parser.add_argument("--threads", type=int, default=1, help="of torch, for both")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, out = checkpoint_of(options.config, Path(folder) / "run"), Path(folder) / "samples.npz"
        for clock, rows in seconds_in_turns(checkpoint, options.rounds, options.blocks, out).items():
            ours, bare = (
                statistics.median(options.blocks * BLOCK / seconds for seconds in column)
                for column in zip(*rows, strict=True)
            )
            low, middle, high = statistics.quantiles((bare / ours for ours, bare in rows), n=4)
            print(
                f"{options.config:6} {clock:15} {ours:7.0f} samples/s, bare {bare:7.0f}; ratio {middle:.3f} (half of "
                f"the {len(rows)} rounds between {low:.3f} and {high:.3f})"
            )
        megabytes = growth(checkpoint, options.number, out)
        print(f"{options.number} samples raise the peak of memory by {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
