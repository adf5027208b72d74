"""Several augmentations are one."""

import pytest
import torch

from genzoo.augmentations.adaptive_augment import AdaptiveAugment
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.objectives import NonSaturating, Wasserstein
from genzoo.noise import BatchNoise
from genzoo.schedules.schedule import Linear
from genzoo.spec import image_spec


def test_one_follows_the_other_with_the_noise_that_is_left():
    x = torch.rand(4, 1, 8, 8)
    found = InTurn([DiffAugment(), InstanceNoise(0.2)]).build()(x, BatchNoise("cpu", 0))
    noise = BatchNoise("cpu", 0)
    assert torch.equal(found, InstanceNoise(0.2).build()(DiffAugment().build()(x, noise), noise))


def test_each_is_told_the_step_and_the_logits():
    adaptive = AdaptiveAugment(DiffAugment(), images=8, updates=1)
    augmenter = InTurn([InstanceNoise(Linear(1.0, 0.0, 2)), InTurn([adaptive, adaptive])]).build()
    assert augmenter.is_adaptive
    augmenter.steps_done = 2
    augmenter.observe(torch.ones(2))
    x = torch.rand(4, 1, 8, 8)
    assert augmenter.report() == {"augmentation/probability": 0.25, "augmentation/probability_2": 0.25}
    # Without noise at this step, and with both probabilities at 0, nothing is left that changes an image.
    augmenter.observe(-torch.ones(2))
    assert torch.equal(augmenter(x, BatchNoise("cpu", 0)), x)


def test_without_an_adaptive_one_nothing_is_gathered():
    assert not InTurn([DiffAugment(), InstanceNoise()]).build().is_adaptive


def test_each_must_fit():
    value = InTurn([InstanceNoise(), AdaptiveAugment()])
    value.require_fit(image_spec(1, 8), NonSaturating())
    with pytest.raises(ValueError, match="AdaptiveAugment counts real images"):
        value.require_fit(image_spec(1, 8), Wasserstein())
    with pytest.raises(ValueError, match="AffineAugment changes images"):
        value.require_fit({"shape": [2]}, NonSaturating())
    with pytest.raises(ValueError, match="augmentations of InTurn must be at least one, got none"):
        InTurn([])


def test_it_is_plain_data():
    value = InTurn([InstanceNoise(Linear(0.1, 0.0, 5)), AdaptiveAugment(DiffAugment())])
    assert from_plain(as_plain(value)) == value
