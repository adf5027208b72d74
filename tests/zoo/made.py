"""Entries made by hand, with what little listing and showing need."""

import hashlib
import json

from genzoo.zoo.entry import FORMAT

SPEC = {"shape": [1, 32, 32], "native_size": 28, "class_names": ["coat", "bag"], "range": [-1.0, 1.0]}
SCORES = [
    {"name": "fd/fashion-mnist-plain", "value": 1.25, "floor": 0.0625, "higher_is_better": False, "protocol": {}},
    {"name": "sharpness", "value": None, "floor": None, "higher_is_better": None, "protocol": {}},
]


def record(weights=b"weights", **changes):
    """What a ``model.json`` holds."""
    about = {"sha256": hashlib.sha256(weights).hexdigest(), "bytes": len(weights), "kind": "raw", "parameters": 2}
    return {
        "format": FORMAT,
        "genzoo": "0.1.0",
        "name": "clothes",
        "model": "genzoo.ConditionalGAN",
        "sampler": {"class_path": "genzoo.sampling.generators.GeneratorSampler", "init_args": {}},
        "data_spec": SPEC,
        "data": {"class_path": "genzoo.FashionMNISTMini", "init_args": {"batch_size": 64}},
        "weights": about,
        "training": {"epochs": 30, "steps": 4200, "seed": 0},
    } | changes


def make_entry(folder, weights=b"weights", scores=SCORES, **changes):
    """An entry whose weights are any bytes."""
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps(record(weights, **changes)))
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "README.md").write_text("---\nlibrary_name: genzoo\n---\n\n# Clothes\n\nDrawn by a network.\n")
    if scores:
        (folder / "scores.json").write_text(json.dumps(scores))
    return folder
