"""Files that are no checkpoints, made of one that is."""

import os

import numpy as np
import torch
from PIL import Image


class Payload:
    """Makes a folder when it is unpickled, as a sign that code has run."""

    def __init__(self, sign):
        self.sign = str(sign)

    def __reduce__(self):
        return os.makedirs, (self.sign, 0o777, True)


def _without(*names):
    return lambda path, whole: torch.save({name: value for name, value in whole.items() if name not in names}, path)


def _with(**entries):
    return lambda path, whole: torch.save(whole | entries, path)


def _cut_off(path, whole):
    torch.save(whole, path)
    path.write_bytes(path.read_bytes()[:-1000])


def _archive(path, whole):
    with path.open("wb") as file:
        np.savez(file, weights=np.zeros(3))


def sign_beside(path):
    """The folder that a payload makes."""
    return path.with_name("code_has_run")


# How each is written, and the words that tell what is wrong with it.
SPOILED = {
    "truncated": (_cut_off, "is cut off, damaged"),
    "empty": (lambda path, whole: path.touch(), "is empty"),
    "garbage": (lambda path, whole: path.write_bytes(bytes(range(256)) * 40), "is no checkpoint"),
    "text": (lambda path, whole: path.write_text("model: VAE\n" * 9), "is no checkpoint"),
    "picture": (lambda path, whole: Image.new("L", (28, 28)).save(path, format="PNG"), "is no checkpoint"),
    "archive": (_archive, "an archive that is no checkpoint"),
    "folder": (lambda path, whole: path.mkdir(), "is a folder"),
    "pipe": (lambda path, whole: os.mkfifo(path), "is no regular file"),
    "list": (lambda path, whole: torch.save([1, 2], path), "holds a list"),
    "tensor": (lambda path, whole: torch.save(torch.zeros(3), path), "holds a Tensor"),
    "bare state_dict": (lambda path, whole: torch.save(whole["state_dict"], path), "holds no state_dict"),
    "bare weights": (lambda path, whole: torch.save({"weight": torch.zeros(3)}, path), "holds bare weights"),
    "no state_dict": (_without("state_dict"), "holds no state_dict"),
    "state_dict of another type": (_with(state_dict=[1]), "its state_dict is of type list"),
    "optimiser states of another type": (_with(optimizer_states="none"), "its optimizer_states is of type str"),
    "no shape of its data": (_with(hyper_parameters={"data_spec": {}}), "the data_spec in its hyper_parameters has no"),
    "no version": (_without("pytorch-lightning_version"), "which version of Lightning wrote it"),
    "unreadable version": (_with(**{"pytorch-lightning_version": "newest"}), "is 'newest'"),
    "payload": (lambda path, whole: torch.save(Payload(sign_beside(path)), path), "which is no plain data"),
    "payload in a checkpoint": (
        lambda path, whole: torch.save(whole | {"extra": Payload(sign_beside(path))}, path),
        "makedirs, which is no plain data and could run code; nothing of it was run",
    ),
    "old payload": (
        lambda path, whole: torch.save(Payload(sign_beside(path)), path, _use_new_zipfile_serialization=False),
        "which is no plain data",
    ),
}
