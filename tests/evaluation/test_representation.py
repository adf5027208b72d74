import pytest
import torch

from genzoo.data.digits import Digits
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.dcgan import DCGAN
from genzoo.models.vae import VAE
from genzoo.networks import DCGANPlayers
from tests.evaluation.scoring import NETWORKS, loaded, scores


@pytest.mark.parametrize("model_class", [AutoEncoder, VAE])
def test_codes_are_a_representation(model_class, digits):
    torch.manual_seed(0)
    model = model_class(data_spec=digits.spec, networks=NETWORKS, latent_dim=16)
    found = scores(model, digits, groups=("representation",))
    assert set(found) == {"linear_accuracy/codes"}
    score = found["linear_accuracy/codes"]
    assert score.floor > 90
    assert 40 < score.value <= score.floor


def test_the_maps_of_a_discriminator_are_a_representation():
    data = loaded(Digits(image_size=28, subset=300))
    torch.manual_seed(0)
    model = DCGAN(data_spec=data.spec, networks=DCGANPlayers(width=4), latent_dim=4)
    found = scores(model, data, groups=("representation",))
    assert set(found) == {"linear_accuracy/discriminator"}
    # Untrained convolutions keep what tells digits apart.
    assert 60 < found["linear_accuracy/discriminator"].value < 100
    assert model.training
