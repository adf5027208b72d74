"""Scores of models: which fit, what they say of constructed models, and that they depend on nothing but those."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from genzoo.callbacks.evaluation import Evaluation
from genzoo.cli import main
from genzoo.data.digits import Digits, StackedDigits
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.points import GaussianMixture2D
from genzoo.losses.likelihoods import Gaussian
from genzoo.metrics.score import Score
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.spec import to_float

PLAYERS = MLPPlayers((8,), (8,))
NETWORKS = MLPEncoderDecoder((8,))


def loaded(data):
    for stage in ("fit", "test"):
        data.setup(stage)
    return data


@pytest.fixture(scope="module")
def digits():
    return loaded(Digits(image_size=8))


@pytest.fixture(scope="module")
def clothes():
    return loaded(FashionMNISTMini(image_size=28))


def scores(model, data, **settings):
    return {score.name: score for score in Evaluation(**settings).compute(model, data)}


class Memory(ConditionalGAN):
    """Draws training images of the class that is asked for."""

    def remember(self, data):
        array = data.array("training")
        self.images, self.labels = to_float(torch.from_numpy(array.images)), torch.from_numpy(array.labels)
        return self

    def sample(self, number, y=None, seed=None, weights=None):
        y = torch.arange(number) % self.num_classes if y is None else y
        places = [torch.nonzero(self.labels == label).flatten() for label in range(self.num_classes)]
        counts = [0] * self.num_classes
        chosen = []
        for label in y.tolist():
            chosen.append(places[label][counts[label] % len(places[label])])
            counts[label] += 1
        return self.images[torch.stack(chosen)]


def test_training_images_score_like_training_images_and_are_told_to_be_copies(digits):
    model = Memory(data_spec=digits.spec, networks=PLAYERS).remember(digits)
    found = scores(model, digits, groups=("samples", "classes"), number=359)
    assert found["fd/digits"].value == pytest.approx(found["fd/digits"].floor, abs=1.0)
    assert found["precision/digits"].value > 0.8
    assert found["coverage/digits"].value > 0.8
    assert found["authenticity/digits"].value < 5 < found["authenticity/digits"].floor
    accuracy = found["nearest_neighbour_accuracy"]
    assert accuracy.value == pytest.approx(accuracy.floor, abs=2.0)
    assert accuracy.floor > 95
    assert found["agreement/digits"].value > 95
    assert found["classifier_accuracy"].value > 90


def test_a_model_that_has_learnt_nothing_scores_badly(digits):
    torch.manual_seed(0)
    model = ConditionalGAN(data_spec=digits.spec, networks=PLAYERS)
    found = scores(model, digits, groups=("samples", "classes"), number=359, conditional_number=500)
    assert found["fd/digits"].value > 20 * found["fd/digits"].floor
    assert found["coverage/digits"].value < 0.2
    assert found["nearest_neighbour_accuracy"].value < 50
    assert found["agreement/digits"].value < 40


def test_a_protocol_says_all_that_a_score_depends_on(digits):
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    found = scores(model, digits, groups=("samples",), number=200, seed=3)
    protocol = found["fd/digits"].protocol
    assert {
        name: protocol[name] for name in ("extractor", "number_fake", "number_real", "split", "weights", "seed")
    } == {
        "extractor": "digits",
        "number_fake": 200,
        "number_real": 359,
        "split": "test",
        "weights": "raw",
        "seed": 3,
    }
    assert len(protocol["extractor_hash"]) == 64
    assert {"torch", "genzoo", "command", "model", "data"} <= protocol.keys()


def test_scores_are_repeatable_and_know_their_weights(digits, trainer):
    model = GAN(data_spec=digits.spec, networks=PLAYERS, average_decay=0.9)
    trainer(limit_train_batches=3, limit_val_batches=0).fit(model, datamodule=Digits(image_size=8))
    first, second = (scores(model, digits, groups=("samples",), number=100) for _ in range(2))
    assert {name: score.value for name, score in first.items()} == {name: s.value for name, s in second.items()}
    assert first["fd/digits"].protocol["weights"] == "averaged"


def test_reconstruction_stands_beside_principal_components(clothes):
    class Linear(AutoEncoder):
        """Principal components, written as an autoencoder."""

        def fit(self, data):
            from genzoo.metrics.reconstruction import PrincipalComponents

            images = to_float(torch.from_numpy(data.array("training").images))
            self.best = PrincipalComponents.fit(images, self.latent_dim)
            return self

        def reconstruct(self, x):
            return self.best.reconstruct(x)

    model = Linear(data_spec=clothes.spec, networks=NETWORKS, latent_dim=16).fit(clothes)
    found = scores(model, clothes)
    assert set(found) == {"squared_error", "psnr", "ssim"}
    assert all(score.value == pytest.approx(score.floor, rel=1e-5) for score in found.values())
    assert 14 < found["squared_error"].value < 24
    assert found["squared_error"].protocol["floor"] == "16 principal components"


def test_likelihood_is_that_of_the_bound(digits):
    torch.manual_seed(0)
    model = VAE(data_spec=digits.spec, networks=NETWORKS, latent_dim=2, likelihood=Gaussian())
    one, many = (scores(model, digits, groups=("likelihood",), likelihood_samples=number) for number in (1, 300))
    assert many["nll"].value < one["nll"].value
    assert one["nll"].value == pytest.approx(64 * np.log(2) * one["bits_per_dimension"].value, rel=1e-5)
    assert many["nll"].protocol["importance_samples"] == 300
    assert many["nll"].protocol["likelihood"] == "Gaussian"


def test_points_are_scored_by_their_modes():
    class Perfect(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return torch.from_numpy(GaussianMixture2D(test_points=number, seed=7).load("test")[0])

    data = loaded(GaussianMixture2D(training_points=100, test_points=100))
    found = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data)
    assert set(found) == {"modes", "high_quality", "mode_divergence"}
    assert found["modes"].value == 25
    assert found["high_quality"].value == pytest.approx(0.989, abs=0.01)
    assert found["mode_divergence"].value < 0.02


def test_stacked_digits_are_scored_by_their_modes():
    class Memory(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            images = to_float(torch.from_numpy(StackedDigits(training_images=number).load("train")[0]))
            return images

    data = loaded(StackedDigits(training_images=400, test_images=100, image_size=8))
    found = scores(Memory(data_spec=data.spec, networks=PLAYERS), data, groups=("modes",), number=8000)
    assert found["modes"].value > 990
    assert found["mode_divergence"].value < 0.15


@pytest.mark.parametrize("model_class", [AutoEncoder, VAE])
def test_codes_are_a_representation(model_class, digits):
    torch.manual_seed(0)
    model = model_class(data_spec=digits.spec, networks=NETWORKS, latent_dim=16)
    found = scores(model, digits, groups=("representation",))
    assert set(found) == {"linear_accuracy/codes"}
    score = found["linear_accuracy/codes"]
    assert score.floor > 90
    assert 40 < score.value <= score.floor


def test_what_does_not_fit_is_left_out(digits):
    autoencoder = AutoEncoder(data_spec=digits.spec, networks=NETWORKS)
    everything = ("samples", "likelihood", "reconstruction", "classes", "modes", "parzen")
    assert set(scores(autoencoder, digits, groups=everything)) == {"squared_error", "psnr", "ssim"}


def test_a_network_of_ones_own_can_be_named(digits, working_folder, monkeypatch):
    (working_folder / "own.py").write_text("import torch\n\n\nclass Pixels(torch.nn.Flatten):\n    pass\n")
    monkeypatch.syspath_prepend(working_folder)
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    found = scores(model, digits, groups=("samples",), extractor="own.Pixels", number=100)
    assert "fd/Pixels" in found
    assert found["fd/Pixels"].protocol["extractor"] == "Pixels"


@pytest.mark.parametrize("name", ["nowhere.Network", "own", "math.pi"])
def test_an_extractor_that_is_none_is_named(name, digits):
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    with pytest.raises(ValueError, match=f"there is no extractor {name}; choose one of fashion-mnist-plain, .*digits"):
        scores(model, digits, groups=("samples",), extractor=name)


def test_a_module_that_gives_no_features_is_named(digits, monkeypatch):
    monkeypatch.setattr("tests.callbacks.test_evaluation.Maps", nn.Identity, raising=False)
    with pytest.raises(ValueError, match="an extractor gives features"):
        scores(GAN(data_spec=digits.spec, networks=PLAYERS), digits, extractor="tests.callbacks.test_evaluation.Maps")


def test_testing_a_run_prints_and_writes_its_scores(working_folder, capsys):
    model = ["--model", "VAE", "--model.networks.hidden_features", "[8]", "--data", "Digits", "--data.image_size", "8"]
    quick = ["--trainer.accelerator", "cpu", "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false"]
    logger = ["--trainer.logger", "genzoo.loggers.CSVLogger"]
    assert main(["fit", *model, *quick, *logger, "--run.name", "run"]) == 0
    capsys.readouterr()
    assert main(["test", "runs/vae/run", "--evaluation.likelihood_samples", "2"]) == 0
    said = capsys.readouterr().out
    folder = working_folder / "runs" / "vae" / "run_test"
    found = [Score(**entries) for entries in json.loads((folder / "scores.json").read_text())]
    assert {"fd/digits", "nll", "squared_error", "sharpness"} <= {score.name for score in found}
    assert "| fd/digits |" in said
    assert f"written to {folder.relative_to(working_folder) / 'scores.json'}" in said
    assert "test/fd/digits" in (folder / "metrics.csv").read_text()


@pytest.mark.parametrize("settings", [{"number": 0}, {"likelihood_samples": 0}, {"conditional_number": -1}])
def test_numbers_that_are_none_are_refused(settings):
    with pytest.raises(ValueError, match="of Evaluation should be at least 1"):
        Evaluation(**settings)
