import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn, tensor

from genzoo.augmentations.adaptive_augment import AdaptiveAugment
from genzoo.augmentations.augmentation import Augmentation, Augmenter
from genzoo.augmentations.consistency import Consistency
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.every import Every
from genzoo.losses.objectives import Hinge
from genzoo.noise import BatchNoise
from genzoo.schedules import Linear, Schedule


@dataclass(frozen=True)
class Brightening(Augmentation):
    """Adds a number of its own, up to a limit, to all values of each item."""

    limit: float | Schedule = 2.0

    def build(self):
        return Brightener(self.limit)


class Brightener(Augmenter):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def forward(self, items, noise):
        return items + self.limit * noise.uniform(len(items), 1, 1, 1).to(items.dtype)


@dataclass(frozen=True)
class Remembering(Augmentation):
    """Has a state, though it follows nothing."""

    def build(self):
        return Rememberer()


class Rememberer(Brightener):
    def __init__(self):
        super().__init__(1.0)
        self.register_buffer("memory", torch.zeros(1))


def noise():
    return BatchNoise("cpu", 0)


def test_it_is_the_squared_difference_that_the_augmentation_makes(real_and_fake):
    """A linear score of weight w changes by (sum of w) times what was added."""
    weight = tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    penalty = Consistency(Brightening(), real_weight=3.0, fake_weight=7.0)
    value = penalty(lambda x: x.flatten(1) @ weight, *real_and_fake, noise())
    same = noise()
    real, fake = ((2.0 * same.uniform(5).double()).square().mean() for _ in range(2))
    expected = (3.0 * real + 7.0 * fake) * weight.sum() ** 2
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, weight)[0], torch.autograd.grad(expected, weight)[0])


def test_gradients_are_those_of_finite_differences_and_reach_no_item(real_and_fake):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Softplus(), nn.Linear(6, 1), nn.Flatten(0)).double()
    names = [name for name, _ in model.named_parameters()]

    def value(*parameters):
        def score(x):
            return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), x)

        return Consistency(Brightening())(score, *real_and_fake, noise())

    assert torch.autograd.gradcheck(value, tuple(model.parameters()))
    assert torch.autograd.gradgradcheck(value, tuple(model.parameters()))
    real, fake = (x.clone().requires_grad_() for x in real_and_fake)
    Consistency(Brightening())(model, real, fake, noise()).backward()
    assert real.grad is None
    assert fake.grad is None


def test_autocast_changes_nothing(real_and_fake):
    real, fake = (x.float() for x in real_and_fake)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    expected = Consistency(Brightening())(model, real, fake, noise())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Consistency(Brightening())(model, real, fake, noise()), expected)


def test_values_within_values_survive_as_plain_data():
    penalty = Every(Consistency(DiffAugment(policies=("cutout", "colour")), real_weight=Linear(1.0, 0.0, 9)), steps=2)
    plain = as_plain(penalty)
    assert from_plain(plain) == penalty
    inner = plain["init_args"]["penalty"]["init_args"]["augmentation"]
    assert inner["init_args"]["policies"] == ["cutout", "colour"]


def test_schedules_of_the_augmentation_are_followed_too():
    penalty = Consistency(Brightening(Linear(0.0, 8.0, 4)), fake_weight=Linear(1.0, 3.0, 4))
    assert penalty.at(2) == Consistency(Brightening(4.0), fake_weight=2.0)
    in_turn = Consistency(InTurn((InstanceNoise(Linear(0.5, 0.0, 4)), Brightening())))
    assert Every(in_turn, 2).at(2).penalty.augmentation == InTurn((InstanceNoise(0.25), Brightening()))


@pytest.mark.parametrize("augmentation", [AdaptiveAugment(), InTurn((AdaptiveAugment(),)), Remembering()], ids=str)
def test_augmentations_that_change_while_a_model_is_trained_are_refused(augmentation):
    with pytest.raises(ValueError, match=f"that of {type(augmentation).__name__} follows the discriminator or has a"):
        Consistency(augmentation)


def test_data_that_the_augmentation_cannot_change_and_wrong_weights_are_refused():
    with pytest.raises(ValueError, match="DiffAugment changes images"):
        Every(Consistency()).require_fit({"shape": [2]}, Hinge())
    for name in ("real_weight", "fake_weight"):
        with pytest.raises(ValueError, match=f"{name} of Consistency must be finite and not negative, got nan"):
            Consistency(**{name: math.nan})
