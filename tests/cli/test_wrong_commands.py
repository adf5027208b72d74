"""Wrong command lines of all kinds: the word that decides is read, the exit code is 2, and nothing is left behind."""

import os
import shlex
from pathlib import Path

import pytest
import torch

from genzoo.cli import main

# One step, should one of them turn out to be right.
VAE = "--model VAE --data FashionMNISTMini --trainer.max_steps 1 --trainer.accelerator cpu"
GAN = "--model GAN --data FashionMNISTMini --trainer.max_steps 1 --trainer.accelerator cpu"
STOPPING = "--trainer.callbacks EarlyStopping"

WRONG = {
    # What the parser finds.
    f"fit {VAE} --trainer.callbacks EarlyStoping": "there is no callback EarlyStoping; did you mean EarlyStopping?",
    f"fit {VAE} --trainer.callbacks [LearningRateMonitor,Samplescores]": "did you mean SampleScores?",
    f"fit {VAE} {STOPPING}": "EarlyStopping needs monitor; give it a value with --trainer.callbacks.monitor",
    f"fit {VAE} --trainer.callbacks+=EarlyStopping": "EarlyStopping needs monitor",
    f"fit {VAE} {STOPPING} --trainer.callbacks.patience x": "patience should be a whole number, got x",
    f"fit {VAE} {STOPPING} --trainer.callbacks.patients 3": "did you mean patience?",
    f"fit {VAE} --trainer.callbacks [1,2]": "the name of a Callback or its class_path and init_args, got 1",
    f"fit {VAE} --trainer.logger WandbLoger": "there is no logger WandbLoger; did you mean WandbLogger?",
    f"fit {VAE} --trainer.logger TensorBoardLogger --trainer.logger.log_graph x": "log_graph should be true or false",
    f"fit {VAE} --trainer.plugins LightningEnviroment": "did you mean LightningEnvironment?",
    f"fit {VAE} --trainer.precision 17": "one of 64, 32, 16, transformer-engine",
    f"fit {VAE} --trainer.max_epochs many": "trainer.max_epochs should be a whole number, got many",
    f"fit {VAE} --trainer.max_epochs a": "trainer.max_epochs should be a whole number, got a",
    f"fit {VAE} --trainer.max_epochs=": "trainer.max_epochs should be a whole number",
    f"fit {VAE} --trainer.limit_train_batches some": "trainer.limit_train_batches should be a number, got some",
    f"fit {VAE} --trainer.inference_mode maybe": "trainer.inference_mode should be true or false, got maybe",
    f"fit {VAE} --trainer nowhere.yaml": "nowhere.yaml",
    f"fit {VAE} --seed_everything x": "seed_everything should be true or false or a whole number, got x",
    f"fit {VAE} --model.scheduler CosineAnnealingLR": "CosineAnnealingLR needs T_max; give it a value with --model.sch",
    f"fit {VAE} --model.scheduler StepLr": "there is no scheduler StepLr; did you mean StepLR?",
    f"fit {VAE} --model.scheduler StepLR --model.scheduler.step_size x": "step_size should be a whole number, got x",
    f"fit {VAE} --model.optimizer Adm": "there is no optimizer Adm; did you mean Adam?",
    f"fit {VAE} --model.optimizer.lr abc": "lr should be a number, got abc",
    f"fit {VAE} --model.optimizer.betas [0.9]": "betas: Expected a tuple with 2 elements, got [0.9]",
    f"fit {VAE} --model.optimizer.betas [0.9,x]": "betas should be a number, got x",
    f"fit {VAE} --model.optimizer torch.optim.SGD --model.optimizer.momentun 1": "SGD has no setting momentun; did",
    f"fit {VAE} --model.networks.hidden_features 3": "hidden_features should be a list, got 3",
    f"fit {VAE} --model.networks.hidden_features [a]": "hidden_features should be a whole number, got a",
    f"fit {GAN} --model.objective NonSat": "there is no objective NonSat; did you mean NonSaturating?",
    f"fit {VAE} --model.scheduler os.system": "scheduler: Expected 'os.system' to be a function that returns",
    f"fit {VAE} --model.likelihood null": "model.likelihood is null; give it a value, or leave it out",
    f"fit {VAE} --model.optimizer null": "model.optimizer is null",
    f"fit {VAE} --model.optimizer.lr null": "model.optimizer.lr is null; give it a value",
    f"fit {GAN} --model.objective null": "model.objective is null",
    f"fit {VAE} --data.batch_size null": "data.batch_size is null",
    f"fit {VAE} --trainer.callbacks '{{class_path: EarlyStopping, init_arg: 3}}'": "settings under init_args",
    f"fit {VAE} --trainer.profiler.x 3": "lightning.pytorch.profilers.Profiler is abstract",
    "fit --model.help VEA": "there is no model VEA; did you mean VAE?",
    "fit --model os.system --data Digits": "got os.system",
    "fit --model genzoo.VEA --data Digits": "there is no model VEA; did you mean VAE?",
    "fit --model nowhere.VAE --data Digits": "there is no module nowhere, which nowhere.VAE needs; go to the folder",
    f"fit {VAE} --model.networks nowhere.N": "there is no module nowhere, which nowhere.N needs",
    f"fit {VAE} --model.optimizer nowhere.N": "there is no module nowhere, which nowhere.N needs",
    "fit --model 'a b' --data Digits": "there is no model a b",
    "fit --data Digits": "there is no model; give a --config, or --model",
    "fit --model": "argument --model: expected one argument",
    f"fit {VAE} something": "there is no setting something",
    f"fit {VAE} --run": "ambiguous option: --run",
    f"fit {VAE} --runs.name x": "did you mean --run.name?",
    f"test {VAE}": "test needs the weights of a run",
    "evaluate --data Digits": "required: samples",
    # What genzoo, Lightning, torch, NumPy and the system refuse when model, data and trainer are made.
    f"fit {VAE} --model.latent_dim 0": "latent_dim must be at least 1, got 0",
    f"fit {VAE} --model.networks.hidden_features [-1]": "hidden_features must be at least 1, got -1",
    f"fit {VAE} --data.image_size 100000000": "overflow",
    f"fit {VAE} --data.batch_size 100000": "batch_size is 100000",
    f"fit {VAE} --data.num_workers -1": "num_workers must be at least 0, got -1",
    f"fit {VAE} --model.optimizer.lr -1": "Invalid learning rate: -1.0",
    f"fit {VAE} --model.optimizer.lr 1e400": "lr of Adam is inf",
    f"fit {VAE} {STOPPING} --trainer.callbacks.monitor val/nothing": "watches val/nothing",
    f"fit {VAE} {STOPPING} --trainer.callbacks.monitor val/elbo --trainer.callbacks.mode up": "`mode` can be min, max",
    f"fit {VAE} --trainer.callbacks LearningRateMonitor --trainer.logger false": "Trainer` that has no logger",
    f"fit {VAE} --trainer.devices 0": "devices='0'",
    f"fit {VAE} --trainer.devices abc": "`devices` selected with `CPUAccelerator` should be an int > 0",
    f"fit {VAE} --trainer.accelerator warp": "accelerator='warp'",
    f"fit {VAE} --trainer.strategy bogus": "strategy='bogus'",
    f"fit {VAE} --trainer.profiler foo": "simple",
    f"fit {VAE} --trainer.max_time banana": "DD:HH:MM:SS",
    f"fit {VAE} --trainer.max_epochs -5": "`max_epochs` must be a non-negative integer or -1",
    f"fit {VAE} --trainer.limit_val_batches 1.5": "limit_val_batches",
    f"fit {VAE} --trainer.accumulate_grad_batches 0": "trainer.accumulate_grad_batches is 0, but should be at least 1",
    f"fit {VAE} --trainer.check_val_every_n_epoch 0": "trainer.check_val_every_n_epoch is 0, but should be at least 1",
    f"fit {VAE} --trainer.gradient_clip_algorithm bogus": "Allowed algorithms: ['value', 'norm']",
    f"fit {VAE} --checkpoint.save_top_k -7": "save_top_k=-7. Must be >= -1",
    f"fit {VAE} --checkpoint.filename ../x": "checkpoint.filename is ../x",
    f"fit {VAE} --seed_everything -1": "-1 is not in bounds",
    "evaluate nowhere --data Digits": "there is no file or folder nowhere",
    # Files that are no configs, and names that are no names.
    "fit --config nowhere.yaml": "there is no config",
    "fit --config .": "the config . cannot be used: it is a folder",
    "fit --config pipe": "pipe is a pipe or a device; write what comes from it into a file",
    "fit --config=pipe": "pipe is a pipe or a device",
    "fit --model pipe --data Digits": "pipe is a pipe or a device",
    "fit --config within.yaml": "pipe is a pipe or a device",
    "fit --config /dev/null": "/dev/null is a pipe or a device",
    "fit --config itself.yaml": "it is nested without end",
    "fit --config many.yaml": "*references stand for",
    "fit --config deep.yaml": "it is nested without end",
    "fit runs/vae/broken": "broken/config.yaml cannot be used: it is not YAML (expected the node content",
    "fit runs/vae/binary": "binary/config.yaml cannot be used: it is not a text in YAML",
    "test runs/vae/empty": "empty/config.yaml cannot be used: it is empty",
    **{
        f"fit {VAE} --run.name={shlex.quote(name)}": f"run.name is {name!r}, but should name a folder"
        for name in ("../x", "/tmp/x", "a/b", "a\\b", "", ".", "..", ".x", "-x", "a\nb", "a\x07", " x")
    },
    f"fit {VAE} --run.name {'x' * 201}": "run.name has 201 bytes, but should have at most 200",
}
if not torch.cuda.is_available():
    WRONG[f"fit {VAE} --trainer.accelerator gpu"] = "No supported gpu backend found!"


@pytest.fixture
def clumsy_folder(working_folder, checkpoint):
    """A working folder with configs that are none, and runs that have them."""
    os.mkfifo(working_folder / "pipe")
    (working_folder / "within.yaml").write_text("model: pipe\ndata: Digits\n")
    (working_folder / "itself.yaml").write_text("model: &a\n  init_args: *a\n")
    references = "".join(
        f"  {name}: &{name} [{', '.join(9 * [f'*{before}'])}]\n"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    (working_folder / "many.yaml").write_text(f"trainer:\n  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n{references}")
    (working_folder / "deep.yaml").write_text(2000 * "[")
    for name, content in {"broken": b"model: [", "binary": b"\x00\xff\x01", "empty": b""}.items():
        run = working_folder / "runs" / "vae" / name
        (run / "checkpoints").mkdir(parents=True)
        (run / "config.yaml").write_bytes(content)
        (run / "checkpoints" / "last.ckpt").write_bytes(checkpoint)
    return working_folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The bytes of a checkpoint of a small model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        small = "--model.networks.hidden_features [8] --trainer.limit_train_batches 1 --trainer.limit_val_batches 1"
        quick = "--trainer.max_epochs 1 --trainer.logger false --trainer.enable_progress_bar false --run.name whole"
        assert main(shlex.split(f"fit {VAE} {small} {quick}")) == 0
        return Path("runs/vae/whole/checkpoints/last.ckpt").read_bytes()


@pytest.mark.parametrize(("command", "decisive"), WRONG.items(), ids=[command.replace(VAE, "VAE") for command in WRONG])
def test_what_decides_is_read(command, decisive, clumsy_folder, capsys):
    before = sorted(clumsy_folder.rglob("*"))
    try:
        code = main(shlex.split(command))
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr().err
    assert decisive in said
    assert "\ngenzoo: " in f"\n{said}"
    assert code == 2
    assert "Traceback" not in said
    assert sorted(clumsy_folder.rglob("*")) == before
