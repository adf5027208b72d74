"""``genzoo dashboard``: a workspace and a report in Weights & Biases, made or brought up to date."""

import json
import os
import sys
from collections.abc import Sequence

from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly

DESCRIPTION = """\
Makes a workspace of Weights & Biases for the runs of a project, and a report that compares them.

Run again it brings both up to date: what is there of the same name is replaced, with all changes made by hand.
"""
EXAMPLES = """\
examples:
  genzoo dashboard --entity me --project genzoo
  genzoo dashboard --entity me --project genzoo --dry-run > dashboard.json
"""


def dashboard(arguments: Sequence[str]) -> int:
    """Makes or updates the dashboard of a project.

    Args:
        arguments: What follows ``genzoo dashboard``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2.
    """
    parser = PlainParser("dashboard", DESCRIPTION, EXAMPLES)
    parser.add_argument("--entity", default=os.environ.get("WANDB_ENTITY"), help="user or team (that of the login)")
    parser.add_argument(
        "--project", default=os.environ.get("WANDB_PROJECT") or "genzoo", help="whose runs it shows (genzoo)"
    )
    parser.add_argument("--name", default="genzoo", help="of the workspace, and of the report (genzoo)")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, as JSON; needs no login")
    options = parser.parse_args(arguments)
    from genzoo.dashboards.saving import Dashboard, default_entity, described, save

    try:
        if options.dry_run:
            shown = described(Dashboard(options.entity or "", options.project, options.name))
            sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
            return 0
        for saved in save(Dashboard(options.entity or default_entity(), options.project, options.name)):
            sys.stdout.write(f"{saved.kind} {'made' if saved.is_new else 'updated'}: {saved.url}\n")
    except Exception as error:
        return answer_plainly(error)
    return 0
