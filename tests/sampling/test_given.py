"""Conditions as people write them: taken in every form with one meaning, and otherwise met with a sentence."""

import numpy as np
import pytest
import torch

from genzoo.sampling.given import images_of, labels_of, tokens_of, vectors_of

CLOTHES = ["T-shirt", "Trouser", "Pullover", "Sneaker"]


SNEAKERS = [
    3,
    np.int64(3),
    np.uint8(3),
    np.array(3),
    torch.tensor(3),
    torch.tensor(3, dtype=torch.uint8),
    "Sneaker",
    "sneaker",
    np.str_("Sneaker"),
    ["Sneaker"] * 4,
    np.array(["Sneaker"] * 4),
    [3, "Sneaker", np.int64(3), torch.tensor(3)],
    (3, 3, 3, 3),
    np.full(4, 3, np.int16),
    torch.full((4,), 3, dtype=torch.int32),
]


@pytest.mark.parametrize("y", SNEAKERS, ids=repr)
def test_a_class_is_a_class_however_it_is_written(y):
    labels = labels_of(y, 4, CLOTHES)
    assert labels.dtype == torch.int64
    assert labels.tolist() == [3] * 4


def test_each_item_may_have_a_class_of_its_own():
    for y in ([0, 3, 1], ["T-shirt", "Sneaker", "Trouser"], np.array([0, 3, 1])):
        assert labels_of(y, 3, CLOTHES).tolist() == [0, 3, 1]
    assert labels_of(range(3), 3, CLOTHES).tolist() == [0, 1, 2]
    assert labels_of([], 0, CLOTHES).shape == labels_of(2, 0, CLOTHES).shape == (0,)


def test_names_that_differ_in_capital_letters_alone_are_told_apart():
    assert labels_of(["a", "A"], 2, ["A", "a"]).tolist() == [1, 0]


NO_CLASSES = [
    (
        "Sneeker",
        r"there is no class 'Sneeker'; did you mean Sneaker\? there are T-shirt, Trouser, Pullover, Sneaker",
    ),
    (["Trouser", "Hat"], "there is no class 'Hat'; there are T-shirt"),
    (4, "labels should lie in 0 to 3, got 4 to 4"),
    (-1, "labels should lie in 0 to 3, got -1 to -1"),
    ([0, 1, 2], r"should have the shape \(2,\), one condition per image, or be one class for all, got \(3,\)"),
    ([[0, 1]], r"got \(1, 2\)"),
    (1.0, "y should be classes, by their numbers from 0 to 3 or their names, got 1.0"),
    (True, "y should be classes, .* got True"),
    ([0, None], r"y should be classes, .* got \[0, None\]"),
    ([[0], [0, 1]], "y should be classes"),
    ({"class": 3}, "y should be classes"),
    (torch.zeros(2), r"y should be classes, .* got float32 of shape \(2,\)"),
    (np.zeros((2, 3)), r"y should be classes, .* got float64 of shape \(2, 3\)"),
]


@pytest.mark.parametrize(("y", "message"), NO_CLASSES, ids=repr)
def test_what_is_no_class_is_named(y, message):
    with pytest.raises(ValueError, match=message):
        labels_of(y, 2, CLOTHES)


def test_many_classes_are_counted_rather_than_listed():
    with pytest.raises(ValueError, match=r"no class 'mode_7'; did you mean mode_\d\d\? there are 25 classes"):
        labels_of("mode_7", 1, [f"mode_{number:02d}" for number in range(25)])


def test_vectors_may_be_one_for_all_or_one_for_each():
    one = torch.tensor([[1.0, 0.0, 0.5]])
    for y in ([1, 0, 0.5], np.array([1, 0, 0.5]), one[0], one.expand(2, 3), [[1, 0, 0.5]] * 2, np.tile(one, (2, 1))):
        assert torch.equal(vectors_of(y, 2, 3).float(), one.expand(2, 3))
    assert vectors_of([True, False], 1, 2).tolist() == [[1.0, 0.0]]
    for y in (3, "Sneaker", [1, 0], torch.zeros(3, 3), [["a", "b", "c"]] * 2):
        with pytest.raises(ValueError, match=r"y should have the shape \(2, 3\), one .* or be one vector of 3 numbers"):
            vectors_of(y, 2, 3)


def test_images_may_be_one_for_all_or_one_for_each():
    one = torch.linspace(-1, 1, 12).reshape(1, 3, 4)
    for y in (one, one.numpy(), one.tolist(), one.expand(2, 1, 3, 4), [one.numpy(), one.numpy()]):
        assert torch.equal(images_of(y, 2, (1, 3, 4)).float(), one.expand(2, 1, 3, 4))
    assert images_of(one, 0, (1, 3, 4)).shape == (0, 1, 3, 4)
    assert images_of(one + 1e-6, 1, (1, 3, 4)).max() > 1


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.zeros(2, 3, 4, 4), r"floats of the shape \(2, 1, 4, 4\), .* got float32 of shape \(2, 3, 4, 4\)"),
        (torch.zeros(1, 4, 4, dtype=torch.uint8), r"got uint8 of shape \(1, 4, 4\); .* with genzoo.spec.to_float"),
        ("edges.png", "got 'edges.png'"),
        (255 * torch.ones(1, 4, 4), "images in y should have values from -1 to 1, got 255 to 255; bring bytes there"),
    ],
)
def test_what_is_no_condition_image_is_named(y, message):
    with pytest.raises(ValueError, match=message):
        images_of(y, 2, (1, 4, 4))


def test_tokens_may_be_one_sequence_for_all_or_one_for_each():
    for y in ([4, 0, 2], np.array([4, 0, 2], np.uint8), [[4, 0, 2]] * 2, torch.tensor([[4, 0, 2]] * 2)):
        tokens = tokens_of(y, 2, 3, 5)
        assert tokens.dtype == torch.int64
        assert tokens.tolist() == [[4, 0, 2]] * 2
    for y in ([4, 0], [4.0, 0.0, 2.0], [True, False, True], "words", torch.zeros(3, 3)):
        with pytest.raises(ValueError, match=r"whole numbers of the shape \(2, 3\), one sequence of tokens"):
            tokens_of(y, 2, 3, 5)
    with pytest.raises(ValueError, match="tokens should lie in 0 to 4, got 0 to 5"):
        tokens_of([5, 0, 2], 2, 3, 5)
