from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional

from genzoo.callbacks.pictures import Pictures
from genzoo.data.images import ImageDataModule
from genzoo.data.splits import SPLIT_SEEDS
from genzoo.models.cvae import ConditionalVAE
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.noise import BatchNoise
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.spec import image_spec
from tests.conftest import RandomImages

SMALL = MLPEncoderDecoder((16,))


def test_the_bound_is_that_of_encoder_and_decoder_that_see_the_class():
    model = ConditionalVAE(data_spec=RandomImages().spec, latent_dim=3, networks=SMALL)
    x, y = (torch.rand(5, 1, 28, 28) > 0.5).float(), torch.tensor([3, 1, 4, 1, 5])
    told = torch.eye(10)[y]
    noise = BatchNoise("cpu", 7)
    noise.uniform(*x.shape)  # what binarises grey images; these are black and white already
    mean, log_variance = model.sampler.encoder(2 * x - 1, told).chunk(2, dim=1)
    z = mean + (0.5 * log_variance).exp() * noise.normal(5, 3)
    entropy = functional.binary_cross_entropy_with_logits(model.sampler.decoder(z, told), x, reduction="none")
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)
    expected = -entropy.flatten(1).sum(1) - divergence
    torch.testing.assert_close(model.elbo(2 * x - 1, y, BatchNoise("cpu", 7)), expected)
    assert not torch.allclose(model.elbo(2 * x - 1, y.flip(0), BatchNoise("cpu", 7)), expected)


class Stripes(ImageDataModule):
    """Ten classes: class k is grey noise with the k-th stripe white."""

    channels = 1
    native_size = 20
    class_names = tuple("abcdefghij")

    def load(self, split):
        labels = np.arange(500) % 10
        images = np.random.default_rng(SPLIT_SEEDS[split]).integers(0, 100, (500, 1, 20, 20), dtype=np.uint8)
        images.reshape(500, 10, 40)[np.arange(500), labels] = 255
        return images, labels


def brightest_stripe(images):
    return images.reshape(len(images), 10, -1).mean(2).argmax(1)


def test_samples_show_the_class_that_is_asked_for(trainer):
    torch.manual_seed(0)
    data = Stripes(image_size=20, batch_size=50)
    fast = partial(torch.optim.Adam, lr=0.02)
    model = ConditionalVAE(data_spec=data.spec, latent_dim=2, networks=MLPEncoderDecoder(()), optimizer=fast)
    trainer(max_epochs=8).fit(model, datamodule=data)
    y = torch.arange(10).repeat_interleave(8)
    assert torch.equal(brightest_stripe(model.sample(80, y, seed=0)), y)
    assert torch.equal(brightest_stripe(model.sample(20, seed=0)), torch.arange(20) % 10)
    # A code says what a class does not: under another class it becomes an image of that one.
    x, labels = data.on_after_batch_transfer(next(iter(data.val_dataloader()[0])), 0)
    codes = model.encode(x, labels)
    assert torch.equal(brightest_stripe(model.decode(codes, (labels + 1) % 10)), (labels + 1) % 10)


def test_what_it_is_told_may_be_vectors():
    spec = {"shape": [1, 8, 8], "class_names": [], "attribute_names": ["smiling", "hat", "young"]}
    model = ConditionalVAE(data_spec=spec, networks=SMALL).eval()
    x, y = torch.rand(2, 1, 8, 8) * 2 - 1, torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    assert model.reconstruct(x, y).shape == model.sample(2, y).shape == x.shape
    assert not torch.allclose(model.encode(x, y), model.encode(x, y.flip(0)))


def test_images_are_encoded_together_with_their_labels():
    model = ConditionalVAE(data_spec=RandomImages().spec, networks=SMALL)
    for ask in (model.encode, model.reconstruct, model.elbo, model.log_likelihood):
        with pytest.raises(ValueError, match="a conditional model encodes data together with their labels; give y"):
            ask(torch.zeros(2, 1, 28, 28))


def test_data_without_anything_to_be_told_are_refused():
    with pytest.raises(ValueError, match="a ConditionalVAE needs data with class labels, attributes, tokens or cond"):
        ConditionalVAE(data_spec=image_spec(1, 28))


def test_missing_labels_are_encoded_like_in_training_and_withheld_from_the_density(trainer):
    data = RandomImages(number=60, batch_size=20, labelled=10, validation_fraction=0.0)
    networks = MLPEncoderDecoder((8,))
    density = GaussianMixtureDensity(1)
    model = ConditionalVAE(data_spec=data.spec, latent_dim=2, networks=networks, density=density)
    trainer(callbacks=[Pictures(columns=2, rows=2)]).fit(model, datamodule=data)
    labels = torch.cat([y for _, y in data.training_batches(60)])
    assert int((labels != -1).sum()) == 10
    x = torch.rand(3, 1, 28, 28) * 2 - 1
    unknown = model.sampler.posterior(x, torch.zeros(3, 10))[0]
    torch.testing.assert_close(model.encode(x, torch.full((3,), -1)), unknown)
    assert model.reconstruct(x, torch.tensor([0, -1, 3])).shape == x.shape
    with pytest.raises(ValueError, match="labels should lie in 0 to 9, got -1 to -1"):
        model.sample(3, torch.full((3,), -1))
