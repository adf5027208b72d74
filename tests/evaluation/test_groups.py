"""Scores of models: which fit, what they say of constructed models, and that they depend on nothing but those."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from genzoo.callbacks.final_scores import Evaluation
from genzoo.cli import main
from genzoo.data.digits import Digits, StackedDigits
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.points import GaussianMixture2D
from genzoo.evaluation.score import Score
from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.spec import to_float
from genzoo.subsets import choose_some

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
        array = data.array("train")
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
            from genzoo.metrics.principal_components import PrincipalComponents

            images = to_float(torch.from_numpy(data.array("train").images))
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
    assert set(scores(autoencoder, digits)) == {"squared_error", "psnr", "ssim"}


@pytest.mark.parametrize(
    ("group", "model_class", "data", "reason"),
    [
        ("samples", AutoEncoder, Digits(image_size=8), "AutoEncoder has no prior to draw samples from"),
        ("samples", GAN, GaussianMixture2D(), "GaussianMixture2D holds no images"),
        ("likelihood", GAN, Digits(image_size=8), "GAN has no likelihood"),
        ("reconstruction", GAN, Digits(image_size=8), "GAN has no encoder"),
        ("classes", GAN, Digits(image_size=8), "GAN is unconditional"),
        ("classes", VAE, Digits(image_size=8), "VAE is unconditional"),
        ("modes", GAN, Digits(image_size=8), "Digits has no modes that are known"),
        ("representation", GAN, Digits(image_size=8), "the MLPDiscriminator has no activation maps"),
        ("representation", ConditionalGAN, Digits(image_size=8), "ConditionalGAN is told the labels that its features"),
        ("parzen", GAN, Digits(image_size=8, validation_fraction=0.0), "Digits holds out no images for validation"),
    ],
)
def test_what_is_named_and_does_not_fit_is_refused_before_anything_is_loaded(group, model_class, data, reason):
    model = model_class(data_spec=data.spec, networks=PLAYERS if issubclass(model_class, GAN) else NETWORKS)
    with pytest.raises(ValueError, match=f"the scores of {group} do not fit: {reason}.*; leave {group} out of the"):
        Evaluation(groups=("samples", group) if group != "samples" else (group,)).require_fit(model, data)
    assert not data.parts


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (StackedDigits(image_size=8), {"groups": ("samples",)}, "no extractor is embedded for StackedDigits"),
        (StackedDigits(source="mnist"), {"groups": ("modes",)}, "the digits need a classifier; choose one with"),
        (FashionMNISTMini(), {"groups": ("samples",), "extractor": "digits"}, "digits looks at images of 1 x 8 x 8"),
        (FashionMNISTMini(), {"extractor": "digits"}, "digits looks at images of 1 x 8 x 8"),
    ],
)
def test_an_extractor_that_does_not_fit_is_refused_before_anything_is_loaded(data, settings, message):
    model = GAN(data_spec=data.spec, networks=PLAYERS)
    with pytest.raises(ValueError, match=message):
        Evaluation(**settings).require_fit(model, data)


def test_what_does_not_fit_is_refused_before_a_trainer_tests(trainer):
    data = Digits(image_size=8)
    model = GAN(data_spec=data.spec, networks=PLAYERS)
    runner = trainer(callbacks=[Evaluation(groups=("classes",))])
    with pytest.raises(ValueError, match="the scores of classes do not fit: GAN is unconditional"):
        runner.test(model, datamodule=data)
    assert not runner.callback_metrics


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


def test_samples_that_are_no_numbers_are_not_scored_as_black_images(digits, caplog):
    class Broken(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return torch.full((number, 1, 8, 8), torch.nan)

    assert scores(Broken(data_spec=digits.spec, networks=PLAYERS), digits) == {}
    assert "some samples are not finite numbers; look at the weights of the checkpoint" in caplog.text


def test_few_training_images_and_many_latent_variables_are_no_hindrance():
    data = loaded(Digits(image_size=8, subset=5))
    torch.manual_seed(0)
    found = scores(VAE(data_spec=data.spec, networks=NETWORKS, latent_dim=80), data, likelihood_samples=1)
    assert {"fd/digits", "authenticity/digits", "squared_error"} <= set(found)
    assert found["squared_error"].protocol["floor"] == "64 principal components"


@pytest.mark.parametrize("size", [8, 16, 32])
def test_a_perfect_model_scores_as_real_data_do_at_every_image_size(size, caplog):
    class Perfect(GAN):
        """Draws the training images that the floors are made of."""

        def sample(self, number, y=None, seed=None, weights=None):
            images = torch.from_numpy(data.array("train").images)
            return to_float(images[choose_some(len(images), number)])

    data = loaded(Digits(image_size=size))
    found = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data, groups=("samples", "parzen"))
    assert found["fd/digits"].floor < 0.5
    for name, score in found.items():
        if name not in ("authenticity/digits", "parzen_log_likelihood"):
            assert score.value == pytest.approx(score.floor, rel=0.02, abs=0.01), name
    assert found["authenticity/digits"].value < 5 < found["authenticity/digits"].floor
    protocol = found["fd/digits"].protocol
    way = "as they are" if size == 8 else "resized"
    assert (protocol["image_size"], protocol["native_size"], protocol["samples_to_native_size"]) == (size, 8, way)


class InOrder(Digits):
    """Its files are in the order of the classes."""

    def load(self, split):
        images, labels = super().load(split)
        order = np.argsort(labels, kind="stable")
        return images[order], labels[order]


def test_floors_do_not_depend_on_the_order_of_the_file(digits):
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    settings = {"groups": ("samples", "parzen"), "number": 300}
    shuffled, ordered = (scores(model, data, **settings) for data in (digits, loaded(InOrder(image_size=8))))
    for name, tolerance in {"parzen_log_likelihood": 1.5, "fd/digits": 0.25, "recall/digits": 0.06}.items():
        assert ordered[name].floor == pytest.approx(shuffled[name].floor, abs=tolerance), name
    assert shuffled["parzen_log_likelihood"].protocol["floor"] == "300 training images"


def test_an_earlier_test_leaves_no_picture_of_neighbours(digits, trainer, tmp_path):
    evaluation = Evaluation(number=100)
    for data, expected in ((digits, True), (GaussianMixture2D(training_points=300, test_points=100), False)):
        folder = tmp_path / type(data).__name__
        runner = trainer(callbacks=[evaluation], default_root_dir=folder)
        runner.test(GAN(data_spec=data.spec, networks=PLAYERS), datamodule=data)
        assert (folder / "images" / "nearest_training_images.png").is_file() == expected
        assert (folder / "scores.json").is_file()


@pytest.mark.parametrize("size", [8, 32])
def test_stacked_digits_keep_their_modes_at_every_image_size(size):
    class Perfect(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return to_float(torch.from_numpy(data.array("test").images))

    data = loaded(StackedDigits(training_images=20, test_images=1000, image_size=size))
    modes = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data, groups=("modes",), number=1000)["modes"]
    assert modes.value == pytest.approx(len(np.unique(data.labels("test"))), abs=6)


class Uneven(Digits):
    """Digits in about the shares of SVHN: many ones, few nines."""

    def load(self, split):
        images, labels = super().load(split)
        place_in_class = np.array([(labels[:place] == label).sum() for place, label in enumerate(labels)])
        kept = (
            place_in_class
            < np.bincount(labels)[labels] * np.array([33, 100, 80, 60, 50, 45, 40, 40, 35, 30])[labels] / 100
        )
        return images[kept], labels[kept]


def test_conditions_are_drawn_in_the_shares_of_the_data():
    data = loaded(Uneven(image_size=8))
    model = Memory(data_spec=data.spec, networks=PLAYERS).remember(data)
    asked, sample = [], model.sample
    model.sample = lambda number, y=None, seed=None: asked.append(y) or sample(number, y, seed)
    found = scores(model, data, groups=("samples", "classes"))
    training, test = (np.bincount(data.labels(part)) for part in ("train", "test"))
    compared, learnt_from, agreeing = (np.bincount(y) for y in asked)
    assert compared.tolist() == test.tolist()
    assert learnt_from.tolist() == training.tolist()
    assert np.abs(agreeing - test * training.sum() / test.sum()).max() < 1
    # In turn they would score 1.86.
    assert found["fd/digits"].value < 0.7
    assert found["fd/digits"].protocol["conditions"] == "those of the test images, in their shares"
    assert found["classifier_accuracy"].protocol["conditions"] == "those of the training images, in their shares"
    assert found["agreement/digits"].protocol["conditions"] == "those of the test images, in their shares"


def test_points_of_a_conditional_model_are_drawn_in_the_shares_of_the_data():
    class Perfect(ConditionalGAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return data.means[y]

    data = loaded(GaussianMixture2D(training_points=100, test_points=500))
    found = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data, number=500)
    shares = np.bincount(data.labels("test")) / 500
    assert found["mode_divergence"].value == pytest.approx((shares * np.log(25 * shares)).sum(), rel=1e-4)


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
    monkeypatch.setattr("tests.evaluation.test_groups.Maps", nn.Identity, raising=False)
    with pytest.raises(ValueError, match="an extractor gives features"):
        scores(GAN(data_spec=digits.spec, networks=PLAYERS), digits, extractor="tests.evaluation.test_groups.Maps")


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
    for asked, reason in [
        (["--evaluation.groups", "[samples, classes]"], "the scores of classes do not fit: VAE is unconditional"),
        (["--evaluation.extractor", "fashion-mnist-plain"], "fashion-mnist-plain looks at images of 1 x 28 x 28"),
    ]:
        with pytest.raises(SystemExit, match="2"):
            main(["test", "runs/vae/run", *asked])
        assert reason in capsys.readouterr().err
    assert sorted(path.name for path in folder.parent.iterdir()) == ["run", "run_test"]


@pytest.mark.parametrize("settings", [{"number": 0}, {"likelihood_samples": 0}, {"conditional_number": -1}])
def test_numbers_that_are_none_are_refused(settings):
    with pytest.raises(ValueError, match="of Evaluation must be at least 1"):
        Evaluation(**settings)
