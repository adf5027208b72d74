import pytest
import torch

from genzoo.models.autoencoder import AutoEncoder
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.noise import BatchNoise
from tests.conftest import RandomImages


def test_squared_error_is_summed_over_pixels_scaled_to_0_and_1():
    model = AutoEncoder(data_spec=RandomImages().spec)
    x = torch.rand(6, 1, 28, 28) * 2 - 1
    expected = (((x + 1) / 2 - (model.reconstruct(x) + 1) / 2) ** 2).sum(dim=(1, 2, 3))
    measured = model.statistics(x, torch.zeros(6), BatchNoise("cpu", 0))["squared_error"]
    torch.testing.assert_close(measured, expected)


def test_a_wide_bottleneck_learns_to_copy_and_reports_it(trainer):
    data = RandomImages(number=40, batch_size=8, validation_fraction=0.2)
    torch.manual_seed(0)
    model = AutoEncoder(data_spec=data.spec, latent_dim=64, networks=MLPEncoderDecoder((256,)))
    first = trainer().validate(model, datamodule=data, verbose=False)[0]["val/training/squared_error"]
    runner = trainer(max_epochs=80)
    runner.fit(model, datamodule=data)
    assert float(runner.callback_metrics["val/training/squared_error"]) < 0.2 * first


def test_it_says_why_it_cannot_sample():
    model = AutoEncoder(data_spec=RandomImages().spec)
    assert not model.can_sample
    with pytest.raises(
        RuntimeError, match=r"this model has no prior to draw from: .*; give it a density .* or train a VAE"
    ):
        model.sample(4)
