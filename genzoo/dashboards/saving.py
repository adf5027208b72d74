"""Sends a dashboard to Weights & Biases, in place of the one of its name that is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from genzoo.dashboards.layout import SECTIONS
from genzoo.dashboards.report import report
from genzoo.dashboards.workspace import identity, workspace
from genzoo.wandb_account import is_logged_in, keep_wandb_quiet


@dataclass(frozen=True)
class Dashboard:
    """A workspace and a report, not yet sent.

    Args:
        entity: User or team of the project.
        project: The project whose runs it shows.
        name: What the workspace is called; the report is called after it.
    """

    entity: str
    project: str
    name: str = "genzoo"

    def workspace(self) -> Any:
        """The workspace, as wandb-workspaces has it."""
        return workspace(self.entity, self.project, self.name, SECTIONS)

    def report(self) -> Any:
        """The report, as wandb-workspaces has it."""
        return report(self.entity, self.project, f"{self.name}: runs compared")


@dataclass(frozen=True)
class Saved:
    """Something that W&B has been given.

    Args:
        kind: ``workspace`` or ``report``.
        url: Where it is.
        is_new: Whether there was none of its name.
    """

    kind: str
    url: str
    is_new: bool


def described(dashboard: Dashboard) -> dict[str, Any]:
    """What `save` would send, as plain data; asks no server for anything.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
        ValueError: If W&B takes no such name.
    """
    view, compared = dashboard.workspace()._to_model(), dashboard.report()._to_model()
    place = {"entityName": dashboard.entity, "projectName": dashboard.project}
    return {
        "workspace": {"type": "project-view", **place, "name": view.name, "displayName": view.display_name}
        | {"spec": view.spec.model_dump(mode="json", by_alias=True, exclude_none=True)},
        "report": {"type": "runs", **place, "displayName": compared.display_name, "description": compared.description}
        | {"spec": compared.spec.model_dump(mode="json", by_alias=True, exclude_none=True)},
    }


def default_entity() -> str:
    """The user or team that runs belong to where none is named.

    Raises:
        ValueError: If there is no login, or the account has no such entity.
        ConnectionError: If W&B does not answer.
    """
    with _answering():
        entity = _api().default_entity
    if not entity:
        raise ValueError("the W&B account names no entity of its own; give --entity")
    return str(entity)


def save(dashboard: Dashboard) -> Iterator[Saved]:
    """Sends the workspace and then the report.

    What is there of the same name is replaced, so that twice the same gives one of each. Changes that were made by
    hand are lost with it; a copy under another name keeps them.

    Args:
        dashboard: What to send.

    Yields:
        Each of the two once it is there.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
        ValueError: If there is no login, no such project, or W&B takes no such name.
        ConnectionError: If W&B does not answer, or refuses what it is sent.
    """
    view, compared = dashboard.workspace(), dashboard.report()
    with _answering():
        earlier = _reports(dashboard)
        view._internal_id = _workspace_id(dashboard)
        is_new = not view._internal_id
        view.save()
    yield Saved("workspace", view.url, is_new)
    with _answering():
        compared.id = next((known.id for known in earlier if known.display_name == compared.title), "")
        is_new = not compared.id
        compared.save()
    yield Saved("report", compared.url, is_new)


def _api() -> Any:
    import wandb

    keep_wandb_quiet()
    if not is_logged_in():
        raise ValueError(
            "a dashboard of W&B needs a login; run wandb login or set WANDB_API_KEY, or look at what would be sent "
            "with --dry-run"
        )
    return wandb.Api()


def _reports(dashboard: Dashboard) -> list[Any]:
    """The reports that a project has."""
    try:
        return list(_api().reports(f"{dashboard.entity}/{dashboard.project}"))
    except ValueError as error:
        if "does not exist" not in str(error):
            raise
        raise ValueError(
            f"W&B shows you no project {dashboard.entity}/{dashboard.project}; train a run in it first, or correct "
            "--entity and --project"
        ) from None


def _workspace_id(dashboard: Dashboard) -> str:
    """The server's key of the workspace of this name; empty if there is none."""
    from wandb_workspaces.workspaces import errors, internal

    try:
        found = internal.get_view_dict(dashboard.entity, dashboard.project, identity(dashboard.name))
    except errors.SpecVersionError as error:
        raise ValueError(
            f"the workspace {dashboard.name} was saved in another version of W&B's format ({error}); run "
            "`pip install --upgrade wandb-workspaces`, or choose another --name"
        ) from error
    except ValueError:
        return ""
    return str(found["id"])


@contextmanager
def _answering() -> Iterator[None]:
    """Says of what W&B answers, or does not, that it was W&B."""
    try:
        yield
    except Exception as error:
        # The errors of its client have no class in common.
        if type(error).__module__.partition(".")[0] != "wandb":
            raise
        raise ConnectionError(f"W&B did not take the dashboard: {error}") from error
