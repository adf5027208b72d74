import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genzoo.latent.traversal import order_by_effect, order_by_kl, traverse
from tests.latent.samplers import CLASSES, autoencoder, generator, normal, scaling, variational

VALUES = torch.linspace(-2.0, 2.0, 5)[:, None].repeat(1, 5)


def test_one_dimension_alone_changes():
    sampler, code = generator(), normal(5)
    codes = traverse(sampler, code, [3, 0], VALUES).codes
    assert codes.shape == (2, 5, 5)
    for row, dimension in enumerate([3, 0]):
        assert torch.equal(codes[row, :, dimension], VALUES[:, dimension])
        others = [other for other in range(5) if other != dimension]
        assert torch.equal(codes[row][:, others], code[others].expand(5, 4))


def test_items_are_those_of_the_codes_under_the_condition_of_their_row():
    sampler = generator(condition=CLASSES)
    rows = traverse(sampler, normal(5), torch.tensor([1, 2]), VALUES, y=["right", "left"])
    for row, label in enumerate(["right", "left"]):
        torch.testing.assert_close(rows.items[row], sampler.decode(rows.codes[row], label).detach())


def test_latent_grids_are_numbered_as_they_are_flattened():
    sampler = scaling(*6 * [1.0])
    sampler.latent_shape = (2, 3)
    sampler.generate = lambda z, condition: z.flatten(1)
    codes = traverse(sampler, torch.zeros(2, 3), [4], torch.ones(1, 6)).codes
    assert codes[0, 0].tolist() == [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize("condition", [CLASSES, None])
def test_order_by_kl_is_that_of_an_independent_computation(condition):
    sampler = variational() if condition is None else variational(condition=condition)
    x, y = torch.rand(40, 1, 4, 4) * 2 - 1, None if condition is None else torch.arange(40) % 3
    order = order_by_kl(sampler, x, y)
    with torch.no_grad():
        mean, log_variance = sampler.posterior(x, sampler.condition_of(x, y))
        kl = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).mean(0)
    assert order.by == "kl"
    assert sorted(order.dimensions.tolist()) == [0, 1, 2, 3, 4]
    torch.testing.assert_close(order.scores, kl[order.dimensions])
    assert order.scores.diff().max() <= 0


def test_what_has_no_posterior_has_no_order_by_kl():
    x = torch.zeros(2, 1, 4, 4)
    assert order_by_kl(generator(), x) is None
    assert order_by_kl(autoencoder(), x) is None


def test_order_by_effect_is_that_of_the_squared_change():
    order = order_by_effect(scaling(0.5, -3.0, 1.0), normal(4, 3), torch.tensor([[-1.0] * 3, [1.0] * 3]))
    assert order.by == "effect"
    assert order.dimensions.tolist() == [1, 2, 0]
    # One of three entries moves by twice its factor.
    torch.testing.assert_close(order.scores, torch.tensor([36.0, 4.0, 1.0]) / 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"code": torch.zeros(4)}, r"shape \(N, 5\)"),
        ({"dimensions": [5]}, "dimensions should lie in 0 to 4"),
        ({"values": torch.zeros(3, 4)}, r"shape \(T, 5\)"),
    ],
)
def test_what_does_not_fit_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        traverse(generator(), **({"code": torch.zeros(5), "dimensions": [0], "values": VALUES} | settings))
