"""The page that compares several runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genzoo.report.facts import alarm_list, facts
from genzoo.report.figures import Figures
from genzoo.report.markup import NONE, Markup, element, joined, page, section, table
from genzoo.report.pictures import spread
from genzoo.report.plots import HEADINGS, Plot, plots_of, split_of
from genzoo.report.run_page import LIMIT
from genzoo.report.scores import side_by_side
from genzoo.report.story import Story
from genzoo.zoo.entry import OF_THE_MACHINE, OF_THE_MACHINE_IN_TRAINER


def comparison_page(stories: Sequence[Story]) -> str:
    """The page of several runs, shorter than the limit of `run_page`: pictures that have no room are named.

    Args:
        stories: Of the runs.
    """
    room = LIMIT - len(_page(stories, 0).encode())
    return _page(stories, room)


def labels(stories: Sequence[Story]) -> list[str]:
    """What each run is called: by its folder, and where that does not tell them apart, by more of its path."""
    paths = [story.folder.absolute().parts for story in stories]
    depth = 1
    while len({path[-depth:] for path in paths}) < len({*paths}) and depth < max(map(len, paths)):
        depth += 1
    return ["/".join(path[-depth:]) for path in paths]


def differences(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The settings in which runs differ.

    Args:
        settings: Of each run, as its config has them.

    Returns:
        By the name of the setting its value in each run; a dash where a run does not have it.
    """
    flat = [_flat({key: value for key, value in each.items() if key not in OF_THE_MACHINE}) for each in settings]
    names = dict.fromkeys(name for each in flat for name in each)
    left_out = tuple(f"trainer.{name}" for name in OF_THE_MACHINE_IN_TRAINER)
    rows = {name: [each.get(name, NONE) for each in flat] for name in names if not name.startswith(left_out)}
    return {name: values for name, values in rows.items() if any(value != values[0] for value in values)}


def _flat(plain: Any, before: str = "") -> dict[str, Any]:
    """Plain data as one level, with the names that the command line has for settings."""
    if not isinstance(plain, dict) or not plain:
        return {before: plain}
    flat: dict[str, Any] = {}
    for key, value in plain.items():
        # On the command line the class stands for itself, and its arguments follow it directly.
        name = before if key in ("class_path", "init_args") and before else ".".join(filter(None, (before, str(key))))
        flat |= _flat(value, name)
    return flat


def _page(stories: Sequence[Story], room: int) -> str:
    runs = dict(zip(labels(stories), stories, strict=True))
    figures = Figures(sum(len(story.curves) for story in stories))
    known = [facts(story) for story in stories]
    rows = dict.fromkeys(row for each in known for row in each)
    notes = [f"{name}: {note}" for name, story in runs.items() for note in story.notes]
    head = element(
        "header",
        element("h1", f"{len(runs)} runs"),
        table([(row, *(each.get(row, NONE) for each in known)) for row in rows], ("", *runs), "The runs"),
        *(element("p", note, class_="note") for note in notes),
    )
    alarms = [joined([element("h3", name), alarm_list(story)]) for name, story in runs.items() if story.alarms]
    sections = {
        "Differences": section("Differences", _different(runs)),
        "Alarms": section("Alarms", *alarms),
        "Pictures": section("Pictures", *_pictures(runs, figures, room)),
        "Scores": section("Scores", *side_by_side(runs)),
        **_curves(runs, figures),
    }
    shown = {name: markup for name, markup in sections.items() if markup}
    return page(" and ".join(runs), [head, *shown.values()], list(shown), figures.data)


def _different(runs: Mapping[str, Story]) -> Markup:
    found = differences([story.settings for story in runs.values()])
    rows = [(name, *("null" if value is None else value for value in values)) for name, values in found.items()]
    return table(rows, ("setting", *runs), "Settings that differ") if rows else element("p", "All settings are equal.")


def _pictures(runs: Mapping[str, Story], figures: Figures, room: int) -> list[Markup]:
    """The latest of every picture, those of all runs beside each other."""
    made: list[Markup] = []
    for kind in dict.fromkeys(kind for story in runs.values() for kind in story.pictures) if room > 0 else ():
        beside = []
        for name, story in runs.items():
            if latest := story.pictures.get(kind, [])[-1:]:
                kept = spread(latest, room)
                room -= sum(picture.size for picture in kept)
                beside.append(figures.pictures(latest, kept, name))
        caption = next(story.pictures[kind][-1].caption for story in runs.values() if kind in story.pictures)
        made += [element("h3", caption), element("div", *beside, class_="beside")]
    return made


def _curves(runs: Mapping[str, Story], figures: Figures) -> dict[str, Markup]:
    """One plot for each quantity, under the headings that the page of a run has."""
    made: dict[str, list[Markup]] = {}
    for plot in plots_of(dict.fromkeys(column for story in runs.values() for column in story.curves)):
        made.setdefault(plot.section, []).extend(_drawn(plot, runs, figures))
    return {name: section(name, element("div", *made[name], class_="plots")) for name in HEADINGS if made.get(name)}


def _drawn(plot: Plot, runs: Mapping[str, Story], figures: Figures) -> Iterator[Markup]:
    """A plot's quantities, each by itself: of held-out images if as many runs have those, else of training batches."""
    # A run has one colour on the whole page.
    colours = {name: place for place, name in enumerate(runs)}
    if plot.by_number:
        latest = {name: _latest(plot, story) for name, story in runs.items()}
        known = {name: values for name, values in latest.items() if values}
        yield figures.by_number(plot.title, known, [colours[name] for name in known])
        return
    quantities: dict[str, list[str]] = {}
    for column in plot.columns:
        quantities.setdefault(split_of(column)[1], []).append(column)
    for splits in quantities.values():
        number_of_runs = {column: sum(column in story.curves for story in runs.values()) for column in splits}
        # Training batches of two runs need not be alike.
        column = max(splits, key=lambda each: (number_of_runs[each], split_of(each)[0] == "val/"))
        curves = {name: story.curves[column] for name, story in runs.items() if column in story.curves}
        if any(len(curve.steps) > 1 for curve in curves.values()):
            of_runs = [colours[name] for name in curves]
            yield figures.curves(column, curves, plot.bounds, plot.is_logarithmic, of_runs)


def _latest(plot: Plot, story: Story) -> dict[int, float]:
    numbers = {int(label): story.curves.get(column) for column, label in plot.columns.items()}
    return {number: curve.values[-1] for number, curve in numbers.items() if curve is not None}
