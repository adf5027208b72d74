"""The data that a model was trained on, from what lies beside it, or as the user names them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from genzoo.checkpoint_files import CONFIG
from genzoo.hyperparameters import from_plain
from genzoo.names import nearest
from genzoo.spec import DataSpec

if TYPE_CHECKING:
    from genzoo.data.splits import ArrayDataModule


def data_of(
    place: str | Path, given: str | None = None, allow: Sequence[str] = (), like: DataSpec | None = None
) -> "ArrayDataModule":
    """The data module that a model was trained with; nothing of it is loaded yet.

    Args:
        place: Where the model lies: a run folder or a checkpoint in one, or an entry of the zoo.
        given: What the user names in its stead: a class of data sets, by its name or path, or a config with a section
            ``data``.
        allow: Packages beside genzoo whose classes are made. That of a class that is given is.
        like: The spec that the model knows: images of a data set that is given by its class alone get its size.

    Raises:
        ValueError: If the data are not known, or what names them cannot be used.
    """
    from genzoo.data.images import ImageDataModule
    from genzoo.data.splits import ArrayDataModule

    if given is None:
        plain = _beside(Path(place))
    elif Path(given).suffix in (".yaml", ".yml"):
        plain = _of_config(given)
    else:
        plain = {"class_path": given}
    path = _full_path(str(plain.get("class_path")))
    allowed = ("genzoo", *allow, *(() if given is None else [path.partition(".")[0]]))
    # By its path alone, a class is not made.
    cls: Any = from_plain({"class_path": path}, allowed)
    if not (isinstance(cls, type) and issubclass(cls, ArrayDataModule)):
        raise ValueError(f"{path} is no data set; name one with --data, such as FashionMNISTMini")
    settings = {"image_size": like["shape"][-1]} if like is not None and issubclass(cls, ImageDataModule) else {}
    # Of a class that is given without any settings, this one is known.
    data: ArrayDataModule = from_plain({"init_args": settings} | plain | {"class_path": path}, allowed)
    return data


def _beside(place: Path) -> dict[str, Any]:
    """The data as plain data, from the files of the run or the entry that a model lies in."""
    from genzoo.zoo.entry import RECORD, is_entry
    from genzoo.zoo.shelves import entry_at

    entry = place.parent if place.is_file() else place
    if is_entry(entry) or not place.exists():
        data: dict[str, Any] = entry_at(str(entry), RECORD).record["data"]
        return data or _unknown(place, "its entry does not say")
    # A checkpoint lies in a folder of the run's.
    for config in (place / CONFIG, place.absolute().parent.parent / CONFIG):
        if config.is_file():
            return _of_config(str(config))
    _unknown(place, f"it lies in no run folder, where a {CONFIG} would say so")


def _unknown(place: Path, reason: str) -> NoReturn:
    raise ValueError(
        f"it is not known which data {place} was trained on: {reason}; name them with --data, such as "
        "FashionMNISTMini, or a config with a section data"
    )


def _of_config(path: str) -> dict[str, Any]:
    """The section ``data`` of a config, also of one that comes with the package."""
    from genzoo.cli.configs import read_config, with_shipped_configs

    _, found = with_shipped_configs(["--config", path])
    data = read_config(Path(found)).get("data")
    if not data:
        raise ValueError(f"the config {path} has no section data; give one that has, such as configs/data/mnist.yaml")
    return {"class_path": data, "init_args": {}} if isinstance(data, str) else dict(data)


def _full_path(name: str) -> str:
    """The path of a class of data sets, which users may call by its name alone."""
    if "." in name:
        return name
    known = _data_sets()
    if name not in known:
        raise ValueError(f"there is no data set {name}; {nearest(name, known)}there are {', '.join(known)}")
    return f"genzoo.{name}"


def _data_sets() -> list[str]:
    """The names of all data sets of the package."""
    import inspect

    import genzoo.data
    from genzoo.data.splits import ArrayDataModule

    classes = {name: cls for name, cls in vars(genzoo.data).items() if isinstance(cls, type)}
    return sorted(n for n, cls in classes.items() if issubclass(cls, ArrayDataModule) and not inspect.isabstract(cls))
