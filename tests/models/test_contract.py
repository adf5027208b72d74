"""Every model, found by looking, fulfils the contract of `GenerativeModel`."""

import dataclasses
import inspect
from functools import partial

import pytest
import torch

import genzoo.models
import genzoo.networks
from genzoo.discovery import public_classes
from genzoo.networks.architectures import EncoderDecoder, Players
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.spec import image_spec
from genzoo.training.inference import InferenceModel
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages, RandomPairs

MODELS = sorted(
    (
        cls
        for cls in public_classes(genzoo.models).values()
        if issubclass(cls, GenerativeModel) and not inspect.isabstract(cls)
    ),
    key=lambda cls: cls.__name__,
)


def architectures(model):
    kind = inspect.signature(model.__init__).parameters.get("networks", inspect.Parameter.empty)
    annotation = getattr(kind, "annotation", Players)
    kinds = (Players,) if annotation in (Players, inspect.Parameter.empty) else (EncoderDecoder,)
    return [
        cls
        for cls in public_classes(genzoo.networks).values()
        if issubclass(cls, kinds)
        and not inspect.isabstract(cls)
        # Players that are made of other ones.
        and all(field.default is not dataclasses.MISSING for field in dataclasses.fields(cls))
        # What makes an image of a condition image needs a model that is told one.
        and (cls is not ImageToImagePlayers or issubclass(model, genzoo.models.ConditionalGAN))
    ]


def small(networks):
    """An architecture of few channels, where it has channels."""
    names = {field.name for field in dataclasses.fields(networks)}
    return networks(width=4) if "width" in names else networks()


CASES = [(model, networks) for model in MODELS for networks in architectures(model)]


def test_the_models_are_found():
    names = {"AutoEncoder", "VAE", "ConditionalVAE", "GAN", "DCGAN", "ConditionalGAN", "VAEGAN"}
    names |= {"ACGAN", "InfoGAN", "UnrolledGAN"}
    assert names <= {model.__name__ for model in MODELS}
    assert len(CASES) >= 10


def part_of(name):
    """The part of a model that a parameter belongs to, such as ``sampler.decoder``."""
    return ".".join(name.split(".")[:2])


# Each model and each architecture with each size, but not all three in all combinations.
SHAPES = [(28, 1), (32, 3), (64, 1)]
SHAPED = [(*case, *SHAPES[n % 3]) for n, case in enumerate(CASES)]


def test_each_model_meets_each_shape():
    for model in MODELS:
        met = {shaped[2:] for shaped in SHAPED if shaped[0] is model}
        assert len(met) == min(len(SHAPES), len(architectures(model)))


@pytest.mark.parametrize(("model_class", "networks", "size", "channels"), SHAPED)
def test_one_training_step_and_samples(model_class, networks, size, channels, trainer):
    kind = RandomPairs if networks is ImageToImagePlayers else RandomImages
    data = kind(channels=channels, number=24, image_size=size, batch_size=8)
    model = model_class(data_spec=data.spec, latent_dim=6, networks=small(networks))
    before = {name: value.clone() for name, value in model.named_parameters()}
    runner = trainer(limit_train_batches=1)
    runner.fit(model, datamodule=data)
    assert runner.global_step == 1
    moved = {part_of(name) for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {part_of(name) for name in before}

    shape = (5, channels, size, size)
    x, y = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    x, y = x[:5], y[:5] if model.condition.shape else None
    if model.can_sample:
        images = model.sample(5, y, seed=0)
        assert images.shape == shape
        assert images.dtype == torch.float32
        assert images.min() >= -1.0
        assert images.max() <= 1.0
        assert images.std() > 0.0
        assert not images.requires_grad
        assert model.prior_sample(5).shape == (5, *model.latent_shape)
        assert model(model.prior_sample(5), y).shape == shape
    else:
        with pytest.raises(RuntimeError, match="no prior to draw from"):
            model.sample(5)
    if isinstance(model, InferenceModel):
        assert model.encode(x, y).shape == (5, 6)
        assert model.reconstruct(x, y).shape == shape
        assert model.reconstruct(x, y).abs().max() <= 1.0


WITH_DENSITY = [partial(cls, density=GaussianMixtureDensity(2)) for cls in MODELS if issubclass(cls, InferenceModel)]


@pytest.fixture(
    params=[*MODELS, *WITH_DENSITY],
    ids=lambda make: make.__name__ if isinstance(make, type) else f"{make.func.__name__}-density",
)
def model(request):
    torch.manual_seed(0)
    model = request.param(data_spec=image_spec(1, 28, 28, tuple("abcdefghij")), latent_dim=4)
    if request.param in WITH_DENSITY:
        model.fit_density([(torch.rand(50, 1, 28, 28), torch.arange(50) % 10)])
    return model


def test_samples_are_a_function_of_weights_seed_and_place(model):
    if not model.can_sample:
        pytest.skip("has no prior to sample from")
    model.train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    few, many = model.sample(3, seed=1), model.sample(300, seed=1)
    torch.testing.assert_close(few, many[:3], atol=1e-5, rtol=0)
    assert not torch.equal(few, model.sample(3, seed=2))
    assert not torch.equal(model.sample(3), model.sample(3))
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert len(model.sample(0)) == 0


def test_sampling_does_not_disturb_the_global_generator_when_seeded(model):
    if not model.can_sample:
        pytest.skip("has no prior to sample from")
    state = torch.get_rng_state()
    model.sample(4, seed=3)
    assert torch.equal(state, torch.get_rng_state())


def test_hyperparameters_are_plain(model):
    def is_plain(value):
        if isinstance(value, dict):
            return all(is_plain(entry) for entry in value.values())
        if isinstance(value, list):
            return all(is_plain(entry) for entry in value)
        return value is None or type(value) in (bool, int, float, str)

    assert is_plain(dict(model.hparams))
    assert model.hparams["latent_dim"] == 4


@pytest.mark.parametrize("setting", ["latent_dimension", "lr"])
def test_unknown_settings_are_refused(model, setting):
    with pytest.raises(TypeError, match=setting):
        type(model)(data_spec=model.data_spec, **{setting: 1})


def test_a_latent_dimension_below_one_is_refused(model):
    with pytest.raises(ValueError, match="latent_dim must be at least 1, got 0"):
        type(model)(data_spec=model.data_spec, latent_dim=0)


def test_the_wrong_class_is_named_when_loading(tmp_path, trainer):
    data = RandomImages(number=24, batch_size=8)
    runner = trainer()
    runner.fit(genzoo.models.AutoEncoder(data_spec=data.spec), datamodule=data)
    runner.save_checkpoint(tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="holds a AutoEncoder, not a VAE; load it with AutoEncoder"):
        genzoo.models.VAE.load_from_checkpoint(tmp_path / "a.ckpt")


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.ckpt"):
        GenerativeModel.load_from_checkpoint(tmp_path / "nowhere.ckpt")
