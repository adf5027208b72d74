import math

import pytest
import torch
from torch import tensor
from torch.nn.functional import softplus

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.objectives import AdversarialObjective, Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from genzoo.losses.relativistic import RelativisticAverage, RelativisticPairing
from genzoo.schedules import Linear

ALL = [Minimax(), NonSaturating(), LeastSquares(), Hinge(), Wasserstein(), RelativisticPairing(), RelativisticAverage()]
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
# How sure the relativistic average critic is of each real item, and that each generated one is not real.
MEAN_REAL, MEAN_FAKE = sum(REAL) / 4, sum(FAKE) / 4
A_REAL = [1 / (1 + math.exp(-(real - MEAN_FAKE))) for real in REAL]
A_FAKE = [1 / (1 + math.exp(fake - MEAN_REAL)) for fake in FAKE]
LACKING = [sum(1 - a for a in A_REAL) / 4, sum(1 - a for a in A_FAKE) / 4]
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
    # Each score enters twice: as itself, and as a quarter of the mean.
    RelativisticAverage(): {
        "discriminator": -sum(map(math.log, A_REAL)) / 4 - sum(map(math.log, A_FAKE)) / 4,
        "d_real": [-(1 - a) / 4 - LACKING[1] / 4 for a in A_REAL],
        "d_fake": [(1 - a) / 4 + LACKING[0] / 4 for a in A_FAKE],
        "generator": -sum(math.log(1 - a) for a in A_REAL) / 4 - sum(math.log(1 - a) for a in A_FAKE) / 4,
        "g_fake": [-a / 4 - (1 - LACKING[0]) / 4 for a in A_FAKE],
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
    for kind in (RelativisticPairing, RelativisticAverage):
        with pytest.raises(ValueError, match=rf"{kind.__name__} compares .* give those of as many real ones as real_l"):
            kind().generator_loss(tensor(FAKE))


@pytest.mark.parametrize(("objective", "terms"), [(RelativisticPairing(), 1), (RelativisticAverage(), 2)], ids=str)
def test_exchanging_real_and_generated_items_exchanges_the_relativistic_losses(objective, terms):
    real, fake = tensor(REAL), tensor(FAKE)
    assert objective.discriminator_loss(real, fake) == objective.generator_loss(real, fake)
    level = torch.full((4,), 3.0)
    assert objective.discriminator_loss(level, level).item() == pytest.approx(terms * math.log(2.0))


def smoothed(kind, label):
    """The formula of Salimans et al. 2016 in probabilities, and its gradient at real items: (D - t) / N."""

    def loss(real, fake):
        d, g = real.sigmoid(), fake.sigmoid()
        return -(label * d.log() + (1 - label) * (1 - d).log()).mean() - (1 - g).log().mean()

    return kind(real_label=label), loss


@pytest.mark.parametrize("kind", [Minimax, NonSaturating])
def test_a_smoothed_real_label_is_the_cross_entropy_with_it_and_leaves_the_generator_alone(kind, logits):
    real, fake = logits.clone().requires_grad_(), (logits.flip(0) - 1).requires_grad_()
    objective, formula = smoothed(kind, 0.9)
    loss = objective.discriminator_loss(real, fake)
    torch.testing.assert_close(loss, formula(real, fake))
    d_real, d_fake = torch.autograd.grad(loss, (real, fake))
    torch.testing.assert_close(d_real, (real.sigmoid() - 0.9).detach() / 9)
    torch.testing.assert_close(d_fake, fake.sigmoid().detach() / 9)
    assert torch.equal(objective.generator_loss(fake), kind().generator_loss(fake))
    # The default is the loss without labels, to the last bit, wherever the logits lie.
    plain = softplus(-real).mean() + softplus(fake).mean()
    assert torch.equal(kind().discriminator_loss(real, fake), plain)
    assert torch.equal(
        torch.autograd.grad(kind().discriminator_loss(real, fake), real)[0], torch.autograd.grad(plain, real)[0]
    )


def test_a_real_label_follows_a_schedule(logits):
    objective = NonSaturating(real_label=Linear(start=0.8, end=1.0, steps=10))
    assert objective.at(5) == NonSaturating(real_label=0.9)
    halfway = objective.at(5).discriminator_loss(logits, logits)
    torch.testing.assert_close(halfway, smoothed(NonSaturating, 0.9)[1](logits, logits))
    assert from_plain(as_plain(objective)) == objective


def test_with_a_smoothed_label_even_players_are_those_at_half_of_it():
    """The best discriminator of equal distributions says t/2, and that is where its loss is least."""
    objective = Minimax(real_label=0.8)
    level = torch.logit(tensor([0.4], dtype=torch.float64)).requires_grad_()
    (slope,) = torch.autograd.grad(objective.discriminator_loss(level, level), level)
    assert slope.item() == pytest.approx(0.0, abs=1e-12)
    scores = torch.logit(tensor([0.45, 0.35]))
    report = objective.report(scores, scores.flip(0))
    assert report["discriminator_real"].tolist() == pytest.approx([0.45, 0.35])
    assert report["discriminator_accuracy"].tolist() == [1.0, 0.0]
    assert report["equilibrium_distance"].tolist() == pytest.approx([0.05, 0.05])
    # On its way to 0.8 the label does not move the numbers: they compare over time.
    on_its_way = Minimax(real_label=Linear(0.6, 0.8, 5)).report(scores, scores.flip(0))
    assert {name: values.tolist() for name, values in on_its_way.items()} == {
        name: values.tolist() for name, values in report.items()
    }


@pytest.mark.parametrize("wrong", [0.5, 1.1, math.nan, Linear(0.4, 1.0, 5)], ids=str)
def test_real_labels_that_are_no_labels_of_real_items_are_refused(wrong):
    with pytest.raises(ValueError, match=r"real_label of NonSaturating must be above 1/2 and at most 1, such as 0.9"):
        NonSaturating(real_label=wrong)


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
        (RelativisticAverage(), [1.0, 1.0, 0.0, 1.0]),
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
