"""Model cards: a head that machines read, in the form of the Hugging Face Hub, and prose and tables below it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from genzoo.zoo.entry import BETTER, CONFIG, PICTURE, SCORES, Recorded, describe_items

# Names of what models do, as the Hub has them.
IMAGES, IMAGE_TO_IMAGE, FEATURES = "unconditional-image-generation", "image-to-image", "image-feature-extraction"


@dataclass(frozen=True)
class Facts(Recorded):
    """What a card is made of: all of it from the run, its data and its sampler, but for title, prose and licence.

    Args:
        address: By which the model is loaded: its name, or ``user/name`` on the Hub.
        title: Heading of the card.
        description: What the user says of it; a sentence made of model and data if empty.
        license: Of the weights, as the Hub names it (``mit``); empty if none is stated.
        record: What ``model.json`` holds.
        settings: What it was trained with, as published.
        scores: As in ``scores.json``.
        model_line: What the model is, in a line.
        data_line: What the data are, in a line; empty if that is not known.
        data_license: Of the data; empty if that is not known.
        data_on_hub: Name of the data on the Hub; empty if they have none.
        condition: What samples depend on, in words, such as ``10 classes``.
        is_conditional: Whether they depend on anything.
        has_default: Whether they can be drawn without naming it.
        task: What the model does, as the Hub names it; empty for what it has no name for.
        caption: What the picture shows; empty if there is none.
        can_sample: Whether it draws samples.
        has_changed: Whether the run went on with other settings on the way.
    """

    address: str
    title: str
    description: str
    license: str
    record: dict[str, Any]
    settings: dict[str, Any]
    scores: Sequence[dict[str, Any]]
    model_line: str
    data_line: str
    data_license: str
    data_on_hub: str
    condition: str
    is_conditional: bool
    has_default: bool
    task: str
    caption: str
    can_sample: bool
    has_changed: bool


def card(facts: Facts) -> str:
    """A model card, Markdown below a head in YAML."""
    head = yaml.safe_dump(_head(facts), sort_keys=False, allow_unicode=True)
    sections = [
        f"# {facts.title}",
        facts.description or f"{_with_article(facts.model)}{f' trained on {facts.data}' if facts.data else ''}.",
        f"![{facts.caption}]({PICTURE})\n\n{facts.caption}" if facts.caption else "",
        "## Use",
        *_use(facts),
        "## Data",
        _data(facts),
        "## Training",
        *_training(facts),
        "## Scores",
        *_scores(facts),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(facts)),
        "## Licence",
        f"Of the weights: {facts.license or 'none is stated'}. Of the data: {facts.data_license or 'not recorded'}.",
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _head(facts: Facts) -> dict[str, Any]:
    head = {
        "license": facts.license,
        "library_name": "genzoo",
        "pipeline_tag": facts.task,
        "tags": ["genzoo", "pytorch", "generative-model", facts.model],
        "datasets": [facts.data_on_hub] if facts.data_on_hub else [],
        "model-index": _model_index(facts),
    }
    return {key: value for key, value in head.items() if value}


def _model_index(facts: Facts) -> list[dict[str, Any]]:
    """Scores as the Hub reads them; one that is no number has no place there."""
    metrics = [
        {"type": score["name"], "value": score["value"], "name": score["name"]}
        | ({} if score.get("floor") is None else {"args": {"real_data": score["floor"]}})
        for score in facts.scores
        if score["value"] is not None
    ]
    if not metrics:
        return []
    split = facts.scores[0].get("protocol", {}).get("split", "test")
    dataset = {"type": facts.data_on_hub or facts.data, "name": facts.data, "split": split}
    task = {"type": facts.task or "other"}
    return [{"name": facts.title, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]


def _use(facts: Facts) -> list[str]:
    python = ["import genzoo", "", f'model = genzoo.load("{facts.address}")']
    if not facts.can_sample:
        python.append("codes = model.encode(images)  # floats in [-1, 1]; model.decode(codes) is the way back")
        return [_code("python", python)]
    names = facts.record["data_spec"].get("class_names")
    if facts.is_conditional and not facts.has_default:
        python.append(f"samples = model.sample(len(y), y=y, seed=0)  # y: {facts.condition}, one for each")
        return [_code("python", python), _code("sh", [f"genzoo sample {facts.address} --condition y.npy"])]
    python.append('model.sample(64, seed=0).save("samples.png")')
    if facts.is_conditional and names:
        python.append(f'model.sample(8, y="{names[-1]}", seed=0).save("one_class.png")')
    return [_code("python", python), _code("sh", [f"genzoo sample {facts.address}"])]


def _data(facts: Facts) -> str:
    spec = facts.record["data_spec"]
    names = spec.get("class_names") or spec.get("attribute_names") or []
    return _table(
        ("data", facts.data or "not recorded: the checkpoint was published without its run"),
        ("what they are", facts.data_line),
        ("items", f"{describe_items(spec)}, which the model sees as {' x '.join(map(str, spec['shape']))}"),
        ("classes", ", ".join(names)),
        ("training items", _training_items(facts)),
        ("licence", facts.data_license or "not recorded; look where the data come from"),
    )


def _training(facts: Facts) -> list[str]:
    training, weights = facts.record["training"], facts.record["weights"]
    batch_size = facts.record["data"].get("init_args", {}).get("batch_size")
    lines = [
        _table(
            ("model", f"{facts.model}: {facts.model_line}" if facts.model_line else facts.model),
            ("weights", f"{weights['kind']}, {weights['parameters']:,} parameters, {weights['bytes'] / 1e6:.2f} MB"),
            ("depends on", facts.condition if facts.is_conditional else "nothing but noise"),
            ("epochs", training["epochs"] or ""),
            ("steps", training["steps"] or ""),
            ("time", _duration(training.get("seconds"))),
            ("batch size", batch_size),
            ("seed", training["seed"]),
            ("genzoo", facts.record["genzoo"]),
        )
    ]
    if facts.settings:
        shown = {key: facts.settings[key] for key in ("model", "data") if key in facts.settings}
        lines += [
            f"[`{CONFIG}`]({CONFIG}) has all settings; with it this trains the model anew:",
            _code("sh", [f"genzoo fit --config {CONFIG}"]),
            f"Those of {' and '.join(shown)}, without what is null:",
            _code("yaml", yaml.safe_dump(_without_nulls(shown), sort_keys=False).splitlines()),
        ]
    if facts.has_changed:
        lines.append(f"The run went on with other settings on the way; `{CONFIG}` has the last ones.")
    return lines


def _scores(facts: Facts) -> list[str]:
    if not facts.scores:
        return ["None: these weights had not been scored when they were published (`genzoo test RUN` does so)."]
    rows = [
        (score["name"], _short(score["value"]), _short(score.get("floor")), BETTER[score.get("higher_is_better")])
        for score in facts.scores
    ]
    protocols = [score.get("protocol", {}) for score in facts.scores]
    common = [
        (key, value) for key, value in protocols[0].items() if all(key in p and p[key] == value for p in protocols)
    ]
    return [
        _lines(("score", "value", "real data", "better"), rows),
        "*Real data*: what real data get by the same protocol, in place of the model's. A score compares only with "
        f"others of its protocol, which [`{SCORES}`]({SCORES}) has in full; common to all of them:",
        _table(*common),
    ]


def _limits(facts: Facts) -> list[str]:
    number, data = _training_items(facts), facts.data or "its training data"
    limits = [
        f"It was trained on {f'{number} items of ' if number else ''}{data}, and knows nothing but what they show; "
        "whatever they leave out or show too often, so does it.",
        "Items that it makes may come close to single training items, the more so the fewer there were.",
        f"The files hold what makes {'samples' if facts.can_sample else 'codes and reconstructions'} alone: training "
        "cannot go on from them.",
        "Nothing was done to make it fit for decisions about people, for identification, or as evidence of anything: "
        "it is for study, comparison and teaching.",
    ]
    if not facts.scores:
        limits.append("It was published without scores: nothing is known of how good it is.")
    return limits


def _training_items(facts: Facts) -> str:
    """How many items it was trained on, as far as a score's protocol tells."""
    numbers = [score.get("protocol", {}).get("number_training") for score in facts.scores]
    return next((f"{number:,}" for number in numbers if isinstance(number, int)), "")


def _table(*rows: tuple[str, Any]) -> str:
    return _lines(("", ""), [(key, str(value)) for key, value in rows if value not in ("", None)])


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    # A | would end a cell.
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *cells])


def _code(language: str, lines: Sequence[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else f"{timedelta(seconds=round(seconds))} (hours, minutes, seconds)"


def _short(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.4g}"


def _without_nulls(plain: Any) -> Any:
    if isinstance(plain, dict):
        kept = {key: _without_nulls(value) for key, value in plain.items() if value is not None}
        return {key: value for key, value in kept.items() if value not in ({}, [])}
    return [_without_nulls(value) for value in plain] if isinstance(plain, list) else plain


def _with_article(model: str) -> str:
    return f"{'An' if model[:1] in 'AEIOU' else 'A'} {model}"
