from itertools import product

import pytest
import torch

from genzoo.networks.architectures import Players
from genzoo.networks.conditioning import concatenate, concatenate_maps
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import GatedMLPEncoderDecoder, MLPEncoderDecoder, MLPPlayers
from genzoo.networks.residual import ResidualEncoderDecoder

DATA = (1, 8, 8)
CONDITIONS = {"vector": (3,), "image": (2, 8, 8), "tokens": (4, 5)}
PERCEPTRONS = [MLPEncoderDecoder((7,)), GatedMLPEncoderDecoder((7,))]
CONVOLUTIONS = [ConvolutionalEncoderDecoder(width=4), ResidualEncoderDecoder(width=4)]
PLAYERS = [MLPPlayers((7,), (7,), dropout=0.0), DCGANPlayers(width=4)]


def named(architecture):
    return type(architecture).__name__


def from_code(architecture, condition_shape=(), code_shape=(5,)):
    """The decoder or generator."""
    build = architecture.generator if isinstance(architecture, Players) else architecture.decoder
    return build(code_shape, DATA, condition_shape)


def from_data(architecture, condition_shape=(), data_shape=DATA, code_shape=(5,)):
    """The encoder or discriminator."""
    if isinstance(architecture, Players):
        return architecture.discriminator(data_shape, condition_shape)
    return architecture.encoder(data_shape, code_shape, condition_shape)


def test_conditions_stand_beside_vectors():
    condition = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert concatenate(torch.zeros(2, 1), condition).tolist() == [[0, 1, 2], [0, 3, 4]]
    assert concatenate(torch.zeros(2, 1, 1, 2), condition[:, :, None]).tolist() == [[0, 0, 1, 2], [0, 0, 3, 4]]
    assert concatenate(condition, None) is condition


def test_conditions_stand_beside_images():
    images, condition = torch.zeros(2, 1, 3, 3), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    maps = concatenate_maps(images, condition)
    assert maps.shape == (2, 3, 3, 3)
    assert maps[1, 1].unique().tolist() == [3.0]
    assert maps[0, 2].unique().tolist() == [2.0]
    torch.testing.assert_close(concatenate_maps(images, condition[:, None]), maps)
    image = torch.rand(2, 2, 3, 3)
    torch.testing.assert_close(concatenate_maps(images, image)[:, 1:], image)
    assert concatenate_maps(images, None) is images


def require_every_number_counts(network, x, shape):
    # Of many items, since the ReLUs let few numbers of any one pass.
    condition = torch.rand(len(x), *shape, requires_grad=True)
    # In eval mode no item depends on another.
    output = network.eval()(x, condition)
    (gradient,) = torch.autograd.grad(output.square().sum(), condition)
    assert (gradient != 0).flatten(1).any(0).all()


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("architecture", [*PERCEPTRONS, *CONVOLUTIONS, *PLAYERS], ids=named)
def test_a_condition_stands_beside_data(architecture, kind):
    torch.manual_seed(0)
    network = from_data(architecture, CONDITIONS[kind])
    require_every_number_counts(network, torch.rand(64, *DATA) * 2 - 1, CONDITIONS[kind])


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        *product([*PERCEPTRONS, *CONVOLUTIONS, *PLAYERS], ["vector", "tokens"]),
        *product([*PERCEPTRONS, PLAYERS[0]], ["image"]),
    ],
    ids=lambda value: value if isinstance(value, str) else named(value),
)
def test_a_condition_stands_beside_codes(architecture, kind):
    torch.manual_seed(0)
    network = from_code(architecture, CONDITIONS[kind])
    require_every_number_counts(network, torch.randn(64, 5), CONDITIONS[kind])


@pytest.mark.parametrize("architecture", [*CONVOLUTIONS, PLAYERS[1]], ids=named)
def test_an_image_stands_beside_the_image_in_its_place(architecture):
    """The network of image and condition is that of an image with the channels of both."""
    torch.manual_seed(0)
    network = from_data(architecture, (2, 8, 8))
    torch.manual_seed(0)
    plain = from_data(architecture, (), (3, 8, 8))
    x, condition = torch.rand(6, *DATA), torch.rand(6, 2, 8, 8)
    assert torch.equal(network(x, condition), plain(torch.cat([x, condition], 1)))


@pytest.mark.parametrize("architecture", [*CONVOLUTIONS, PLAYERS[1]], ids=named)
def test_a_condition_image_of_another_size_is_refused(architecture):
    with pytest.raises(ValueError, match="must have one size, but it has 4 x 4 pixels and the image 8 x 8"):
        from_data(architecture, (1, 4, 4))


@pytest.mark.parametrize(
    ("architecture", "alternative"),
    [*((each, "MLPEncoderDecoder") for each in CONVOLUTIONS), (PLAYERS[1], "MLPPlayers or ImageToImagePlayers")],
    ids=["convolutional", "residual", "dcgan"],
)
def test_an_image_beside_a_code_is_refused(architecture, alternative):
    message = rf"{named(architecture)} puts a .* got images of shape \(1, 8, 8\); choose {alternative}, which takes"
    with pytest.raises(ValueError, match=message):
        from_code(architecture, (1, 8, 8))


@pytest.mark.parametrize("architecture", [*PERCEPTRONS, *CONVOLUTIONS, *PLAYERS], ids=named)
def test_grids_of_codes_are_refused(architecture):
    message = rf"{named(architecture)} takes codes that are vectors, \(D,\), but got codes of shape \(4, 2, 2\); choose"
    with pytest.raises(ValueError, match=message):
        from_code(architecture, code_shape=(4, 2, 2))
    if architecture not in PLAYERS:
        with pytest.raises(ValueError, match=message):
            from_data(architecture, code_shape=(4, 2, 2))
