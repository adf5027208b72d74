"""Draws from checkpoints in a process that has samplers and nothing else: python -m tests.sampling.alone FOLDER."""

import sys
from pathlib import Path

import torch

from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.stored import load_sampler

TRAINING = {"genzoo.training", "genzoo.models", "lightning", "torchmetrics", "torchvision", "wandb"}


def main(folder):
    torch.set_num_threads(1)
    drawn = {}
    for (name, weights), (x, y) in torch.load(folder / "asked.pt").items():
        sampler = load_sampler(folder / f"{name}.ckpt", weights, allowed=("genzoo", "tests"))
        drawn[name, weights] = {"samples": sampler.sample(5, y, seed=3)}
        if isinstance(sampler, Encodes):
            with torch.no_grad():
                drawn[name, weights] |= {"codes": sampler.encode(x, y), "reconstructions": sampler.reconstruct(x, y)}
    torch.save({"drawn": drawn, "imported": sorted(TRAINING & sys.modules.keys())}, folder / "drawn.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
