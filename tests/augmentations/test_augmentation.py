"""The contract of augmentations, on an adaptive one."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from genzoo.augmentations.augmentation import Augmentation, Augmenter, OccasionalAugmenter
from genzoo.losses.objectives import NonSaturating
from genzoo.noise import BatchNoise
from genzoo.schedules.schedule import Linear
from genzoo.spec import image_spec


@dataclass(frozen=True)
class Dropped(Augmentation):
    """Blackens items with a probability that rises while real ones are known too well."""

    step: float = 0.25

    def build(self):
        return Dropper(self.step)


class Dropper(Augmenter):
    def __init__(self, step):
        super().__init__()
        self.step = step
        self.register_buffer("probability", torch.zeros(()))

    def forward(self, items, noise):
        is_dropped = noise.uniform(len(items), 1, 1, 1) < self.probability
        return torch.where(is_dropped, -1.0, items)

    def observe(self, real_logits):
        direction = (real_logits.sign().mean() - 0.6).sign()
        self.probability.add_(self.step * direction).clamp_(0.0, 1.0)


class Indifferent(Augmenter):
    def forward(self, items, noise):
        return items


def dropped_share(augmenter):
    return float((augmenter(torch.ones(4000, 1, 1, 1), BatchNoise("cpu", 0)) == -1.0).float().mean())


def test_an_adaptive_augmenter_follows_the_logits_of_real_items():
    augmenter = Dropped().build()
    assert dropped_share(augmenter) == 0.0
    augmenter.observe(torch.full((8,), 3.0))
    assert dropped_share(augmenter) == pytest.approx(0.25, abs=0.03)
    augmenter.observe(torch.full((8,), -3.0))
    assert dropped_share(augmenter) == 0.0


def test_its_state_is_in_the_checkpoint_of_what_holds_it_and_no_optimiser_moves_it():
    first, second = (nn.ModuleDict({"shown": Dropped().build()}) for _ in range(2))
    first["shown"].observe(torch.ones(8))
    assert list(first.state_dict()) == ["shown.probability"]
    assert list(first.parameters()) == []
    second.load_state_dict(first.state_dict())
    assert dropped_share(second["shown"]) == dropped_share(first["shown"]) > 0.0


def test_models_that_share_a_value_share_no_state():
    value = Dropped()
    first, second = value.build(), value.build()
    first.observe(torch.ones(8))
    assert second.probability == 0.0


def test_what_adapts_to_nothing_has_nothing_to_observe():
    augmenter = Indifferent()
    augmenter.observe(torch.ones(8))
    assert augmenter.state_dict() == augmenter.report() == {}
    assert not augmenter.is_adaptive


class Blackening(OccasionalAugmenter):
    def forward(self, items, noise):
        return self.sometimes(-torch.ones_like(items), items, noise)


def test_a_probability_follows_its_schedule_and_a_factor_multiplies_it():
    augmenter = Blackening(Linear(0.0, 1.0, 10))
    assert dropped_share(augmenter) == 0.0
    augmenter.steps_done = 5
    assert dropped_share(augmenter) == pytest.approx(0.5, abs=0.03)
    augmenter.factor = torch.tensor(0.5)
    assert dropped_share(augmenter) == pytest.approx(0.25, abs=0.03)
    augmenter.steps_done, augmenter.factor = 10, 1.0
    assert dropped_share(augmenter) == 1.0


def test_it_is_not_compiled():
    """Each step of a schedule would compile it once more."""
    augmenter = Blackening(Linear(0.0, 1.0, 10))
    augmenter.compile(backend="not there")
    assert dropped_share(augmenter) == 0.0


def test_what_is_always_done_draws_nothing_for_it():
    noise = BatchNoise("cpu", 0)
    Blackening(1.0)(torch.ones(4, 1, 2, 2), noise)
    assert torch.equal(noise.uniform(3), BatchNoise("cpu", 0).uniform(3))


def test_points_are_refused():
    Dropped().require_fit(image_spec(1, 28), NonSaturating())
    with pytest.raises(ValueError, match=r"Dropped changes images .*, but the data have shape \(2,\); leave the aug"):
        Dropped().require_fit({"shape": [2]}, NonSaturating())
