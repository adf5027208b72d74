import pytest
import torch

from genzoo.latent.codes import random_codes
from tests.latent.samplers import autoencoder, generator


def test_random_codes_are_those_of_samples():
    sampler = generator()
    codes = random_codes(sampler, 70, seed=3)
    torch.testing.assert_close(sampler.decode(codes).detach(), sampler.sample(70, seed=3).detach())
    assert torch.equal(random_codes(sampler, 3, seed=3), codes[:3])


def test_a_model_without_prior_is_refused():
    with pytest.raises(ValueError, match="no prior to draw codes from; give images"):
        random_codes(autoencoder(), 3)
