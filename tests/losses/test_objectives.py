import math

import pytest
import torch
from torch import tensor

from genzoo.losses.objectives import (
    AdversarialObjective,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    RelativisticPairing,
    Wasserstein,
)

ALL = [Minimax(), NonSaturating(), LeastSquares(), Hinge(), Wasserstein(), RelativisticPairing()]
PROBABILISTIC = ALL[:2]
CRITICS = ALL[2:]


@pytest.fixture
def logits():
    return torch.linspace(-4, 4, 9, dtype=torch.float64)


@pytest.mark.parametrize("objective", PROBABILISTIC)
def test_discriminator_minimises_minus_the_value_of_the_game(objective, logits):
    real, fake = torch.sigmoid(logits), torch.sigmoid(logits.flip(0) - 1)
    value = real.log().mean() + (1 - fake).log().mean()
    loss = objective.discriminator_loss(logits, logits.flip(0) - 1)
    assert loss.item() == pytest.approx(-value.item(), rel=1e-6)


def test_generator_losses_are_the_two_formulas(logits):
    d = torch.sigmoid(logits)
    assert Minimax().generator_loss(logits).item() == pytest.approx((1 - d).log().mean().item(), rel=1e-6)
    assert NonSaturating().generator_loss(logits).item() == pytest.approx(-d.log().mean().item(), rel=1e-6)


@pytest.mark.parametrize(("objective", "formula"), [(Minimax(), lambda d: -d), (NonSaturating(), lambda d: d - 1)])
def test_generator_gradients_are_the_two_formulas(objective, formula, logits):
    logits = logits.requires_grad_()
    (gradient,) = torch.autograd.grad(objective.generator_loss(logits), logits)
    torch.testing.assert_close(gradient, formula(torch.sigmoid(logits.detach())) / len(logits), rtol=1e-5, atol=1e-7)


def test_the_two_generators_agree_in_direction_and_differ_where_the_discriminator_is_sure():
    sure = torch.tensor([-8.0], requires_grad=True)
    (saturating,) = torch.autograd.grad(Minimax().generator_loss(sure), sure)
    (strong,) = torch.autograd.grad(NonSaturating().generator_loss(sure), sure)
    assert saturating.item() < 0
    assert strong.item() < 0
    assert abs(saturating.item()) < 1e-3
    assert abs(strong.item()) > 0.99


@pytest.mark.parametrize("objective", PROBABILISTIC)
def test_equilibrium_is_worth_log_4(objective):
    zeros = torch.zeros(6)
    assert objective.discriminator_loss(zeros, zeros).item() == pytest.approx(math.log(4.0))


# Scores of four pairs, and what the formulas of the papers give for them, by hand.
REAL, FAKE = [3.0, 0.5, -2.0, 0.0], [-1.5, 0.25, 1.0, -4.0]
S = [1 / (1 + math.exp(-(real - fake))) for real, fake in zip(REAL, FAKE, strict=True)]
FORMULAS = {
    LeastSquares(): {
        "discriminator": (4 + 0.25 + 9 + 1) / 8 + (2.25 + 0.0625 + 1 + 16) / 8,
        "d_real": [2 / 4, -0.5 / 4, -3 / 4, -1 / 4],
        "d_fake": [-1.5 / 4, 0.25 / 4, 1 / 4, -4 / 4],
        "generator": (6.25 + 0.5625 + 0 + 25) / 8,
        "g_fake": [-2.5 / 4, -0.75 / 4, 0, -5 / 4],
    },
    Hinge(): {
        "discriminator": (0 + 0.5 + 3 + 1) / 4 + (0 + 1.25 + 2 + 0) / 4,
        "d_real": [0, -1 / 4, -1 / 4, -1 / 4],
        "d_fake": [0, 1 / 4, 1 / 4, 0],
        "generator": 4.25 / 4,
        "g_fake": [-1 / 4] * 4,
    },
    Wasserstein(): {
        "discriminator": -4.25 / 4 - 1.5 / 4,
        "d_real": [-1 / 4] * 4,
        "d_fake": [1 / 4] * 4,
        "generator": 4.25 / 4,
        "g_fake": [-1 / 4] * 4,
    },
    RelativisticPairing(): {
        "discriminator": -sum(math.log(s) for s in S) / 4,
        "d_real": [-(1 - s) / 4 for s in S],
        "d_fake": [(1 - s) / 4 for s in S],
        "generator": -sum(math.log(1 - s) for s in S) / 4,
        "g_fake": [-s / 4 for s in S],
    },
}


@pytest.mark.parametrize(("objective", "expected"), FORMULAS.items(), ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_and_gradients_of_critics_are_those_of_the_papers(objective, expected, dtype):
    real, fake = (tensor(values, dtype=dtype, requires_grad=True) for values in (REAL, FAKE))
    critics = objective.discriminator_loss(real, fake)
    generators = objective.generator_loss(fake, real)
    found = [critics, *torch.autograd.grad(critics, (real, fake)), generators]
    found += torch.autograd.grad(generators, fake)
    for name, value in zip(expected, found, strict=True):
        assert value.dtype == dtype
        torch.testing.assert_close(value, tensor(expected[name], dtype=dtype), rtol=1e-6, atol=1e-6, msg=name)


def test_only_the_relativistic_generator_depends_on_real_items():
    for objective in ALL:
        losses = [objective.generator_loss(tensor(FAKE), tensor(REAL) + shift) for shift in (0.0, 1.0)]
        assert objective.is_relativistic == (losses[0] != losses[1])
        if not objective.is_relativistic:
            assert objective.generator_loss(tensor(FAKE)) == losses[0]
    with pytest.raises(ValueError, match=r"compares pairs, .* give those of as many real ones as real_logits"):
        RelativisticPairing().generator_loss(tensor(FAKE))


def test_a_pair_that_is_turned_round_exchanges_the_relativistic_losses():
    real, fake = tensor(REAL), tensor(FAKE)
    objective = RelativisticPairing()
    assert objective.discriminator_loss(real, fake) == objective.generator_loss(real, fake)
    assert objective.discriminator_loss(real, real).item() == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_huge_logits_give_finite_float32_losses(objective):
    huge = torch.tensor([-1e4, 1e4], dtype=torch.bfloat16)
    for loss in (objective.discriminator_loss(huge, huge), objective.generator_loss(huge, huge)):
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
    assert {values.dtype for values in objective.report(huge, huge).values()} == {torch.float32}


@pytest.mark.parametrize("objective", PROBABILISTIC)
def test_what_is_reported_of_known_logits(objective):
    third = math.log(1 / 3)  # the logit of 1/4
    values = objective.report(torch.tensor([0.0, -third]), torch.tensor([third, third]))
    assert values["discriminator_real"].tolist() == pytest.approx([1 / 2, 3 / 4])
    assert values["discriminator_fake"].tolist() == pytest.approx([1 / 4, 1 / 4])
    assert values["discriminator_accuracy"].tolist() == [0.5, 1.0]
    assert values["equilibrium_distance"].tolist() == pytest.approx([0.125, 0.25])


@pytest.mark.parametrize(
    ("objective", "accuracy"),
    [
        (LeastSquares(), [1.0, 0.5, 0.0, 0.5]),
        (Hinge(), [1.0, 0.5, 0.0, 0.5]),
        (RelativisticPairing(), [1.0, 1.0, 0.0, 1.0]),
        (Wasserstein(), None),
    ],
    ids=str,
)
def test_critics_report_scores_and_are_right_only_where_a_threshold_says_so(objective, accuracy):
    report = objective.report(tensor(REAL), tensor(FAKE))
    assert report.pop("critic_real").tolist() == REAL
    assert report.pop("critic_fake").tolist() == FAKE
    assert {name: values.tolist() for name, values in report.items()} == (
        {} if accuracy is None else {"discriminator_accuracy": accuracy}
    )


def test_thresholds_lie_between_the_scores_that_are_aimed_at():
    scores = tensor([0.25, 0.75])
    assert LeastSquares().report(scores, scores)["discriminator_accuracy"].tolist() == [0.5, 0.5]
    assert LeastSquares().report(scores, scores.flip(0))["discriminator_accuracy"].tolist() == [0.0, 1.0]
    assert Hinge().report(scores, -scores)["discriminator_accuracy"].tolist() == [1.0, 1.0]


def test_an_objective_that_says_nothing_of_its_logits_reports_no_probabilities():
    class Own(AdversarialObjective):
        def discriminator_loss(self, real_logits, fake_logits):
            return fake_logits.mean() - real_logits.mean()

        def generator_loss(self, fake_logits, real_logits=None):
            return -fake_logits.mean()

    assert set(Own().report(tensor(REAL), tensor(FAKE))) == {"critic_real", "critic_fake"}
