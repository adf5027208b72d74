"""A report of Weights & Biases that compares the runs of a project."""

from collections.abc import Sequence
from typing import Any

from genzoo.dashboards.layout import BOUND, DISTANCE, EQUILIBRIUM, ERROR, RECONSTRUCTIONS, SAMPLES, SCORES, THROUGHPUT
from genzoo.dashboards.panels import Bars, Panel, Section
from genzoo.dashboards.wandb_panels import drawn, report_parts

# Of the 24 columns that a report has.
WIDTH, HEIGHT = 12, 8

DESCRIPTION = "Made by genzoo dashboard, which writes it anew whenever it is run: changes belong into a copy."

SECTIONS = (
    Section("How well they train", (BOUND, DISTANCE, ERROR, EQUILIBRIUM)),
    Section("What they make", (SAMPLES, RECONSTRUCTIONS)),
    Section(
        "Test scores",
        (
            Bars("Frechet distance in features of a plain classifier (low is good)", ("test/fd/fashion-mnist-plain",)),
            Bars("The same of a residual one", ("test/fd/fashion-mnist-residual",)),
            Bars("Recall (high is good)", ("test/recall/fashion-mnist-plain",)),
            Bars("Coverage (high is good)", ("test/coverage/fashion-mnist-plain",)),
            Bars("Negative log-likelihood in nats (low is good)", ("test/nll",)),
            Bars("Squared error of reconstructions (low is good)", ("test/squared_error",)),
            SCORES,
        ),
    ),
    Section("How fast they are", (THROUGHPUT,)),
)
TEXTS = {
    "How well they train": (
        "Bounds compare among runs of one likelihood and one image size, Frechet distances among equal numbers of "
        "samples and one extractor."
    ),
    "What they make": "Each run has its own fixed noise: pictures of one run compare over its steps.",
    "Test scores": "Of runs of genzoo test, each in the group of the run whose weights it scores.",
}


def report(entity: str, project: str, title: str, sections: Sequence[Section] = SECTIONS) -> Any:
    """A report that is not saved yet; nothing is asked of a server.

    Args:
        entity: User or team of the project.
        project: The project whose runs it compares.
        title: Its heading.
        sections: What it shows, each over the same runs; last comes what differs between their settings.

    Returns:
        A ``wandb_workspaces.reports.v2.Report``.

    Raises:
        ModuleNotFoundError: If wandb-workspaces is not installed.
    """
    wr = report_parts()
    blocks = []
    for section in sections:
        blocks += [wr.H2(section.name), *(wr.P(text) for text in [TEXTS.get(section.name)] if text)]
        blocks.append(_grid(section.panels))
    comparer = wr.RunComparer(diff_only="split", layout=wr.Layout(w=2 * WIDTH, h=2 * HEIGHT))
    # A set of runs without a project is that of the report's own.
    blocks += [wr.H2("How their settings differ"), wr.PanelGrid(runsets=[wr.Runset(name="Runs")], panels=[comparer])]
    return wr.Report(entity=entity, project=project, title=title, description=DESCRIPTION, blocks=blocks, width="fluid")


def _grid(panels: Sequence[Panel]) -> Any:
    """Panels, two in a row."""
    wr = report_parts()
    placed = [drawn(panel) for panel in panels]
    for number, panel in enumerate(placed):
        panel.layout = wr.Layout(x=number % 2 * WIDTH, y=number // 2 * HEIGHT, w=WIDTH, h=HEIGHT)
    return wr.PanelGrid(runsets=[wr.Runset(name="Runs")], panels=placed)
