"""Commands that cannot finish: one line and the code that shells expect, wherever they are."""

import os
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import genzoo.cli
from genzoo.cli import main
from genzoo.cli.ending import Stopped, stoppable

pytestmark = pytest.mark.usefixtures("working_folder")

SIGNALS = [signal.SIGINT, signal.SIGTERM]
QUICK = [
    *("--data.batch_size", "16", "--data.subset", "64", "--trainer.accelerator", "cpu", "--trainer.max_epochs", "1"),
    *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--trainer.logger", "false"),
    *("--pictures.kinds", "[]"),
]
VAE = ["--model", "VAE", "--model.networks.hidden_features", "[8]"]
OWN = """
import os, signal
from lightning.pytorch import Callback
from genzoo import FashionMNISTMini

def ask():
    signal.raise_signal(int(os.environ["ASKED"]))

class Prepared(FashionMNISTMini):
    def prepare_data(self):
        ask()

class Setup(FashionMNISTMini):
    def setup(self, stage):
        ask()

class Before(Callback):
    def on_validation_batch_start(self, *_):
        ask()
    on_test_batch_start = on_predict_batch_start = on_validation_batch_start

class Twice(Callback):
    def on_train_batch_start(self, *_):
        ask()
        ask()
"""


@pytest.fixture
def own(working_folder):
    """Classes that ask the program to stop, at one moment or another."""
    (working_folder / "mine.py").write_text(OWN)


def handlers():
    return [signal.getsignal(number) for number in SIGNALS]


# A second SIGTERM waits for the end of the step, as the first one does.
@pytest.mark.parametrize(
    ("moment", "number"), [*product(["Prepared", "Setup", "Before"], SIGNALS), ("Twice", signal.SIGINT)]
)
def test_a_fit_that_has_not_trained_ends_with_one_line(moment, number, own, monkeypatch, capsys):
    monkeypatch.setenv("ASKED", str(int(number)))
    data = ["--data", f"mine.{moment}"] if moment in ("Prepared", "Setup") else ["--data", "FashionMNISTMini"]
    callback = [] if moment in ("Prepared", "Setup") else [f"--trainer.callbacks+=mine.{moment}"]
    before = handlers()
    assert main(["fit", *VAE, *data, *QUICK, *callback]) == 128 + number
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == f"genzoo: stopped by {number.name}"
    assert not any("Traceback" in line or "KeyboardInterrupt" in line for line in said)
    assert not Path("runs").exists()
    assert handlers() == before


@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
def test_a_measurement_ends_with_one_line(verb, own, monkeypatch, capsys):
    main(["fit", *VAE, "--data", "FashionMNISTMini", *QUICK, "--run.name", "run"])
    monkeypatch.setenv("ASKED", str(int(signal.SIGINT)))
    capsys.readouterr()
    assert main([verb, "runs/vae/run", "--trainer.callbacks+=mine.Before"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "genzoo: stopped by SIGINT"


def test_evaluating_ends_with_one_line(own, monkeypatch, capsys):
    monkeypatch.setenv("ASKED", str(int(signal.SIGTERM)))
    np.save("samples.npy", np.zeros((4, 28, 28), np.uint8))
    assert main(["evaluate", "samples.npy", "--data", "mine.Prepared", "--extractor", "fashion-mnist-plain"]) == 143
    assert capsys.readouterr().err.splitlines()[-1] == "genzoo: stopped by SIGTERM"


def test_a_second_signal_ends_the_program_at_once():
    if (child := os.fork()) == 0:
        with stoppable():
            try:
                signal.raise_signal(signal.SIGINT)
            except Stopped:
                signal.raise_signal(signal.SIGTERM)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM


def test_a_process_that_loads_data_ends_in_its_own_way():
    with stoppable():
        if (child := os.fork()) == 0:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def started(*arguments, **settings):
    return subprocess.Popen([sys.executable, "-m", "genzoo", *arguments], text=True, **settings)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what a process has loaded")
@pytest.mark.parametrize("number", SIGNALS)
def test_importing_ends_with_one_line(number):
    process = started("fit", "--help", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    maps, end = Path(f"/proc/{process.pid}/maps"), time.monotonic() + 60
    while "libtorch" not in maps.read_text() and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.communicate(timeout=60) == ("", f"genzoo: stopped by {number.name}\n")
    assert process.returncode == 128 + number


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--print_config", *VAE, "--data", "FashionMNISTMini"]])
def test_where_nobody_reads_any_more_the_program_ends_in_silence(arguments):
    reader, writer = os.pipe()
    process = started(*arguments, stdout=writer, stderr=subprocess.PIPE)
    os.close(reader)
    os.close(writer)
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 141


def test_a_pipe_of_another_kind_that_breaks_is_told(monkeypatch, capfd):
    def fail(arguments):
        raise BrokenPipeError("of a worker")

    monkeypatch.setattr(genzoo.cli, "_run", fail)
    with pytest.raises(BrokenPipeError, match="of a worker"):
        main(["fit"])
