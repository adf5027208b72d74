"""Panels as the package wandb-workspaces has them, which is imported once it is needed."""

from typing import Any

from genzoo.dashboards.panels import STEP, Bars, Curves, Panel, Pictures, Table
from genzoo.extras import import_extra


def workspace_parts() -> Any:
    """The module of what workspaces are made of.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
    """
    return _imported("wandb_workspaces.workspaces")


def report_parts() -> Any:
    """The module of what reports are made of, and of the panels of both.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
    """
    return _imported("wandb_workspaces.reports.v2")


def drawn(panel: Panel) -> Any:
    """A panel of wandb-workspaces.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
    """
    wr = report_parts()
    if isinstance(panel, Curves):
        names = {"metric_regex": panel.pattern} if panel.pattern else {"y": list(panel.names)}
        return wr.LinePlot(title=panel.title, x=STEP, range_y=panel.bounds, log_y=panel.is_logarithmic or None, **names)
    if isinstance(panel, Bars):
        return wr.BarPlot(title=panel.title, metrics=list(panel.names))
    if isinstance(panel, Table):
        # It has no place for a title.
        return wr.WeavePanelSummaryTable(table_name=panel.names[0])
    assert isinstance(panel, Pictures)
    return wr.MediaBrowser(title=panel.title, media_keys=list(panel.names), num_columns=1)


def _imported(module: str) -> Any:
    return import_extra(module, "wandb-workspaces", "a dashboard of W&B", "'genzoo[dashboard]'")
