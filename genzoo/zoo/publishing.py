"""Entries made of finished runs, on a shelf of this machine or on the Hugging Face Hub."""

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import yaml

from genzoo import __version__
from genzoo.drawing import save_picture
from genzoo.files import require_free, whole_folder
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.safe_files import write_sampler
from genzoo.sampling.sampler import Sampler
from genzoo.sampling.stored import load_sampler
from genzoo.spec import is_image
from genzoo.zoo import hub
from genzoo.zoo.cards import FEATURES, IMAGE_TO_IMAGE, IMAGES, Facts, card
from genzoo.zoo.entry import CARD, CONFIG, FILES, FORMAT, PICTURE, RECORD, SCORES, WEIGHTS, hash_of, is_entry
from genzoo.zoo.loading import checkpoint_of
from genzoo.zoo.pictures import picture_of
from genzoo.zoo.runs import Run, data_module, read_run, scores_of, without_paths
from genzoo.zoo.shelves import SHIPPED, own_folder, require_name


@dataclass(frozen=True)
class Told:
    """What a user says of a model, since its run does not know it.

    Args:
        title: Heading of the card; the name if empty.
        description: In a few sentences; one made of model and data if empty.
        license: Of the weights, as the Hub names it, such as ``mit`` or ``cc-by-4.0``; none is stated if empty.
        data_license: Of the training data; that which genzoo knows of them if empty.
    """

    title: str = ""
    description: str = ""
    license: str = ""
    data_license: str = ""


@dataclass(frozen=True)
class Published:
    """What has been published.

    Args:
        place: The folder of the entry, or the address of the commit on the Hub.
        notes: What it lacks, and what to do about it; a sentence each.
    """

    place: str
    notes: Sequence[str]


def publish(
    run: str | Path,
    name: str,
    *,
    told: Told = Told(),
    weights: Literal["raw", "averaged"] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    private: bool | None = None,
    allow: Sequence[str] = (),
) -> Published:
    """Makes an entry of a run: its weights as a file that holds no code, a card, a picture, settings and scores.

    Args:
        run: The folder of a run, or a checkpoint.
        name: Of the entry, or ``hub:user/name`` to push it to the Hugging Face Hub.
        told: What the run does not know.
        weights: Those that were trained (``raw``) or their averages; left out, the averages if there are any.
        out: The entry's own folder; left out, one in the user's folder of entries.
        overwrite: Replaces an entry that is there.
        private: Whether a repository that is made on the Hub is seen by its owner alone; None: as its owner has set.
        allow: Packages beside genzoo whose classes are made.

    Returns:
        Where it is, and what it lacks.

    Raises:
        FileExistsError: If there is such an entry and it is not to be overwritten.
        ValueError: If the name is none, run or checkpoint are not such as can be published, or the folder holds other
            files than those of an entry.
        OSError: If it cannot be written, or the Hub cannot be reached.
    """
    known = read_run(checkpoint_of(Path(run)) if Path(run).is_dir() else Path(run))
    if name.startswith(hub.PREFIX):
        repository = hub.require_repository(name)
        if out is not None:
            raise ValueError("an entry goes either to the Hub or into a folder; leave out --out, or give a plain name")
        hub.require_room(repository, overwrite)
        with TemporaryDirectory() as folder:
            notes = _write(known, Path(folder), repository, told, weights, allow)
            return Published(hub.push(Path(folder), repository, private), notes)
    require_name(name)
    if out is None and is_entry(SHIPPED / name):
        raise FileExistsError(f"{name} is the name of an entry that comes with genzoo; choose another one")
    # Absolute, since `.` has no name that could stand for the folder to be.
    place = own_folder() / name if out is None else Path(out).absolute()
    require_free(place, overwrite, "NAME" if out is None else "--out")
    _require_replaceable(place)
    with whole_folder(place) as folder:
        notes = _write(known, folder, name, told, weights, allow)
    return Published(str(place), notes)


def _require_replaceable(place: Path) -> None:
    """Requires that what would be replaced is an entry and nothing else: a folder is replaced with all that it holds.

    Raises:
        ValueError: If it holds something else.
    """
    others = sorted({path.name for path in place.iterdir()} - {*FILES}) if place.is_dir() else []
    if others:
        raise ValueError(
            f"{place} holds other files than those of an entry, such as {others[0]}, and is not replaced; choose "
            "another --out"
        )


def _write(
    run: Run,
    folder: Path,
    address: str,
    told: Told,
    weights: Literal["raw", "averaged"] | None,
    allow: Sequence[str],
) -> list[str]:
    """Writes all files of an entry, and tells what it lacks."""
    kind = weights or ("averaged" if run.has_averages else "raw")
    sampler = load_sampler(run.checkpoint, weights, ("genzoo", *allow))
    scores, without_scores = scores_of(run, kind)
    scores, settings, data = without_paths(scores), run.published_settings(), data_module(run.data)
    write_sampler(sampler, folder / WEIGHTS)
    record = {
        "format": FORMAT,
        "genzoo": __version__,
        "name": address.rpartition("/")[2],
        "model": run.model or type(sampler).__name__,
        "sampler": as_plain(sampler),
        "data_spec": sampler.plain_arguments["data_spec"],
        "data": without_paths(run.data),
        "weights": {
            "sha256": hash_of(folder / WEIGHTS),
            "bytes": (folder / WEIGHTS).stat().st_size,
            "kind": kind,
            "parameters": sum(parameter.numel() for parameter in sampler.parameters()),
        },
        "training": {
            "epochs": run.epochs,
            "steps": run.steps,
            "seconds": run.seconds,
            "seed": settings.get("seed_everything"),
        },
    }
    _write_json(record, folder / RECORD)
    if settings:
        (folder / CONFIG).write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    if scores:
        _write_json(scores, folder / SCORES)
    picture, caption = picture_of(sampler, data)
    if picture is not None:
        save_picture(folder / PICTURE, picture)
    facts = Facts(
        address=address,
        title=told.title or str(record["name"]),
        description=told.description,
        license=told.license,
        record=record,
        settings=settings,
        scores=scores,
        model_line=_first_line(_class_of(run.model)),
        data_line="" if data is None else _first_line(type(data)),
        data_license=told.data_license or getattr(data, "license", ""),
        data_on_hub=getattr(data, "hub_name", ""),
        condition=str(sampler.condition),
        has_default=sampler.condition.has_default,
        is_conditional=bool(sampler.condition.shape),
        task=_task(sampler),
        caption=caption,
        can_sample=sampler.can_sample,
        has_changed=run.has_changed,
    )
    (folder / CARD).write_text(card(facts), encoding="utf-8")
    lacks = [without_scores] if without_scores else []
    if not told.license:
        lacks.append("its card states no licence, without which nobody may use it; name one with --license")
    if picture is None:
        lacks.append("it has no picture: that takes the data that the model was trained on, which are not to be had")
    return lacks


def _write_json(content: Any, path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _class_of(class_path: str) -> Any:
    """The class of a path, if it is one of genzoo's."""
    try:
        return from_plain({"class_path": class_path})
    except ValueError:
        return None


def _first_line(cls: Any) -> str:
    """What a class is, by its docstring."""
    return (inspect.getdoc(cls) or "").partition("\n")[0] if isinstance(cls, type) else ""


def _task(sampler: Sampler) -> str:
    """What a sampler does, as the Hub names it."""
    if not is_image(sampler.data_shape):
        return ""
    if not sampler.can_sample:
        return FEATURES if isinstance(sampler, Encodes) else ""
    return IMAGE_TO_IMAGE if is_image(sampler.condition.shape) else IMAGES
