"""The command line: chooses the verb before anything heavy is imported."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from genzoo import __version__
from genzoo.cli.ending import Stopped, silence_closed_outputs, stoppable

USAGE = """\
genzoo: variational autoencoders and generative adversarial networks on PyTorch Lightning

usage: genzoo VERB --config FILE [--model.SETTING VALUE] [--data.SETTING VALUE] [--trainer.SETTING VALUE]
       genzoo VERB RUN [...]

verbs:
  fit         train a model, or go on with a run
  validate    measure a checkpoint on held-out training images
  test        measure a checkpoint on the test images, and score its samples
  predict     write encodings and reconstructions, or a discriminator's logits, of the test images
  evaluate    score any images, a folder or an array: genzoo evaluate SAMPLES --data FashionMNIST

examples:
  genzoo fit --config configs/dcgan.yaml
  genzoo fit --config configs/dcgan.yaml --config configs/data/fashion_mnist.yaml
  genzoo fit --config configs/vae.yaml --model.latent_dim 64 --trainer.precision bf16-mixed
  genzoo fit --model DCGAN --data FashionMNIST --trainer.max_epochs 20 --run.name first
  genzoo fit runs/dcgan/first --trainer.max_epochs 40
  genzoo test runs/vae/NAME

options:
  --version              print the version
  --help                 print this; `genzoo fit --help` lists all settings,
                         `genzoo fit --model.help VAE` those of a model, `--data.help` those of a data set
  --print_config         after a verb: print the resolved config and stop
  GENZOO_DEBUG=1         in the environment: show where an error comes from, too

Each run has a folder of its own, runs/MODEL/TIME or runs/MODEL/NAME, with its config, checkpoints, metrics.csv,
images and W&B files. The configs named here also work outside a checkout: they are installed with the package.
"""

VERBS = ("fit", "validate", "test", "predict", "evaluate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: What follows ``genzoo`` on the command line; taken from there if left out.

    Returns:
        The exit code: 0, 1 for a run that failed, or 2 for a command that is not understood; after Ctrl-C 130, after
        SIGTERM 143, and 141 where the reader of the output has gone.
    """
    try:
        with stoppable():
            try:
                return _run(list(sys.argv[1:] if arguments is None else arguments))
            finally:
                # While a closed pipe can still be answered: flushed when Python ends, it would give a traceback.
                sys.stdout.flush()
    except Stopped as request:
        sys.stderr.write(f"genzoo: {request}\n")
        return 128 + request.signal_number
    except BrokenPipeError:
        if not silence_closed_outputs():
            raise
        return 128 + signal.SIGPIPE
    except SystemExit as end:
        # So rich ends a program whose output is not read any more.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        silence_closed_outputs()
        return 128 + signal.SIGPIPE


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(USAGE)
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(f"genzoo {__version__}\n")
        return 0
    if arguments[0] not in VERBS:
        sys.stderr.write(
            f"genzoo: '{arguments[0]}' is not a verb; the verb comes first and is one of {', '.join(VERBS)} "
            "(genzoo --help shows examples)\n"
        )
        return 2
    _import_from_working_folder()
    if arguments[0] == "evaluate":
        from genzoo.cli.image_scores import evaluate

        return evaluate(arguments[1:])
    from genzoo.cli.verbs import run

    return run(arguments)


def _import_from_working_folder() -> None:
    """Lets classes in the working folder be named, ``--model mine.MyModel``, as ``python -m`` does.

    By its absolute path: while a config is read, the working folder is that of the config, and an empty path would
    then mean modules that lie beside it.
    """
    folder = str(Path.cwd())
    sys.path[:] = [folder, *(place for place in sys.path if place not in ("", ".", folder))]
