"""The probability of an adaptive augmentation against the rule of the paper, by hand."""

from dataclasses import dataclass

import pytest
import torch

from genzoo.augmentations.adaptive_augment import AdaptiveAugment
from genzoo.augmentations.affine_augment import AffineAugment
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.losses.objectives import Hinge, LeastSquares, NonSaturating, Wasserstein
from genzoo.losses.relativistic import RelativisticPairing
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.noise import BatchNoise
from genzoo.spec import image_spec
from tests.conftest import RandomImages


def by_hand(batches, target, images, highest, updates):
    """The paper's rule: p after each batch of logits."""
    p, found = 0.0, []
    for place in range(len(batches)):
        if (place + 1) % updates == 0:
            seen = torch.cat(batches[place + 1 - updates : place + 1])
            r = seen.sign().mean()
            p = min(max(p + float((r - target).sign()) * len(seen) / images, 0.0), highest)
        found.append(p)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("target", "updates"), [(0.6, 4), (0.0, 1), (-0.3, 3)])
def test_the_probability_follows_the_rule_of_the_paper(target, updates, dtype):
    generator = torch.Generator().manual_seed(0)
    # First sure, then not, then sure: up to the bound, down to 0 and up again.
    batches = [torch.randn(7, generator=generator) + mean for mean in [2.0] * 20 + [-2.0] * 30 + [0.5] * 10]
    value = AdaptiveAugment(target=target, images=100, highest=0.8, updates=updates)
    augmenter, found = value.build(), []
    # Its state does not depend on the type of the weights.
    augmenter.to(dtype)
    for batch in batches:
        augmenter.observe(batch.to(dtype))
        found.append(float(augmenter.report()["augmentation/probability"]))
    assert found == pytest.approx(by_hand(batches, target, 100, 0.8, updates))
    assert 0.0 in found[20:]
    assert max(found) == pytest.approx(0.8)


def test_its_state_is_all_that_a_run_needs_to_go_on():
    first, second = (AdaptiveAugment(images=64).build() for _ in range(2))
    for logits in torch.randn(6, 8) + 2.0:
        first.observe(logits)
    second.load_state_dict(first.state_dict())
    for logits in torch.randn(6, 8) + 2.0:
        first.observe(logits)
        second.observe(logits)
    assert torch.equal(first.probability, second.probability)
    assert first.probability > 0


@pytest.mark.parametrize("inner", [DiffAugment(), AffineAugment(), InTurn([AffineAugment(), DiffAugment()])])
def test_any_augmentation_with_a_probability_is_driven(inner):
    x = torch.rand(400, 1, 8, 8)
    augmenter = AdaptiveAugment(inner, images=16, updates=1).build()
    torch.testing.assert_close(augmenter(x, BatchNoise("cpu", 0)), x)
    augmenter.observe(torch.ones(1))
    few = (augmenter(x, BatchNoise("cpu", 0)) - x).abs().amax((1, 2, 3)) > 1e-3
    augmenter.observe(torch.ones(9))
    many = (augmenter(x, BatchNoise("cpu", 0)) - x).abs().amax((1, 2, 3)) > 1e-3
    assert 0.05 < few.float().mean() < many.float().mean() - 0.1


def test_a_probability_of_ones_own_is_multiplied():
    x = torch.zeros(4000, 1, 8, 8)
    augmenter = AdaptiveAugment(DiffAugment(("colour",), 0.5), images=16, updates=1).build()
    augmenter.observe(torch.ones(8))
    assert float((augmenter(x, BatchNoise("cpu", 0)) != x)[:, 0, 0, 0].float().mean()) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("objective", [Wasserstein(), RelativisticPairing()])
def test_scores_without_a_threshold_are_refused(objective):
    with pytest.raises(
        ValueError, match=f"scores of {type(objective).__name__} have no threshold; .*give AffineAugment a probability"
    ):
        GAN(data_spec=image_spec(1, 8), objective=objective, augmentation=AdaptiveAugment())


@pytest.mark.parametrize(("objective", "share"), [(LeastSquares(), 0.0), (Hinge(), 1.0)])
def test_logits_are_counted_from_the_threshold_of_the_objective(objective, share, monkeypatch):
    """A score of 1/4 is on the side of real images for one, and not for the other."""
    value = AdaptiveAugment(images=4, updates=1, highest=1.0)
    model = GAN(data_spec=image_spec(1, 8), networks=MLPPlayers((4,), (4,)), objective=objective, augmentation=value)
    monkeypatch.setattr(GAN, "all_gather", lambda self, logits: logits)
    model._real_logits = [torch.full((4,), 0.25)]
    model.after_update(model.players()[0])
    assert model.augmenter.probability == share


@pytest.mark.parametrize("inner", [InstanceNoise(), AdaptiveAugment()])
def test_what_has_no_fixed_probability_is_refused(inner):
    with pytest.raises(ValueError, match=r"AdaptiveAugment adapts the probability .* but got"):
        AdaptiveAugment(inner).build()


def test_settings_that_make_no_sense_are_refused():
    for setting in ({"target": 1.0}, {"images": 0}, {"highest": 0.0}, {"updates": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(setting))} of AdaptiveAugment must be"):
            AdaptiveAugment(**setting)


def test_packs_count_as_many_images_as_they_hold(trainer):
    data = RandomImages(number=64, batch_size=16)
    levels = []
    for networks in (MLPPlayers((8,), (8,)), Packed(MLPPlayers((8,), (8,)), 4)):
        # An objective whose threshold is below all logits takes every image for real.
        augmentation = AdaptiveAugment(images=1000, updates=1, target=-0.9)
        model = GAN(data_spec=data.spec, networks=networks, augmentation=augmentation, objective=Certain())
        trainer(max_steps=2).fit(model, datamodule=data)
        levels.append(int(model.augmenter.level))
    assert levels == [32, 32]


@dataclass(frozen=True)
class Certain(NonSaturating):
    @property
    def threshold(self):
        return -1e6
