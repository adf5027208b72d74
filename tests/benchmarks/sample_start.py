"""How long `genzoo sample` takes for 64 images, beside the import of torch that it begins with.

    python -m tests.benchmarks.sample_start [--rounds 15] [--model CHECKPOINT]

Both are started in turns, as processes of their own, so that each meets whatever else the machine is doing; what
counts is the ratio of the medians. Without a checkpoint it is one of the shipped DCGAN, untrained.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.untrained import checkpoint_of


def seconds(arguments: list[str]) -> float:
    """How long Python takes for a program."""
    started = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="how often each is started")
    parser.add_argument("--model", help="what is drawn from")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or str(checkpoint_of("dcgan", Path(folder)))
        sample = ["-m", "genzoo", "sample", model, "--out", str(Path(folder) / "samples.png"), "--overwrite"]
        rounds = []
        # The first round finds the files of both in the system's memory, or puts them there, and does not count.
        for _ in range(options.rounds + 1):
            rounds.append((seconds(["-c", "import torch"]), seconds(sample)))
        bare, ours = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
    print(f"import torch {bare:.2f} s, genzoo sample {ours:.2f} s; ratio {ours / bare:.3f} of {options.rounds} rounds")


if __name__ == "__main__":
    main()
