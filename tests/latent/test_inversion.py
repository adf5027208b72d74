import pytest
import torch

from genzoo.latent.inversion import invert
from genzoo.noise import BatchNoise
from genzoo.sampling.conditions import ClassCondition
from genzoo.sampling.priors import UniformPrior
from tests.latent.linear import EncodingLinearSampler, LinearSampler

# Enough for three latent variables.
SHORTLY = {"starts": 1, "steps": 250, "learning_rate": 0.2}


def some_points(number=7, dim=5):
    return 2.0 * torch.randn(number, dim, generator=torch.Generator().manual_seed(1))


def least_squares(sampler, x, ridge=0.0):
    """The z with the smallest |W z + b - x|^2 + ridge |z|^2."""
    with torch.no_grad():
        gram = sampler.weight.T @ sampler.weight + ridge * torch.eye(sampler.weight.shape[1])
        return torch.linalg.solve(gram, sampler.weight.T @ (x - sampler.bias).T).T


def test_a_linear_generator_is_inverted_by_least_squares():
    sampler, x = LinearSampler(), some_points()
    found, expected = invert(sampler, x, **SHORTLY), least_squares(sampler, x)
    torch.testing.assert_close(found.codes, expected, rtol=0, atol=1e-3)
    reconstructions = sampler.eval().generate(expected).detach()
    torch.testing.assert_close(found.reconstructions, reconstructions, rtol=0, atol=1e-3)
    torch.testing.assert_close(found.errors, (reconstructions - x).square().mean(1), rtol=1e-4, atol=0)


def test_the_prior_pulls_as_in_ridge_regression():
    sampler, x = LinearSampler(), some_points()
    # (1/D) |..|^2 + (w/L) |z|^2 / 2 has the ridge w D / (2 L).
    expected = least_squares(sampler, x, ridge=0.6 * 5 / (2 * 3))
    found = invert(sampler, x, prior_weight=0.6, **SHORTLY)
    torch.testing.assert_close(found.codes, expected, rtol=0, atol=1e-3)
    assert (found.errors > invert(sampler, x, **SHORTLY).errors).all()


def test_samples_of_a_uniform_prior_are_recovered_within_its_cube():
    sampler = LinearSampler(prior=UniformPrior()).eval()
    # Beside an edge, latent variables would still be thrown back in the last steps.
    z = 0.8 * sampler.prior_sample(6, BatchNoise("cpu", 0))
    found = invert(sampler, sampler.generate(z).detach(), **SHORTLY)
    torch.testing.assert_close(found.codes, z, rtol=0, atol=1e-3)
    # What would need latent variables outside is not reached from there.
    far = invert(sampler, sampler.generate(3.0 * torch.ones(2, 3)).detach(), **SHORTLY)
    assert far.codes.abs().max() <= 1.0
    assert (far.errors > 0.1).all()


def test_labels_enter_the_generator():
    sampler = LinearSampler(condition=ClassCondition(("a", "b"))).eval()
    z, labels = sampler.prior_sample(4, BatchNoise("cpu", 0)), torch.tensor([0, 1, 1, 0])
    x = sampler.decode(z, labels).detach()
    torch.testing.assert_close(invert(sampler, x, labels, **SHORTLY).codes, z, rtol=0, atol=1e-3)
    torch.testing.assert_close(invert(sampler, x, ["a", "b", "b", "a"], **SHORTLY).codes, z, rtol=0, atol=1e-3)
    assert (invert(sampler, x, 1 - labels, **SHORTLY).codes - z).abs().max() > 0.1


def test_the_best_start_is_kept():
    sampler, x = LinearSampler(), some_points()
    found = invert(sampler, x, starts=3, steps=5)
    assert found.errors_of_starts.shape == (7, 3)
    assert torch.equal(found.errors, found.errors_of_starts.min(1).values)
    assert (found.errors_of_starts.std(1) > 0.0).all()
    torch.testing.assert_close(sampler.eval().generate(found.codes), found.reconstructions)


def test_an_encoder_gives_one_more_start():
    sampler, x = EncodingLinearSampler(), some_points()
    found = invert(sampler, x, starts=2, steps=0)
    assert found.errors_of_starts.shape == (7, 3)
    torch.testing.assert_close(found.codes, least_squares(sampler, x))
    # Without a prior it is the only one.
    alone = invert(EncodingLinearSampler(prior=None), x, starts=2, steps=0)
    assert alone.errors_of_starts.shape == (7, 1)
    torch.testing.assert_close(alone.errors, found.errors)


def test_an_item_is_found_by_itself():
    sampler, x = LinearSampler(), some_points(11)
    whole = invert(sampler, x, steps=20)
    for number in (1, 4, 9):
        part = invert(sampler, x[:number], steps=20)
        assert torch.equal(part.codes, whole.codes[:number])
        assert torch.equal(part.errors_of_starts, whole.errors_of_starts[:number])
    # Others in its place in the batch make no difference either.
    assert torch.equal(invert(sampler, torch.cat([x[:5], -x[5:]]), steps=20).codes[:5], whole.codes[:5])
    assert not torch.equal(invert(sampler, x, steps=20, seed=1).codes, whole.codes)


def test_weights_and_modes_stay_as_they_are():
    sampler = LinearSampler()
    sampler.dropout.eval()
    before = {name: value.clone() for name, value in sampler.state_dict().items()}
    invert(sampler, some_points(), steps=3)
    assert all(torch.equal(value, before[name]) for name, value in sampler.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in sampler.parameters())
    assert sampler.training
    assert not sampler.dropout.training


def test_what_cannot_be_inverted_is_refused():
    x = some_points()
    with pytest.raises(ValueError, match="floats of shape"):
        invert(LinearSampler(), x[:, :4])
    with pytest.raises(ValueError, match="give y, the labels of x"):
        invert(LinearSampler(condition=ClassCondition(("a", "b"))), x)
    with pytest.raises(ValueError, match="neither a prior nor an encoder"):
        invert(LinearSampler(prior=None), x)
    with pytest.raises(ValueError, match="no items to invert"):
        invert(LinearSampler(), x[:0])
    with pytest.raises(ValueError, match="starts must be at least 1"):
        invert(LinearSampler(), x, starts=0)
