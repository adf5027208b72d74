"""The parser of verbs that only load what was trained: the standard library's, which takes no time to import."""

import argparse
import re
from typing import NoReturn

from genzoo.cli.refusals import refuse
from genzoo.names import nearest


class PlainParser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, with the option that may have been meant, and exits with code 2.

    Args:
        verb: What stands behind ``genzoo``.
        description: What the verb does, one sentence.
        epilog: Examples, as they are to be shown.
    """

    def __init__(self, verb: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=f"genzoo {verb}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Ends the program."""
        refuse(self._sentence(message))

    def _sentence(self, message: str) -> str:
        options = [option for action in self._actions for option in action.option_strings]
        if match := re.match(r"unrecognized arguments: (\S+)", message):
            asked = match[1].partition("=")[0]
            return f"{self.prog} has no option {asked}; {nearest(asked, options)}{self.prog} --help lists them all"
        if match := re.match(r"argument (\S+?): invalid choice: '?(.*?)'? \(choose from (.*)\)", message):
            choices = re.findall(r"[\w.-]+", match[3])
            return f"{match[1]} cannot be {match[2]}; {nearest(match[2], choices)}choose one of {', '.join(choices)}"
        if match := re.match(r"argument (\S+?): invalid (\w+) value: '?(.*?)'?$", message):
            kind = {"int": "a whole number", "float": "a number"}.get(match[2], match[2])
            return f"{match[1]} should be {kind}, got {match[3]}"
        if match := re.match(r"the following arguments are required: (.*)", message):
            return f"{self.prog} needs {match[1]}; {self.prog} --help shows examples"
        if match := re.match(r"argument (\S+?): expected (.*)", message):
            return f"{match[1]} needs {match[2].replace('argument', 'value')}; {self.prog} --help shows examples"
        return message
