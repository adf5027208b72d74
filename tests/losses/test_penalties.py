"""Penalties against closed forms, and whom their gradients reach."""

import math

import pytest
import torch
from torch import nn, tensor

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.objectives import NonSaturating
from genzoo.losses.penalties import DRAGAN, R1, R2, GradientPenalty, gradients_at
from genzoo.noise import BatchNoise

ALL = [R1(3.0), R2(3.0), GradientPenalty(3.0), GradientPenalty(3.0, side="above"), DRAGAN(3.0)]
# What they ask of the norm of the gradient, beside a weight of 3.
ASKED = {"R1": 0.0, "R2": 0.0, "GradientPenalty": 1.0, "DRAGAN": 1.0}


def noise():
    return BatchNoise("cpu", 0)


def network(dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Softplus(), nn.Linear(6, 1), nn.Flatten(0)).to(dtype)


def linear(weight):
    return lambda x: x.flatten(1) @ weight


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_a_linear_score_has_the_same_gradient_everywhere(penalty, real_and_fake):
    weight = tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    value = penalty(linear(weight), *real_and_fake, noise())
    (gradient,) = torch.autograd.grad(value, weight)
    length = weight.detach().norm()
    is_to_be_one = ASKED[penalty.name] == 1.0
    expected = 3.0 * (length - 1.0) ** 2 if is_to_be_one else 1.5 * length**2
    slope = 6.0 * (length - 1.0) / length if is_to_be_one else 3.0
    torch.testing.assert_close(value.detach(), expected)
    torch.testing.assert_close(gradient, slope * weight.detach())


def test_a_quadratic_score_tells_where_each_penalty_looks(real_and_fake):
    """The gradient of a / 2 |x|^2 is a x."""
    real, fake = real_and_fake
    a = tensor(0.7, dtype=torch.float64, requires_grad=True)

    def score(x):
        return a / 2 * x.flatten(1).square().sum(1)

    for penalty, place in ((R1(3.0), real), (R2(3.0), fake)):
        value = penalty(score, real, fake, noise())
        square = place.flatten(1).square().sum(1).mean()
        torch.testing.assert_close(value.detach(), 1.5 * 0.49 * square)
        torch.testing.assert_close(torch.autograd.grad(value, a)[0], 3.0 * 0.7 * square)

    epsilon = noise().uniform(5, 1, 1, 1).double()
    lengths = (epsilon * real + (1 - epsilon) * fake).flatten(1).norm(dim=1)
    value = GradientPenalty(3.0)(score, real, fake, noise())
    torch.testing.assert_close(value.detach(), 3.0 * (0.7 * lengths - 1).square().mean())
    torch.testing.assert_close(torch.autograd.grad(value, a)[0], 6.0 * ((0.7 * lengths - 1) * lengths).mean())


def test_from_one_side_only_what_is_steeper_than_1_is_penalised():
    x = torch.zeros(2, 1, 1, 2)
    steepness = tensor([[0.5, 0.0], [0.0, 3.0]], requires_grad=True)

    def score(x):
        return (x.flatten(1) * steepness).sum(1)

    values = {side: GradientPenalty(1.0, side=side)(score, x, x, noise()) for side in ("both", "above")}
    assert values["both"].item() == pytest.approx((0.25 + 4.0) / 2)
    assert values["above"].item() == pytest.approx(4.0 / 2)
    (gradient,) = torch.autograd.grad(values["above"], steepness)
    assert gradient.tolist() == [[0.0, 0.0], [0.0, 2.0]]
    with pytest.raises(ValueError, match="side of GradientPenalty must be both or above, got 'below'"):
        GradientPenalty(side="below")


def test_dragan_looks_around_the_data_at_a_normal_distance():
    shown = []

    def score(x):
        shown.append(x.detach())
        return x.flatten(1).square().sum(1) / 2

    real, fake = torch.full((4000, 3, 2, 2), 0.25), torch.full((4000, 3, 2, 2), 9.0)
    value = DRAGAN(3.0, deviation=0.2)(score, real, fake, noise())
    away = (shown[0] - 0.25) / 0.2
    assert (away.mean().item(), away.var().item()) == pytest.approx((0.0, 1.0), abs=0.02)
    # Each value of each image has a number of its own.
    assert len(away.flatten().unique()) > 0.99 * away.numel()
    torch.testing.assert_close(value, 3.0 * (shown[0].flatten(1).norm(dim=1) - 1.0).square().mean())
    with pytest.raises(ValueError, match=r"deviation of DRAGAN must be finite and above 0, got 0.0"):
        DRAGAN(deviation=0.0)


def test_of_logits_of_packs_the_gradient_is_that_of_a_pack(real_and_fake):
    """Three packs of two items, whose logit mixes both; each pack by itself for comparison."""
    items = torch.cat([*real_and_fake])[:6]
    model = nn.Sequential(nn.Flatten(), nn.Linear(8, 6), nn.Softplus(), nn.Linear(6, 1), nn.Flatten(0)).double()

    def score(x):
        return model(x.reshape(len(x) // 2, -1))

    gradients = gradients_at(score, items)
    assert gradients.shape == (3, 8)
    for place in range(3):
        pack = items[2 * place : 2 * place + 2].clone().requires_grad_()
        (alone,) = torch.autograd.grad(score(pack), pack)
        torch.testing.assert_close(gradients[place], alone.flatten())
    value = R1(3.0)(score, items, items, noise())
    torch.testing.assert_close(value, 1.5 * gradients.square().sum(1).mean())


def test_each_pair_has_a_place_of_its_own_on_its_way():
    shown = []

    def score(x):
        shown.append(x.detach())
        return x.flatten(1).sum(1)

    GradientPenalty()(score, torch.ones(4000, 3, 2, 2), torch.zeros(4000, 3, 2, 2), noise())
    places = shown[0].flatten(1)
    assert (places == places[:, :1]).all()
    assert len(places[:, 0].unique()) > 3990
    assert places.min() >= 0.0
    assert places.max() <= 1.0
    assert places.mean().item() == pytest.approx(0.5, abs=0.02)
    assert places[:, 0].var().item() == pytest.approx(1 / 12, abs=0.005)


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_second_derivatives_are_those_of_finite_differences(penalty, real_and_fake):
    model = network(torch.float64)
    names = [name for name, _ in model.named_parameters()]

    def value(*parameters):
        return penalty(
            # Slopes on both sides of 1.
            lambda x: 8.0 * torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), x),
            *real_and_fake,
            noise(),
        )

    assert torch.autograd.gradcheck(value, tuple(model.parameters()))


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_gradients_reach_the_score_and_not_the_items(penalty, real_and_fake):
    real, fake = (x.float().requires_grad_() for x in real_and_fake)
    model = network()
    penalty(lambda x: 8.0 * model(x), 2.0 * real, 2.0 * fake, noise()).backward()
    assert real.grad is None
    assert fake.grad is None
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in (model[1].weight, model[1].bias, model[3].weight))


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_autocast_changes_nothing(penalty, real_and_fake):
    real, fake = (x.float() for x in real_and_fake)
    model = network()
    expected = penalty(model, real, fake, noise())
    expected_gradient = torch.autograd.grad(expected, model[1].weight)[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert model(real).dtype == torch.bfloat16
        value = penalty(model, real, fake, noise())
        assert model(real).dtype == torch.bfloat16
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)
    assert torch.equal(torch.autograd.grad(value, model[1].weight)[0], expected_gradient)


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_items_in_half_precision_are_taken_as_float32(penalty, real_and_fake):
    seen = []

    def score(x):
        seen.append(x.dtype)
        return x.flatten(1).square().sum(1)

    value = penalty(score, *(x.bfloat16() for x in real_and_fake), noise())
    assert (seen, value.dtype) == ([torch.float32], torch.float32)


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_a_constant_score_gives_finite_values_and_gradients(penalty, real_and_fake):
    weight = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    value = penalty(linear(weight), *real_and_fake, noise())
    (gradient,) = torch.autograd.grad(value, weight)
    assert value.item() == (0.0 if penalty == GradientPenalty(3.0, side="above") else 3.0 * ASKED[penalty.name])
    assert torch.equal(gradient, torch.zeros(4, dtype=torch.float64))


@pytest.mark.parametrize(("penalties", "converges"), [((), False), ((R1(1.0),), True), ((R2(1.0),), True)], ids=str)
def test_the_game_of_two_points_converges_with_a_penalty_only(penalties, converges):
    """The Dirac-GAN of Mescheder et al. 2018, section 2: data at 0, a generator at theta, logits psi x."""
    theta, psi = (tensor(start, dtype=torch.float64, requires_grad=True) for start in (1.0, 0.5))
    objective, real = NonSaturating(), torch.zeros(1, 1, dtype=torch.float64)

    def score(x):
        return psi * x[:, 0]

    for _ in range(400):
        fake = theta.view(1, 1)
        loss = objective.discriminator_loss(score(real), score(fake.detach()))
        loss = loss + sum(penalty(score, real, fake, noise()) for penalty in penalties)
        steps = torch.autograd.grad(loss, psi)[0], torch.autograd.grad(objective.generator_loss(score(fake)), theta)[0]
        with torch.no_grad():
            psi -= 0.1 * steps[0]
            theta -= 0.1 * steps[1]
    assert (math.hypot(theta.item(), psi.item()) < 1e-2) == converges


@pytest.mark.parametrize(
    ("kind", "name"), [(R1, "gamma"), (R2, "gamma"), (GradientPenalty, "weight"), (DRAGAN, "weight")]
)
def test_weights_are_asked_for_and_kept_as_plain_data(kind, name):
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"{name} of {kind.__name__} must be finite and not negative, got {wrong}"):
            kind(wrong)
    plain = as_plain(kind(0.5))
    assert plain["class_path"] == f"genzoo.losses.penalties.{kind.__name__}"
    assert plain["init_args"][name] == 0.5
    assert from_plain(plain) == kind(0.5)
