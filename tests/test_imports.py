"""The rooms of the package, and which of them may import which: read from the source, nothing of which is run."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import genzoo.models
from genzoo.discovery import public_classes
from genzoo.training.model import GenerativeModel

PACKAGE = Path(genzoo.__file__).parent

# From the top down: a room imports rooms below it and, where that makes no circle, those on its own floor.
FLOORS = [
    ["cli"],
    ["callbacks"],
    ["report"],
    ["evaluation", "latent", "zoo", "export", "dashboards"],
    ["models"],
    ["training"],
    ["sampling", "metrics"],
    ["networks", "losses", "augmentations", "data"],
    ["schedules"],
    ["modules in no room"],
]
ROOMS = [room for floor in FLOORS for room in floor]
ROOMS_WITH_A_DOOR = genzoo.PACKAGES_WITH_PUBLIC_CLASSES
FLOOR_OF = {room: height for height, floor in enumerate(FLOORS) for room in floor}
PLAIN_TORCH = ["sampling", "networks", "losses", "augmentations", "schedules", "latent", "zoo", "export", "report"]
# Beside the standard library, packages that bring nothing along.
ALLOWED_IN_PLAIN_TORCH = {
    "torch",
    "numpy",
    "PIL",
    "safetensors",
    "typing_extensions",
    "packaging",
    "yaml",
    *sys.stdlib_module_names,
}


@cache
def modules():
    """The source of every module, by its name."""
    files = [path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"]
    return {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__"): (PACKAGE.parent / path).read_text()
        for path in files
    }


def room_of(module):
    part = module.split(".")[1] if "." in module else ""
    return part if (PACKAGE / part / "__init__.py").is_file() and part else "modules in no room"


def modules_in(room):
    return [module for module in modules() if room_of(module) == room]


def statements(tree: ast.AST, also_within_functions: bool) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        if also_within_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(child, also_within_functions)


@cache
def imported_by(module, also_within_functions=True):
    """The names of all modules that a module imports: ours whole, of others the package."""
    found = set()
    for statement in statements(ast.parse(modules()[module]), also_within_functions):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        else:
            assert statement.level == 0, f"{module} imports relatively"
            names = {f"{statement.module}.{alias.name}" for alias in statement.names}
            found |= {name if name in modules() else statement.module for name in names}
    return frozenset(name if name in modules() else name.partition(".")[0] for name in found)


def reached_from(room):
    """What is imported as soon as a module of a room is: the whole room, which looks for its classes, and so on."""
    reached, waiting = set(), modules_in(room)
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        if module in modules():
            waiting += imported_by(module, also_within_functions=False)
            waiting += modules_in(room_of(module)) if room_of(module) in ROOMS_WITH_A_DOOR else ()
    return reached


def test_every_room_has_its_floor():
    assert {room_of(module) for module in modules()} == set(ROOMS)


def test_imports_are_seen():
    seen = imported_by("genzoo.sampling.densities")
    assert {"genzoo.sampling.priors", "genzoo.noise", "torch", "math"} <= seen
    assert "fsspec" in imported_by("genzoo.checkpoint_files")
    assert "fsspec" not in imported_by("genzoo.checkpoint_files", also_within_functions=False)
    assert "genzoo.losses.likelihoods" in reached_from("sampling")


@pytest.mark.parametrize("room", ROOMS)
def test_no_import_runs_up(room):
    up = [
        f"{module} imports {imported}"
        for module in modules_in(room)
        for imported in imported_by(module)
        if imported in modules() and FLOOR_OF[room_of(imported)] < FLOOR_OF[room]
    ]
    assert up == []


def test_no_imports_run_in_a_circle():
    ours = {module: {name for name in imported_by(module) if name in modules()} for module in modules()}
    TopologicalSorter(ours).prepare()
    # Nor do rooms of one floor.
    rooms = {room: {room_of(name) for module in modules_in(room) for name in ours[module]} - {room} for room in ROOMS}
    TopologicalSorter(rooms).prepare()


@pytest.mark.parametrize("room", PLAIN_TORCH)
def test_what_is_plain_torch_needs_nothing_else(room):
    others = {name for name in reached_from(room) if name not in modules()}
    assert others - ALLOWED_IN_PLAIN_TORCH == set()


def test_metrics_know_neither_data_sets_nor_lightning():
    reached = reached_from("metrics")
    assert not {name for name in reached if name in modules() and room_of(name) == "data"}
    assert not {name for name in reached if name.startswith("lightning")}


def test_models_are_all_that_stands_among_them():
    others = [cls.__name__ for cls in public_classes(genzoo.models).values() if not issubclass(cls, GenerativeModel)]
    assert others == []
    assert not any(inspect.isabstract(cls) for cls in public_classes(genzoo.models).values())


IMPORTING = f"""
import sys
import genzoo.checkpoint_files, genzoo.hyperparameters, {", ".join(f"genzoo.{room}" for room in PLAIN_TORCH)}
print(*sorted({{"lightning", "torchmetrics", "torchvision", "wandb", "lightning_utilities"}} & sys.modules.keys()))
"""


def test_a_sampler_is_imported_without_lightning():
    program = [sys.executable, "-c", IMPORTING]
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
