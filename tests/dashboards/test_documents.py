"""The tables of docs/dashboards.md name what is logged, all of it, and nothing else."""

import re
from pathlib import Path

from genzoo.callbacks.pictures import KINDS
from tests.dashboards.logged import logged_names

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "dashboards.md"
# What `genzoo test` adds stands in evaluation.md.
ELSEWHERE = r"test/.*|scores|epoch"
# What stands for names of players, networks, extractors and others.
PLACEHOLDER = re.compile("[A-Z]{3,}")


def documented():
    """The names in the first cells of the tables, each with its pattern."""
    text = DOCUMENT.read_text()
    rows = [line for part in ("Numbers", "Pictures") for line in section(text, part).splitlines() if line[:3] == "| `"]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    return {name: re.compile(PLACEHOLDER.sub(r"[\\w.-]+(/[\\w.-]+)?", name)) for name in names}


def section(text, heading):
    return re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def bare(name):
    return re.sub(r"^(val/training|val|train)/", "", name)


def test_what_is_logged_is_in_the_tables():
    logged = {bare(name) for name in logged_names() if not re.fullmatch(ELSEWHERE, name)}
    patterns = documented().values()
    assert {name for name in logged if not any(pattern.fullmatch(name) for pattern in patterns)} == set()


def test_what_is_in_the_tables_is_logged():
    logged = {bare(name) for name in logged_names()}
    assert {name for name, pattern in documented().items() if not any(map(pattern.fullmatch, logged))} == set()


def test_every_kind_of_picture_is_in_the_table():
    assert {f"pictures/{name}" for name in KINDS} < documented().keys()
