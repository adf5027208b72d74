import numpy as np
import pytest
import torch

from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.models.vae import VAE
from tests.evaluation.scoring import NETWORKS, scores


def test_likelihood_is_that_of_the_bound(digits):
    torch.manual_seed(0)
    model = VAE(data_spec=digits.spec, networks=NETWORKS, latent_dim=2, likelihood=Gaussian())
    one, many = (scores(model, digits, groups=("likelihood",), likelihood_samples=number) for number in (1, 300))
    assert many["nll"].value < one["nll"].value
    assert one["nll"].value == pytest.approx(64 * np.log(2) * one["bits_per_dimension"].value, rel=1e-5)
    assert many["nll"].protocol["importance_samples"] == 300
    assert many["nll"].protocol["likelihood"] == "Gaussian"
