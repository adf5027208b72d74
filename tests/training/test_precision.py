"""Models in other types than float32: the same draws, sums in float32 or better, and nothing dies on the way."""

from functools import partial

import numpy as np
import pytest
import torch

from genzoo.callbacks.alarms import Alarms
from genzoo.callbacks.pictures import Pictures
from genzoo.callbacks.predictions import Predictions
from genzoo.losses.gaussian_likelihoods import Gaussian, LearnedGaussian
from genzoo.losses.likelihoods import ContinuousBernoulli, DiscretizedLogistic
from genzoo.losses.objectives import Minimax, NonSaturating
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.noise import ImageNoise
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.spec import image_spec
from tests.conftest import RandomImages
from tests.models.test_contract import CASES as ARCHITECTURES
from tests.models.test_contract import small
from tests.training.cases import CASES, Case, paired

SPEC = image_spec(1, 32, 28, tuple("abcdefghij"))
TYPES = {torch.float16: 2e-2, torch.bfloat16: 1e-1, torch.float64: 1e-5}
SMALL = {"networks": MLPEncoderDecoder((8,)), "latent_dim": 4}
PADDED = partial(RandomImages, image_size=32)
MODELS = {
    "VAE": Case(partial(VAE, **SMALL), PADDED),
    "VAE with a density": Case(
        partial(VAE, **SMALL, density=GaussianMixtureDensity(2), likelihood=LearnedGaussian()), PADDED
    ),
    "AutoEncoder": Case(partial(AutoEncoder, **SMALL, density=GaussianMixtureDensity(2)), PADDED),
    "GAN": Case(partial(GAN, networks=MLPPlayers((8,), (8,))), PADDED),
    "ConditionalGAN": Case(partial(ConditionalGAN, networks=MLPPlayers((8,), (8,))), PADDED),
}
PRECISIONS = ["bf16-true", "64-true"]
LIKELIHOODS = [Gaussian(), ContinuousBernoulli(), LearnedGaussian("value"), DiscretizedLogistic()]


def fixed_noise():
    return ImageNoise(torch.arange(3), "cpu", 0)


def images(number):
    return torch.rand(number, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize(("model_class", "networks"), ARCHITECTURES, ids=lambda cls: cls.__name__)
def test_what_a_model_makes_is_of_its_type_and_hardly_depends_on_it(model_class, networks, kind):
    torch.manual_seed(0)
    is_drawn_from_images = networks is ImageToImagePlayers
    spec = SPEC | ({"condition_image": [1, 32, 32]} if is_drawn_from_images else {})
    model = model_class(data_spec=spec, latent_dim=6, networks=small(networks)).eval()
    x = images(3)
    y = x if is_drawn_from_images else torch.arange(3) if model.condition.shape else None
    expected = model.sample(3, y, seed=0) if model.can_sample else model.reconstruct(x)
    model.to(kind)
    made = model.sample(3, y, seed=0) if model.can_sample else model.reconstruct(x)
    assert made.dtype == kind
    torch.testing.assert_close(made.float(), expected, rtol=0.0, atol=TYPES[kind])
    # Both its own latent variables and those of others.
    z = torch.zeros(3, *model.latent_shape)
    torch.testing.assert_close(model.decode(z, y), model.decode(z.to(kind), y), rtol=0.0, atol=0.0)


@pytest.mark.parametrize("name", ["bfloat16", "half", "double", "float"])
@pytest.mark.parametrize("before", [torch.float32, torch.float64])
def test_a_model_changes_its_type_by_any_of_torchs_methods(before, name):
    model = VAE(data_spec=SPEC, **SMALL).to(before)
    kinds = {"bfloat16": torch.bfloat16, "half": torch.float16, "double": torch.float64, "float": torch.float32}
    assert getattr(model, name)() is model
    assert model.dtype == model.sample(2).dtype == kinds[name]


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda likelihood: type(likelihood).__name__)
def test_bounds_are_summed_in_float32_or_better(likelihood, kind):
    torch.manual_seed(0)
    model = VAE(data_spec=SPEC, likelihood=likelihood, **SMALL).eval()
    x = images(3)
    expected = model.log_likelihood(x, samples=3, noise=fixed_noise())
    model.to(kind)
    precise = torch.promote_types(kind, torch.float32)
    assert model.elbo(x).dtype == precise
    torch.testing.assert_close(
        model.log_likelihood(x, samples=3, noise=fixed_noise()), expected, rtol=TYPES[kind], atol=0.0
    )
    assert model.sample_likelihood(2, seed=0).dtype == kind
    assert model.encode(x).dtype == model.reconstruct(x).dtype == kind


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()], ids=lambda objective: type(objective).__name__)
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_losses_of_players_are_float32_or_better(kind, objective):
    logits = torch.linspace(-30.0, 30.0, 5).to(kind)
    losses = objective.discriminator_loss(logits, -logits), objective.generator_loss(logits)
    expected = (
        objective.discriminator_loss(logits.double(), -logits.double()),
        objective.generator_loss(logits.double()),
    )
    for loss, exact in zip(losses, expected, strict=True):
        assert loss.dtype == torch.promote_types(kind, torch.float32)
        assert float(loss) == pytest.approx(float(exact), rel=1e-6)


@pytest.mark.parametrize(("name", "precision"), paired(MODELS | CASES, PRECISIONS))
def test_a_model_is_trained_resumed_evaluated_and_predicts_in_any_type(name, precision, trainer, tmp_path):
    case = (MODELS | CASES)[name]
    data = case.data(number=60, validation_fraction=0.2)
    # Averages do not move in bfloat16.
    make = partial(case.model, data_spec=data.spec, average_decay=0.0)
    model = make()
    watching = [Pictures(columns=2, rows=2), Alarms()]
    first = trainer(precision=precision, callbacks=watching)
    first.fit(model, datamodule=data)
    assert model.dtype == (torch.bfloat16 if precision == "bf16-true" else torch.float64)
    assert list((tmp_path / "images").glob("*_epoch_0001.png"))
    first.save_checkpoint(tmp_path / "first.ckpt")

    second = trainer(precision=precision, max_epochs=2)
    second.fit(make(), datamodule=data, ckpt_path=tmp_path / "first.ckpt")
    assert second.global_step == 2 * first.global_step > 0
    loaded = type(model).load_from_checkpoint(tmp_path / "first.ckpt")
    assert loaded.dtype == torch.float32
    evaluating = trainer(precision=precision, callbacks=[Predictions()])
    evaluating.test(loaded, datamodule=data, verbose=False)
    assert all(torch.isfinite(value) for value in evaluating.callback_metrics.values())
    evaluating.predict(loaded, datamodule=data)
    with np.load(tmp_path / "predictions.npz") as predictions:
        assert all(len(values) == 60 for values in predictions.values())
        assert all(values.dtype in (np.uint8, np.int64, np.float32, np.float64) for values in predictions.values())
