"""InfoGAN: the bound of the information against distributions of torch, who moves what, and codes set by hand."""

import math

import pytest
import torch
from torch.distributions import Categorical, Normal
from torch.nn.functional import softplus

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.models.infogan import InfoGAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.noise import BatchNoise
from genzoo.sampling.coded import CodedPrior
from genzoo.sampling.priors import NormalPrior
from tests.conftest import RandomImages
from tests.models.wanted import assert_wants

MLP = MLPPlayers((8,), (8,), dropout=0.0, batch_norm=False)
X = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
Y = torch.zeros(6, dtype=torch.int64)


def made(spec=RandomImages().spec, **settings):
    torch.manual_seed(0)
    prior = CodedPrior(categories=(3, 4), continuous=2)
    return InfoGAN(**{"data_spec": spec, "networks": MLP, "latent_dim": 5, "prior": prior} | settings)


def information(recognised, z):
    """L_I of equation 5 by torch's distributions, and how often each category is recognised."""
    first, second, means = recognised.split([3, 4, 2], 1)
    labels = z[:, 5:8].argmax(1), z[:, 8:12].argmax(1)
    total = math.log(3) + math.log(4) + 2 * math.log(2) + Normal(means, 1.0).log_prob(z[:, 12:]).sum(1)
    for logits, label in zip((first, second), labels, strict=True):
        total = total + Categorical(logits=logits).log_prob(label)
    right = [(logits.argmax(1) == label).float() for logits, label in zip((first, second), labels, strict=True)]
    return total, sum(right) / 2


def test_both_players_want_what_the_authors_code_says():
    model = made(information_weight=0.3).eval()
    z = model.prior_sample(6, BatchNoise("cpu", 0))
    assert z.shape == (6, 14)
    fake = model.sampler.generate(z)
    features = model.discriminator.features(fake)
    expected, right = information(model.recogniser(features), z)
    logits = model.discriminator.logits(features)
    of_discriminator = softplus(-model.score(X, None)).mean() + softplus(logits).mean() - 0.3 * expected.mean()
    of_generator = softplus(-logits).mean() - 0.3 * expected.mean()
    for player, loss in zip(model.players(), (of_discriminator, of_generator), strict=True):
        assert_wants(player, loss, X, Y)
    found = model.statistics(X, Y, BatchNoise("cpu", 0))
    torch.testing.assert_close(found["information"], expected)
    torch.testing.assert_close(found["category_accuracy"], right)


def test_the_discriminator_moves_the_recogniser(trainer):
    data = RandomImages(number=36, batch_size=16)
    model = made(data.spec)
    discriminator, generator = model.players()
    assert discriminator.moves == [model.discriminator, model.recogniser]
    assert generator.moves == [model.sampler]
    before = {name: value.clone() for name, value in model.named_parameters()}
    trainer(log_every_n_steps=1).fit(model, datamodule=data)
    assert [name for name, value in model.named_parameters() if torch.equal(value, before[name])] == []
    assert {"train/information", "train/category_accuracy"} <= model.step_log.latest.keys() <= model.reports()


def test_categories_are_recognised_where_they_are_plain_to_see(trainer):
    """Points that a generator can tell apart by their category; a constant one would be right half the time."""
    spec = {"shape": [2]}
    generator = torch.Generator().manual_seed(0)
    points = [(torch.randn(2, generator=generator), torch.tensor(0)) for _ in range(256)]
    prior = CodedPrior(categories=(2,), continuous=0)
    model = made(spec, networks=MLPPlayers((16,), (16,), dropout=0.0), latent_dim=1, prior=prior)
    loader = torch.utils.data.DataLoader(points, batch_size=64)
    trainer(max_epochs=60).fit(model, loader)
    x, y = torch.randn(500, 2, generator=generator), torch.zeros(500, dtype=torch.int64)
    found = model.eval().statistics(x, y, BatchNoise("cpu", 1))
    assert found["category_accuracy"].mean() > 0.8
    assert found["information"].mean() > 0.2
    assert found["information"].max() <= math.log(2)


def test_a_category_can_be_set_by_hand():
    model = made().eval()
    z = model.prior_sample(8, BatchNoise("cpu", 0))
    digit = model.sampler.prior.parts(z).categories[1]
    digit[:] = torch.eye(4)[2]
    images = model.decode(z)
    assert images.shape == (8, 1, 28, 28)
    assert torch.equal(
        images, model.sampler.generator(torch.cat([z[:, :8], torch.eye(4)[2].expand(8, 4), z[:, 12:]], 1))
    )
    again = from_plain(as_plain(model.sampler))
    again.load_state_dict(model.sampler.state_dict())
    assert torch.equal(again.sample(5, seed=2), model.sample(5, seed=2))


def test_numbers_alone_have_no_categories_to_recognise():
    model = made(prior=CodedPrior(categories=(), continuous=3)).eval()
    assert model.latent_shape == (8,)
    assert "category_accuracy" not in model.statistics(X, Y, BatchNoise("cpu", 0))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="InfoGAN reads features of each item by itself"):
        made(networks=Packed(MLP))
    with pytest.raises(ValueError, match="information_weight must be finite and not negative, got -1"):
        made(information_weight=-1.0)


def test_a_prior_without_codes_is_refused():
    with pytest.raises(ValueError, match="an InfoGAN recognises codes, which NormalPrior has none of"):
        InfoGAN(data_spec=RandomImages().spec, prior=NormalPrior())
