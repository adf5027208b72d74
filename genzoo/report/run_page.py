"""The page of one run."""

from itertools import chain

from genzoo.report.facts import alarm_list, facts
from genzoo.report.figures import Figures
from genzoo.report.markup import Markup, element, folded, number, page, section, table
from genzoo.report.pictures import spread
from genzoo.report.plots import HEADINGS, is_drawn, plots_of, split_of
from genzoo.report.scores import score_list
from genzoo.report.story import Story

# Of a page, in bytes.
LIMIT = 5_000_000


def run_page(story: Story) -> str:
    """The page of a run, shorter than `LIMIT`: of the pictures it has as many as there is room for."""
    # What is short is measured first, and pictures get what it leaves.
    room = LIMIT - len(_page(story, 0).encode())
    return _page(story, room)


def _page(story: Story, room: int) -> str:
    figures = Figures(len(story.curves))
    pictures = _pictures(story, figures, room)
    sections = {
        "Alarms": section("Alarms", alarm_list(story)),
        "Pictures": section("Pictures", element("div", *pictures, class_="pictures")) if pictures else "",
        **_curves(story, figures),
        "Scores": section("Scores", *map(score_list, story.scores)),
        "Repeat": section("Repeat", *_repeat(story)),
    }
    shown = {name: markup for name, markup in sections.items() if markup}
    title = " ".join(filter(None, [story.model, story.name]))
    head = element(
        "header",
        element("h1", " on ".join(filter(None, [story.model, story.data])) or story.name),
        table([("run", story.name), *facts(story).items()], caption="The run"),
        *(element("p", note, class_="note") for note in story.notes),
    )
    return page(title, [head, *map(Markup, shown.values())], list(shown), figures.data)


def _pictures(story: Story, figures: Figures, room: int) -> list[Markup]:
    """The latest of every picture, and with what room remains how they were before, in equal shares."""
    if room <= 0:
        return []
    latest = {name: spread(found[-1:], room // len(story.pictures)) for name, found in story.pictures.items()}
    room -= sum(picture.size for picture in chain(*latest.values()))
    several = [name for name, found in story.pictures.items() if len(found) > 1 and latest[name]]
    made = []
    for name, found in story.pictures.items():
        kept = latest[name]
        if name in several:
            # Names of epochs and quotation marks take some room beside the addresses.
            kept = spread(found, room // len(several) + kept[0].size - 30 * len(found))
        made.append(figures.pictures(found, kept or latest[name], found[-1].caption))
    return made


def _curves(story: Story, figures: Figures) -> dict[str, Markup]:
    """The plots of every section, and a table of the numbers that there are but one of."""
    plots = plots_of(story.curves)
    drawn: dict[str, list[Markup]] = {}
    for plot in plots:
        if not is_drawn(plot, story.curves):
            continue
        curves = {label: story.curves[column] for column, label in plot.columns.items()}
        if plot.by_number:
            values = {"latest": {int(label): curve.values[-1] for label, curve in curves.items()}}
            made = figures.by_number(plot.title, values)
        else:
            made = figures.curves(plot.title, curves, plot.bounds, plot.is_logarithmic)
        drawn.setdefault(plot.section, []).append(made)
    sections = {name: section(name, element("div", *drawn[name], class_="plots")) for name in HEADINGS if name in drawn}
    scored = {score["name"] for found in story.scores for score in found.scores}
    single = [
        (column, number(story.curves[column].values[-1]))
        for plot in plots
        if not is_drawn(plot, story.curves)
        for column in plot.columns
        if split_of(column)[1] not in scored
    ]
    return sections | ({"Single numbers": section("Single numbers", table(single))} if single else {})


def _repeat(story: Story) -> list[Markup]:
    """The commands, and the whole config."""
    folder = story.folder
    if story.tested:
        commands = [f"genzoo test {story.tested}"]
    else:
        commands = [
            f"genzoo fit --config {folder / 'config.yaml'} --run.name again   # the same once more",
            f"genzoo fit {folder}   # goes on with it",
            f"genzoo test {folder}   # scores it",
        ]
    if not story.config:
        return []
    return [
        element("pre", "\n".join(commands), tabindex=0),
        folded("config.yaml", element("pre", story.config, tabindex=0)),
    ]
