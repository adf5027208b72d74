import pytest
import torch

from genzoo.networks.architectures import channels_by_level, halvings
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import GatedLinear, GatedMLPEncoderDecoder
from genzoo.networks.r3gan import R3GANPlayers
from genzoo.networks.residual import ResidualEncoderDecoder
from genzoo.networks.residual_players import ResidualPlayers
from genzoo.networks.upsampling import doubling


@pytest.mark.parametrize(
    ("size", "expected"), [(28, (2, 7)), (32, (3, 4)), (64, (4, 4)), (48, (4, 3)), (128, (5, 4)), (20, (2, 5))]
)
def test_depth_follows_the_image_size(size, expected):
    assert halvings((1, size, size)) == expected


@pytest.mark.parametrize(("shape", "message"), [((1, 27, 27), "27 pixels"), ((1, 30, 30), "30 pixels")])
def test_sizes_that_cannot_be_halved_are_refused(shape, message):
    with pytest.raises(ValueError, match=f"images of {message} cannot be halved .* choose an image_size such as 28"):
        halvings(shape)


@pytest.mark.parametrize("shape", [(2,), (1, 32, 64)])
def test_data_that_are_not_square_images_are_refused(shape):
    with pytest.raises(ValueError, match="need square images"):
        halvings(shape)


def test_an_image_is_encoded_whatever_its_neighbours():
    encoder = ConvolutionalEncoderDecoder(width=4).encoder((1, 28, 28), (3,))
    x = torch.randn(9, 1, 28, 28)
    torch.testing.assert_close(encoder(x)[:2], encoder(x[:2]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [128, 256])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("kind", [ConvolutionalEncoderDecoder, ResidualEncoderDecoder, DCGANPlayers])
def test_large_images_and_both_ways_of_upsampling(kind, upsampling, size):
    architecture, shape = kind(width=2, upsampling=upsampling), (3, size, size)
    x = torch.rand(2, *shape) * 2 - 1
    if isinstance(architecture, DCGANPlayers):
        assert architecture.discriminator(shape)(x).shape == (2,)
        generated = architecture.generator((5,), shape)(torch.randn(2, 5))
    else:
        assert architecture.encoder(shape, (7,))(x).shape == (2, 7)
        generated = architecture.decoder((5,), shape)(torch.randn(2, 5))
    assert generated.shape == x.shape


def test_channels_double_up_to_sixteen_times():
    assert channels_by_level(4, 6) == [4, 8, 16, 32, 64, 64]


def test_a_resize_convolution_makes_no_checkerboard():
    """A constant map stays constant inside, which a transposed convolution with random weights does not keep."""
    for upsampling, is_constant in (("resize", True), ("transposed", False)):
        (*layers,) = doubling(3, 1, upsampling)
        inside = torch.nn.Sequential(*layers)(torch.ones(1, 3, 8, 8))[0, 0, 3:-3, 3:-3]
        assert bool((inside - inside.mean()).abs().max() < 1e-5) == is_constant


def test_a_gated_layer_is_linear_times_sigmoid_of_linear():
    layer, x = GatedLinear(3, 4), torch.randn(5, 3)
    expected = (x @ layer.value.weight.T + layer.value.bias) * torch.sigmoid(x @ layer.gate.weight.T + layer.gate.bias)
    torch.testing.assert_close(layer(x), expected)


def test_the_gated_network_of_the_protocol_has_its_size():
    """Two gated layers of 300 in encoder and decoder around 40 latent variables."""
    encoder = GatedMLPEncoderDecoder().encoder((1, 28, 28), (80,))
    count = sum(parameter.numel() for parameter in encoder.parameters())
    assert count == 2 * (784 * 300 + 300) + 2 * (300 * 300 + 300) + 300 * 80 + 80


@pytest.mark.parametrize("kind", [GatedMLPEncoderDecoder, ResidualEncoderDecoder])
def test_new_encoders_look_at_one_image_at_a_time(kind):
    encoder = kind().encoder((1, 28, 28), (3,))
    x = torch.randn(9, 1, 28, 28)
    torch.testing.assert_close(encoder(x)[:2], encoder(x[:2]), atol=1e-5, rtol=1e-5)


def test_a_discriminator_without_norm_sees_each_image_by_itself():
    images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    alone = {}
    for norm in ("batch", "none"):
        discriminator = DCGANPlayers(width=2, discriminator_norm=norm).discriminator((1, 32, 32))
        alone[norm] = torch.allclose(discriminator(images)[:2], discriminator(images[:2]), atol=1e-6)
    assert alone == {"batch": False, "none": True}
    with pytest.raises(ValueError, match=r"discriminator_norm must be batch, .*, layer or none, got 'spectral'"):
        DCGANPlayers(discriminator_norm="spectral")


@pytest.mark.parametrize("players", [DCGANPlayers, ResidualPlayers, R3GANPlayers, ImageToImagePlayers])
def test_a_width_of_nothing_is_refused(players):
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        players(width=0).discriminator((1, 32, 32), (1, 32, 32))
