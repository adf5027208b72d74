"""Players whose condition is embedded first."""

import pytest
import torch

from genzoo.models.cgan import ConditionalGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.embedded import ConditionEmbedding, Embedded
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.networks.projected import Projected
from tests.conftest import RandomImages

DATA = (1, 16, 16)
MLP = MLPPlayers((8,), (8,), dropout=0.0)


@pytest.mark.parametrize(
    ("players", "condition_shape", "embedded_shape"),
    [(MLP, (5,), (3,)), (DCGANPlayers(width=2), (5,), (3,)), (MLP, (4, 5), (4, 3)), (Projected(MLP), (5,), (3,))],
)
def test_both_players_get_an_embedding_of_their_own(players, condition_shape, embedded_shape):
    torch.manual_seed(0)
    embedded = Embedded(players, dim=3)
    generator = embedded.generator((2,), DATA, condition_shape).eval()
    discriminator = embedded.discriminator(DATA, condition_shape).eval()
    z, x, condition = torch.randn(4, 2), torch.randn(4, *DATA), torch.randn(4, *condition_shape)
    tables = [network.embedding.weight for network in (generator, discriminator)]
    first, second = (condition @ table.T for table in tables)
    assert first.shape == (4, *embedded_shape)
    assert not torch.equal(*tables)
    torch.testing.assert_close(generator(z, condition), generator.network(z, first))
    torch.testing.assert_close(discriminator(x, condition), discriminator.judge(x, second))
    pairs = zip(discriminator.activations(x, condition), discriminator.judge.activations(x, second), strict=True)
    assert all(torch.allclose(*pair) for pair in pairs)


def test_a_missing_label_is_zeros_to_the_players():
    model = ConditionalGAN(data_spec=RandomImages().spec, networks=Embedded(MLP, dim=3)).eval()
    z, y = torch.randn(2, 32), torch.tensor([-1, 4])
    condition = model.condition.encode(y)
    generator = model.sampler.generator
    missing, known = generator.network(z, torch.stack([torch.zeros(3), generator.embedding.weight[:, 4]]))
    found = model.sampler.generate(z, condition)
    torch.testing.assert_close(found, torch.stack([missing, known]))


def test_the_embedding_of_each_item_of_a_pack_stands_beside_it():
    torch.manual_seed(0)
    x, condition = torch.randn(4, *DATA), torch.randn(4, 5)
    network = Embedded(Packed(MLP, 2), dim=3).discriminator(DATA, (5,)).eval()
    packs = network.embedding(condition).reshape(2, 6)
    torch.testing.assert_close(network(x, condition), network.judge.judge(x.reshape(2, 2, 16, 16), packs))


@pytest.mark.parametrize("dim", [4, 400])
def test_embeddings_are_about_as_long_as_the_one_hot_vectors_that_they_stand_for(dim):
    torch.manual_seed(0)
    embedding = ConditionEmbedding((1000,), dim)
    squared_lengths = embedding(torch.eye(1000)).square().sum(1)
    assert squared_lengths.mean().item() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("shape", "found"), [((), "none"), ((1, 16, 16), r"images of shape \(1, 16, 16\)")])
def test_other_conditions_are_refused(shape, found):
    expected = f"networks need a condition of labels, attributes or tokens, but got {found}"
    with pytest.raises(ValueError, match=f"Embedded {expected}"):
        Embedded(MLP).generator((2,), DATA, shape)
    with pytest.raises(ValueError, match=f"Projected {expected}"):
        Projected(MLP).discriminator(DATA, shape)


def test_a_discriminator_that_is_given_no_condition_is_that_of_the_players():
    """As that of an ACGAN, whose generator alone is conditioned."""
    assert type(Embedded(MLP).discriminator(DATA)) is type(MLP.discriminator(DATA))


def test_no_dimensions_are_refused():
    with pytest.raises(ValueError, match="dim of Embedded must be at least 1, got 0"):
        Embedded(MLP, dim=0)
