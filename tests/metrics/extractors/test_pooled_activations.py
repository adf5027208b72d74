import pytest
import torch
from torch import nn

from genzoo.metrics import (
    PooledActivations,
)
from genzoo.models.dcgan import DCGAN


def test_pooled_activations_are_all_maps_of_the_discriminator():
    model = DCGAN(data_spec={"shape": [1, 32, 32], "range": [-1.0, 1.0]}, latent_dim=4).eval()
    features = PooledActivations(model.discriminator)
    images = torch.rand(3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        found = features(images)
    widths = [part.out_channels for part in model.discriminator.modules() if isinstance(part, nn.Conv2d)]
    assert found.shape == (3, 16 * sum(width for width in widths if width > 1))
    assert features(images[:1])[0].tolist() == pytest.approx(found[0].tolist(), abs=1e-5)
    with pytest.raises(ValueError, match="no activation maps of Tanh"):
        PooledActivations(model.discriminator, kinds=(nn.Tanh,))(images)
