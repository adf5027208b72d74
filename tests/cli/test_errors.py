"""Bad input through the command line: what is said, the exit code, and that nothing is left behind."""

import inspect
import sys

import pytest
from torch.optim.lr_scheduler import StepLR

import genzoo.models
from genzoo.cli import main
from genzoo.cli.errors import is_deliberate, refusal
from genzoo.discovery import public_classes
from tests.data.official_files import write_for_overlay

pytestmark = pytest.mark.usefixtures("working_folder")

MINI = ["--data", "FashionMNISTMini"]
STEP = [
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"),
    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--trainer.logger", "false"),
    *("--pictures.kinds", "[]"),
]


def said(arguments, capsys):
    """The exit code and the last line on the standard error stream."""
    try:
        code = main(["fit", *arguments])
    except SystemExit as stop:
        code = stop.code
    return code, capsys.readouterr().err.strip().splitlines()[-1]


MODELS = ", ".join(sorted(public_classes(genzoo.models)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--model", "VAE", *MINI, "--model.latent_dimm", "5"],
            "genzoo: VAE has no setting latent_dimm; did you mean latent_dim? it has average_decay, beta, "
            "compile_backend, density, free_bits, "
            "kl_warmup_steps, latent_dim, likelihood, networks, optimizer, prior, scheduler, scheduler_interval",
        ),
        (["--model", "VAE2", *MINI], f"genzoo: there is no model VAE2; did you mean VAE? there are {MODELS}"),
        (
            ["--model", "VAE", *MINI, "--model.latent_dim", "abc"],
            "genzoo: latent_dim should be a whole number, got abc",
        ),
        (["--model", "VAE", *MINI, "--model.beta", "-1"], "genzoo: beta must not be negative, got -1.0"),
        (MINI, f"genzoo: there is no model; give a --config, or --model and one of {MODELS}"),
        (
            ["--model.beta", "2", *MINI],
            f"genzoo: there is no model; give a --config, or --model and one of {MODELS}",
        ),
        (["--model", "AdversarialModel", *MINI], f"genzoo: AdversarialModel is abstract; choose one of {MODELS}"),
        (
            ["--model", "VAE", *MINI, "--model.networks", "EncoderDecoder"],
            "genzoo: EncoderDecoder is abstract; choose one of ConvolutionalEncoderDecoder, GatedMLPEncoderDecoder, "
            "MLPEncoderDecoder, ResidualEncoderDecoder",
        ),
        (
            ["--model", "VAE", *MINI, "--model.scheduler", "ReduceLROnPlateau"],
            "genzoo: ReduceLROnPlateau needs monitor; give it a value with --model.scheduler.monitor",
        ),
        (
            ["--model", "VAE", *MINI, "--model.scheduler", "StepLR", "--model.scheduler.step_sise", "1"],
            "genzoo: StepLR has no setting step_sise; did you mean step_size? it has "
            + ", ".join(sorted(inspect.signature(StepLR).parameters)),
        ),
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
            ["--model", "VAE", *MINI, "--model.likelihood.deviation", "3"],
            "genzoo: Bernoulli has no setting deviation; it has none",
        ),
        (
            ["--model", "VAE", *MINI, "--trainer.max_epoks", "3"],
            "genzoo: there is no setting --trainer.max_epoks; did you mean --trainer.max_epochs? "
            "genzoo VERB --help lists them all",
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
    assert "nope.yaml; those that come with genzoo are configs/" in line
    assert "configs/autoencoder.yaml" in line
    assert "configs/data/image_folder.yaml" in line


@pytest.mark.parametrize("model", ["VAE", "ConditionalGAN"])
def test_missing_data_fail_with_one_sentence(model, capsys):
    code, line = said(["--model", model, "--data", "ImageFolder", "--data.root", "nowhere"], capsys)
    assert code == 2
    assert line.startswith("genzoo: there is no folder ")
    assert line.endswith("nowhere; set root to a folder of images")


def raised(statement, module):
    """The error that a statement in a module raises."""
    with pytest.raises(Exception) as stop:  # noqa: PT011 - of any kind.
        exec(statement, {"__name__": module})
    return stop.value


@pytest.mark.parametrize(
    ("statement", "module", "said"),
    [
        ("raise ValueError('no')", "genzoo.models.vae", "no"),
        ("raise ValueError('first\\nsecond')", "genzoo.models.vae", "first\nsecond"),
        ("int('x')", "genzoo.models.vae", None),
        ("raise KeyError('x')", "genzoo.models.vae", None),
        ("None.x", "genzoo.models.vae", None),
        ("raise ValueError('no')", "mine", "no"),
        ("int('x')", "mine", None),
        ("None.x", "mine", None),
        ("int('x')", "torch.nn", "invalid literal for int() with base 10: 'x'"),
        ("raise RuntimeError('first\\nsecond')", "torch.nn", "second\n  first"),
        ("raise KeyError('x')", "lightning.pytorch", "KeyError: 'x' (GENZOO_DEBUG=1 shows where)"),
        ("open('/nowhere/at/all')", "genzoo.data", "[Errno 2] No such file or directory: '/nowhere/at/all'"),
    ],
)
def test_libraries_and_the_system_refuse_settings_and_our_code_does_by_a_statement(statement, module, said):
    assert refusal(raised(statement, module)) == said


def test_only_errors_that_genzoo_raises_itself_are_for_the_user():
    assert is_deliberate(raised("raise ValueError('no')", "genzoo.models.vae"))
    assert not is_deliberate(raised("raise TypeError('no')", "genzoo.models.vae"))
    assert not is_deliberate(raised("int('x')", "genzoo.models.vae"))
    assert not is_deliberate(raised("raise ValueError('no')", "torch.nn"))


BROKEN = """
from genzoo import VAE


class Broken(VAE):
    def {method}(self, *args, **kwargs):
        return None.nothing
"""


@pytest.mark.parametrize("method", ["__init__", "configure_optimizers", "validation_step"])
def test_what_is_broken_has_its_traceback_and_leaves_nothing(method, working_folder, monkeypatch, capsys):
    (working_folder / "broken_in_tests.py").write_text(BROKEN.format(method=method))
    monkeypatch.delitem(sys.modules, "broken_in_tests", raising=False)
    before = sorted(working_folder.rglob("*.py"))
    with pytest.raises((AttributeError, ValueError)) as stop:
        main(["fit", "--model", "broken_in_tests.Broken", *MINI, *STEP, "--trainer.logger", "true"])
    cause = stop.value
    while cause.__cause__ is not None:
        cause = cause.__cause__
    assert str(cause) == "'NoneType' object has no attribute 'nothing'"
    assert "genzoo: " not in capsys.readouterr().err
    assert [path for path in working_folder.rglob("*") if "__pycache__" not in path.parts] == before


@pytest.mark.parametrize("wrong", [["--trainer.profiler", "foo"], ["--trainer.max_epochs", "many"]], ids=" ".join)
@pytest.mark.parametrize("debugging", ["1", "0", ""])
def test_the_traceback_of_misuse_is_shown_on_request(wrong, debugging, capsys, monkeypatch):
    monkeypatch.setenv("GENZOO_DEBUG", debugging)
    with pytest.raises(SystemExit, match="2"):
        main(["fit", "--model", "VAE", *MINI, *STEP, *wrong])
    text = capsys.readouterr().err
    assert ("Traceback (most recent call last)" in text) == (debugging == "1")
    assert text.strip().splitlines()[-1].startswith("genzoo: ")


UNKNOWING = """
from genzoo import VAE


class Own(VAE):
    pass
"""


def test_what_lightning_refuses_after_an_epoch_is_misuse_and_what_was_trained_is_kept(working_folder, capsys):
    """A model from elsewhere may report anything, so that only time tells."""
    (working_folder / "unknowing_in_tests.py").write_text(UNKNOWING)
    watched = ["--checkpoint.monitor", "val/nothing", "--checkpoint.save_top_k", "1", "--run.name", "kept"]
    code, line = said(["--model", "unknowing_in_tests.Own", *MINI, *STEP, *watched], capsys)
    assert code == 2
    assert "`ModelCheckpoint(monitor='val/nothing')` could not find the monitored key" in line
    assert (working_folder / "runs" / "own" / "kept" / "config.yaml").is_file()


CONFIG = """\
model:
  class_path: VAE
  init_args:
    latent_dim: 4
    optimizer:
      class_path: torch.optim.Adam
      init_args:
        lr: 1.0e-3
    networks:
      class_path: MLPEncoderDecoder
      init_args:
        hidden_features: [16]
data:
  class_path: FashionMNISTMini
  init_args:
    batch_size: 8
trainer:
  max_epochs: 1
  callbacks:
  - class_path: lightning.pytorch.callbacks.EarlyStopping
    init_args:
      monitor: val/elbo
checkpoint:
  save_last: true
pictures:
  columns: 4
run:
  name: first
"""
SECTIONS = "it has alarms, checkpoint, ckpt_path, data, model, pictures, "
NO_CONFIG = "genzoo: the config mine.yaml cannot be used: "
A_CLASS = "a class is given by class_path, and its settings under init_args"


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("model:", "modle:", f"genzoo: a config has no setting modle; did you mean model? {SECTIONS}"),
        ("data:", "dta:", f"genzoo: a config has no setting dta; did you mean data? {SECTIONS}"),
        ("run:", "seed_everythin: 3\nrun:", "genzoo: a config has no setting seed_everythin; did you mean seed_every"),
        ("class_path: VAE", "class_pth: VAE", f"{NO_CONFIG}model has class_pth; did you mean class_path? {A_CLASS}"),
        ("class_path: VAE", "class: VAE", f"{NO_CONFIG}model has class; did you mean class_path? {A_CLASS}"),
        (
            "  init_args:\n    latent_dim",
            "  init_arg:\n    latent_dim",
            f"{NO_CONFIG}model has init_arg; did you mean init_args? {A_CLASS}",
        ),
        ("class_path: VAE", "class_path: VEA", "genzoo: there is no model VEA; did you mean VAE? there are ACGAN"),
        (
            "latent_dim",
            "latent_dimm",
            "genzoo: VAE has no setting latent_dimm; did you mean latent_dim? it has average_decay,",
        ),
        ("latent_dim: 4", "latent_dim: four", "genzoo: latent_dim should be a whole number, got four"),
        ("        lr:", "        lrr:", "genzoo: Adam has no setting lrr; did you mean lr? it has amsgrad, betas,"),
        (
            "class_path: MLPE",
            "class_pth: MLPE",
            f"{NO_CONFIG}model.init_args.networks has class_pth; did you mean class_path? {A_CLASS}",
        ),
        ("MLPEncoderDecoder", "MLPEncoder", "genzoo: there is no networks MLPEncoder; did you mean MLPEncoderDecoder?"),
        (
            "hidden_features",
            "hiden_features",
            "genzoo: MLPEncoderDecoder has no setting hiden_features; did you mean hidden_features? it has hidden_feat",
        ),
        ("batch_size", "batchsize", "genzoo: FashionMNISTMini has no setting batchsize; did you mean batch_size? it"),
        ("class_path: Fash", "class_paht: Fash", f"{NO_CONFIG}data has class_paht; did you mean class_path? {A_CLASS}"),
        (
            "max_epochs",
            "max_epoch",
            "genzoo: trainer has no setting max_epoch; did you mean max_epochs? genzoo VERB --help lists them all",
        ),
        ("max_epochs: 1", "max_epochs: many", "genzoo: trainer.max_epochs should be a whole number, got many"),
        ("monitor", "monitr", "genzoo: EarlyStopping has no setting monitr; did you mean monitor? it has check_finite"),
        ("EarlyStopping", "EarlyStoping", "genzoo: there is no callback EarlyStoping; did you mean EarlyStopping?"),
        (
            "- class_path:",
            "- class_paths:",
            f"{NO_CONFIG}trainer.callbacks[0] has class_paths; did you mean class_path? {A_CLASS}",
        ),
        ("save_last", "savelast", "genzoo: checkpoint has no setting savelast; did you mean save_last? it has auto_"),
        ("columns", "colums", "genzoo: pictures has no setting colums; did you mean columns? it has columns, every_n_"),
        ("name: first", "nam: first", "genzoo: run has no setting nam; did you mean name? it has name, root"),
    ],
)
def test_a_wrong_key_anywhere_in_a_config_is_named_with_the_nearest(right, wrong, expected, capsys, working_folder):
    assert right in CONFIG
    (working_folder / "mine.yaml").write_text(CONFIG.replace(right, wrong, 1))
    code, line = said(["--config", "mine.yaml"], capsys)
    assert code == 2
    assert line.startswith(expected)
    assert [path.name for path in working_folder.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "model:\n  class_path: [VAE\ndata: x\n",
            "it is not YAML (expected ',' or ']', but got ':' in line 3, column 5); correct it there",
        ),
        (
            "model:\n\tclass_path: VAE\n",
            "it is not YAML (found character '\\t' that cannot start any token in line 2, column 1); correct it there",
        ),
        ("\x00\x01", "it is not a text in YAML; give a file such as configs/vae.yaml"),
        ("", "it is empty, but should hold sections such as model:, data: and trainer:"),
        ("# nothing yet\n", "it is empty, but should hold sections such as model:, data: and trainer:"),
        ("- model\n- data\n", "it is a list, but should hold sections such as model:, data: and trainer:"),
        ("model\n", "it is a single value, but should hold sections such as model:, data: and trainer:"),
        ("model:\n- VAE\n", "model is a list, but a class is given by class_path and init_args"),
        ("model:\n  latent_dim: 4\n", f"model has latent_dim; {A_CLASS}"),
    ],
)
@pytest.mark.parametrize("form", ["--config mine.yaml", "--config=mine.yaml"])
def test_what_is_no_config_is_refused_with_its_name(content, expected, form, capsys, working_folder):
    (working_folder / "mine.yaml").write_text(content)
    assert said(form.split(), capsys) == (2, NO_CONFIG + expected)
    assert [path.name for path in working_folder.iterdir()] == ["mine.yaml"]


def test_the_config_of_these_tests_is_right_and_parts_of_one_may_stand_alone(capsys, working_folder):
    (working_folder / "mine.yaml").write_text(CONFIG)
    (working_folder / "more.yaml").write_text("model:\n  init_args:\n    latent_dim: 7\n")
    arguments = ["--config", "mine.yaml", "--config", "more.yaml", "--print_config"]
    with pytest.raises(SystemExit) as stop:
        main(["fit", *arguments])
    assert stop.value.code == 0
    assert "latent_dim: 7" in capsys.readouterr().out


@pytest.mark.parametrize("model", [["DCGAN"], ["GAN"], ["ConditionalGAN"]], ids=str)
def test_batch_norm_refuses_batches_of_one(model, capsys, working_folder):
    code, line = said(["--model", *model, *MINI, *STEP, "--data.batch_size", "1"], capsys)
    assert (code, line) == (
        2,
        f"genzoo: a {model[0]} with batch norm would be trained on a batch of 1 image, but needs at least 2 per "
        "device; set batch_size to 2 or more, drop an incomplete last batch, or choose networks without batch norm",
    )
    assert list(working_folder.iterdir()) == []


@pytest.mark.parametrize(
    "model",
    [
        ["VAE"],
        ["AutoEncoder", "--model.networks", "ConvolutionalEncoderDecoder", "--model.networks.width", "4"],
        ["GAN", "--model.networks.batch_norm", "false"],
    ],
    ids=lambda model: model[0],
)
def test_models_without_batch_norm_take_batches_of_one(model, working_folder):
    arguments = ["--model", *model, *MINI, *STEP, "--data.batch_size", "1", "--run.name", "one"]
    assert main(["fit", *arguments]) == 0
    assert list(working_folder.glob("runs/*/one/checkpoints/last.ckpt"))


def test_a_checkpoint_and_data_of_another_kind_are_refused_with_both(capsys, working_folder):
    small = ["--model", "VAE", "--model.networks.hidden_features", "[8]"]
    assert main(["fit", *small, *MINI, *STEP, "--run.name", "grey"]) == 0
    conditional = ["--model", "ConditionalGAN", "--model.networks.generator_features", "[8]"]
    assert main(["fit", *conditional, *MINI, *STEP, "--run.name", "classes"]) == 0
    before = sorted(working_folder.rglob("*"))

    def with_checkpoint(verb, model, run, *data):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(
                [
                    verb,
                    *model,
                    *data,
                    *STEP,
                    "--trainer.max_epochs",
                    "2",
                    "--ckpt_path",
                    f"runs/{run}/checkpoints/last.ckpt",
                ]
            )
        assert sorted(working_folder.rglob("*")) == before
        return stop.value.code, capsys.readouterr().err.strip().splitlines()[-1]

    tail = "; choose other data, or an image_size and a number of channels that agree"
    trained = "genzoo: the checkpoint's model was trained on data of shape 1 x 32 x 32, but these have "
    for verb in ("fit", "validate", "test", "predict"):
        said = with_checkpoint(verb, small, "vae/grey", *MINI, "--data.image_size", "28")
        assert said == (2, f"{trained}1 x 28 x 28{tail}")
    colour = ["--data", "StackedDigits", "--data.image_size", "32"]
    assert with_checkpoint("test", small, "vae/grey", *colour) == (2, f"{trained}3 x 32 x 32{tail}")

    own = ["--data", "EMNIST", "--data.split", "balanced"]
    assert with_checkpoint("test", conditional, "conditionalgan/classes", *own) == (
        2,
        "genzoo: the checkpoint's model was trained on data with 10 classes, on which it depends, but these have 47 "
        "classes; choose data with the same",
    )


def test_a_model_without_condition_may_meet_other_classes(working_folder, monkeypatch):
    write_for_overlay("emnist", working_folder / "data", monkeypatch)
    small = ["--model", "VAE", "--model.networks.hidden_features", "[8]"]
    assert main(["fit", *small, *MINI, *STEP, "--run.name", "grey"]) == 0
    checkpoint = ["--ckpt_path", "runs/vae/grey/checkpoints/last.ckpt"]
    assert main(["test", *small, "--data", "EMNIST", *STEP, *checkpoint]) == 0
