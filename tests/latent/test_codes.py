import pytest
import torch

from genzoo.latent.codes import codes_of, random_codes
from genzoo.latent.rows import decoded_rows
from tests.latent.samplers import CLASSES, autoencoder, generator, scaling, variational


def test_random_codes_are_those_of_samples():
    sampler = generator()
    codes = random_codes(sampler, 70, seed=3)
    assert torch.equal(decoded_rows(sampler, codes[None]).items[0], torch.Tensor(sampler.sample(70, seed=3)))
    assert torch.equal(random_codes(sampler, 3, seed=3), codes[:3])


def test_a_model_without_prior_is_refused():
    with pytest.raises(ValueError, match="no prior to draw codes from; give images"):
        random_codes(autoencoder(), 3)


def test_codes_of_items_are_those_of_the_encoder():
    sampler, x = variational(condition=CLASSES), torch.rand(6, 1, 4, 4)
    expected = sampler.posterior(x, CLASSES.encode(torch.full((6,), 2)))[0].detach()
    assert torch.equal(codes_of(sampler, x, "right"), expected)


def test_what_has_no_encoder_is_inverted():
    points = torch.tensor([[1.0, -0.5], [0.0, 2.0]])
    found = codes_of(scaling(2.0, 0.5), points)
    torch.testing.assert_close(found, points / torch.tensor([2.0, 0.5]), atol=1e-3, rtol=0.0)
