import pytest
import torch
from torch import nn
from torch.nn import functional

from genzoo.metrics import PooledActivations
from genzoo.networks import DCGANPlayers
from genzoo.networks.mlp import MLPPlayers

IMAGES = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_they_are_the_maps_after_each_nonlinearity_pooled_to_a_grid():
    torch.manual_seed(0)
    discriminator = DCGANPlayers(width=4).discriminator((1, 32, 32)).eval()
    seen = []
    for part in discriminator.modules():
        if isinstance(part, nn.LeakyReLU):
            part.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
    with torch.no_grad():
        discriminator(IMAGES)
        expected = torch.cat([functional.adaptive_max_pool2d(maps, 4).flatten(1) for maps in seen], 1)
        seen.clear()
        found = PooledActivations(discriminator)(IMAGES)
    assert found.shape == (3, 16 * (4 + 8 + 16))
    assert torch.equal(found, expected)


def test_a_discriminator_without_maps_is_refused():
    perceptron = MLPPlayers((8,), (8,)).discriminator((1, 32, 32))
    with pytest.raises(ValueError, match="MLPDiscriminator has no maps of activations, as convolutional discriminat"):
        PooledActivations(perceptron)(IMAGES)
