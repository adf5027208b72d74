"""Models train and are measured on every kind of data, through the command line, on files in the official layouts."""

import csv
import inspect
import math

import pytest

from genzoo.cli import main
from genzoo.cli.configs import shipped_configs
from genzoo.models.acgan import ACGAN
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.cvae import ConditionalVAE
from genzoo.models.infogan import InfoGAN
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.training.inference import InferenceModel
from genzoo.training.variational import VariationalModel
from tests.data.official_files import write_for_overlay
from tests.models.test_contract import MODELS

OVERLAYS = sorted(path.stem for path in (shipped_configs() / "data").glob("*.yaml"))
# One of each kind that models may take differently: grey images and colour ones with attributes, points, condition
# images, and images without classes. Every model meets several of these, and each of the other data sets a model.
KINDS = ("fashion_mnist_mini", "celeba", "ring", "edges", "hugging_face")
PAIRS = [
    (overlay, model)
    for row, overlay in enumerate(OVERLAYS)
    for column, model in enumerate(MODELS)
    if (row + column) % (2 if overlay in KINDS else len(MODELS)) == 0
]
# What the others measure of each image is what one of these does.
VALIDATED = {ACGAN, AutoEncoder, ConditionalGAN, ConditionalVAE, InfoGAN, VAEGAN}
POINTS = {"grid", "ring"}
WITH_MODES = {*POINTS, "stacked_digits"}
WITHOUT_CLASSES = {"hugging_face"}

# Networks of a few numbers, by the architecture that a model has if none is given.
SMALL = {
    MLPEncoderDecoder: ["--model.networks.hidden_features", "[4]"],
    MLPPlayers: ["--model.networks.generator_features", "[4]", "--model.networks.discriminator_features", "[4]"],
    DCGANPlayers: ["--model.networks.width", "2"],
    ConvolutionalEncoderDecoder: ["--model.networks.width", "2"],
}
# Data that are drawn rather than read, and as many as one likes.
FEW = {
    "stacked_digits": ["--data.training_images", "40", "--data.test_images", "40"],
    "grid": ["--data.training_points", "40", "--data.test_points", "40"],
    "ring": ["--data.training_points", "40", "--data.test_points", "40"],
}
STEP = [
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"),
    *("--trainer.limit_test_batches", "1", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"),
    *("--trainer.enable_model_summary", "false", "--trainer.num_sanity_val_steps", "0", "--data.batch_size", "4"),
    *("--model.latent_dim", "2"),
    *("--trainer.logger", "genzoo.loggers.CSVLogger", "--pictures.columns", "2", "--pictures.rows", "1"),
]


def architecture(model):
    """The architecture of a model that is given none."""
    for cls in model.__mro__:
        if "__init__" in vars(cls) and "networks" in (named := inspect.signature(vars(cls)["__init__"]).parameters):
            return type(named["networks"].default)
    raise AssertionError(f"{model.__name__} has no networks")


def refusal(model, overlay):
    """What is said where a model does not fit the data, None where it does."""
    if overlay in POINTS and architecture(model) in (ConvolutionalEncoderDecoder, DCGANPlayers):
        return "convolutional networks need square images (C, H, H), got data of shape (2,)"
    if overlay in WITHOUT_CLASSES and model.__name__.startswith(("Conditional", "ACGAN")):
        return f"a {model.__name__} needs data with class labels"
    if overlay == "edges" and model.__name__ == "ACGAN":
        return "an ACGAN tells classes or attributes, but these data have condition images"
    return None


def cheap_groups(model, overlay):
    """Those groups of scores that fit a model and its data and take little time."""
    fits = {
        "likelihood": issubclass(model, VariationalModel),
        "reconstruction": issubclass(model, InferenceModel) and overlay not in POINTS,
        "modes": model.__name__ != "AutoEncoder" and overlay in WITH_MODES,
    }
    return [group for group, does_fit in fits.items() if does_fit]


@pytest.fixture(scope="module")
def overlay(request, tmp_path_factory):
    """The name of a data overlay, with its files in the working folder."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_for_overlay(request.param, folder / "data", patch)
        yield request.param


def scores(folder):
    """The last number under each name in the metrics of a run."""
    with (folder / "metrics.csv").open() as file:
        return {name: float(value) for row in csv.DictReader(file) for name, value in row.items() if value}


def test_every_data_set_and_every_model_is_met():
    assert {overlay for overlay, _ in PAIRS} == set(OVERLAYS)
    assert set(KINDS) <= set(OVERLAYS)
    for model in MODELS:
        assert len({overlay for overlay, other in PAIRS if other is model} & set(KINDS)) >= 2


@pytest.mark.parametrize(
    ("overlay", "model"), PAIRS, ids=lambda each: getattr(each, "__name__", each), indirect=["overlay"]
)
def test_fit_validate_and_test(overlay, model, tmp_path, capsys):
    likelihood = ["--model.likelihood", "Gaussian", "--model.likelihood.activation", "identity"]
    own = [
        *SMALL[architecture(model)],
        *(likelihood if issubclass(model, VariationalModel) and overlay in POINTS else []),
    ]
    arguments = ["--model", model.__name__, *own, "--config", f"configs/data/{overlay}.yaml", *STEP]
    arguments += FEW.get(overlay, [])
    arguments += ["--run.root", str(tmp_path / "runs"), "--run.name", "step"]
    if (expected := refusal(model, overlay)) is not None:
        with pytest.raises(SystemExit, match="2"):
            main(["fit", *arguments])
        assert f"genzoo: {expected}" in capsys.readouterr().err
        assert not (tmp_path / "runs").exists()
        return

    assert main(["fit", *arguments]) == 0
    run = tmp_path / "runs" / model.__name__.lower() / "step"
    checkpoint = run / "checkpoints" / "last.ckpt"
    assert checkpoint.is_file()
    assert list((run / "images").glob("*_epoch_0001.png"))
    few = ["--evaluation.groups", f"[{','.join(cheap_groups(model, overlay))}]", "--evaluation.number", "20"]
    few += ["--evaluation.likelihood_samples", "2"]
    verbs = [("test", "test", few), ("validate", "val", [])]
    for verb, prefix, settings in verbs if model in VALIDATED else verbs[:1]:
        assert main([verb, *arguments, *settings, "--ckpt_path", str(checkpoint)]) == 0
        measured = scores(run.with_name(f"step_{verb}"))
        # Where no point is near a mode, their shares are none.
        named = [name for name in measured if name.startswith(f"{prefix}/") and "mode_divergence" not in name]
        assert named
        assert all(math.isfinite(measured[name]) for name in named)
