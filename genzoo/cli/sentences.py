"""What the parser finds wrong, in one sentence: what was given, what was expected, what there is."""

import pydoc
import re
from collections.abc import Iterable

from lightning.pytorch import Trainer

from genzoo.cli.configs import CLASS_KEYS, shipped_configs
from genzoo.cli.reasons import Reason, reasons
from genzoo.cli.signatures import classes_in, names_of, parameter_of, settings_of
from genzoo.data.splits import ArrayDataModule
from genzoo.names import nearest
from genzoo.training.model import GenerativeModel

ROOTS: dict[str, type] = {"model": GenerativeModel, "data": ArrayDataModule}
VALUES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "collections.abc.Iterable": "a list",
    "dict": "a mapping",
    "NoneType": "null",
}
NOT_IN_CONFIGS = {"help", "config", "print_config", "print_shtab"}
MANY = 20


def sentence(message: str, options: Iterable[str] = ()) -> str:
    """The parser's message in one sentence.

    What is not known here is shown whole, with its last line, which says most, in front.

    Args:
        message: Of jsonargparse, over several lines.
        options: The options that the parser knows.
    """
    found = reasons(message)
    return _of_settings(found) or _of_commands(found[0].text, options) or _whole(found)


def _of_settings(found: list[Reason]) -> str | None:
    """What is wrong with a setting of a class or with its value."""
    # jsonargparse has no codes for what goes wrong: it is read from its texts, and tests fail if these change.
    reason = found[0]
    setting = reason.settings[-1] if reason.settings else ""
    match = re.fullmatch(r"Option '([\w.]+)' is not accepted", reason.text)
    if match and match[1] in CLASS_KEYS:
        return f"{setting} cannot be read: a class is given by class_path, and its settings under init_args"
    if match and (class_path := _class_path(reason)):
        refusing = pydoc.locate(class_path)
        known = settings_of(refusing) if isinstance(refusing, type) else []
        name = refusing.__name__ if isinstance(refusing, type) else setting
        return f"{name} has no setting {match[1]}; {nearest(match[1], known)}it has {', '.join(known) or 'none'}"
    if setting and (match := re.search(r"arguments are required: ([\w, ]+)$", reason.text)):
        option = ".".join([*reason.settings, match[1].partition(",")[0]])
        return f"{_class_path(reason).rpartition('.')[2]} needs {match[1]}; give it a value with --{option}"
    if module := re.match(r"No module named '([\w.]+)'", reason.text):
        needing = re.search(r"[a-zA-Z_]\w*(\.\w+)+", reason.given)
        return (
            f"there is no module {module[1]}, which {needing[0] if needing else setting} needs; go to the folder that "
            "it lies in, install it, or correct the name"
        )
    ways = [reason.text for reason in found]
    if expected := _expected(ways):
        return f"{setting} should be {expected}" + (f", got {reason.given}" if reason.given else "")
    asked = next(filter(None, (_names_no_class(way.text, _class_path(way)) for way in found)), None)
    abstract = re.fullmatch(r"Expected an instantiatable class, but (?:([\w.]+) )?is abstract", reason.text)
    # What settings are taken for those of, where their class is not given.
    if abstract and setting in ROOTS and abstract[1] == f"genzoo.{ROOTS[setting].__name__}":
        return _not_given(setting)
    if abstract:
        asked = abstract[1] or reason.given
    if asked:
        owner = pydoc.locate(reason.owner) if reason.owner else Trainer
        parameter = parameter_of(owner, setting.removeprefix("trainer."))
        kinds = [ROOTS[setting]] if setting in ROOTS else [] if parameter is None else classes_in(parameter.annotation)
        known = names_of(kinds)
        if abstract:
            return f"{asked} is abstract; choose one of {', '.join(known)}"
        kind = setting.removeprefix("trainer.").removesuffix("s") if setting.startswith("trainer.") else setting
        return f"there is no {kind} {asked}; {nearest(asked, known)}there are {', '.join(known)}"
    return None


def _of_commands(text: str, options: Iterable[str]) -> str | None:
    """What is wrong with an option or a config as such."""
    if match := re.search(r"does not accept option '([\w.]+)'|Option '([\w.]+)' is not accepted", text):
        long_options = [option[2:].split(".") for option in options if option.startswith("--")]
        return _unknown_key((match[1] or match[2]).split("."), long_options)
    if match := re.search(r"File does not exist: '(.*)'", text):
        folder = shipped_configs()
        shipped = sorted(f"configs/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.yaml"))
        return f"there is no config {match[1]}; those that come with genzoo are {', '.join(shipped)}"
    if match := re.search(r"required: (?:\w+\.)?(model|data)$", text):
        return _not_given(match[1])
    if match := re.search(r"--(model|data)\.help: Expected a dot import path string: (.*)", text):
        known = names_of([ROOTS[match[1]]])
        return f"there is no {match[1]} {match[2]}; {nearest(match[2], known)}there are {', '.join(known)}"
    if match := re.search(r"unrecognized arguments: (\S+)", text):
        asked = match[1].partition("=")[0]
        return f"there is no setting {asked}; {nearest(asked, options)}genzoo VERB --help lists them all"
    return None


def _not_given(name: str) -> str:
    return f"there is no {name}; give a --config, or --{name} and one of {', '.join(names_of([ROOTS[name]]))}"


def _whole(found: list[Reason]) -> str:
    """All that is said of a setting, its last line first."""
    *before, last = [line for reason in found for line in reason.text.splitlines() if line.strip()] or [""]
    setting = f"{found[0].settings[-1]}: " if found[0].settings else ""
    given = found[0].given
    got = f", got {given}" if given and given not in last and not re.search(r"Namespace\(|NestedArg\(", given) else ""
    return "\n".join([setting + last.strip() + got, *(f"  {line}" for line in before)])


def _expected(ways: list[str]) -> str | None:
    """The values that a setting takes, in words; None if they are classes, or one of the ways is not known."""
    words, choices = [], []
    for way in ways:
        if match := re.match(r"Expected (?:a )?<class '([\w.]+)'>", way):
            words.append(VALUES.get(match[1], f"of type {match[1]}"))
        elif match := re.match(r"Expected (?:a )?typing\.Literal\[(.*)\]", way):
            choices += [choice.strip("'") for choice in match[1].split(", ")]
        elif match := re.match(r"Not a valid subclass of (\w+)", way):
            words.append(f"the name of a {match[1]} or its class_path and init_args")
        elif not _names_no_class(way):
            return None
    if (
        any(map(_names_no_class, ways))
        and not choices
        and not {VALUES["int"], VALUES["float"], VALUES["str"]} & {*words}
    ):
        return None
    if VALUES["float"] in words:
        words = [word for word in words if word != VALUES["int"]]
    words += [f"one of {', '.join(dict.fromkeys(choices))}"] if choices else []
    return " or ".join(word for word in dict.fromkeys(words) if word != VALUES["NoneType"])


def _names_no_class(way: str, class_path: str = "") -> str | None:
    """The name that was looked for as that of a class."""
    if match := re.match(r"Expected a dot import path string: (.*)", way):
        return match[1]
    match = re.fullmatch(r"module '.*' has no attribute '(\w+)'", way)
    return match[1] if match and match[1] == class_path.rpartition(".")[2] else None


def _class_path(reason: Reason) -> str:
    """Of the class whose settings are refused."""
    match = re.match(r"Namespace\(class_path='([\w.]+)'", reason.given)
    return match[1] if match else next(iter(reason.classes[-1:]), "")


def _unknown_key(asked: list[str], options: list[list[str]]) -> str:
    """What is wrong with a key of a config, from its path and those of all options."""
    depth = next(place for place in range(len(asked)) if asked[: place + 1] not in [o[: place + 1] for o in options])
    known = sorted({o[depth] for o in options if o[:depth] == asked[:depth] and len(o) > depth} - NOT_IN_CONFIGS)
    owner = ".".join(asked[:depth]) or "a config"
    choice = f"it has {', '.join(known)}" if len(known) <= MANY else "genzoo VERB --help lists them all"
    return f"{owner} has no setting {asked[depth]}; {nearest(asked[depth], known)}{choice}"
