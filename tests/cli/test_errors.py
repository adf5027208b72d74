"""Bad input through the command line: what is said, the exit code, and that nothing is left behind."""

import pytest

from genzoo.cli import main
from genzoo.cli.errors import is_deliberate

pytestmark = pytest.mark.usefixtures("working_folder")

MINI = ["--data", "FashionMNISTMini"]


def said(arguments, capsys):
    """The exit code and the last line on the standard error stream."""
    try:
        code = main(["fit", *arguments])
    except SystemExit as stop:
        code = stop.code
    return code, capsys.readouterr().err.strip().splitlines()[-1]


MODELS = "AutoEncoder, ConditionalGAN, DCGAN, GAN, VAE"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--model", "VAE", *MINI, "--model.latent_dimm", "5"],
            "genzoo: VAE has no setting latent_dimm; did you mean latent_dim? it has average_decay, beta, free_bits, "
            "kl_warmup_steps, latent_dim, likelihood, networks, optimizer, scheduler, scheduler_interval",
        ),
        (["--model", "VAE2", *MINI], f"genzoo: there is no model VAE2; did you mean VAE? there are {MODELS}"),
        (
            ["--model", "VAE", *MINI, "--model.latent_dim", "abc"],
            "genzoo: latent_dim should be a whole number, got abc",
        ),
        (["--model", "VAE", *MINI, "--model.beta", "-1"], "genzoo: beta must not be negative, got -1.0"),
        (MINI, f"genzoo: there is no model; give a --config, or --model and one of {MODELS}"),
        (
            ["--model", "VAE", *MINI, "--model.likelihood", "Bernouli"],
            "genzoo: there is no likelihood Bernouli; did you mean Bernoulli? there are Bernoulli, "
            "ContinuousBernoulli, DiscretizedLogistic, Gaussian, LearnedGaussian",
        ),
        (
            ["--model", "VAE", *MINI, "--model.networks.width", "3"],
            "genzoo: MLPEncoderDecoder has no setting width; it has hidden_features",
        ),
        (
            ["--model", "VAE", *MINI, "--trainer.max_epoks", "3"],
            "genzoo: there is no setting --trainer.max_epoks; did you mean --trainer.max_epochs? "
            "genzoo fit --help lists them all",
        ),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(arguments, expected, capsys, working_folder):
    assert said(arguments, capsys) == (2, expected)
    assert list(working_folder.iterdir()) == []


def test_an_unknown_data_set_is_named_with_those_there_are(capsys):
    code, line = said(["--model", "VAE", "--data", "FashionMNISTMin"], capsys)
    assert code == 2
    assert line.startswith("genzoo: there is no data FashionMNISTMin; did you mean FashionMNISTMini? there are ")
    assert "ImageFolder" in line


def test_a_missing_config_lists_the_shipped_ones(capsys, working_folder):
    code, line = said(["--config", "nope.yaml"], capsys)
    assert code == 2
    assert "there is no config" in line
    assert "nope.yaml; those that come with genzoo are configs/autoencoder.yaml" in line
    assert "configs/data/image_folder.yaml" in line


@pytest.mark.parametrize("model", ["VAE", "ConditionalGAN"])
def test_missing_data_fail_with_one_sentence(model, capsys):
    code, line = said(["--model", model, "--data", "ImageFolder", "--data.root", "nowhere"], capsys)
    assert code in (1, 2)
    assert line.startswith("genzoo: there is no folder ")
    assert line.endswith("nowhere; set root to a folder of images")


def test_only_errors_that_genzoo_raises_itself_are_for_the_user():
    from genzoo.spec import image_spec

    with pytest.raises(TypeError) as misuse:
        image_spec("a", "b", "c", 5)
    assert not is_deliberate(misuse.value)

    from genzoo.losses.likelihoods import Gaussian

    with pytest.raises(ValueError, match="must be positive") as refused:
        Gaussian(-1.0)
    assert is_deliberate(refused.value)
    with pytest.raises(ValueError, match="invalid literal") as broken:
        int("x")
    assert not is_deliberate(broken.value)
