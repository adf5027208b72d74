"""The dashboard as a saved workspace of Weights & Biases."""

import hashlib
import re
import string
from collections.abc import Sequence
from typing import Any

from genzoo.dashboards.panels import STEP, Section
from genzoo.dashboards.wandb_panels import drawn, workspace_parts

# What the table of runs shows in front of all else. Best values have a name of their own, behind the number's.
COLUMNS = (
    "run:displayName",
    "config:model.value.class_path",
    "config:data.value.class_path",
    "summary:val/elbo.max",
    "summary:val/squared_error.min",
    "summary:val/fd/fashion-mnist-plain.min",
    "summary:train/speed/images_per_second.mean",
)
LENGTH_OF_IDENTITY = 11
# W&B takes no signs for currencies, sums and feelings.
NAME = r"[\w .:,()/-]{1,80}"


def workspace(entity: str, project: str, name: str, sections: Sequence[Section]) -> Any:
    """A workspace that is not saved yet; nothing is asked of a server.

    Args:
        entity: User or team of the project.
        project: The project whose runs it shows.
        name: What it is called, from which its identity is made: saved twice, it is one workspace.
        sections: What it shows.

    Returns:
        A ``wandb_workspaces.workspaces.Workspace``.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
        ValueError: If W&B takes no such name.
    """
    ws = workspace_parts()
    if not re.fullmatch(NAME, name) or not name.strip():
        raise ValueError(
            f"a dashboard cannot be called {name!r}; choose at most 80 letters, digits, spaces and - _ . : , ( ) /"
        )
    made = ws.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[
            ws.Section(name=section.name, panels=[drawn(panel) for panel in section.panels], is_open=section.is_open)
            for section in sections
        ],
        settings=ws.WorkspaceSettings(x_axis=STEP),
        runset_settings=ws.RunsetSettings(pinned_columns=list(COLUMNS)),
    )
    made._internal_name = f"nw-{identity(name)}-v"
    return made


def identity(name: str) -> str:
    """What addresses of W&B call the workspace of a name: eleven small letters and digits, always the same ones."""
    digits = string.digits + string.ascii_lowercase
    number = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
    return "".join(digits[number // len(digits) ** place % len(digits)] for place in range(LENGTH_OF_IDENTITY))
