import runpy
from pathlib import Path

import pytest

import genzoo

SCRIPT = Path(__file__).parents[1] / "scripts" / "write_public_names.py"
STUBS = list(runpy.run_path(str(SCRIPT))["stubs"]())


@pytest.mark.parametrize(("path", "text"), STUBS, ids=[path.parent.name for path, _ in STUBS])
def test_type_checkers_know_the_classes_that_are_found(path, text):
    assert path.read_text() == text, "run python scripts/write_public_names.py"


def test_a_name_at_the_top_is_the_class_that_its_stub_says():
    lines = [line.split() for line in STUBS[-1][1].splitlines() if line.startswith("from ")]
    assert {name: getattr(genzoo, name).__module__ for _, module, _, name, *_ in lines} == {
        name: module for _, module, _, name, *_ in lines
    }
