"""Where a class takes another one's place, what was given goes on, and what was not is its own."""

import pytest
import yaml

from genzoo.cli import main
from genzoo.cli.configs import shipped_configs
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import GatedMLPEncoderDecoder, MLPEncoderDecoder
from genzoo.networks.r3gan import R3GANPlayers
from genzoo.networks.residual import ResidualEncoderDecoder
from genzoo.networks.residual_players import ResidualPlayers

NETWORKS = {
    path.name: yaml.safe_load(path.read_text())["model"].get("init_args", {}).get("networks")
    for path in sorted(shipped_configs().glob("*.yaml"))
}


def networks_of(arguments, capsys):
    """The architecture that a command line means."""
    with pytest.raises(SystemExit, match="0"):
        main(["fit", *arguments, "--print_config"])
    return from_plain(yaml.safe_load(capsys.readouterr().out)["model"]["init_args"]["networks"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # The default of a GAN, perceptrons, has no norm in the discriminator.
        (["--model", "ConditionalGAN", "--model.networks", "DCGANPlayers"], DCGANPlayers()),
        (["--model", "DCGAN", "--model.networks", "R3GANPlayers"], R3GANPlayers()),
        (["--model", "VAE", "--model.networks", "GatedMLPEncoderDecoder"], GatedMLPEncoderDecoder()),
        (["--config", "configs/dcgan.yaml", "--model.networks", "ResidualPlayers"], ResidualPlayers(width=32)),
        (
            ["--model", "DCGAN", "--model.networks.width", "16", "--model.networks", "ResidualPlayers"],
            ResidualPlayers(width=16),
        ),
        (
            ["--model", "VAE", "--model.networks.hidden_features", "[8]", "--model.networks", "GatedMLPEncoderDecoder"],
            GatedMLPEncoderDecoder((8,)),
        ),
        (
            [
                *("--model", "VAE", "--model.networks", "ConvolutionalEncoderDecoder"),
                *("--model.networks.width", "4", "--model.networks", "ResidualEncoderDecoder"),
            ],
            ResidualEncoderDecoder(width=4),
        ),
        (["--model", "VAE", "--model.networks", "MLPEncoderDecoder"], MLPEncoderDecoder()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_class_has_defaults_of_its_own_and_keeps_what_was_given(arguments, expected, capsys):
    assert networks_of([*arguments, "--data", "FashionMNISTMini"], capsys) == expected


def value_of(config):
    """The value that a config spells out, however short, made without the command line."""
    if isinstance(config, str):
        config = {"class_path": config}
    settings = {
        name: value_of(value) if name == "players" else value for name, value in config.get("init_args", {}).items()
    }
    named = {name: as_plain(value) for name, value in settings.items()}
    return from_plain({"class_path": f"genzoo.{config['class_path']}", "init_args": named})


@pytest.mark.parametrize("config", [name for name, networks in NETWORKS.items() if networks is not None])
def test_a_shipped_config_means_what_it_says(config, capsys):
    assert networks_of(["--config", f"configs/{config}"], capsys) == value_of(NETWORKS[config])
