"""The built wheel holds all it needs and works away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(CHECKOUT)], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    (built,) = folder.glob("genzoo-*.whl")
    return built


def test_it_holds_code_configs_data_and_licences(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"genzoo/configs/dcgan.yaml", "genzoo/configs/data/image_folder.yaml", "genzoo/py.typed"} <= names
    assert "genzoo/configs/sweeps/vae.yaml" in names
    assert (
        sum(name.startswith("genzoo/data/assets/fashion_mnist_mini/") and name.endswith(".xz") for name in names) == 4
    )
    assert "genzoo/data/assets/fashion_mnist_mini/LICENSE" in names
    assert sum(name.startswith("genzoo/metrics/extractors/assets/") and name.endswith(".npz") for name in names) == 3
    page = ("page.html", "page.css", "page.js", "uplot/uPlot.iife.min.js", "uplot/uPlot.min.css", "uplot/LICENSE")
    assert {f"genzoo/report/assets/{name}" for name in page} <= names
    files = ("model.json", "model.safetensors", "README.md", "samples.png", "config.yaml", "scores.json")
    assert {f"genzoo/zoo/assets/cgan-fashion-mnist-mini/{name}" for name in files} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "docs/", "scripts/")) for name in names)


def test_it_trains_away_from_the_checkout(wheel, tmp_path):
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(installed), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    arguments = ["fit", "--config", "configs/dcgan.yaml", "--run.name", "wheel", "--trainer.max_epochs", "1"]
    limits = ["--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1", "--model.networks.width", "4"]
    program = (
        "import sys, genzoo, genzoo.cli;"
        f"assert genzoo.__file__.startswith({str(installed)!r}), genzoo.__file__;"
        "sys.exit(genzoo.cli.main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments, *limits],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, result.stderr
    run = elsewhere / "runs" / "dcgan" / "wheel"
    assert (run / "checkpoints" / "last.ckpt").is_file()
    assert list(run.glob("wandb/offline-run-*"))
    assert (run / "report.html").is_file()
