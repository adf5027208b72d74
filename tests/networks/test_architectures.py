import pytest
import torch

from genzoo.networks.architectures import concatenate, concatenate_maps, halvings
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder


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


def test_conditions_stand_beside_vectors_and_images():
    condition = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert concatenate(torch.zeros(2, 1), condition).tolist() == [[0, 1, 2], [0, 3, 4]]
    assert concatenate(condition, None) is condition
    maps = concatenate_maps(torch.zeros(2, 1, 3, 3), condition)
    assert maps.shape == (2, 3, 3, 3)
    assert maps[1, 1].unique().tolist() == [3.0]
    assert maps[0, 2].unique().tolist() == [2.0]
    assert concatenate_maps(maps, None) is maps


def test_an_image_is_encoded_whatever_its_neighbours():
    encoder = ConvolutionalEncoderDecoder(width=4).encoder((1, 28, 28), 3)
    x = torch.randn(9, 1, 28, 28)
    torch.testing.assert_close(encoder(x)[:2], encoder(x[:2]), atol=1e-5, rtol=1e-5)
