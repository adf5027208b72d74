"""Scores of one run, and of several side by side."""

from collections.abc import Mapping
from typing import Any

from genzoo.report.markup import NONE, Markup, element, folded, joined, number, table
from genzoo.report.story import ScoreFile, Story
from genzoo.zoo.entry import BETTER

# What of a protocol differs between any two tests and says nothing of how they measured.
OF_ONE_TEST = ("command", "model")


def score_list(found: ScoreFile) -> Markup:
    """A file of scores as a table, and what their protocols have in common; nothing if it holds none."""
    if not found.scores:
        return Markup("")
    rows = [
        (score["name"], number(score["value"]), _floor(score), BETTER.get(score.get("higher_is_better"), ""))
        for score in found.scores
    ]
    protocols = [score.get("protocol", {}) for score in found.scores]
    common = [(key, value) for key, value in protocols[0].items() if all(each.get(key) == value for each in protocols)]
    return joined(
        [
            element("h3", found.folder.absolute().name, f", {found.weights}" if found.weights else ""),
            element("p", _outdated(found), class_="note") if found.is_outdated else "",
            table(rows, ("score", "value", "real data", "better"), "Scores"),
            folded("How they were measured", table(common, caption="Common to all of these scores")) if common else "",
        ]
    )


def side_by_side(runs: Mapping[str, Story]) -> list[Markup]:
    """The newest scores of runs beside each other, the best of each in bold, and in what their protocols differ."""
    files: dict[str, ScoreFile | None] = {name: next(iter(story.scores), None) for name, story in runs.items()}
    scores = {name: {each["name"]: each for each in found.scores} if found else {} for name, found in files.items()}
    names = dict.fromkeys(name for found in scores.values() for name in found)
    if not names:
        return []
    rows = [_row(name, [found.get(name) for found in scores.values()]) for name in names]
    notes = [f"{name}: {_outdated(found)}" for name, found in files.items() if found and found.is_outdated]
    if unlike := _unlike([_protocol(found) for found in scores.values() if found]):
        notes.append(f"The tests differ in {', '.join(unlike)}: scores compare only where they were measured alike.")
    shown = table(rows, ("score (real data)", *runs, "better"), "Scores")
    return [shown, *(element("p", note, class_="note") for note in notes)]


def _row(name: str, scores: list[dict[str, Any] | None]) -> tuple[object, ...]:
    better = next(score.get("higher_is_better") for score in scores if score)
    values = [score["value"] for score in scores if score and score["value"] is not None]
    best = None if better is None or len(values) < 2 else max(values) if better else min(values)
    return (name, *(_cell(score, best) for score in scores), BETTER.get(better, ""))


def _cell(score: Mapping[str, Any] | None, best: float | None) -> object:
    if score is None:
        return NONE
    value, floor = number(score["value"]), _floor(score)
    is_best = best is not None and score["value"] == best
    return element("span", element("strong", value) if is_best else value, f" ({floor})" if floor else "")


def _floor(score: Mapping[str, Any]) -> str:
    return "" if score.get("floor") is None else number(score["floor"])


def _outdated(found: ScoreFile) -> str:
    return f"{found.weights} has been written anew since: these scores are of an earlier state."


def _protocol(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """What the protocols of one test say, all values of each entry."""
    found: dict[str, set[str]] = {}
    for score in scores.values():
        for key, value in score.get("protocol", {}).items():
            found.setdefault(key, set()).add(str(value))
    return {key: values for key, values in found.items() if key not in OF_ONE_TEST}


def _unlike(protocols: list[dict[str, set[str]]]) -> list[str]:
    """The entries in which protocols differ."""
    keys = dict.fromkeys(key for protocol in protocols for key in protocol)
    return [key for key in keys if any(protocol.get(key) != protocols[0].get(key) for protocol in protocols)]
