"""Discriminators of packs: what they are given, and what is made of their logits."""

import pytest
import torch
from torch.nn.functional import softplus
from torch.utils.data import DataLoader

from genzoo.losses.relativistic import RelativisticPairing
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.networks.projected import Projected
from genzoo.noise import BatchNoise
from tests.conftest import RandomImages

MLP = MLPPlayers((8,), (8,), dropout=0.0)
IMAGE, POINT = (2, 16, 16), (3,)
KINDS = [
    (MLP, POINT, ()),
    (MLP, IMAGE, (5,)),
    (MLP, POINT, (4, 3)),
    (DCGANPlayers(width=2), IMAGE, ()),
    (DCGANPlayers(width=2), IMAGE, (5,)),
    (ImageToImagePlayers(width=2), IMAGE, (1, 16, 16)),
    (Projected(DCGANPlayers(width=2)), IMAGE, (5,)),
]


def draw(number, shape):
    return torch.randn(number, *shape) if shape else None


@pytest.mark.parametrize(("players", "data_shape", "condition_shape"), KINDS)
def test_a_logit_is_that_of_a_pack_of_consecutive_items_and_their_conditions(players, data_shape, condition_shape):
    torch.manual_seed(0)
    packed = Packed(players, number=3).discriminator(data_shape, condition_shape).eval()
    x, condition = draw(6, data_shape), draw(6, condition_shape)

    def beside(items, first):
        return None if items is None else torch.cat([items[n : n + 1] for n in range(first, first + 3)], dim=1)

    expected = [packed.judge(beside(x, first), beside(condition, first)) for first in (0, 3)]
    torch.testing.assert_close(packed(x, condition), torch.cat(expected))
    torch.testing.assert_close(packed.logits(packed.features(x, condition), condition), torch.cat(expected))
    assert packed.feature_shape == packed.features(x, condition).shape[1:]


@pytest.mark.parametrize(("players", "data_shape", "condition_shape"), KINDS[:2])
def test_packs_of_one_are_the_items(players, data_shape, condition_shape):
    x, condition, found = draw(4, data_shape), draw(4, condition_shape), []
    for each in (Packed(players, number=1), players):
        torch.manual_seed(0)
        found.append(each.discriminator(data_shape, condition_shape).eval()(x, condition))
    assert torch.equal(*found)


def test_packs_of_packs_are_packs():
    torch.manual_seed(0)
    nested = Packed(Packed(MLP, 2), 3).discriminator(POINT, (2,)).eval()
    x, condition = draw(12, POINT), draw(12, (2,))
    innermost = nested.judge.judge
    expected = innermost(x.reshape(2, 18), condition.reshape(2, 12))
    assert nested.pack_size == 6
    torch.testing.assert_close(nested(x, condition), expected)
    assert [len(maps) for maps in nested.activations(x, condition)] == [12]


def test_only_the_first_layer_is_wider():
    plain = DCGANPlayers(width=2).discriminator(IMAGE)
    packed = Packed(DCGANPlayers(width=2), number=4).discriminator(IMAGE).judge
    shapes = [[weight.shape for weight in network.parameters()] for network in (plain, packed)]
    assert [one == other for one, other in zip(*shapes, strict=True)] == [False] + [True] * (len(shapes[0]) - 1)
    assert shapes[1][0][1] == 4 * shapes[0][0][1]


def test_the_head_may_be_replaced():
    packed = Packed(MLP).discriminator(POINT)
    packed.head = torch.nn.Linear(8, 4)
    assert packed(draw(6, POINT)).shape == (3, 4)
    assert packed.judge.head is packed.head


def test_the_logit_of_each_item_is_that_of_its_pack_and_the_last_one_is_filled_up():
    torch.manual_seed(0)
    model = ConditionalGAN(data_spec=RandomImages().spec, networks=Packed(MLP, 3)).eval()
    x, y = torch.rand(4, 1, 28, 28), torch.arange(4)
    logits = model.predict_step((x, y), 0)["logits"]
    places = [0, 1, 2, 3, 0, 1]
    first, last = model.score(x[places], model.condition.encode(y[places]))
    assert torch.equal(logits, torch.stack([first, first, first, last]))
    one, condition = x[:1], model.condition.encode(y[:1])
    assert torch.equal(
        model.discriminator.of_each(model.score, one, condition),
        model.score(one.expand(3, 1, 28, 28), condition.expand(3, 10)),
    )


def test_validation_measures_every_item(trainer):
    data = RandomImages(number=110, batch_size=15, validation_fraction=0.2)
    model = GAN(data_spec=data.spec, networks=Packed(MLP, 3))
    runner = trainer()
    runner.fit(model, datamodule=data)
    model.eval()
    logits = [model.predict_step((x.float() / 127.5 - 1, y), 0)["logits"] for x, y in data.val_dataloader()[0]]
    assert runner.callback_metrics["val/discriminator_real"] == pytest.approx(torch.cat(logits).sigmoid().mean().item())


def test_the_objective_is_that_of_packs():
    model = GAN(data_spec=RandomImages().spec, networks=Packed(MLP, 2), objective=RelativisticPairing())
    x, y = torch.rand(6, 1, 28, 28), torch.zeros(6, dtype=torch.int64)
    fake = model.generate(6, None, BatchNoise("cpu", 0))
    margins = model.score(x, None) - model.score(fake, None)
    assert margins.shape == (3,)
    for loss, sign in ((model.discriminator_loss, -1.0), (model.generator_loss, 1.0)):
        torch.testing.assert_close(loss(x, y, BatchNoise("cpu", 0)), softplus(sign * margins).mean())


@pytest.mark.parametrize(("batch_size", "number", "at_fault"), [(5, 20, 5), (4, 19, 3)])
def test_batches_that_cannot_be_divided_are_refused_before_training(batch_size, number, at_fault, trainer):
    items = [(torch.rand(1, 28, 28), torch.tensor(0)) for _ in range(number)]
    model = GAN(data_spec=RandomImages().spec, networks=Packed(MLP, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    message = f"a GAN that judges packs of 2 items would be trained on a batch of {at_fault}, but needs multiples of 2"
    with pytest.raises(ValueError, match=message):
        trainer(num_sanity_val_steps=0).fit(model, DataLoader(items, batch_size=batch_size))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="3 items cannot be divided into packs of 2; give a multiple of 2"):
        model.score(torch.rand(3, 1, 28, 28), None)


def test_an_incomplete_batch_that_is_dropped_is_no_matter(trainer):
    items = [(torch.rand(1, 28, 28), torch.tensor(0)) for _ in range(19)]
    runner = trainer()
    loader = DataLoader(items, batch_size=4, drop_last=True)
    runner.fit(GAN(data_spec=RandomImages().spec, networks=Packed(MLP)), loader)
    assert runner.global_step == 4


def test_what_reads_features_of_single_items_refuses_packs():
    with pytest.raises(ValueError, match="VAEGAN reads features of each item by itself, but these networks judge 2"):
        VAEGAN(data_spec=RandomImages().spec, networks=MLPEncoderDecoder((8,)), judge=Packed(MLP))
    with pytest.raises(ValueError, match="the projection of Projected reads features of each item"):
        Projected(Packed(MLP)).discriminator(IMAGE, (5,))


def test_a_pack_of_no_items_is_refused():
    with pytest.raises(ValueError, match="number of Packed must be at least 1, got 0"):
        Packed(MLP, number=0)
