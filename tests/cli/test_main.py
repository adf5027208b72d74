import subprocess
import sys

import pytest

from genzoo import __version__
from genzoo.cli import VERBS, main
from genzoo.cli.configs import shipped_configs, with_shipped_configs


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_verb(arguments, capsys):
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert all(f"  {verb} " in text for verb in VERBS)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"genzoo {__version__}\n"


def test_an_unknown_verb_is_named_with_those_there_are(capsys):
    assert main(["train"]) == 2
    assert "'train' is not a verb; the verb comes first and is one of fit, validate" in capsys.readouterr().err


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(argument):
    program = (
        "import sys; from genzoo.cli import main; main([sys.argv[1]]);"
        "heavy = {'torch', 'lightning', 'numpy', 'wandb', 'yaml'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program, argument], check=True, capture_output=True)


def test_public_names_are_imported_on_first_use():
    program = (
        "import sys, genzoo; assert 'torch' not in sys.modules;"
        "from genzoo import DCGAN, VAE, FashionMNISTMini, NonSaturating, DCGANPlayers, Pictures;"
        "assert DCGAN.__module__ == 'genzoo.models.dcgan';"
        "import pytest; pytest.raises(AttributeError, getattr, genzoo, 'NoSuchModel')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_python_dash_m_works():
    result = subprocess.run([sys.executable, "-m", "genzoo", "--version"], check=True, capture_output=True, text=True)
    assert result.stdout == f"genzoo {__version__}\n"


def test_shipped_configs_are_found_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shipped = str(shipped_configs() / "dcgan.yaml")
    overlay = str(shipped_configs() / "data" / "fashion_mnist.yaml")
    assert with_shipped_configs(["fit", "--config", "configs/dcgan.yaml", "-c=data/fashion_mnist.yaml"]) == [
        "fit",
        "--config",
        shipped,
        f"-c={overlay}",
    ]
    assert with_shipped_configs(["fit", "--config", "mine.yaml", "--config"]) == [
        "fit",
        "--config",
        "mine.yaml",
        "--config",
    ]
    (tmp_path / "dcgan.yaml").touch()
    assert with_shipped_configs(["fit", "-c", "dcgan.yaml"]) == ["fit", "-c", "dcgan.yaml"]
