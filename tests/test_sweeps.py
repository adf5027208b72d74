"""The sweeps are what W&B takes, and what its agent then says is understood by the command line exactly.

The command of an agent is made by W&B's own: told what to run by a server of this machine, it starts a program that
only notes its arguments.
"""

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from genzoo.cli import main
from genzoo.cli.configs import shipped_configs
from genzoo.dashboards.layout import SECTIONS
from genzoo.loggers import SUMMARIES
from tests.dashboards.wandb_stub import ENTITY, PROJECT, running_server

SWEEPS = sorted((shipped_configs() / "sweeps").glob("*.yaml"))
FILES = pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
# What W&B's servers check a sweep against, out of its package sweeps, which asks for an older NumPy.
SCHEMA = json.loads((Path(__file__).parent / "fixtures" / "wandb_sweeps_0_3_0" / "schema.json").read_text())
AGENT = f"{ENTITY}/{PROJECT}/swept"
# What genzoo is for the agent: it writes down what it was started with.
NOTING = """#!{python}
import json, os, sys
environment = {{name: value for name, value in os.environ.items() if name.startswith("WANDB_")}}
with open("{notes}", "a") as file:
    file.write(json.dumps([sys.argv[1:], environment]) + "\\n")
"""
# W&B's command line, several commands of one program after another; its agents neither wait nor begin anew in between.
GIVING = """
import json, sys
import wandb
from wandb import wandb_agent
from wandb.cli.cli import cli

wandb_agent.Agent.POLL_INTERVAL = 0.02
wandb.teardown = lambda exit_code=None: None
for command in json.loads(sys.argv[1]):
    cli(command, standalone_mode=False)
"""
# Settings beyond those of the sweeps, each as an agent writes it and as it is meant.
FURTHER = {
    "model.init_args.latent_dim": 24,
    "model.objective.class_path": "Hinge",
    "trainer.enable_progress_bar": False,
    "trainer.precision": None,
    "data.batch_size": 64,
    "model.generator_scheduler": None,
    "model.penalties": [{"class_path": "R1", "init_args": {"gamma": 1e-05}}],
}


def settings_of(path):
    return yaml.safe_load(path.read_text())


def runs_of(path):
    """Settings of runs, as a server chooses them: few, but each value and both ends of each range occur."""
    parameters = settings_of(path)["parameters"]
    choices = {
        name: parameter.get("values") or [parameter["min"], parameter["max"]] for name, parameter in parameters.items()
    }
    number = max(len(values) for values in choices.values())
    return [{name: values[place % len(values)] for name, values in choices.items()} for place in range(number)]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """The server, and what each agent has started: the settings, the arguments, and the environment."""
    folder = tmp_path_factory.mktemp("sweeps")
    program, notes = folder / "bin" / "genzoo", folder / "notes"
    program.parent.mkdir()
    program.write_text(NOTING.format(python=sys.executable, notes=notes))
    program.chmod(0o755)
    asked = {path: [*runs_of(path), *([FURTHER] if path.stem == "dcgan" else [])] for path in SWEEPS}
    with running_server() as server:
        server.commands = [
            [
                {
                    "type": "run",
                    "run_id": f"{path.stem}-{number}",
                    "program": settings_of(path)["program"],
                    "args": {name: {"value": value} for name, value in settings.items()},
                }
                for number, settings in enumerate(runs)
            ]
            for path, runs in asked.items()
        ]
        commands = [command for path in SWEEPS for command in (["sweep", str(path)], ["agent", AGENT])]
        with_program = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        result = server.run(folder, "-c", GIVING, json.dumps(commands), PATH=with_program)
        assert result.returncode == 0, result.stderr
        noted = iter([json.loads(line) for line in notes.read_text().splitlines()])
        started = {path: [(settings, *next(noted)) for settings in runs] for path, runs in asked.items()}
        assert next(noted, None) is None
        yield server, started


def test_the_sweeps_are_found():
    assert {path.stem for path in SWEEPS} >= {"dcgan", "vae", "vae_likelihood"}
    swept = {name for path in SWEEPS for name in settings_of(path)["parameters"]}
    assert {"model.generator_optimizer.lr", "model.generator_optimizer.betas", "model.discriminator_steps"} <= swept
    assert {"model.objective", "model.penalties", "model.beta", "model.likelihood", "model.latent_dim"} <= swept


@FILES
def test_a_sweep_is_what_wandb_takes(path, started):
    jsonschema.validate(settings_of(path), SCHEMA, cls=jsonschema.Draft7Validator)
    server, _ = started
    sent = [yaml.safe_load(sweep["config"]) for sweep in server.variables_of("UpsertSweep")]
    assert settings_of(path) in sent
    spoiled = settings_of(path)
    spoiled["parameters"]["model.beta"] = {"distribution": "log_uniform_values", "min": "1e-4", "max": 1.0}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoiled, SCHEMA, cls=jsonschema.Draft7Validator)


@FILES
def test_what_is_optimised_is_logged_and_compares(path):
    sweep = settings_of(path)
    name, goal = sweep["metric"]["name"], sweep["metric"]["goal"]
    # Panels show only what is logged.
    assert any(panel.shows(name) for section in SECTIONS for panel in section.panels)
    pattern = "val/fd/*" if name.startswith("val/fd/") else name
    assert {"minimize": "min", "maximize": "max"}[goal] == SUMMARIES[pattern]
    # Scores of samples come from a callback, and bounds do not compare among likelihoods.
    assert ("--trainer.callbacks+=SampleScores" in sweep["command"]) == name.startswith("val/fd/")
    assert name.startswith("val/fd/") or "model.likelihood" not in sweep["parameters"]


def value_in(config, name):
    """What a config says of a setting, whose class a path may leave out."""
    for part in name.split("."):
        holder = config if part in config or "init_args" not in config else config["init_args"]
        config = holder[part]
    return config


def means(found, asked):
    """Whether a setting of a resolved config is what was asked for: of a class, its name and what was given."""
    if isinstance(asked, dict):
        return all(key in found and means(found[key], value) for key, value in asked.items())
    if isinstance(asked, list):
        return len(found) == len(asked) and all(map(means, found, asked))
    if isinstance(asked, str):
        return (found["class_path"] if isinstance(found, dict) else found).rpartition(".")[2] == asked
    return type(found) is type(asked) and found == asked


@FILES
def test_what_an_agent_says_is_understood_exactly(path, started, capsys, working_folder):
    _, by_path = started
    for settings, arguments, environment in by_path[path]:
        assert environment["WANDB_SWEEP_ID"] == "swept"
        assert environment["WANDB_RUN_ID"].startswith(path.stem)
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--print_config"])
        said = capsys.readouterr()
        assert end.value.code == 0, said.err
        config = yaml.safe_load(said.out)
        wrong = {
            name: value_in(config, name) for name, value in settings.items() if not means(value_in(config, name), value)
        }
        assert wrong == {}


@pytest.mark.slow
@FILES
def test_every_run_of_a_sweep_can_begin(path, started, working_folder):
    _, by_path = started
    for _, arguments, _ in by_path[path]:
        assert main([*arguments, "--trainer.fast_dev_run=1", "--trainer.accelerator=cpu"]) == 0


def test_a_sweep_is_no_config_of_a_run(capsys, working_folder):
    with pytest.raises(SystemExit, match="2"):
        main(["fit", "--config", "configs/sweeps/vae.yaml"])
    assert capsys.readouterr().err.count("\n") == 1
