import numpy as np
import pytest
import scipy.stats
import torch

from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.latent.codes import codes_of
from genzoo.latent.rows import decoded_rows
from genzoo.latent.traversal import order_by_kl
from genzoo.networks.mlp import MLPPlayers
from genzoo.sampling.coded import CodedPrior
from genzoo.sampling.generators import GeneratorSampler
from genzoo.spec import to_float, to_native, to_uint8
from genzoo.zoo.loading import load
from tests.cli.latent_tools.small import DIGITS_SPEC, run_tool


def test_rows_are_the_dimensions_that_carry_most(drawn, run_of, pixels):
    picture, record = drawn("traverse", "vae", "--items", "300", "--steps", "3", "--top", "2")
    sampler = load(run_of("vae"))
    images, _ = FashionMNISTMini().load("test")
    order = order_by_kl(sampler, to_float(torch.tensor(images[:300])))
    assert "divergence of the posterior" in record["ordered_by"]
    assert record["items"] == 300
    assert record["all_dimensions"] == order.dimensions.tolist()
    np.testing.assert_allclose(record["all_nats"], order.scores, rtol=1e-5)
    assert [row["dimension"] for row in record["rows"]] == order.dimensions[:2].tolist()
    assert record["rows"][0]["values"] == [-3.0, 0.0, 3.0]
    assert record["first_code"] == [0.0, 0.0, 0.0]
    # The last tile of the first row.
    code = torch.zeros(1, 1, 3)
    code[0, 0, order.dimensions[0]] = 3.0
    expected = to_uint8(to_native(decoded_rows(sampler, code).items[0], sampler.data_spec))[0, 0]
    np.testing.assert_array_equal(pixels(picture)[2:58:2, -58:-2:2, 0], expected)


def test_what_has_no_posterior_is_ordered_by_effect(drawn):
    _, record = drawn("traverse", "cgan", "--at", "random", "--steps", "4", "--deviations", "2")
    assert "mean squared change" in record["ordered_by"]
    assert record["items"] is None
    assert record["all_change"] == sorted(record["all_change"], reverse=True)
    assert record["rows"][0]["values"][0] == pytest.approx(-2.0)
    # All of one class, unless others are asked for.
    assert record["conditions"] == 4 * ["T-shirt/top"]


def test_rows_may_have_classes_of_their_own(drawn):
    _, record = drawn("traverse", "cgan", "--top", "3", "--classes", "Bag,Coat")
    assert record["conditions"] == ["Bag", "Coat", "Bag"]


def test_what_has_no_prior_is_changed_among_the_codes_of_its_items(drawn, run_of):
    _, record = drawn("traverse", "autoencoder", "--items", "200", "--steps", "3")
    images, _ = FashionMNISTMini().load("test")
    codes = codes_of(load(run_of("autoencoder")), to_float(torch.tensor(images[:200])))
    probabilities = torch.tensor(scipy.stats.norm.cdf([-3.0, 0.0, 3.0]))
    for row in record["rows"]:
        expected = codes[:, row["dimension"]].double().quantile(probabilities)
        np.testing.assert_allclose(row["values"], expected, rtol=1e-4)
    np.testing.assert_allclose(record["first_code"], codes.median(0).values, atol=0.05)


def test_the_code_of_an_item_may_be_changed(drawn, run_of):
    _, record = drawn("traverse", "cvae", "--at", "4")
    images, labels = FashionMNISTMini().load("test")
    code = codes_of(load(run_of("cvae")), to_float(torch.tensor(images[4:5])), labels[4:5])
    np.testing.assert_allclose(record["first_code"], code[0], rtol=1e-4, atol=1e-5)
    assert record["conditions"] == 2 * [FashionMNISTMini().class_names[labels[4]]]


def test_points_are_lines_in_the_colours_of_their_dimensions(drawn, pixels):
    picture, _ = drawn("traverse", "points")
    colours = {tuple(colour) for colour in pixels(picture).reshape(-1, 3)}
    assert {(31, 119, 180), (255, 127, 14)} <= colours


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("vae", ["--top", "0"], "--top must be at least 1"),
        ("vae", ["--deviations", "0"], "--deviations should be above 0 and at most 8, got 0"),
        ("vae", ["--deviations", "nan"], "--deviations should be a finite number, got nan"),
        ("vae", ["--items", "0"], "--items must be at least 1"),
        ("vae", ["--at", "middle"], "there is no file middle"),
        ("autoencoder", ["--at", "random"], "no prior to draw codes from"),
        ("vae", ["--stpes", "3"], "did you mean --steps"),
    ],
)
def test_what_does_not_fit_is_refused(model, options, words, refused):
    assert words in refused("traverse", model, *options)


def test_codes_are_changed_from_a_code_of_some_category(working_folder):
    prior = CodedPrior(categories=(3,), continuous=2)
    sampler = GeneratorSampler(DIGITS_SPEC, (9,), MLPPlayers((16,), (16,)), prior)
    record = run_tool("traverse", sampler, "--top", "9", "--steps", "3")
    assert record["first_code"][4:7] == [1.0, 0.0, 0.0]
    assert record["first_code"][7:] == pytest.approx([0.0, 0.0], abs=0.05)
    values = {row["dimension"]: row["values"] for row in record["rows"]}
    assert values.keys() == set(range(9))
    assert [values[place] for place in (4, 5, 6)] == 3 * [[0.0, 0.0, 1.0]]
    assert values[7] == pytest.approx([-1.0, 0.0, 1.0], abs=0.05)
