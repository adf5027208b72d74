"""What `genzoo dashboard` sends to a W&B server, here one of this machine, and that twice the same is one of each."""

import json
import sys

import pytest

from genzoo.cli import main
from genzoo.dashboards.saving import Dashboard, described
from genzoo.dashboards.workspace import identity
from tests.dashboards.wandb_stub import DENIED, ENTITY, KEY, PROJECT, running_server

# Commands that one program gives after another, since its start takes longer than all of them.
GIVING = """
import contextlib, io, json, os, sys
import wandb
from genzoo.cli import main

outcomes = []
for arguments, key in json.loads(sys.argv[1]):
    # W&B's client looks at the environment once, and keeps the key that it has found.
    wandb.teardown()
    os.environ["WANDB_API_KEY"] = key
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            code = main(["dashboard", *arguments])
        except SystemExit as end:
            code = end.code
    outcomes.append((code, out.getvalue(), said.getvalue()))
sys.stdout.write(json.dumps(outcomes))
"""
PLACE = ["--entity", ENTITY, "--project", PROJECT]
COMMANDS = {
    "first": PLACE,
    "again": PLACE,
    "another name": [*PLACE, "--name", "second"],
    "no such project": ["--entity", ENTITY, "--project", "elsewhere"],
    "denied": ["--entity", ENTITY, "--project", DENIED],
    "entity of the login": ["--name", "third"],
    "no key": PLACE,
    "no login": ["--entity", ENTITY],
}
KEYS = {"no key": KEY[:10], "no login": ""}


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def outcomes(server, tmp_path_factory):
    """Exit code, output and errors of each command."""
    asked = json.dumps([(given, KEYS.get(name, KEY)) for name, given in COMMANDS.items()])
    result = server.run(tmp_path_factory.mktemp("dashboard"), "-c", GIVING, asked)
    assert result.returncode == 0, result.stderr
    return dict(zip(COMMANDS, json.loads(result.stdout), strict=True))


def without_ids(spec):
    """A spec without what W&B's client draws at random: the ids of panels and of sets of runs."""
    if isinstance(spec, dict):
        return {key: without_ids(value) for key, value in spec.items() if key not in ("id", "__id__")}
    return [without_ids(entry) for entry in spec] if isinstance(spec, list) else spec


def test_twice_the_same_is_one_workspace_and_one_report(outcomes, server):
    said = {}
    for name in ("first", "again", "another name"):
        code, out, errors = outcomes[name]
        assert (code, errors) == (0, "")
        said[name] = [line.partition(": ") for line in out.splitlines()]
    assert [[kind for kind, _, _ in lines] for lines in said.values()] == [
        ["workspace made", "report made"],
        ["workspace updated", "report updated"],
        ["workspace made", "report made"],
    ]
    assert [url for _, _, url in said["first"]] == [url for _, _, url in said["again"]]
    assert said["first"][0][2] == f"{server.url}/{ENTITY}/{PROJECT}?nw={identity('genzoo')}"
    kinds = [(view["type"], view["displayName"]) for view in server.views.values()]
    assert kinds == [
        (kind, title)
        for name in ("genzoo", "second", "third")
        for kind, title in (("project-view", name), ("runs", f"{name}: runs compared"))
    ]


@pytest.mark.usefixtures("outcomes")
def test_a_dry_run_shows_what_is_sent(server, capsys, monkeypatch):
    monkeypatch.setattr("wandb.Api", lambda: pytest.fail("asked W&B"))
    assert main(["dashboard", "--dry-run", "--entity", ENTITY, "--project", PROJECT]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert without_ids(shown) == without_ids(described(Dashboard(ENTITY, PROJECT)))
    for part, operation in (("workspace", "UpsertView2"), ("report", "upsertView")):
        first, second, *_ = server.variables_of(operation)
        for sent in (first, second):
            spec = json.loads(sent["spec"])
            assert without_ids(spec) == without_ids(shown[part]["spec"])
            assert {key: sent[key] for key in shown[part] if key != "spec"} == {
                key: value for key, value in shown[part].items() if key != "spec"
            }
    updated = server.variables_of("UpsertView2")[1]
    assert server.views[updated["id"]]["name"] == updated["name"]


def test_what_the_server_refuses_is_said(outcomes):
    code, out, said = outcomes["no such project"]
    assert (code, out) == (2, "")
    assert said == (
        f"genzoo: W&B shows you no project {ENTITY}/elsewhere; train a run in it first, or correct --entity and "
        "--project\n"
    )
    code, out, said = outcomes["denied"]
    assert (code, out) == (1, "")
    assert said.startswith("genzoo: W&B did not take the dashboard: ")
    assert "permission denied" in said
    assert said.count("\n") == 1


def test_the_entity_is_that_of_the_login(outcomes, server):
    code, out, _ = outcomes["entity of the login"]
    assert code == 0
    assert f"{server.url}/{ENTITY}/{PROJECT}?nw={identity('third')}" in out


def test_a_key_that_is_none_is_refused(outcomes):
    code, _, said = outcomes["no key"]
    assert code == 1
    assert said.startswith("genzoo: W&B did not take the dashboard: ")


def test_without_a_login_one_sentence_says_so(outcomes):
    assert outcomes["no login"] == [
        2,
        "",
        "genzoo: a dashboard of W&B needs a login; run wandb login or set WANDB_API_KEY, or look at what would be sent "
        "with --dry-run\n",
    ]


@pytest.mark.parametrize("name", ["", " ", "loss + bound", "n" * 81])
def test_a_name_that_wandb_does_not_take_is_refused(name, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["dashboard", "--dry-run", "--name", name])
    assert capsys.readouterr().err.startswith(f"genzoo: a dashboard cannot be called {name!r}; choose ")


def test_without_the_package_one_sentence_says_so(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    with pytest.raises(SystemExit, match="2"):
        main(["dashboard", "--dry-run"])
    said = capsys.readouterr().err
    assert said.startswith("genzoo: a dashboard of W&B needs the package wandb-workspaces, ")
    assert "'genzoo[dashboard]'" in said
    assert said.count("\n") == 1
