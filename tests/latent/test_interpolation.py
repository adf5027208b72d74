import math

import pytest
import torch

from genzoo.latent.interpolation import interpolate, linear, spherical
from genzoo.sampling.conditions import ClassCondition
from tests.latent.samplers import CLASSES, generator, normal, variational

T = torch.linspace(0.0, 1.0, 9, dtype=torch.float64)
HALF = torch.tensor([0.5])


def angles(codes, first):
    flat = codes.double().flatten(2)
    origin = first.double().flatten(1)[:, None]
    return torch.nn.functional.cosine_similarity(flat, origin, dim=2).clamp(-1.0, 1.0).acos()


def test_half_way_between_orthogonal_unit_vectors():
    a, b = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    torch.testing.assert_close(spherical(a, b, HALF)[0, 0], torch.tensor([math.sqrt(0.5), 0.0, math.sqrt(0.5)]))
    torch.testing.assert_close(linear(a, b, HALF)[0, 0], torch.tensor([0.5, 0.0, 0.5]))


def test_the_formula_of_white_for_codes_of_one_length():
    a, b = torch.nn.functional.normalize(normal(2, 6, 7).double(), dim=2) * 2.5
    angle = (a * b).sum(1).div(2.5**2).acos()[:, None]
    for t in (0.1, 0.6):
        expected = ((1 - t) * angle).sin() / angle.sin() * a + (t * angle).sin() / angle.sin() * b
        torch.testing.assert_close(spherical(a, b, torch.tensor([t], dtype=torch.float64))[:, 0], expected)


def test_directions_turn_at_constant_speed_and_lengths_change_evenly():
    a, b = normal(4, 3, 2, 2), 3.0 * normal(4, 3, 2, 2)
    codes = spherical(a, b, T)
    assert codes.shape == (4, 9, 3, 2, 2)
    turned = angles(codes, a).diff(dim=1)
    torch.testing.assert_close(turned, turned[:, :1].expand_as(turned), rtol=1e-4, atol=1e-4)
    lengths = codes.double().flatten(2).norm(dim=2)
    expected = linear(a.flatten(1).norm(dim=1)[:, None], b.flatten(1).norm(dim=1)[:, None], T)[..., 0]
    torch.testing.assert_close(lengths, expected.double(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", [linear, spherical])
def test_ends_are_exact(way):
    a, b = normal(2, 5, 16)
    codes = way(a, b, T)
    assert torch.equal(codes[:, 0], a)
    assert torch.equal(codes[:, -1], b)


def test_codes_of_one_direction_are_joined_straight():
    a = normal(3, 8)
    torch.testing.assert_close(spherical(a, 2.0 * a, T), linear(a, 2.0 * a, T))
    torch.testing.assert_close(spherical(a, a, T), a[:, None].expand(-1, 9, -1))


def test_opposite_codes_are_joined_by_half_a_great_circle():
    a = normal(3, 8)
    codes = spherical(a, -a, T)
    torch.testing.assert_close(codes.norm(dim=2), a.norm(dim=1)[:, None].expand(-1, 9))
    torch.testing.assert_close(angles(codes, a), (math.pi * T).expand(3, -1), rtol=1e-3, atol=1e-3)


def test_a_code_of_length_zero_has_the_direction_of_the_other():
    a, zero = torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)
    torch.testing.assert_close(spherical(zero, a, HALF)[0, 0], torch.tensor([1.5, 2.0]))
    torch.testing.assert_close(spherical(a, zero, HALF)[0, 0], torch.tensor([1.5, 2.0]))
    assert torch.equal(spherical(zero, zero, T), torch.zeros(1, 9, 2))


def test_numbers_that_are_opposite_meet_at_zero():
    torch.testing.assert_close(spherical(torch.tensor([[1.0]]), torch.tensor([[-1.0]]), HALF), torch.zeros(1, 1, 1))


def test_items_are_those_of_the_codes():
    sampler = generator()
    a, b = normal(2, 3, 5)
    rows = interpolate(sampler, a, b, steps=4)
    assert torch.equal(rows.codes, spherical(a, b, torch.linspace(0, 1, 4, dtype=torch.float64)))
    for row in range(3):
        torch.testing.assert_close(rows.items[row], sampler.decode(rows.codes[row]).detach())


def test_conditions_go_from_those_of_one_end_to_those_of_the_other():
    sampler = variational(condition=CLASSES)
    a, b = normal(2, 2, 5)
    items = interpolate(sampler, a, b, 3, "linear", y=[0, 1], y_last="right").items
    torch.testing.assert_close(items[:, 0], sampler.decode(a, [0, 1]).detach())
    torch.testing.assert_close(items[:, -1], sampler.decode(b, [2, 2]).detach())
    half = torch.tensor([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
    torch.testing.assert_close(items[:, 1], sampler.generate((a + b) / 2, half).detach())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"way": "round"}, "way is 'round', but must be one of linear, spherical"),
        ({"steps": 1}, "steps"),
        ({"last": torch.zeros(2, 5)}, "3 codes to begin and 2 to end with"),
        ({"last": torch.zeros(3, 4)}, r"shape \(N, 5\)"),
    ],
)
def test_what_does_not_fit_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        interpolate(generator(), **({"first": torch.zeros(3, 5), "last": torch.zeros(3, 5)} | settings))


def test_a_condition_that_does_not_fit_is_refused():
    sampler = generator(condition=ClassCondition(("a", "b")))
    with pytest.raises(ValueError, match="no class 'c'"):
        interpolate(sampler, torch.zeros(1, 5), torch.zeros(1, 5), y="c")
