"""Checkpoints that commands are given: refused in one sentence where they are none, and never run."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml

from genzoo.cli import main
from tests.spoiled import SPOILED, Payload, sign_beside
from tests.test_earlier_runs import FIXTURES

pytestmark = pytest.mark.usefixtures("working_folder")

EARLIER = FIXTURES / "vae" / "earlier"
VERBS = ["fit", "validate", "test", "predict"]
QUICK = ["--trainer.enable_progress_bar", "false", "--trainer.limit_val_batches", "1"]
PLAIN = ["--data", "FashionMNISTMini", "--data.image_size", "28", "--trainer.accelerator", "cpu"]


@pytest.fixture
def whole():
    """What a checkpoint holds."""
    return torch.load(EARLIER / "checkpoints" / "last.ckpt", weights_only=True)


@pytest.fixture
def run(working_folder):
    """A run that can go on."""
    return Path(shutil.copytree(EARLIER, working_folder / "runs" / "vae" / "earlier"))


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refusal(capsys, *arguments):
    """The one sentence with which a command is refused."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("genzoo: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("kind", SPOILED)
def test_what_is_no_checkpoint_is_misuse(kind, working_folder, whole, capsys):
    write, expected = SPOILED[kind]
    write(working_folder / "file.ckpt", whole)
    before = contents(working_folder)
    for verb in VERBS:
        assert expected in refusal(capsys, verb, "--ckpt_path", "file.ckpt")
    assert contents(working_folder) == before


@pytest.mark.parametrize("kind", ["truncated", "picture", "payload in a checkpoint"])
def test_a_run_whose_checkpoint_is_spoiled_stays_as_it_is(kind, run, whole, capsys):
    for name in ("best.ckpt", "last.ckpt"):
        (run / "checkpoints" / name).unlink()
        SPOILED[kind][0](run / "checkpoints" / name, whole)
    before = contents(run.parent)
    for verb in VERBS:
        name = "last" if verb == "fit" else "best"
        said = refusal(capsys, verb, "runs/vae/earlier", "--trainer.max_epochs", "9")
        assert said.startswith(f"genzoo: runs/vae/earlier/checkpoints/{name}.ckpt ")
        assert SPOILED[kind][1] in said
    assert contents(run.parent) == before


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (("loops", "fit_loop"), KeyError),
        (("loops", "fit_loop", "epoch_progress", "total"), KeyError),
        (("optimizer_states", 0, "param_groups"), KeyError),
        (("callbacks", "Alarms", "said"), KeyError),
    ],
    ids=str,
)
def test_a_part_that_does_not_fit_what_it_is_restored_to_is_said(place, kind, run, whole, capsys):
    part = whole
    for name in place[:-1]:
        part = part[name]
    del part[place[-1]]
    torch.save(whole, run / "checkpoints" / "last.ckpt")
    with pytest.raises(SystemExit) as stop:
        main(["fit", "runs/vae/earlier", "--trainer.max_epochs", "3", *QUICK])
    assert stop.value.code == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("genzoo: the checkpoint does not fit what it shall be restored to, or is damaged")
    assert f"({kind.__name__}: '{place[-1]}'); leave out what changes" in said


def test_weights_alone_are_measured_but_not_gone_on_from(run, whole, capsys):
    torch.save(whole | {"optimizer_states": []}, run / "checkpoints" / "last.ckpt")
    said = refusal(capsys, "fit", "runs/vae/earlier", "--trainer.max_epochs", "9")
    assert "but training cannot go on from it: it holds no optimizer_states" in said
    for name in ("callbacks", "optimizer_states", "lr_schedulers", "loops"):
        del whole[name]
    torch.save(whole, run / "checkpoints" / "last.ckpt")
    torch.save(whole, run / "checkpoints" / "best.ckpt")
    before = contents(run)
    said = refusal(capsys, "fit", "runs/vae/earlier", "--trainer.max_epochs", "9")
    assert "last.ckpt can be tested and sampled from, but training cannot go on from it: it holds no loops" in said
    assert main(["validate", "runs/vae/earlier", *QUICK]) == 0
    assert contents(run) == before


@pytest.mark.parametrize(
    ("class_path", "expected"),
    [
        (None, "file.ckpt does not say which model it holds; name it with --model, or give a run's --config"),
        (
            "mine.MyVAE",
            "file.ckpt holds a mine.MyVAE, which cannot be found (No module named 'mine'); go to the folder",
        ),
        ("genzoo.models.vae.Old", "file.ckpt holds a genzoo.models.vae.Old, which cannot be found (module 'genzoo.mod"),
    ],
)
def test_a_model_that_is_not_known_is_named(class_path, expected, working_folder, whole, capsys):
    whole["hyper_parameters"] = {} if class_path is None else whole["hyper_parameters"] | {"_class_path": class_path}
    torch.save(whole, working_folder / "file.ckpt")
    for verb in VERBS:
        assert f"genzoo: {expected}" in refusal(capsys, verb, "--ckpt_path", "file.ckpt", *PLAIN)


def test_a_checkpoint_without_hyperparameters_is_of_the_model_that_is_named(working_folder, whole):
    settings = {name: value for name, value in whole.pop("hyper_parameters").items() if not name.startswith("_")}
    settings.pop("data_spec")
    config = {"model": {"class_path": "VAE", "init_args": settings}}
    (working_folder / "vae.yaml").write_text(yaml.safe_dump(config))
    torch.save(whole, working_folder / "file.ckpt")
    assert main(["validate", "--ckpt_path", "file.ckpt", "--config", "vae.yaml", *PLAIN, *QUICK]) == 0


def test_an_address_is_no_file(capsys):
    said = refusal(capsys, "test", "--ckpt_path", "http://127.0.0.1/last.ckpt")
    assert "http://127.0.0.1/last.ckpt is an address; fetch the file and give its path" in said


@pytest.fixture
def hostile(working_folder, whole):
    """A checkpoint that is one, but for code that it holds beside all else."""
    path = working_folder / "hostile.ckpt"
    torch.save(whole | {"extra": Payload(sign_beside(path))}, path)
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_no_config_lets_code_run(verb, hostile, working_folder, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    (working_folder / "hostile.yaml").write_text("ckpt_path: hostile.ckpt\nweights_only: false\nmodel: VAE\n")
    before = contents(working_folder)
    said = refusal(capsys, verb, "--config", "hostile.yaml", *PLAIN)
    assert "hostile.ckpt holds posix.mkdir" in said or "hostile.ckpt holds os.makedirs" in said
    said = refusal(capsys, verb, "--config", "hostile.yaml", "--ckpt_path", "hostile.ckpt", *PLAIN)
    assert "could run code; nothing of it was run" in said
    # A config may also be given as text.
    said = refusal(capsys, verb, "--config", "{ckpt_path: hostile.ckpt, weights_only: false, model: VAE}", *PLAIN)
    assert "give hostile.ckpt by --ckpt_path" in said
    assert contents(working_folder) == before


def test_the_command_line_alone_may_trust_a_file(hostile, capsys):
    quick = [*PLAIN, *QUICK]
    assert "nothing of it was run" in refusal(capsys, "validate", "--ckpt_path", "hostile.ckpt", *quick)
    assert main(["validate", "--ckpt_path", "hostile.ckpt", "--weights_only", "false", *quick]) == 0
    assert sign_beside(hostile).exists()


def test_a_config_may_name_a_checkpoint_as_the_command_line_may(run, working_folder, capsys):
    (working_folder / "measure.yaml").write_text("ckpt_path: runs/vae/earlier/checkpoints/best.ckpt\n")
    assert main(["validate", "--config", "measure.yaml", *QUICK]) == 0
    assert (working_folder / "runs" / "vae" / "earlier_validate" / "config.yaml").is_file()
    (working_folder / "measure.yaml").write_text("ckpt_path: nowhere.ckpt\n")
    assert "there is no checkpoint nowhere.ckpt" in refusal(capsys, "fit", "--config", "measure.yaml")
    (working_folder / "goes_on.yaml").write_text("ckpt_path: last\nmodel: VAE\ntrainer:\n  max_epochs: 2\n")
    assert "last.ckpt has had all 2 epochs" in refusal(capsys, "fit", "--config", "goes_on.yaml")
    assert not yaml.safe_load((run / "config.yaml").read_text())["ckpt_path"]
