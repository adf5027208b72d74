import numpy as np
import pytest
from PIL import Image

from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.latent.codes import random_codes
from genzoo.latent.interpolation import interpolate
from genzoo.latent.rows import step_sizes
from genzoo.zoo.loading import load

TILE = 56


def test_random_codes_are_joined_both_ways(drawn, run_of):
    picture, record = drawn("interpolate", "vae", "--rows", "2", "--steps", "5", "--seed", "3")
    sampler = load(run_of("vae"))
    codes = random_codes(sampler, 4, seed=3)
    assert record["codes"] == "drawn from the prior"
    assert [row["way"] for row in record["rows"]] == 2 * ["linear", "spherical"]
    for number, row in enumerate(record["rows"]):
        pair = number // 2
        expected = interpolate(sampler, codes[2 * pair, None], codes[2 * pair + 1, None], 5, row["way"])
        np.testing.assert_allclose(row["first_code"], codes[2 * pair], rtol=1e-6)
        np.testing.assert_allclose(row["last_code"], codes[2 * pair + 1], rtol=1e-6)
        np.testing.assert_allclose(row["norms"], expected.codes[0].norm(dim=1), rtol=1e-5)
        np.testing.assert_allclose(row["step_sizes"], step_sizes(expected.items)[0], rtol=1e-4)
    # Four rows of five tiles, with lines of 2 pixels between and around them, behind the names of the ways.
    assert picture.height == 4 * (TILE + 2) + 2
    assert 5 * (TILE + 2) + 2 < picture.width < 5 * (TILE + 2) + 2 + 100


def test_items_of_the_test_set_stand_at_the_ends(drawn, pixels):
    picture, record = drawn("interpolate", "vae", "--between", "3", "017", "--way", "spherical", "--steps", "3")
    assert record["codes"] == "by the encoder"
    assert record["rows"][0]["between"] == ["3", "17"]
    images, _ = FashionMNISTMini().load("test")
    shown = pixels(picture)[2:-2, :, 0]
    first = shown[:, -5 * (TILE + 2) : -5 * (TILE + 2) + TILE]
    np.testing.assert_array_equal(first[::2, ::2], images[3, 0])
    np.testing.assert_array_equal(shown[::2, -2 - TILE : -2 : 2], images[17, 0])


def test_image_files_are_brought_to_the_size_of_the_model(drawn, working_folder, tmp_path):
    for name in ("a", "b"):
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / f"{name}.png") for name in ("a", "b")]
    _, record = drawn("interpolate", "vae", "--between", *files, "--way", "linear")
    assert record["rows"][0]["between"] == files


def test_what_has_no_encoder_is_inverted(drawn):
    _, record = drawn("interpolate", "points", "--between", "0", "1")
    assert record["codes"] == "by inversion"


def test_each_pair_of_random_codes_has_a_class(drawn):
    _, record = drawn("interpolate", "cgan", "--rows", "2", "--way", "linear", "--classes", "Bag,Coat")
    assert [row["conditions"] for row in record["rows"]] == [["Bag", "Bag"], ["Coat", "Coat"]]


def test_items_keep_their_classes_unless_others_are_given(drawn):
    names, labels = FashionMNISTMini().class_names, FashionMNISTMini().load("test")[1]
    _, record = drawn("interpolate", "cvae", "--between", "3", "17", "--way", "linear")
    assert record["rows"][0]["conditions"] == [names[labels[3]], names[labels[17]]]


def test_points_are_joined_by_lines(drawn, pixels):
    picture, record = drawn("interpolate", "points", "--rows", "1")
    colours = {tuple(colour) for colour in pixels(picture).reshape(-1, 3)}
    assert {(31, 119, 180), (255, 127, 14), (0, 0, 0), (205, 205, 205)} <= colours
    assert len(record["rows"][0]["step_sizes"]) == 59


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("vae", ["--between", "1"], "--between takes pairs of items, but got 1"),
        ("vae", ["--between", "1", "2000"], "has 2000 items, whose places are 0 to 1999, but 2000 was asked for"),
        ("vae", ["--between", "1", "nowhere.png"], "there is no file nowhere.png"),
        ("vae", ["--between", "1", "-3"], "there is no file -3"),
        ("vae", ["--between", __file__, "1"], "cannot be read as an image"),
        ("vae", ["--steps", "1"], "--steps must be at least 2, got 1"),
        ("vae", ["--rows", "0"], "--rows must be at least 1, got 0"),
        ("vae", ["--way", "spherica"], "did you mean spherical"),
        ("vae", ["--classes", "1"], "depends on no labels, not on classes"),
        ("vae", ["--between", "1", "2", "--data", "GaussianMixture2D"], "trained on data of shape"),
        ("autoencoder", [], "no prior to draw codes from; give images"),
        ("points", ["--between", "1", __file__], "knows points, not image files"),
        ("cvae", ["--between", "1", __file__], "name them with --classes"),
    ],
)
def test_what_does_not_fit_is_refused(model, options, words, refused):
    assert words in refused("interpolate", model, *options)
