from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from genzoo.augmentations.adaptive_augment import AdaptiveAugment
from genzoo.augmentations.affine_augment import AffineAugment
from genzoo.augmentations.consistency import Consistency
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.cli.warning_filters import PACKAGE
from genzoo.losses.constraints import WeightClipping
from genzoo.losses.every import Every
from genzoo.losses.objectives import Hinge, Wasserstein
from genzoo.losses.penalties import DRAGAN, R1, R2, GradientPenalty
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.schedules.schedule import Linear
from genzoo.training.combinations import bad_combinations, warn_of_combinations
from tests.conftest import RandomImages

SMALL = MLPPlayers((8,), (8,))
PLAIN = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
NORMED = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
SPECTRAL = nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 4)), nn.Linear(4, 1))
HOOKED = nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 4)), nn.Linear(4, 1))


@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty(), DRAGAN(), Every(R1())], ids=str)
def test_batch_norm_and_the_gradient_of_one_item_do_not_go_together(penalty):
    (text,) = bad_combinations(NORMED, Hinge(), [penalty])
    assert text.startswith(f"{penalty.name} asks for the gradient of each item's logit, which batch norm")
    assert not list(bad_combinations(PLAIN, Hinge(), [penalty]))
    assert not list(bad_combinations(NORMED, Hinge(), [Consistency(), WeightClipping()]))


def test_clipping_and_a_gradient_penalty_do_not_go_together():
    (text,) = bad_combinations(PLAIN, Wasserstein(), [WeightClipping(), Every(R1())])
    assert text.startswith("R1 and WeightClipping both limit how steep the discriminator is")
    assert not list(bad_combinations(PLAIN, Wasserstein(), [WeightClipping(), Consistency()]))


@pytest.mark.parametrize(
    ("network", "given", "is_limited"),
    [
        (PLAIN, [], False),
        (NORMED, [Consistency()], False),
        (PLAIN, [GradientPenalty()], True),
        (NORMED, [WeightClipping()], True),
        (SPECTRAL, [], True),
        (HOOKED, [], True),
    ],
)
def test_a_wasserstein_critic_needs_a_limit_of_its_slope(network, given, is_limited):
    found = [text.partition(",")[0] for text in bad_combinations(network, Wasserstein(), given)]
    assert found == ([] if is_limited else ["nothing limits how steep the discriminator is"])
    assert not list(bad_combinations(network, Hinge(), given))


def test_a_run_warns_once_when_it_begins(trainer, recwarn):
    data = RandomImages(number=64, batch_size=16)
    model = GAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,)), objective=Wasserstein())

    def ours():
        return [warning for warning in recwarn if "nothing limits how steep" in str(warning.message)]

    assert ours() == []
    trainer(max_epochs=2).fit(model, datamodule=data)
    (warning,) = ours()
    # The command line shows those of the package without the line of code that gave them.
    assert Path(warning.filename).is_relative_to(PACKAGE)


@pytest.mark.parametrize("penalty", [Consistency(), Every(Consistency())], ids=["itself", "every"])
def test_dropout_and_the_comparison_of_two_passes_do_not_go_together(penalty):
    dropping, still = nn.Sequential(nn.Dropout(0.3), PLAIN), nn.Sequential(nn.Dropout(0.0), PLAIN)
    (text,) = bad_combinations(dropping, Hinge(), [penalty])
    assert text.startswith("Consistency compares logits of one pass with those of another, and dropout")
    assert not list(bad_combinations(still, Hinge(), [penalty]))
    assert not list(bad_combinations(dropping, Hinge(), [R1()]))


@pytest.mark.parametrize(
    "norm", [nn.BatchNorm1d(4), nn.InstanceNorm1d(4), nn.GroupNorm(2, 4), nn.LayerNorm(4)], ids=str
)
@pytest.mark.parametrize("network", [SPECTRAL, HOOKED], ids=["parametrised", "hooked"])
def test_spectral_norm_and_another_norm_do_not_go_together(network, norm):
    normed = nn.Sequential(network, norm)
    (text,) = bad_combinations(normed, Hinge(), [])
    assert text.startswith("spectral norm limits how steep each layer of the discriminator is, and a norm between them")
    steep, unlimited = bad_combinations(normed, Wasserstein(), [])
    assert steep == text
    assert unlimited.startswith("nothing limits how steep the discriminator is")
    assert not list(bad_combinations(network, Hinge(), []))


def test_a_norm_undoes_what_spectral_norm_limits():
    torch.manual_seed(0)
    x, logits = torch.randn(64, 2) * 0.01, []
    for norm in ([], [nn.BatchNorm1d(8)]):
        linear = [parametrizations.spectral_norm(layer) for layer in (nn.Linear(2, 8), nn.Linear(8, 1))]
        logits.append(nn.Sequential(linear[0], *norm, linear[1])(x))
    plain, normed = (each.max() - each.min() for each in logits)
    # No function of slope 1 tells items further apart than they lie.
    farthest = torch.cdist(x, x).max()
    assert plain < farthest < normed / 5.0


def test_spectral_norm_and_clipping_do_not_go_together():
    (text,) = bad_combinations(SPECTRAL, Wasserstein(), [WeightClipping()])
    assert text.startswith("WeightClipping bounds weights that spectral norm then divides")
    assert not list(bad_combinations(SPECTRAL, Wasserstein(), [GradientPenalty()]))


RISING = Linear(0.0, 1.0, 100)


@pytest.mark.parametrize(
    ("augmentation", "leaks"),
    [
        (AffineAugment(), True),
        (AffineAugment(probability=RISING), True),
        (InTurn((DiffAugment(), AffineAugment(("blitting",)))), True),
        (AdaptiveAugment(highest=1.0), True),
        (AffineAugment(probability=0.8), False),
        (DiffAugment(), False),
        (AdaptiveAugment(), False),
        (AdaptiveAugment(DiffAugment(), highest=1.0), False),
        (InTurn((AdaptiveAugment(), DiffAugment())), False),
    ],
    ids=str,
)
def test_augmentations_that_leave_too_few_images_as_they_are_are_warned_of(augmentation, leaks, recwarn):
    warn_of_combinations(GAN(data_spec=RandomImages().spec, networks=SMALL, augmentation=augmentation))
    found = [str(warning.message) for warning in recwarn if "cannot be told from changed ones" in str(warning.message)]
    assert [text.partition(" ")[0] for text in found] == [type(augmentation).__name__] * leaks
