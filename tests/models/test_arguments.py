"""What people give to a model's methods: taken in every form with one meaning, and otherwise met with a sentence."""

import numpy as np
import pytest
import torch

from genzoo.models import DCGAN, GAN, VAE, AutoEncoder, ConditionalGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.spec import image_spec
from tests.sampling.test_given import CLOTHES, NO_CLASSES, SNEAKERS

SPEC = image_spec(1, 28, class_names=CLOTHES)
PLAYERS = MLPPlayers((8,), (8,))


def model_of(cls, **settings):
    if cls is DCGAN:
        return DCGAN(data_spec=SPEC, networks=DCGANPlayers(4), **settings)
    networks = PLAYERS if issubclass(cls, GAN) else MLPEncoderDecoder((8,))
    return cls(data_spec=SPEC, networks=networks, **settings)


@pytest.mark.parametrize("y", SNEAKERS, ids=repr)
def test_a_class_is_a_class_however_it_is_written(y):
    model = model_of(ConditionalGAN)
    expected = model.sample(4, torch.full((4,), 3), seed=0)
    assert torch.equal(model.sample(4, y, seed=0), expected)
    z = model.prior_sample(4)
    assert torch.equal(model.eval().decode(z, y), model.decode(z, torch.full((4,), 3)))


def test_no_images_may_be_given_no_classes():
    assert model_of(ConditionalGAN).sample(0, y=[]).shape == (0, 1, 28, 28)


@pytest.mark.parametrize(("y", "message"), NO_CLASSES, ids=repr)
def test_what_is_no_class_is_named(y, message):
    model = model_of(ConditionalGAN)
    with pytest.raises(ValueError, match=message):
        model.sample(2, y)
    with pytest.raises(ValueError, match=message):
        model.decode(model.prior_sample(2), y)


def test_vectors_may_be_one_for_all_or_one_for_each():
    one = torch.tensor([[1.0, 0.0, 0.5]])
    model = model_of(ConditionalGAN, vector_dim=3)
    assert torch.equal(model.sample(2, [1, 0, 0.5], seed=0), model.sample(2, one.expand(2, 3), seed=0))
    for y in (3, "Sneaker", [1, 0], torch.zeros(3, 3), [["a", "b", "c"]] * 2):
        with pytest.raises(ValueError, match=r"y should have the shape \(2, 3\), one .* or be one vector of 3 numbers"):
            model.sample(2, y)


@pytest.mark.parametrize("cls", [VAE, GAN, DCGAN, ConditionalGAN])
def test_what_is_no_number_of_images_or_no_seed_is_refused(cls):
    model = model_of(cls)
    assert torch.equal(model.sample(np.int64(2), seed=np.int64(1)), model.sample(2, seed=1))
    for method in (model.sample, model.prior_sample, *([model.sample_likelihood] if cls is VAE else [])):
        with pytest.raises(ValueError, match="number must be at least 0, got -1"):
            method(-1)
        for wrong in (4.0, "4", None, True, [4]):
            with pytest.raises(ValueError, match="number must be a whole number, got "):
                method(wrong)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        model.sample(2, seed=-1)
    with pytest.raises(ValueError, match=r"seed must be a whole number, got 0\.5"):
        model.sample(2, seed=0.5)
    with pytest.raises(ValueError, match="weights must be one of raw, averaged, got 'average'"):
        model.sample(2, weights="average")


WRONG = [
    (
        torch.zeros(2, 1, 28, 28, dtype=torch.uint8),
        r"got uint8 of shape \(2, 1, 28, 28\); .* with genzoo.spec.to_float",
    ),
    (torch.zeros(2, 1, 32, 32), r"got float32 of shape \(2, 1, 32, 32\); bring images there with genzoo.spec.to_size"),
    (torch.zeros(1, 28, 28), r"got float32 of shape \(1, 28, 28\)"),
    (torch.zeros(28, 28), r"got float32 of shape \(28, 28\)"),
    (torch.tensor(0.0), r"got float32 of shape \(\)"),
    (np.zeros((2, 1, 28, 28)), r"got float64 of shape \(2, 1, 28, 28\); make a tensor of this NumPy array with torch"),
    ("image.png", "got 'image.png'"),
]


@pytest.mark.parametrize("cls", [AutoEncoder, VAE])
@pytest.mark.parametrize(("x", "message"), WRONG)
def test_what_is_no_item_of_the_data_is_refused(x, message, cls):
    model = model_of(cls)
    methods = [model.encode, model.reconstruct, *([model.elbo, model.log_likelihood] if cls is VAE else [])]
    for method in methods:
        with pytest.raises(ValueError, match=rf"this model takes floats of shape \(N, 1, 28, 28\), {message}"):
            method(x)
    with pytest.raises(ValueError, match=message):
        model.fit_density([x if isinstance(x, torch.Tensor) else [x]], GaussianMixtureDensity(1))


@pytest.mark.parametrize("cls", [AutoEncoder, VAE, GAN, ConditionalGAN])
@pytest.mark.parametrize(
    "z", [torch.zeros(2, 7), torch.zeros(8), torch.zeros(2, 8, dtype=torch.int64), np.zeros((2, 8))]
)
def test_what_are_no_latent_variables_is_refused(cls, z):
    model = model_of(cls, latent_dim=8)
    for method in (model.decode, model):
        with pytest.raises(ValueError, match=r"decoder of this model takes floats of shape \(N, 8\), got "):
            method(z)


@pytest.mark.parametrize("cls", [AutoEncoder, VAE, GAN])
def test_a_condition_is_not_ignored_by_a_model_that_has_none(cls):
    model = model_of(cls, latent_dim=8)
    with pytest.raises(ValueError, match="this model is unconditional"):
        model.decode(torch.zeros(2, 8), 3)


def test_numbers_of_importance_samples_are_whole():
    model, x = model_of(VAE), torch.zeros(2, 1, 28, 28)
    assert model.log_likelihood(x, samples=np.int64(3)).shape == (2,)
    for samples in (0, 2.5):
        with pytest.raises(ValueError, match="samples must be "):
            model.log_likelihood(x, samples=samples)
