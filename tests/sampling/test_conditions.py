import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from genzoo.hyperparameters import as_plain
from genzoo.sampling.conditions import (
    ClassCondition,
    ImageCondition,
    NoCondition,
    TokenCondition,
    VectorCondition,
    condition_from,
)
from genzoo.spec import DataSpec, image_spec, to_float

CLASSES = ClassCondition(("T-shirt", "Trouser", "Pullover"))
VECTORS, IMAGES, TOKENS = VectorCondition(4), ImageCondition((1, 2, 3)), TokenCondition(5, 7)
CONDITIONS = [NoCondition(), CLASSES, VECTORS, IMAGES, TOKENS]


def test_the_data_say_what_a_model_can_be_told():
    spec: DataSpec = {"shape": [1, 8, 8]}
    assert condition_from(spec) == NoCondition()
    for more, expected in (
        (DataSpec(shape=[2], class_names=["a", "b"]), ClassCondition(("a", "b"))),
        (DataSpec(shape=[2], attribute_names=["hat", "bow", "tie", "pin"]), VECTORS),
        (DataSpec(shape=[2], tokens=[5, 7]), TOKENS),
        (DataSpec(shape=[2], condition_image=[1, 2, 3]), IMAGES),
    ):
        spec |= more
        # What comes later in this list goes first where data have several.
        assert condition_from(spec) == expected
    assert condition_from(image_spec(1, 8)) == NoCondition()


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_what_networks_get_has_the_shape_that_is_announced(condition):
    labels = condition.blank(6)
    assert not labels.any()
    encoded = condition.encode(labels)
    if condition.shape == ():
        assert encoded is None
    else:
        assert encoded.dtype == torch.float32
        assert encoded.shape == (6, *condition.shape)
    assert condition.encode(condition.blank(0)) is None or len(condition.encode(condition.blank(0))) == 0


@pytest.mark.parametrize("condition", CONDITIONS[1:], ids=str)
def test_a_condition_is_plain_data(condition):
    plain = as_plain(condition)
    assert type(condition)(**plain["init_args"]) == condition
    assert hash(type(condition)(**plain["init_args"])) == hash(condition)


def test_classes_become_one_hot_vectors_and_those_that_are_missing_zeros():
    labels = torch.tensor([2, 0, 1, 1])
    assert torch.equal(CLASSES.encode(labels), functional.one_hot(labels, 3).float())
    assert CLASSES.encode(torch.tensor([-1, 2])).tolist() == [[0, 0, 0], [0, 0, 1]]
    for wrong in (3, -2):
        with pytest.raises(RuntimeError, match="Class values must be"):
            CLASSES.encode(torch.tensor([wrong]))


def test_tokens_become_one_hot_vectors():
    tokens = torch.tensor([[0, 6, 3, 3, 1]])
    encoded = TOKENS.encode(tokens)
    assert torch.equal(encoded.argmax(-1), tokens)
    assert torch.equal(encoded.sum(-1), torch.ones(1, 5))


def test_vectors_and_images_are_told_as_they_are():
    for condition in (VECTORS, IMAGES):
        y = torch.randn(6, *condition.shape, dtype=torch.float64)
        assert torch.equal(condition.encode(y), y.float())


def test_where_there_is_a_default_nothing_needs_to_be_given():
    assert [condition.has_default for condition in CONDITIONS] == [True, True, False, False, False]
    assert NoCondition().given(None, 4) is None
    assert CLASSES.given(None, 4).tolist() == [0, 1, 2, 0]
    for condition, sentence in (
        (VECTORS, "sampling needs y: one condition of 4 numbers per image"),
        (IMAGES, r"sampling needs y: one condition image \(1, 2, 3\) per sample"),
        (TOKENS, "sampling needs y: one sequence of 5 tokens per item"),
    ):
        with pytest.raises(ValueError, match=sentence):
            condition.given(None, 4)
    with pytest.raises(ValueError, match="this model is unconditional: it cannot sample under a given y; leave y out"):
        NoCondition().given(3, 4)


@pytest.mark.parametrize(
    ("condition", "y", "wrong"),
    [(CLASSES, "Pullover", "Hat"), (VECTORS, [1, 0, 0, 1], [1]), (IMAGES, np.ones((1, 2, 3)), 3), (TOKENS, [1] * 5, 9)],
    ids=repr,
)
def test_what_is_given_has_the_form_of_the_labels(condition, y, wrong):
    labels, blank = condition.given(y, 4), condition.blank(4)
    assert labels.shape == blank.shape
    assert labels.is_floating_point() == blank.is_floating_point()
    assert torch.equal(condition.encode(labels)[3], condition.encode(condition.given([y] * 4, 4))[0])
    with pytest.raises(ValueError, match=r"y should|there is no class 'Hat'"):
        condition.given(wrong, 4)


def test_a_grid_has_a_row_for_each_of_at_most_twenty_classes_and_else_follows_the_examples():
    examples = torch.randn(6, 4)
    assert NoCondition().grid(8, examples) is None
    assert CLASSES.grid(2, examples).tolist() == [0, 0, 1, 1, 2, 2]
    many = ClassCondition(tuple(map(str, range(1000))))
    assert torch.equal(many.grid(3, None), torch.arange(20).repeat_interleave(3))
    for condition in (VECTORS, IMAGES, TOKENS):
        assert condition.grid(8, examples) is examples
        assert condition.grid(8, None) is None


@pytest.mark.parametrize("number", [1, 7, 40, 100, 333, 5000])
def test_classes_have_the_shares_of_the_data(number):
    # Those of SVHN, and one that does not occur.
    sizes = np.array([17, 50, 40, 30, 25, 22, 20, 20, 18, 16, 0])
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(11), sizes))
    conditions = CLASSES.like(labels, number)
    assert (conditions.dtype, conditions.shape) == (torch.int64, (number,))
    counts = np.bincount(conditions, minlength=11)
    assert np.abs(counts - sizes * number / len(labels)).max() < 1
    assert torch.equal(CLASSES.like(np.sort(labels), number), conditions)
    # Wherever one looks, the shares are about the same.
    half = np.bincount(conditions[: number // 2], minlength=11)
    assert np.abs(half - counts / 2).max() <= 1.5


@pytest.mark.parametrize("number", [1, 25, 200, 205])
def test_even_classes_come_in_turn(number):
    labels = np.random.default_rng(0).permutation(np.arange(200) % 10)
    assert torch.equal(CLASSES.like(labels, number), torch.arange(number) % 10)


def test_many_small_classes_are_not_forgotten_beside_a_large_one():
    labels = np.concatenate([np.zeros(900, np.int64), np.arange(1, 101)])
    counts = np.bincount(CLASSES.like(labels, 400))
    assert counts[0] == 360
    assert counts.sum() == 400


def test_vectors_are_taken_in_their_shares_whatever_their_order():
    vectors = np.eye(10, dtype=np.float32)[np.arange(1000) % 10]
    for number in (101, 1000, 2101):
        found = VectorCondition(10).like(vectors, number).numpy()
        assert len(found) == number
        assert abs(found.sum(0) - number / 10).max() < 12
        assert np.array_equal(found[: number // 1000 * 1000], np.tile(vectors, (number // 1000, 1)))


def test_missing_labels_have_no_share():
    labels = np.array([-1, 2, -1, 0, 2, -1, 0, -1])
    assert torch.equal(CLASSES.like(labels, 6), CLASSES.like(labels[labels >= 0], 6))
    assert sorted(CLASSES.like(labels, 6).tolist()) == [0, 0, 0, 2, 2, 2]


def test_images_of_the_data_come_as_a_batch_has_them():
    images = np.random.default_rng(0).integers(0, 256, (7, 1, 2, 3), np.uint8)
    found = IMAGES.like(images, 10)
    assert torch.equal(found[:7], to_float(torch.from_numpy(images)))
    assert {tuple(image.flatten().tolist()) for image in found[7:]} <= {tuple(x.flatten().tolist()) for x in found[:7]}
    assert torch.equal(IMAGES.like(found[:7], 7), found[:7])


def test_tokens_of_the_data_stay_tokens():
    tokens = np.arange(35).reshape(7, 5) % 7
    found = TOKENS.like(tokens, 7)
    assert found.dtype == torch.int64
    assert torch.equal(found, torch.from_numpy(tokens))
    assert NoCondition().like(tokens, 7) is None


def test_conditions_need_torch_alone():
    code = (
        "import sys, torch\n"
        "from genzoo.sampling.conditions import condition_from\n"
        "condition_from({'shape': [1, 8, 8], 'class_names': ['a']}).encode(torch.tensor([0]))\n"
        "assert not {'lightning', 'torchmetrics', 'torchvision', 'wandb'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("condition", "labels", "sentence"),
    [
        (ClassCondition(("a", "b")), torch.zeros(3), r"int64 labels of shape \(N\), .* are float32 of shape \(3,\)"),
        (ClassCondition(("a", "b")), torch.zeros(3, 1, dtype=torch.int64), r"int64 of shape \(3, 1\)"),
        (VectorCondition(4), torch.zeros(3, dtype=torch.int64), r"labels of shape \(N, 4\), .* int64 of shape \(3,\)"),
        (ImageCondition((1, 2, 2)), torch.zeros(3, 1, 4, 4), r"labels of shape \(N, 1, 2, 2\)"),
        (TokenCondition(2, 5), torch.zeros(3, 4, dtype=torch.int64), r"int64 labels of shape \(N, 2\)"),
    ],
)
def test_labels_of_another_kind_than_the_condition_is_made_of_are_refused(condition, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        condition.encode(labels)
