"""The command line: chooses the verb before anything heavy is imported."""

import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from genzoo import __version__
from genzoo.cli.ending import Stopped, silence_closed_outputs, stoppable
from genzoo.names import nearest
from genzoo.provenance import in_command

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
  report      write the page of a run, or one that compares runs: genzoo report RUN RUN

  sample      draw samples: genzoo sample MODEL --number 1000 --out samples.npz
  latent      walk the latent space: genzoo latent interpolate MODEL
  export      write a model for other programs: genzoo export MODEL --to onnx
  list        what is in the zoo
  show        the card of one of its models: genzoo show cgan-fashion-mnist-mini
  publish     put a run into the zoo: genzoo publish RUN NAME
  dashboard   a workspace and a report in W&B: genzoo dashboard --entity NAME --project NAME

MODEL is a run folder, a checkpoint, or a name from the zoo; each verb has a --help.

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

LIGHTNING_VERBS = ("fit", "validate", "test", "predict")
# What answers each of the others, given the arguments behind it; imported once the verb is known.
OTHER_VERBS = {
    "evaluate": "genzoo.cli.image_scores:evaluate",
    "report": "genzoo.cli.reporting:report",
    "sample": "genzoo.cli.sampling:sample",
    "latent": "genzoo.cli.latent:latent",
    "export": "genzoo.cli.exporting:export",
    "list": "genzoo.cli.shelves:list_entries",
    "show": "genzoo.cli.shelves:show_entry",
    "publish": "genzoo.cli.shelves:publish_entry",
    "dashboard": "genzoo.cli.dashboard:dashboard",
}
VERBS = (*LIGHTNING_VERBS, *OTHER_VERBS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: What follows ``genzoo`` on the command line; taken from there if left out.

    Returns:
        The exit code: 0, 1 for a run that failed, or 2 for a command that is not understood; after Ctrl-C 130, after
        SIGTERM 143, and 141 where the reader of the output has gone.
    """
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        with stoppable(), in_command(given):
            try:
                return _run(given)
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
            f"genzoo: '{arguments[0]}' is not a verb; {nearest(arguments[0], VERBS)}the verb comes first and is one of "
            f"{', '.join(VERBS)} (genzoo --help shows examples)\n"
        )
        return 2
    _import_from_working_folder()
    if arguments[0] in LIGHTNING_VERBS:
        from genzoo.cli.verbs import run

        return run(arguments)
    module, _, function = OTHER_VERBS[arguments[0]].partition(":")
    exit_code: int = getattr(import_module(module), function)(arguments[1:])
    return exit_code


def _import_from_working_folder() -> None:
    """Lets classes in the working folder be named, ``--model mine.MyModel``, as ``python -m`` does.

    By its absolute path: while a config is read, the working folder is that of the config, and an empty path would
    then mean modules that lie beside it.
    """
    folder = str(Path.cwd())
    sys.path[:] = [folder, *(place for place in sys.path if place not in ("", ".", folder))]
