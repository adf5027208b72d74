"""Scores know neither data modules nor Lightning."""

import ast
import subprocess
import sys
from pathlib import Path

import genzoo.metrics

FILES = sorted(Path(next(iter(genzoo.metrics.__path__))).rglob("*.py"))


def imported(path):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_metrics_import_neither_data_nor_lightning():
    names = {name: path.name for path in FILES for name in imported(path)}
    assert len(FILES) > 20
    assert "torchmetrics" in names
    rooms = ("lightning", "genzoo.data", "genzoo.models", "genzoo.evaluation", "genzoo.callbacks", "genzoo.cli")
    assert {name: path for name, path in names.items() if f"{name}.".startswith(tuple(f"{r}." for r in rooms))} == {}


def test_what_they_import_does_not_import_them_either():
    loaded = "import sys, genzoo.metrics; print({name.partition('.')[0] for name in sys.modules} & {'lightning'})"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
