import math

import pytest
import torch

from genzoo.losses.adversarial import Minimax, NonSaturating


@pytest.fixture
def logits():
    return torch.linspace(-4, 4, 9, dtype=torch.float64)


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()])
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


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()])
def test_equilibrium_is_worth_log_4(objective):
    zeros = torch.zeros(6)
    assert objective.discriminator_loss(zeros, zeros).item() == pytest.approx(math.log(4.0))


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()])
def test_huge_logits_give_finite_float32_losses(objective):
    huge = torch.tensor([-1e4, 1e4], dtype=torch.bfloat16)
    for loss in (objective.discriminator_loss(huge, huge), objective.generator_loss(huge)):
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
