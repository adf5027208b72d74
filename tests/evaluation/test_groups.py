"""Which groups fit, which are refused, and that one that fails loses no other."""

from typing import get_args

import pytest
import torch
from torch import nn

from genzoo.data.digits import Digits, StackedDigits
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.points import GaussianMixture2D
from genzoo.evaluation.compared import Comparison
from genzoo.evaluation.groups import GROUPS, require_fit
from genzoo.evaluation.score_group import GroupName
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from tests.evaluation.scoring import NETWORKS, PLAYERS, loaded, scores


def test_every_group_can_be_asked_for_by_its_name():
    assert tuple(GROUPS) == get_args(GroupName)
    assert [name for name, group in GROUPS.items() if not group.is_computed_by_default] == ["representation", "parzen"]


def test_a_model_fits_by_what_it_can_do_whatever_its_class(digits):
    class Encoding(GAN):
        def encode(self, x, y=None):
            return x.flatten(1)[:, : self.latent_dim]

        def reconstruct(self, x, y=None):
            return self.decode(self.encode(x))

    model = Encoding(data_spec=digits.spec, networks=PLAYERS, latent_dim=4)
    assert {"squared_error", "psnr", "ssim"} < set(scores(model, digits))


def test_what_does_not_fit_is_left_out(digits):
    autoencoder = AutoEncoder(data_spec=digits.spec, networks=NETWORKS)
    assert set(scores(autoencoder, digits)) == {"squared_error", "psnr", "ssim"}


@pytest.mark.parametrize(
    ("group", "model_class", "data", "reason"),
    [
        ("samples", AutoEncoder, Digits(image_size=8), "AutoEncoder has no prior to draw samples from"),
        ("samples", GAN, GaussianMixture2D(), "GaussianMixture2D holds no images"),
        ("likelihood", GAN, Digits(image_size=8), "GAN has no likelihood"),
        ("reconstruction", GAN, Digits(image_size=8), "GAN has no encoder"),
        ("classes", GAN, Digits(image_size=8), "GAN is not conditioned on classes"),
        ("classes", VAE, Digits(image_size=8), "VAE is not conditioned on classes"),
        ("modes", GAN, Digits(image_size=8), "Digits has no modes that are known"),
        ("representation", GAN, Digits(image_size=8), "the MLPDiscriminator has no maps of activations"),
        ("representation", ConditionalGAN, Digits(image_size=8), "ConditionalGAN is given the labels that its"),
        ("parzen", GAN, Digits(image_size=8, validation_fraction=0.0), "Digits holds out no images for validation"),
    ],
)
def test_what_is_named_and_does_not_fit_is_refused_before_anything_is_loaded(group, model_class, data, reason):
    model = model_class(data_spec=data.spec, networks=PLAYERS if issubclass(model_class, GAN) else NETWORKS)
    with pytest.raises(ValueError, match=f"the scores of {group} do not fit: {reason}.*; leave {group} out of the"):
        require_fit(Comparison(model, data), ("samples", group) if group != "samples" else (group,))
    assert not data.parts


@pytest.mark.parametrize(
    ("data", "groups", "extractor", "message"),
    [
        (StackedDigits(image_size=8), ("samples",), None, "no extractor is embedded for StackedDigits"),
        (StackedDigits(source="mnist"), ("modes",), None, "the digits need a classifier; choose one with"),
        (FashionMNISTMini(), ("samples",), "digits", "digits looks at images of 1 x 8 x 8"),
        (FashionMNISTMini(), None, "digits", "digits looks at images of 1 x 8 x 8"),
    ],
)
def test_an_extractor_that_does_not_fit_is_refused_before_anything_is_loaded(data, groups, extractor, message):
    model = GAN(data_spec=data.spec, networks=PLAYERS)
    with pytest.raises(ValueError, match=message):
        require_fit(Comparison(model, data, extractor=extractor), groups)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (ValueError("no samples today"), "no samples today"),
        (torch.OutOfMemoryError("out of memory"), "out of memory"),
        (KeyError("mistake"), "Traceback"),
    ],
)
def test_a_group_that_fails_is_told_and_the_others_are_written(wrong, told, digits, caplog):
    class Failing(VAE):
        def sample(self, number, y=None, seed=None, weights=None):
            raise wrong

    model = Failing(data_spec=digits.spec, networks=NETWORKS, latent_dim=2)
    found = scores(model, digits, likelihood_samples=1)
    assert set(found) == {"nll", "nll_error", "bits_per_dimension", "squared_error", "psnr", "ssim"}
    assert "genzoo: not all scores of samples can be computed: " in caplog.text
    assert told in caplog.text
    assert ("Traceback" in caplog.text) == (told == "Traceback")


def test_a_group_that_cannot_even_tell_whether_it_fits_loses_no_other(digits, caplog):
    class Undecided(VAE):
        @property
        def can_sample(self):
            raise RuntimeError("nobody knows")

    found = scores(Undecided(data_spec=digits.spec, networks=NETWORKS, latent_dim=2), digits, likelihood_samples=1)
    assert set(found) == {"nll", "nll_error", "bits_per_dimension", "squared_error", "psnr", "ssim"}
    assert "not all scores of samples can be computed: nobody knows" in caplog.text


def test_few_training_images_and_many_latent_variables_are_no_hindrance():
    data = loaded(Digits(image_size=8, subset=5))
    torch.manual_seed(0)
    found = scores(VAE(data_spec=data.spec, networks=NETWORKS, latent_dim=80), data, likelihood_samples=1)
    assert {"fd/digits", "authenticity/digits", "squared_error"} <= set(found)
    assert found["squared_error"].protocol["floor"] == "64 principal components"


@pytest.mark.parametrize("name", ["nowhere.Network", "own", "math.pi"])
def test_an_extractor_that_is_none_is_named(name, digits):
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    with pytest.raises(ValueError, match=f"there is no extractor {name}; choose one of fashion-mnist-plain, .*digits"):
        scores(model, digits, groups=("samples",), extractor=name)


def test_a_module_that_gives_no_features_is_named(digits, monkeypatch):
    monkeypatch.setattr("tests.evaluation.test_groups.Maps", nn.Identity, raising=False)
    with pytest.raises(ValueError, match="an extractor gives features"):
        scores(GAN(data_spec=digits.spec, networks=PLAYERS), digits, extractor="tests.evaluation.test_groups.Maps")
