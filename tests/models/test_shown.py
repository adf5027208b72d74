"""What the discriminator is shown in training: real and generated items, augmented alike, in both players' turns."""

from dataclasses import dataclass, field

import pytest
import torch
from torch.nn.functional import softplus

from genzoo.augmentations.augmentation import Augmentation, Augmenter
from genzoo.losses.objectives import NonSaturating
from genzoo.losses.penalties import Penalty
from genzoo.losses.relativistic import RelativisticAverage, RelativisticPairing
from genzoo.models.acgan import ACGAN
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.infogan import InfoGAN
from genzoo.models.unrolled_gan import UnrolledGAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise
from tests.conftest import RandomImages
from tests.models.wanted import assert_wants

SPEC = RandomImages().spec
MLP = MLPPlayers((8,), (8,), dropout=0.0, batch_norm=False)
X = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
Y = torch.tensor([3, 0, 9, 3])


class Raiser(Augmenter):
    def forward(self, items, noise):
        return items + 10.0


@dataclass(frozen=True)
class Raised(Augmentation):
    """Lifts all values far above those of any image."""

    def build(self):
        return Raiser()


@dataclass(frozen=True)
class Witness(Penalty):
    """Keeps the items that it is given, and costs nothing."""

    seen: list = field(default_factory=list)

    def __call__(self, score, real, fake, noise):
        self.seen.extend((real.detach(), fake.detach()))
        return 0.0 * score(real).sum()


def fakes_of(model):
    """What the generator makes of the noise that each loss is given here."""
    return model.generate(4, model.condition.encode(Y), BatchNoise("cpu", 0)).detach()


def shown_to(model, loss):
    """All that the discriminator makes features of within a loss, in the order of the calls."""
    found, features = [], model.discriminator.features
    model.discriminator.features = lambda x, *others: (found.append(x.detach()), features(x, *others))[1]
    loss(X, Y, BatchNoise("cpu", 0))
    model.discriminator.features = features
    return found


def made(kind, **settings):
    torch.manual_seed(0)
    return kind(data_spec=SPEC, networks=MLP, augmentation=Raised(), **settings).eval()


def assert_same(found, expected):
    """The same batches, however often and in whatever order."""
    for each in (*found, *expected):
        assert any(torch.equal(each, other) for other in expected)
        assert any(torch.equal(each, other) for other in found)


@pytest.mark.parametrize("kind", [GAN, ConditionalGAN, ACGAN, InfoGAN, UnrolledGAN])
@pytest.mark.parametrize("objective", [NonSaturating(), RelativisticPairing(), RelativisticAverage()], ids=str)
def test_both_kinds_of_items_are_augmented_in_both_turns(kind, objective):
    model = made(kind, objective=objective)
    real, fake = X + 10.0, fakes_of(model) + 10.0
    assert_same(shown_to(model, model.discriminator_loss), [real, fake])
    answers_real = objective.is_relativistic or kind is UnrolledGAN
    assert_same(shown_to(model, model.generator_loss), [fake, real] if answers_real else [fake])


@pytest.mark.parametrize("kind", [GAN, ConditionalGAN, ACGAN, InfoGAN])
def test_penalties_are_given_items_as_they_were_shown(kind):
    witness = Witness()
    model = made(kind, penalties=[witness])
    model.discriminator_loss(X, Y, BatchNoise("cpu", 0))
    real, fake = witness.seen
    assert torch.equal(real, X + 10.0)
    assert torch.equal(fake, fakes_of(model) + 10.0)


def test_the_generators_gradient_passes_through_the_augmentation():
    model = made(GAN)
    _, generator = model.players()
    raised = model.generate(4, None, BatchNoise("cpu", 0)) + 10.0
    assert_wants(generator, softplus(-model.score(raised, None)).mean(), X, Y)


def test_samples_scores_and_measurements_are_not_augmented():
    plain = made(GAN)
    plain.augmenter = None
    model = made(GAN)
    assert torch.equal(model.sample(4, seed=0), plain.sample(4, seed=0))
    for name, values in model.statistics(X, Y, BatchNoise("cpu", 0)).items():
        assert torch.equal(values, plain.statistics(X, Y, BatchNoise("cpu", 0))[name])
