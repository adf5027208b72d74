import numpy as np
import pytest
import torch

from genzoo.callbacks.predictions import Predictions
from genzoo.models import GAN, VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.conftest import RandomImages


@pytest.fixture
def data():
    return RandomImages(number=50, image_size=32, batch_size=16)


def test_encodings_and_reconstructions_of_all_test_images_in_order(trainer, tmp_path, data):
    model = VAE(data_spec=data.spec, latent_dim=3, networks=MLPEncoderDecoder((8,)))
    trainer(callbacks=[Predictions()]).predict(model, datamodule=data)
    images, labels = data.load("test")
    padded = torch.nn.functional.pad(torch.from_numpy(images), (2, 2, 2, 2)).float() / 127.5 - 1
    with np.load(tmp_path / "predictions.npz") as written:
        assert sorted(written) == ["encoding", "label", "reconstruction"]
        np.testing.assert_allclose(written["encoding"], model.encode(padded).detach().numpy(), atol=1e-5)
        assert written["reconstruction"].dtype == np.uint8
        assert written["reconstruction"].shape == (50, 1, 28, 28)
        expected = ((model.reconstruct(padded).detach()[..., 2:-2, 2:-2] + 1) * 127.5).round()
        assert np.abs(written["reconstruction"] - expected.numpy()).max() <= 1
        assert np.array_equal(written["label"], labels)


def test_logits_of_a_discriminator(trainer, tmp_path, data):
    model = GAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,)))
    trainer(callbacks=[Predictions()]).predict(model, datamodule=data)
    with np.load(tmp_path / "predictions.npz") as written:
        assert sorted(written) == ["label", "logits"]
        assert written["logits"].shape == (50,)
        assert written["logits"].std() > 0
