import numpy as np
import pytest
import scipy.stats

from genzoo.drawing import without_gaps
from genzoo.latent.manifold import manifold
from genzoo.zoo.loading import load


def test_tiles_stand_without_gaps(drawn, run_of, pixels):
    picture, record = drawn("manifold", "plane", "--side", "6")
    assert picture.size == (6 * 28, 6 * 28)
    expected = manifold(load(run_of("plane")), 6).items
    np.testing.assert_array_equal(pixels(picture), without_gaps(expected, {"shape": [1, 28, 28]}))
    quantiles = scipy.stats.norm.ppf((np.arange(6) + 0.5) / 6)
    np.testing.assert_allclose(record["first_latent_variable_of_columns"], quantiles, rtol=1e-5)
    np.testing.assert_allclose(record["second_latent_variable_of_rows"], quantiles[::-1], rtol=1e-5)


def test_a_map_stands_beside_it_with_its_classes(drawn, pixels):
    picture, record = drawn("manifold", "plane", "--side", "10", "--map", "--items", "300")
    assert record["items_on_map"] == 300
    assert picture.height == 280
    assert picture.width > 2 * 280
    beside = pixels(picture)[:, 280:560].reshape(-1, 3)
    assert {(31, 119, 180), (255, 255, 255)} <= {tuple(colour) for colour in beside}


def test_a_class_is_chosen(drawn):
    _, record = drawn("manifold", "cvae", "--side", "3", "--classes", "Sneaker")
    assert record["conditions"] == 3 * ["Sneaker"]


def test_codes_of_items_take_the_place_of_a_prior(drawn):
    _, record = drawn("manifold", "autoencoder", "--side", "4", "--items", "100")
    assert np.diff(record["first_latent_variable_of_columns"]).min() > 0


@pytest.mark.parametrize("model", ["points", "points_vae"])
def test_points_become_a_deformed_grid(model, drawn, pixels):
    picture, _ = drawn("manifold", model, *(["--map"] if model == "points_vae" else []))
    assert picture.height == 480
    colours = {tuple(colour) for colour in pixels(picture)[:, :480].reshape(-1, 3)}
    assert {(31, 119, 180), (255, 127, 14)} <= colours


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("vae", [], "has 3 latent variables, but only two span a plane"),
        ("cvae", [], "depends on 10 classes, and a plane is of one of them; name it with --classes"),
        ("plane", ["--side", "1"], "--side must be at least 2"),
        ("plane", ["--side", "x"], "--side should be a whole number, got x"),
        ("points", ["--map"], "no encoder that would put items on a map"),
    ],
)
def test_what_does_not_fit_is_refused(model, options, words, refused):
    assert words in refused("manifold", model, *options)
