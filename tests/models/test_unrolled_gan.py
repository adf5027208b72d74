"""Unrolled GAN: the generator's gradient against steps written by hand, and what the lookahead leaves behind."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from genzoo.losses.constraints import WeightClipping
from genzoo.losses.every import Every
from genzoo.losses.objectives import Minimax, NonSaturating, Wasserstein
from genzoo.losses.penalties import R1, R2
from genzoo.losses.relativistic import RelativisticPairing
from genzoo.models.gan import GAN
from genzoo.models.unrolled_gan import UnrolledGAN
from genzoo.networks.architectures import Players
from genzoo.networks.conditioning import VectorLayers
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.discriminator import LayeredDiscriminator
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise
from genzoo.training.penalty_terms import PenaltyTerms
from tests.conftest import RandomImages

POINTS = {"shape": [2]}
RATE = 0.7
X = torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
Y = torch.zeros(5, dtype=torch.int64)


class LinearGenerator(nn.Linear):
    def forward(self, z, condition=None):
        return super().forward(z)


@dataclass(frozen=True)
class LinearPlayers(Players):
    """G(z) = A z + a and C(x) = w x + b."""

    def generator(self, latent_shape, data_shape, condition_shape=()):
        return LinearGenerator(*latent_shape, *data_shape)

    def discriminator(self, data_shape, condition_shape=()):
        return LayeredDiscriminator(VectorLayers(), nn.Linear(*data_shape, 1), tuple(data_shape))


def made(model=UnrolledGAN, networks=LinearPlayers(), spec=POINTS, **settings):
    torch.manual_seed(0)
    return model(data_spec=spec, networks=networks, latent_dim=3, **settings)


def value(real, fake):
    return -softplus(-real).mean() - softplus(fake).mean()


LOSSES = {
    Minimax(): (lambda real, fake: -value(real, fake), value),
    NonSaturating(): (lambda real, fake: -value(real, fake), lambda real, fake: softplus(-fake).mean()),
    Wasserstein(): (lambda real, fake: fake.mean() - real.mean(), lambda real, fake: real.mean() - fake.mean()),
    RelativisticPairing(): (
        lambda real, fake: softplus(fake - real).mean(),
        lambda real, fake: softplus(real - fake).mean(),
    ),
}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("objective", LOSSES, ids=lambda objective: type(objective).__name__)
def test_the_gradient_passes_through_steps_that_are_written_by_hand(objective, steps):
    model = made(objective=objective, lookahead=steps, lookahead_rate=RATE).double()
    generator, head = model.sampler.generator, model.discriminator.head
    of_discriminator, of_generator = LOSSES[objective]
    z = model.prior_sample(5, BatchNoise("cpu", 0)).double()

    def unrolled(matrix, shift):
        """The generator's loss as a function of its parameters."""
        fake = z @ matrix.T + shift
        w, b = head.weight.detach()[0].requires_grad_(), head.bias.detach().requires_grad_()
        for _ in range(steps):
            loss = of_discriminator(X @ w + b, fake @ w + b)
            of_w, of_b = torch.autograd.grad(loss, (w, b), create_graph=True)
            w, b = w - RATE * of_w, b - RATE * of_b
        return of_generator(X @ w + b, fake @ w + b)

    loss = model.generator_loss(X, Y, BatchNoise("cpu", 0))
    parameters = generator.weight, generator.bias
    torch.testing.assert_close(loss, unrolled(*parameters))
    found = torch.autograd.grad(loss, parameters)
    # By differences of the loss: nothing that the model differentiates takes part in it.
    for place, gradient in enumerate(found):
        for entry in range(gradient.numel()):
            moved = []
            for sign in (1.0, -1.0):
                copies = [parameter.detach().clone() for parameter in parameters]
                copies[place].view(-1)[entry] += sign * 1e-6
                moved.append(unrolled(*copies))
            torch.testing.assert_close(gradient.flatten()[entry], (moved[0] - moved[1]) / 2e-6, atol=1e-7, rtol=1e-5)


def test_the_steps_of_a_critic_of_points_are_those_of_calculus():
    """With C(x) = w x the Wasserstein critic climbs by the distance of the means: w + K eta (E x - E G(z))."""
    model = made(objective=Wasserstein(), lookahead=4, lookahead_rate=RATE).double()
    z = model.prior_sample(5, BatchNoise("cpu", 0)).double()
    gap = X.mean(0) - model.sampler.generate(z).mean(0)
    w = model.discriminator.head.weight[0] + 4 * RATE * gap
    torch.testing.assert_close(model.generator_loss(X, Y, BatchNoise("cpu", 0)), w @ gap)


def test_penalties_are_part_of_what_the_discriminator_will_descend():
    """R1 of a linear critic is gamma w^2 / 2, whose gradient shrinks it."""
    model = made(objective=Wasserstein(), penalties=[R1(0.5)], lookahead=1, lookahead_rate=RATE).double()
    z = model.prior_sample(5, BatchNoise("cpu", 0)).double()
    gap = X.mean(0) - model.sampler.generate(z).mean(0)
    w = (1.0 - 0.5 * RATE) * model.discriminator.head.weight[0] + RATE * gap
    torch.testing.assert_close(model.generator_loss(X, Y, BatchNoise("cpu", 0)), w @ gap)
    assert model.recorder.latest == {}


def test_no_lookahead_is_a_gan_to_the_bit(trainer):
    data, found = RandomImages(number=36, batch_size=16), []
    for model in (partial(UnrolledGAN, lookahead=0), partial(GAN, objective=Minimax())):
        networks = MLPPlayers((8,), (8,))
        found.append(made(model, networks, data.spec))
        trainer(max_epochs=2).fit(found[-1], datamodule=data)
    first, second = (model.state_dict() for model in found)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


@pytest.mark.parametrize("penalties", [(), (R2(0.1),)], ids=["plain", "penalty"])
def test_the_discriminator_stays_as_it_is(penalties):
    """Its batch norm's running averages too, and its gradients."""
    norm = "none" if penalties else "batch"
    model = made(networks=DCGANPlayers(width=2, discriminator_norm=norm), spec=RandomImages().spec, penalties=penalties)
    model.discriminator.requires_grad_(False)
    before = {name: value.clone() for name, value in model.discriminator.state_dict().items()}
    x = torch.rand(4, 1, 28, 28) * 2 - 1
    model.generator_loss(x, Y[:4], BatchNoise("cpu", 0)).backward()
    assert all(torch.equal(value, before[name]) for name, value in model.discriminator.state_dict().items())
    assert all(parameter.grad is None for parameter in model.discriminator.parameters())
    assert all(parameter.grad.abs().sum() > 0.0 for parameter in model.sampler.generator.parameters())


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="lookahead must be at least 0, got -1"):
        made(lookahead=-1)
    with pytest.raises(ValueError, match=r"lookahead_rate must be finite and above 0, got 0\.0"):
        made(lookahead_rate=0.0)


class Steps(PenaltyTerms):
    """Notes for which steps penalties are asked."""

    seen: ClassVar[list[int]] = []

    def added_to(self, loss, score, shown, noise, step, recorder):
        self.seen.append(step)
        return super().added_to(loss, score, shown, noise, step, recorder)


def test_the_lookahead_meets_the_penalties_of_the_steps_that_would_follow():
    """Every second step one twice as heavy, in a game where the generator answers after even steps alone."""
    model = made(penalties=[Every(R1(), 2)], lookahead=3, discriminator_steps=2).double()
    model.penalties.__class__, Steps.seen = Steps, []
    model.generator_loss(X, Y, BatchNoise("cpu", 0))
    assert Steps.seen == [1, 2, 3]


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("penalty", [R1(), Every(R1(), 4)], ids=["itself", "every"])
def test_norms_that_torch_cannot_differentiate_three_times_are_refused(norm, penalty):
    data, networks = RandomImages(), DCGANPlayers(width=4, discriminator_norm=norm)
    with pytest.raises(ValueError, match=r"R1 would be differentiated a third time .*norm of none, layer"):
        made(networks=networks, spec=data.spec, penalties=[penalty])
    made(networks=networks, spec=data.spec)
    made(networks=networks, spec=data.spec, penalties=[penalty], lookahead=0)


def test_constraints_which_the_lookahead_would_not_meet_are_refused():
    with pytest.raises(ValueError, match=r"the lookahead leaves out WeightClipping, .*or lookahead 0"):
        made(objective=Wasserstein(), penalties=[R1(), WeightClipping()])
    made(objective=Wasserstein(), penalties=[WeightClipping()], lookahead=0)


@pytest.mark.parametrize("norm", ["none", "layer", "group"])
def test_other_norms_are_trained_with_penalties(norm, trainer):
    data, networks = RandomImages(number=16, batch_size=8), DCGANPlayers(width=4, discriminator_norm=norm)
    model = made(networks=networks, spec=data.spec, penalties=[R1()], lookahead=1)
    runner = trainer(max_steps=1, log_every_n_steps=1)
    runner.fit(model, datamodule=data)
    assert runner.callback_metrics["train/generator_gradient_norm"] > 0
