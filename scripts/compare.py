"""Trains every variant of an experiment with every seed, scores all by one protocol, and writes docs/compare.md.

    python scripts/compare.py                        # all experiments: hours; interrupted, it goes on where it was
    python scripts/compare.py family --only hinge R1 # some variants of one
    python scripts/compare.py family --time          # how long variants take beside the first; twenty minutes
    python scripts/compare.py --write                # the page anew from what there is, without training

An experiment is a file in ``scripts/compare``: a config, the changes to it that make each variant, seeds and scores. A
run is an ordinary one, made by ``genzoo fit`` and scored by ``genzoo test``, and lies in ``runs/compare``; one that
was interrupted goes on. Numbers go to ``docs/compare/NAME.json``, from which the page is written; a run whose numbers
are there is left alone: take them out, to have it anew. A training that ends with an error counts as a failure.
"""

import argparse
import csv
import json
import os
import statistics
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

from genzoo.cli import main as main_of_genzoo
from genzoo.drawing import scatter, tiled

EXPERIMENTS = Path("scripts/compare")
RUNS = Path("runs/compare")
DOCUMENTS = Path("docs")
PAGE = DOCUMENTS / "compare.md"
IMAGES, POINTS = 16, 2500
# Beside a run that has been drawn, so that a new run of the same name is drawn anew.
SAMPLES = "samples.npz"
# Of a training that is timed; the speed is that of ten steps at a time.
STEPS, ROUNDS = 100, 3


@dataclass(frozen=True)
class Experiment:
    """Variants of one config, on the same data for the same number of steps.

    Args:
        name: Of its file.
        title: Its heading.
        about: What is compared, in a paragraph.
        config: What all variants have in common.
        variants: By name, what each changes.
        seeds: Each variant is trained with each of them. Pictures are of the first.
        groups: Of scores, for ``genzoo test``.
        columns: Of the table: heading to name of a score and a format. ``time`` is no score, but how many
            times as long training takes as that of the first variant.
        failed: Name of a score and the value below which a run counts as failed.
        remarks: What is to be read in the table, by hand.
    """

    name: str
    title: str
    about: str
    config: dict[str, Any]
    variants: dict[str, dict[str, Any]]
    seeds: list[int]
    groups: list[str]
    columns: dict[str, tuple[str, str]]
    failed: tuple[str, float]
    remarks: str = ""

    @property
    def results(self) -> Path:
        """Where its numbers are kept."""
        return DOCUMENTS / "compare" / f"{self.name}.json"

    @property
    def known(self) -> dict[str, Any]:
        """The numbers that are kept, by variant and seed."""
        return _kept(self.results)

    @property
    def _times(self) -> Path:
        return self.results.with_stem(f"{self.name}_times")

    @property
    def times(self) -> dict[str, float]:
        """How many times as long as the first variant each takes, where it was measured."""
        return _kept(self._times)

    def measure_times(self, variants: Iterable[str]) -> None:
        """Trains each variant and the first in turns, a few steps of them, and keeps the ratio of their speeds."""
        first, known = next(iter(self.variants)), self.times
        for variant in variants:
            turns = [[self._speed(each) for each in (first, variant)] for _ in range(ROUNDS)]
            known[variant] = float(f"{statistics.median(plain / own for plain, own in turns):.3g}")
            _keep(self._times, known)

    def _speed(self, variant: str) -> float:
        """Training images a second."""
        config = merged(self.config, self.variants[variant])
        few = {"max_steps": STEPS, "max_epochs": -1, "log_every_n_steps": STEPS // 10}
        config = merged(config, {"trainer": few, "pictures": {"kinds": []}})
        with TemporaryDirectory() as folder:
            path = Path(folder) / "config.yaml"
            path.write_text(json.dumps(config))
            if (said := genzoo("fit", "--config", str(path), "--run.root", folder, "--run.name", "run")) is not None:
                raise SystemExit(f"{variant} cannot be timed: {said}")
            with next(Path(folder).glob("*/run/metrics.csv")).open() as file:
                speeds = [float(row["train/speed/images_per_second"] or "nan") for row in csv.DictReader(file)]
        return statistics.median(speed for speed in speeds[1:] if speed == speed)

    def runs(self) -> Iterator["Run"]:
        """All of them, seed by seed, so that what there is after a part of the time compares fairly."""
        for seed in self.seeds:
            yield from (Run(self, variant, seed) for variant in self.variants)


@dataclass(frozen=True)
class Run:
    """A variant that is trained with a seed.

    Args:
        experiment: Whose.
        variant: Its name.
        seed: Of the training.
    """

    experiment: Experiment
    variant: str
    seed: int

    @property
    def root(self) -> Path:
        """Where all that belongs to it lies."""
        return RUNS / self.experiment.name / self.variant.replace(" ", "_") / f"seed_{self.seed}"

    @property
    def folder(self) -> Path | None:
        """Of the run itself; None before it has begun."""
        return next((path.parent for path in self.root.glob("*/run/config.yaml")), None)

    @property
    def scores(self) -> dict[str, float] | None:
        """By name; None as long as it has not been scored."""
        found = next(self.root.glob("*/run_test/scores.json"), None)
        return None if found is None else {each["name"]: each["value"] for each in json.loads(found.read_text())}

    @property
    def error(self) -> str | None:
        """The last line of a training that failed."""
        path = self.root / "failed"
        return path.read_text() if path.exists() else None

    @property
    def is_known(self) -> bool:
        """Whether its numbers are kept: those of runs that have been deleted since need no second training."""
        return str(self.seed) in self.experiment.known.get(self.variant, {})

    def finish(self) -> None:
        """Trains, scores and draws it, from where it is."""
        if not self.is_known and self.scores is None and self.error is None:
            self._train_and_score()
        is_drawn = (self.root / SAMPLES).exists()
        if self.seed == self.experiment.seeds[0] and self.scores is not None and not is_drawn:
            self.draw()

    def _train_and_score(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self.root / "trained").exists():
            config = self.root / "config.yaml"
            config.write_text(json.dumps(merged(self.experiment.config, self.experiment.variants[self.variant])))
            new = ["--config", str(config), "--run.root", str(self.root), "--run.name", "run"]
            new += ["--seed_everything", str(self.seed)]
            has_begun = self.folder is not None and (self.folder / "checkpoints/last.ckpt").exists()
            said = genzoo("fit", *([str(self.folder)] if has_begun else new))
            if said is not None:
                (self.root / "failed").write_text(said)
                return
            (self.root / "trained").touch()
        said = genzoo("test", str(self.folder), "--evaluation.groups", f"[{','.join(self.experiment.groups)}]")
        if said is not None:
            raise SystemExit(f"{self.root} was trained but cannot be scored: {said}")

    @property
    def strip(self) -> Path:
        """The picture of its samples, which stays when runs are gone."""
        return DOCUMENTS / "images/compare" / self.experiment.name / f"{self.root.parent.name}.png"

    def draw(self) -> None:
        """Draws samples, of every run of an experiment from the same noise: a row of images, or points of the plane."""
        archive = self.root / SAMPLES
        of_points = "modes" in self.experiment.groups and "GaussianMixture2D" in str(self.experiment.config)
        number = POINTS if of_points else IMAGES
        said = genzoo("sample", str(self.folder), "--number", str(number), "--out", str(archive))
        if said is not None:
            raise SystemExit(f"{self.root} cannot be sampled from: {said}")
        arrays = np.load(archive)
        self.strip.parent.mkdir(parents=True, exist_ok=True)
        if of_points:
            Image.fromarray(scatter(torch.from_numpy(arrays["points"]), 5.0)).save(self.strip)
        else:
            images = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2)
            Image.fromarray(tiled(images, IMAGES)).save(self.strip)


def genzoo(*arguments: str) -> str | None:
    """Runs the command line; the last line that it said if it failed, None otherwise."""
    print("genzoo", *arguments, flush=True)
    # A seed that an earlier command has left in the environment would be taken for one that is asked for.
    os.environ.pop("PL_GLOBAL_SEED", None)
    said = StringIO()
    # In this process: to start another takes as long as a fifth of a short training.
    with redirect_stdout(said), redirect_stderr(said):
        code = main_of_genzoo(list(arguments))
    if code in (130, 143):
        raise SystemExit("interrupted; the same command goes on")
    return None if code == 0 else (said.getvalue().strip() or "without a word").splitlines()[-1]


def _kept(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _keep(path: Path, numbers: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(numbers, indent=1) + "\n")


def merged(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A config with changes: mappings are merged, unless they name another class; all else is replaced."""
    result = dict(config)
    for key, value in changes.items():
        before = result.get(key)
        is_other_class = isinstance(before, dict) and isinstance(value, dict) and "class_path" in value
        # The model's class may change while the settings that all have in common stay.
        is_merged = isinstance(before, dict) and isinstance(value, dict) and (key == "model" or not is_other_class)
        result[key] = merged(dict(before or {}), value) if is_merged else value
    return result


def experiments() -> dict[str, Experiment]:
    """All, by name."""
    found = {}
    for path in sorted(EXPERIMENTS.glob("*.yaml")):
        settings = yaml.safe_load(path.read_text())
        settings["columns"] = {heading: tuple(column) for heading, column in settings["columns"].items()}
        found[path.stem] = Experiment(path.stem, **settings | {"failed": tuple(settings["failed"])})
    return found


def collect(experiment: Experiment) -> dict[str, dict[str, dict[str, Any]]]:
    """Numbers by variant and seed: those of earlier times, and in their place those of runs that are here."""
    known = experiment.known
    for run in experiment.runs():
        if run.error is not None:
            known.setdefault(run.variant, {})[str(run.seed)] = {"error": run.error}
        elif run.scores is not None:
            scores = run.scores
            known.setdefault(run.variant, {})[str(run.seed)] = {
                name: float(f"{scores[name]:.6g}") for name, _ in experiment.columns.values() if name in scores
            }
    known = {variant: known[variant] for variant in experiment.variants if variant in known}
    if known:
        _keep(experiment.results, known)
    return known


def table(experiment: Experiment, known: dict[str, dict[str, dict[str, Any]]]) -> Iterator[str]:
    """Mean and standard deviation over the seeds, and how many of them failed."""
    score, least = experiment.failed
    called = next(heading for heading, (name, _) in experiment.columns.items() if name == score)
    yield f"| variant | {' | '.join(experiment.columns)} | failed: {called} < {least:g} |"
    yield f"|---|{'---|' * (len(experiment.columns) + 1)}"
    for variant, by_seed in known.items():
        finished = [scores for scores in by_seed.values() if "error" not in scores]
        failures = len(by_seed) - sum(scores[score] >= least for scores in finished)
        cells = []
        for name, form in experiment.columns.values():
            values = [scores[name] for scores in finished if name in scores]
            if name == "time" and variant in experiment.times:
                values = [experiment.times[variant]]
            deviation = f" ± {statistics.stdev(values):{form}}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):{form}}{deviation}" if values else "")
        yield f"| {variant} | {' | '.join(cells)} | {failures} of {len(by_seed)} |"


def pictures(experiment: Experiment) -> Iterator[str]:
    """Samples of the first seed of every variant that has been scored, a row each."""
    for variant in experiment.variants:
        run = Run(experiment, variant, experiment.seeds[0])
        if run.strip.exists():
            yield f"| {variant} | ![Samples of {variant}]({run.strip.relative_to(DOCUMENTS)}) |"


def page(all_of_them: Mapping[str, Experiment]) -> str:
    """The whole page."""
    text = [
        "# What helps: variants side by side",
        "",
        "Within each table all is the same but what its first column says: data, steps, body, seeds, protocol. Each "
        "cell is the mean over the seeds ± their standard deviation. Nothing is left out: runs that end with an error, "
        "or stay below what the last column says, are counted there.",
        "",
        "```sh",
        "python scripts/compare.py            # all of it: hours on two cores; interrupted, it goes on where it was",
        "```",
    ]
    for name, experiment in all_of_them.items():
        known = collect(experiment)
        if not known:
            continue
        text += ["", f"## {experiment.title}", "", experiment.about.strip(), ""]
        text += [*table(experiment, known), "", f"```sh\npython scripts/compare.py {name}\n```"]
        if rows := list(pictures(experiment)):
            heading = f"samples from the same noise, seed {experiment.seeds[0]}"
            text += ["", f"| variant | {heading} |", "|---|---|", *rows]
        if experiment.remarks:
            text += ["", experiment.remarks.strip()]
    return "\n".join(text) + "\n"


def main() -> None:
    """Trains what is missing, then writes the page."""
    known = experiments()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of experiments ({', '.join(known)}); all if left out")
    parser.add_argument("--only", nargs="*", help="variants; all if left out")
    parser.add_argument("--seeds", nargs="*", type=int, help="all of the experiment if left out")
    parser.add_argument("--time", action="store_true", help="times variants in place of training them")
    parser.add_argument("--write", action="store_true", help="writes the page without training")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"there is no experiment {unknown[0]}; choose from {', '.join(known)}")
    chosen = {name: known[name] for name in options.names or known}
    for what, given, there in (
        ("variant", options.only, [variant for each in chosen.values() for variant in each.variants]),
        ("seed", options.seeds, [seed for each in chosen.values() for seed in each.seeds]),
    ):
        if others := [one for one in given or () if one not in there]:
            parser.error(f"there is no {what} {others[0]!r}; choose from {', '.join(map(str, dict.fromkeys(there)))}")
    for experiment in chosen.values():
        if options.time:
            experiment.measure_times([each for each in experiment.variants if each in (options.only or [each])])
            continue
        for run in [] if options.write else experiment.runs():
            if run.variant in (options.only or [run.variant]) and run.seed in (options.seeds or [run.seed]):
                run.finish()
                collect(experiment)
    PAGE.write_text(page(known))


if __name__ == "__main__":
    main()
