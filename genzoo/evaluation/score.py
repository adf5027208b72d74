"""A score with all that is needed to compare it and to repeat it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from typing_extensions import Self

from genzoo.files import write_whole
from genzoo.provenance import Plain
from genzoo.zoo.entry import BETTER


@dataclass(frozen=True)
class Score:
    """A number, what real data get, and how both were measured.

    Args:
        name: Such as ``fd/fashion-mnist-plain``.
        value: Of what is scored.
        floor: What real data get by the same protocol; None where that has no meaning.
        higher_is_better: None if neither is.
        protocol: Extractor and its hash, resize, N real, N fake, split, raw or averaged weights, seed, command and
            versions: whatever the number depends on.

    Example:
        >>> from genzoo.evaluation import Score
        >>> score = Score("nll", 228.7, protocol={"samples": 5000})
        >>> Score.from_json(score.to_json()) == score
        True
    """

    name: str
    value: float
    floor: float | None = None
    higher_is_better: bool | None = None
    protocol: Mapping[str, Plain] = field(default_factory=dict)

    def to_json(self) -> str:
        """As one JSON object; a value that is not a number becomes null."""
        entries = asdict(self)
        # JSON knows neither NaN nor infinity, and other readers refuse what Python writes for them.
        for name in ("value", "floor"):
            if entries[name] is not None and not math.isfinite(entries[name]):
                entries[name] = None
        return json.dumps(entries, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The score that `to_json` wrote.

        Raises:
            ValueError: If it is something else.
        """
        try:
            entries = json.loads(text)
            value = entries.pop("value")
            return cls(value=math.nan if value is None else value, **entries)
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"expected the JSON of a score, got {text[:80]!r}; write it with Score.to_json") from error


def score_table(scores: Sequence[Score]) -> str:
    """Scores as a Markdown table, and below it what their protocols have in common.

    Example:
        >>> from genzoo.evaluation import Score
        >>> from genzoo.evaluation.score import score_table
        >>> print(score_table([Score("nll", 228.7, protocol={"samples": 5000})]))
        | score | value | real data | better |
        |---|---|---|---|
        | nll | 228.7 |  |  |
        <BLANKLINE>
        samples: 5000
    """
    lines = ["| score | value | real data | better |", "|---|---|---|---|"]
    for score in scores:
        floor = "" if score.floor is None else _short(score.floor)
        lines.append(f"| {score.name} | {_short(score.value)} | {floor} | {BETTER[score.higher_is_better]} |")
    common = [
        f"{key}: {value}"
        for key, value in (scores[0].protocol.items() if scores else ())
        if all(score.protocol.get(key, ...) == value for score in scores)
    ]
    return "\n".join([*lines, "", *common])


def _short(value: float) -> str:
    return f"{value:.4g}"


def write_scores(scores: Sequence[Score], path: Path) -> None:
    """Writes scores as a JSON list; the file is either whole or not there."""
    write_whole(path, "[\n" + ",\n".join(score.to_json() for score in scores) + "\n]\n")
