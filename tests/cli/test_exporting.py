"""``genzoo export``: what it writes and says, and its sentences."""

import sys
from functools import partial

import pytest
import torch

import genzoo.export.formats
from genzoo.cli import main
from genzoo.models.cvae import ConditionalVAE
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.zoo.loading import load
from tests.conftest import RandomImages

SMALL = {"latent_dim": 3, "average_decay": 0.5}
MODELS = {
    "gan": partial(GAN, networks=MLPPlayers((4,), (4,)), **SMALL),
    "cvae": partial(ConditionalVAE, networks=MLPEncoderDecoder((4,)), **SMALL),
}


@pytest.fixture
def checkpoint(trainer, working_folder):
    """Makes the checkpoint of a model that has been trained a little, in the working folder."""

    def make(name):
        data = RandomImages()
        runner = trainer()
        runner.fit(MODELS[name](data_spec=data.spec), datamodule=data)
        runner.save_checkpoint(f"{name}.ckpt")
        return f"{name}.ckpt"

    return make


def test_a_conditional_autoencoder_becomes_two_graphs(checkpoint, capfd, working_folder):
    assert main(["export", checkpoint("cvae"), "--to", "torch-export", "--out", "there"]) == 0
    decoder, encoder = capfd.readouterr().out.splitlines()
    assert decoder == (
        "there/decoder.pt2: z float32 (N, 3), y int64 (N,) -> x float32 (N, 1, 28, 28), at most 0.0e+00 from torch"
    )
    assert encoder.startswith("there/encoder.pt2: x float32 (N, 1, 28, 28), y int64 (N,) -> z float32 (N, 3), at most ")
    assert sorted(path.name for path in (working_folder / "there").iterdir()) == ["decoder.pt2", "encoder.pt2"]


@pytest.mark.parametrize("weights", ["raw", "averaged"])
def test_the_weights_that_were_asked_for_are_written(weights, checkpoint):
    place = checkpoint("gan")
    assert main(["export", place, "--to", "safetensors", "--weights", weights]) == 0
    samples = load("exported/model.safetensors").sample(70, seed=1)
    assert torch.equal(samples, load(place, weights).sample(70, seed=1))
    assert not torch.equal(samples, load(place, {"raw": "averaged", "averaged": "raw"}[weights]).sample(70, seed=1))


def test_onnx_is_written_without_chatter(checkpoint, capfd):
    place = checkpoint("gan")
    capfd.readouterr()
    assert main(["export", place, "--to", "onnx"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.startswith("exported/decoder.onnx: z float32 (N, 3) -> x float32 (N, 1, 28, 28), at most ")
    assert out.count("\n") == 1


def refused(arguments, capfd):
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        main(["export", *arguments])
    out, err = capfd.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.startswith("genzoo: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "genzoo export needs MODEL, --to"),
        (["a.ckpt"], "genzoo export needs --to"),
        (["a.ckpt", "--to", "onxx"], "--to cannot be onxx; did you mean onnx? choose one of onnx, safetensors, torch"),
        (["a.ckpt", "--to", "onnx", "--wieghts", "raw"], "no option --wieghts; did you mean --weights?"),
        (["a.ckpt", "--to", "onnx", "--weights", "ema"], "--weights cannot be ema; choose one of raw, averaged"),
        (["absent.ckpt", "--to", "safetensors"], "absent.ckpt"),
    ],
)
def test_a_command_that_is_wrong_is_refused_in_a_sentence(arguments, said, capfd, working_folder):
    before = sorted(working_folder.iterdir())
    assert said in refused(arguments, capfd)
    assert sorted(working_folder.iterdir()) == before


def test_what_is_there_is_kept_unless_it_may_be_replaced(checkpoint, capfd, working_folder):
    place, file = checkpoint("gan"), working_folder / "exported" / "model.safetensors"
    file.parent.mkdir()
    file.write_text("mine")
    assert "--overwrite" in refused([place, "--to", "safetensors"], capfd)
    assert file.read_text() == "mine"
    assert main(["export", place, "--to", "safetensors", "--overwrite"]) == 0
    assert load(file).latent_shape == (3,)


def test_a_place_that_is_no_folder_is_refused(checkpoint, capfd):
    place = checkpoint("gan")
    assert f"{place} is no folder; choose another --out" in refused(
        [place, "--to", "safetensors", "--out", place], capfd
    )


@pytest.mark.parametrize("package", genzoo.export.formats.OnnxFormat.packages)
def test_a_missing_package_is_named_before_any_work(package, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    said = refused(["absent.ckpt", "--to", "onnx"], capfd)
    assert f"needs the package {package}, which is not installed; run `pip install 'genzoo[export]'`" in said


def test_a_file_that_does_not_compute_the_same_is_a_failure(checkpoint, capfd, monkeypatch, working_folder):
    place = checkpoint("gan")
    monkeypatch.setattr("genzoo.export.exporting.TOLERANCE", -1.0)
    assert main(["export", place, "--to", "safetensors"]) == 1
    assert "the exported decoder differs from that of the model by" in capfd.readouterr().err
    assert not (working_folder / "exported").exists()
