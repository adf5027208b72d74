"""``genzoo export``: a trained model as files that other programs run."""

import sys
from collections.abc import Sequence

from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly, say
from genzoo.export import FORMAT_NAMES

DESCRIPTION = """\
Writes a trained model for other programs: its decoder, which is the generator of a GAN, and its encoder if it has one.

Files take batches of any size and hold the weights. Each is run by its own runtime against torch before it takes its
place: decoder.onnx and encoder.onnx, decoder.pt2 and encoder.pt2 (torch.export), or model.safetensors.
"""
EXAMPLES = """\
examples:
  genzoo export runs/vae/NAME --to onnx
  genzoo export runs/vae/NAME --to safetensors --weights raw --out shared
"""


def export(arguments: Sequence[str]) -> int:
    """Exports a model.

    Args:
        arguments: What follows ``genzoo export``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2, before anything is
        written.
    """
    parser = PlainParser("export", DESCRIPTION, EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a run folder, a checkpoint, or a name from the zoo")
    parser.add_argument("--to", required=True, choices=FORMAT_NAMES, help="format of the files")
    parser.add_argument("--out", default="exported", metavar="FOLDER", help="where they go (default: exported)")
    parser.add_argument("--weights", choices=("raw", "averaged"), help="default: the averages, if there are any")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PACKAGE", help="a package of yours whose classes are made"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    settings = parser.parse_args(arguments)
    # Here, so that a command that is not understood is answered at once.
    from genzoo.export.exporting import ExportError, export_sampler, format_named
    from genzoo.zoo.loading import load

    try:
        # Before the model is loaded, which may take long.
        format_named(settings.to)
        sampler = load(settings.model, settings.weights, settings.allow)
        allowed = ("genzoo", *settings.allow)
        exported = export_sampler(sampler, settings.out, settings.to, settings.overwrite, allowed)
    except ExportError as error:
        say(str(error))
        return 1
    except Exception as error:
        return answer_plainly(error)
    for part in exported:
        sys.stdout.write(f"{part.path}: {part.signature}, at most {part.difference:.1e} from torch\n")
    return 0
