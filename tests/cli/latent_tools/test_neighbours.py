from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from genzoo.data.digits import Digits
from genzoo.spec import to_uint8
from tests.cli.latent_tools.small import DIGITS, DIGITS_SPEC, RING, RING_SPEC, generator, refusal_of, run_tool

pytestmark = pytest.mark.usefixtures("working_folder")


def digits():
    data = Digits(image_size=8)
    data.setup("fit")
    data.setup("test")
    return data


def test_neighbours_are_the_nearest_training_images(capsys):
    sampler, data = generator(DIGITS_SPEC), digits()
    found = run_tool("neighbours", sampler, "--number", "3", "--nearest", "2", *DIGITS)
    training = data.array("train").images.reshape(-1, 64) / 255.0
    samples = to_uint8(torch.Tensor(sampler.sample(3, seed=0))).reshape(3, 64).numpy() / 255.0
    for sample, item in zip(samples, found["items"], strict=True):
        distances = np.linalg.norm(training - sample, axis=1)
        nearest = distances.argsort(kind="stable")[:2]
        assert item["places"] == nearest.tolist()
        assert item["distances"] == pytest.approx(distances[nearest], rel=1e-5)
        assert item["classes"] == [str(label) for label in data.labels("train")[nearest]]
    # Of so few test images, none is left out.
    held_out = data.array("test").images.reshape(-1, 64) / 255.0
    assert found["held_out"]["number"] == len(held_out) < 1000
    to_nearest = sorted(np.linalg.norm(training - image, axis=1).min() for image in held_out)
    assert found["held_out"]["median_to_nearest"] == pytest.approx(to_nearest[(len(held_out) - 1) // 2])
    assert "median distance to the nearest training item" in capsys.readouterr().out


def test_distances_may_be_those_of_features():
    found = run_tool("neighbours", generator(DIGITS_SPEC), "--number", "1", "--features", "digits", *DIGITS)
    assert found["distance"] == "Euclidean, in the features of digits"


def test_given_items_have_neighbours_too():
    found = run_tool("neighbours", generator(DIGITS_SPEC), "--items", "0", "5", "--nearest", "1", *DIGITS)
    assert [item["item"] for item in found["items"]] == ["0", "5"]


def test_points_have_neighbours_in_the_plane():
    settings = {"layout": "ring", "training_points": 500, "test_points": 50}
    config = {"data": {"class_path": "GaussianMixture2D", "init_args": settings}}
    Path("ring.yaml").write_text(yaml.safe_dump(config))
    found = run_tool("neighbours", generator(RING_SPEC), "--number", "2", "--nearest", "3", "--data", "ring.yaml")
    assert found["distance"] == "Euclidean, in the plane"
    assert found["items"][0]["distances"] == sorted(found["items"][0]["distances"])


def test_what_has_no_neighbours_is_refused(capsys):
    assert "there are only" in refusal_of(capsys, "neighbours", generator(DIGITS_SPEC), "--nearest", "99999", *DIGITS)
    said = refusal_of(capsys, "neighbours", generator(RING_SPEC), "--features", "digits", *RING)
    assert "--features are of images, but this model knows points" in said
    assert "not known which data" in refusal_of(capsys, "neighbours", generator(DIGITS_SPEC))
