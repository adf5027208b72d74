"""Small models, as files to give to the command line."""

import json
from pathlib import Path

import pytest
import torch

from genzoo.cli import main
from genzoo.data.digits import Digits
from genzoo.data.points import GaussianMixture2D
from genzoo.losses.likelihoods import ContinuousBernoulli
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.sampling.conditions import NoCondition, condition_from
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.safe_files import write_sampler

DIGITS = ["--data", "Digits"]
RING = ["--data", "configs/data/ring.yaml"]


def generator(spec, is_conditional=False):
    """A generator of items of a spec, untrained."""
    torch.manual_seed(0)
    condition = condition_from(spec) if is_conditional else NoCondition()
    return GeneratorSampler(spec, (4,), MLPPlayers((16,), (16,)), condition=condition)


def variational(spec):
    """A model of items of a spec that encodes, untrained."""
    torch.manual_seed(0)
    return VariationalSampler(spec, (4,), MLPEncoderDecoder((16,)), ContinuousBernoulli())


DIGITS_SPEC = Digits(image_size=8).spec
RING_SPEC = GaussianMixture2D("ring").spec


def run_tool(tool, sampler, *arguments):
    """Runs a tool on a sampler in the working folder, and returns its record."""
    write_sampler(sampler, Path("model.safetensors"))
    assert main(["latent", tool, "model.safetensors", *arguments, "--out", "picture.png", "--overwrite"]) == 0
    return json.loads(Path("picture.json").read_text(encoding="utf-8"))


def refusal_of(capsys, tool, sampler, *arguments):
    """What is said where a tool refuses its arguments."""
    write_sampler(sampler, Path("model.safetensors"))
    with pytest.raises(SystemExit) as end:
        main(["latent", tool, "model.safetensors", *arguments])
    assert end.value.code == 2
    return capsys.readouterr().err
