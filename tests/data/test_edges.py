import numpy as np
import torch
from torch.nn import functional

from genzoo.data.edges import THRESHOLD, FashionMNISTMiniEdges, edges_of
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.sampling.conditions import ImageCondition, condition_from


def test_edges_are_where_a_convolution_finds_them():
    images, edges = FashionMNISTMiniEdges().load("test")
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=torch.float64) / 8
    padded = functional.pad(torch.tensor(images, dtype=torch.float64), (1, 1, 1, 1), mode="replicate")
    slopes = functional.conv2d(padded, torch.stack([across, across.T])[:, None])
    assert np.array_equal(slopes.norm(dim=1, keepdim=True) >= THRESHOLD, edges == 255)
    assert set(np.unique(edges)) == {0, 255}
    assert 0.15 < (edges == 255).mean() < 0.3


def test_a_step_is_an_edge_of_two_pixels_and_a_frame_is_none():
    image = np.full((1, 1, 6, 6), 100, np.uint8)
    image[..., 3:] = 180
    # Between the pixels beside the step brightness changes by 80 over two pixels.
    assert edges_of(image, 40)[0, 0].tolist() == [[0, 0, 255, 255, 0, 0]] * 6
    assert not edges_of(image, 41).any()


def test_the_spec_announces_the_edges_and_images_stay_as_they_are():
    data = FashionMNISTMiniEdges(image_size=32)
    assert condition_from(data.spec) == ImageCondition((1, 32, 32))
    assert data.spec["class_names"] == []
    images, edges = data.load("test")
    assert np.array_equal(images, FashionMNISTMini().load("test")[0])
    data.setup("test")
    x, y = data.on_after_batch_transfer(next(iter(data.test_dataloader())), 0)
    assert x.shape == y.shape == (128, 1, 32, 32)
    assert y.dtype == torch.float32
    assert torch.equal(y[..., 2:-2, 2:-2], torch.from_numpy(edges[:128]) / 127.5 - 1)
