"""What stands in exported files for those who have no genzoo."""

import json

import pytest

from genzoo import __version__
from genzoo.export.description import described
from genzoo.export.parts import parts_of
from tests.export.samplers import sampler_named

BYTES = "(x + 1) * 127.5, rounded; then "


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("generator", {"prior": "UniformPrior", "y": "3 classes", "bytes": f"{BYTES}resized: 14 pixels"}),
        ("generator of points", {"prior": "NormalPrior", "y": "sequences of 2 tokens out of 7"}),
        ("variational, bits", {"prior": "NormalPrior", "bytes": f"{BYTES}as they are: 8 pixels"}),
        ("autoencoder", {"y": "vectors of 3 numbers", "bytes": f"{BYTES}as they are: 8 pixels"}),
        ("autoencoder with a density", {"prior": "GaussianMixtureDensity", "bytes": f"{BYTES}as they are: 8 pixels"}),
    ],
)
def test_it_says_what_goes_in_and_what_comes_out(name, expected):
    sampler = sampler_named(name)
    for part in parts_of(sampler):
        rest = described(part)
        assert rest.pop("genzoo_version") == __version__
        assert json.loads(rest.pop("data_spec")) == sampler.data_spec
        assert rest == expected | {"part": part.name}
