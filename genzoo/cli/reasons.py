"""The reasons in a message of jsonargparse: the innermost setting or class, and why each way to read it failed."""

import re
import textwrap
from dataclasses import dataclass, replace

WAYS = r"Does not validate against any of the Union subtypes\nSubtypes: .*?\nErrors:\n(.*)\nGiven value type: .*?\n"
MISFITS = r"Expected (?:a )?(?:<class '|typing\.|dot import path|'[\w.]+' to be a subclass)|Not a valid subclass of "


@dataclass(frozen=True)
class Reason:
    """Why one way to read a setting failed.

    Attributes:
        text: What is said of it in the end; of any length.
        settings: The settings on the way there, from the outermost to the one that is refused.
        classes: The class paths on the way there; the last may be the value of that setting.
        owner: Class path that the setting belongs to; empty if it belongs to none.
        given: What was given, as the message shows it; empty if it does not.
    """

    text: str
    settings: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    owner: str = ""
    given: str = ""


def reasons(message: str) -> list[Reason]:
    """The reasons of the innermost setting or class that a message speaks of.

    A message is nested: what is inside a setting (``Parser key``), a class (``Problem with given class_path``) or
    several ways to read a value (``Union``) is indented below it. A way that led further inside is the one that was
    meant, and a way that says more than which type it wanted.

    Args:
        message: Of jsonargparse, over several lines.

    Returns:
        At least one reason, each once.
    """
    found = list(dict.fromkeys(_within(message.strip(), Reason(""))))
    depth = max(len(reason.settings) + len(reason.classes) for reason in found)
    innermost = [reason for reason in found if len(reason.settings) + len(reason.classes) == depth]
    telling = [reason for reason in innermost if not re.match(MISFITS, reason.text)]
    return telling or innermost


def _within(message: str, outer: Reason) -> list[Reason]:
    """The reasons in a message, below what is known from around it."""
    # That the value might have been a file is the parser's guess for any text.
    message = re.sub(r"\A- Expected a path but .*?either not accessible or invalid\n- ", "", message, flags=re.DOTALL)
    if match := re.match(r'Parser key "([^"\n]+)"(?: element \d+)?:(.*)', message, re.DOTALL):
        owner = next(iter(outer.classes[-1:]), "")
        return _within(_outdented(match[2]), replace(outer, settings=(*outer.settings, match[1]), owner=owner))
    if match := re.match(r"Problem with given class_path '(.*?)':\n(.*)", message, re.DOTALL):
        return _within(_outdented(match[2]), replace(outer, classes=(*outer.classes, match[1])))
    if match := re.match(r"Type .*? expects a function or a callable class: (.*)", message, re.DOTALL):
        inner, given = _and_given(match[1], r"Namespace\(class_path=")
        return _within(inner, replace(outer, given=given or outer.given))
    if match := re.match(r"Unable to load config .*?\n\s+- (.*)", message, re.DOTALL):
        return _within(match[1], outer)
    if match := re.match(WAYS + "Given value: ?(.*)", message, re.DOTALL):
        given = _and_given(match[2])[0]
        ways = re.split("^- ", textwrap.dedent(match[1]), flags=re.MULTILINE)[1:]
        return [reason for way in ways for reason in _within(_outdented(way), replace(outer, given=given))]
    text, given = _and_given(message.partition("\nSubclass types expect one of:\n")[0])
    return [replace(outer, text=text, given=given or outer.given)]


def _outdented(text: str) -> str:
    """A text whose lines, but for the first, stand further to the right, or all of them."""
    first, _, others = text.partition("\n")
    return f"{first}\n{textwrap.dedent(others)}".strip()


def _and_given(text: str, value: str = "") -> tuple[str, str]:
    """A text without the value that it ends with, and that value."""
    match = re.fullmatch(rf"(.*)\. Got value: ({value}.*)", text, re.DOTALL)
    return (match[1], match[2]) if match else (text, "")
