"""How warnings look that reach the user."""

import torch

from genzoo.cli import verbs
from genzoo.cli.warning_filters import warning_text


def test_warnings_of_ours_are_sentences_and_those_of_libraries_say_where_they_come_from():
    own, torchs = (warning_text(UserWarning("no"), UserWarning, module.__file__, 3) for module in (verbs, torch))
    assert own == "genzoo: no\n"
    assert torchs.startswith(f"{torch.__file__}:3: UserWarning: no")
