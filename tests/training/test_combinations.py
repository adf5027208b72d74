from pathlib import Path

import pytest
from torch import nn
from torch.nn.utils import parametrizations

from genzoo.augmentations.consistency import Consistency
from genzoo.cli.warning_filters import PACKAGE
from genzoo.losses.constraints import WeightClipping
from genzoo.losses.every import Every
from genzoo.losses.objectives import Hinge, Wasserstein
from genzoo.losses.penalties import DRAGAN, R1, R2, GradientPenalty
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.training.combinations import bad_combinations
from tests.conftest import RandomImages

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
