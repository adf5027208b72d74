"""The page that compares several runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from genzoo.report.facts import alarm_list, facts
from genzoo.report.figures import Figures
from genzoo.report.markup import NONE, Markup, element, number, page, section, table
from genzoo.report.pictures import spread
from genzoo.report.plots import SECTIONS, Plot, plots_of, split_of
from genzoo.report.run_page import BETTER, LIMIT
from genzoo.report.story import ScoreFile, Story
from genzoo.zoo.entry import OF_THE_MACHINE, OF_THE_MACHINE_IN_TRAINER

# What of a protocol differs between any two tests and says nothing of how they measured.
OF_ONE_TEST = ("command", "model")


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
    names = labels(stories)
    curves = sum(len(story.curves) for story in stories)
    figures = Figures(curves)
    known = [facts(story) for story in stories]
    rows = dict.fromkeys(row for each in known for row in each)
    head = element(
        "header",
        element("h1", f"{len(stories)} runs"),
        table([(row, *(each.get(row, NONE) for each in known)) for row in rows], ("", *names), "The runs"),
        *(
            element("p", f"{name}: {note}", class_="note")
            for name, story in zip(names, stories, strict=True)
            for note in story.notes
        ),
    )
    different = [
        (name, *map(_shown, values)) for name, values in differences([story.settings for story in stories]).items()
    ]
    alarms = [
        joined_alarms
        for name, story in zip(names, stories, strict=True)
        if story.alarms
        for joined_alarms in (element("h3", name), alarm_list(story))
    ]
    sections = {
        "Differences": section(
            "Differences",
            table(different, ("setting", *names), "Settings that differ")
            if different
            else element("p", "All settings are the same."),
        ),
        "Alarms": section("Alarms", *alarms),
        "Pictures": section("Pictures", *_pictures(stories, names, figures, room)),
        "Scores": section("Scores", *_scores(stories, names)),
        **_curves(stories, names, figures),
    }
    shown = {name: markup for name, markup in sections.items() if markup}
    return page(" and ".join(names), [head, *shown.values()], list(shown), figures.data)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)


def _pictures(stories: Sequence[Story], names: Sequence[str], figures: Figures, room: int) -> list[Markup]:
    """The latest of every picture, those of all runs beside each other."""
    if room <= 0:
        return []
    kinds = dict.fromkeys(kind for story in stories for kind in story.pictures)
    made = []
    for kind in kinds:
        beside = []
        for name, story in zip(names, stories, strict=True):
            if latest := story.pictures.get(kind, [])[-1:]:
                kept = spread(latest, room)
                room -= sum(picture.size for picture in kept)
                beside.append(figures.pictures(latest, kept, f"{name}: {latest[0].caption}"))
        made += [element("h3", kind.replace("_", " ")), element("div", *beside, class_="pictures")]
    return made


def _curves(stories: Sequence[Story], names: Sequence[str], figures: Figures) -> dict[str, Markup]:
    """One plot for each quantity: of held-out images if that is what most runs have, else of training batches."""
    columns = dict.fromkeys(column for story in stories for column in story.curves)
    found: dict[str, list[Plot]] = {}
    for plot in plots_of(columns):
        found.setdefault(plot.section, []).append(plot)
    sections = {}
    for name in SECTIONS:
        made = [drawn for plot in found.get(name, []) for drawn in _drawn(plot, stories, names, figures)]
        if made:
            sections[name] = section(name, element("div", *made, class_="plots"))
    return sections


def _drawn(plot: Plot, stories: Sequence[Story], names: Sequence[str], figures: Figures) -> list[Markup]:
    runs = dict(zip(names, stories, strict=True))
    if plot.by_number:
        values = {
            name: {
                int(label): story.curves[column].values[-1]
                for column, label in plot.columns.items()
                if column in story.curves
            }
            for name, story in runs.items()
        }
        return [figures.by_number(plot.title, {name: found for name, found in values.items() if found})]
    quantities: dict[str, list[str]] = {}
    for column in plot.columns:
        quantities.setdefault(split_of(column)[1], []).append(column)
    made = []
    for alternatives in quantities.values():
        # Of equally many the held-out images: training batches of two runs need not be alike.
        column = max(
            alternatives, key=lambda each: (sum(each in story.curves for story in stories), split_of(each)[0] == "val/")
        )
        curves = {name: story.curves[column] for name, story in runs.items() if column in story.curves}
        if any(len(curve.steps) > 1 for curve in curves.values()):
            made.append(figures.curves(column, curves))
    return made


def _scores(stories: Sequence[Story], names: Sequence[str]) -> list[Markup]:
    """The newest scores of the runs side by side, the best of each in bold, and in what their protocols differ."""
    files: list[ScoreFile | None] = [next(iter(story.scores), None) for story in stories]
    by_name = [{score["name"]: score for score in found.scores} if found else {} for found in files]
    rows = []
    for name in dict.fromkeys(name for found in by_name for name in found):
        scores = [found.get(name) for found in by_name]
        better = next(score.get("higher_is_better") for score in scores if score)
        values = [score["value"] for score in scores if score and score["value"] is not None]
        best = None if better is None or len(values) < 2 else max(values) if better else min(values)
        rows.append((name, *(_cell(score, best) for score in scores), BETTER[better]))
    if not rows:
        return []
    measured = [
        {
            key: value
            for score in found.values()
            for key, value in score.get("protocol", {}).items()
            if key not in OF_ONE_TEST
        }
        for found in by_name
    ]
    keys = dict.fromkeys(key for each in measured for key in each)
    tested = [each for each, found in zip(measured, by_name, strict=True) if found]
    unlike = [key for key in keys if any(each.get(key) != tested[0].get(key) for each in tested)]
    notes = [
        f"The tests differ in {', '.join(unlike)}: compare scores of one protocol only." if unlike else "",
        *(
            f"{name}: the checkpoint has been written anew since it was scored."
            for name, found in zip(names, files, strict=True)
            if found and found.is_outdated
        ),
    ]
    return [
        table(rows, ("score (real data)", *names, "better"), "Scores"),
        *(element("p", note, class_="note") for note in notes if note),
    ]


def _cell(score: Mapping[str, Any] | None, best: float | None) -> object:
    if score is None:
        return NONE
    floor = f" ({number(score['floor'])})" if score.get("floor") is not None else ""
    value = number(score["value"])
    return element("span", element("strong", value) if score["value"] == best and best is not None else value, floor)
