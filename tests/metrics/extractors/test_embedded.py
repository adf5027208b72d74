import numpy as np
import pytest
import torch

import genzoo.data
from genzoo.data import Digits, FashionMNISTMini
from genzoo.metrics.extractors import embedded
from genzoo.metrics.extractors.embedded import ASSETS, EMBEDDED, embedded_extractor


def accuracy(name, data):
    images, labels = data.load("test")
    logits = embedded_extractor(name)(torch.tensor(images)).logits
    return float((logits.argmax(1) == torch.tensor(labels)).double().mean())


@pytest.mark.parametrize("name", ["fashion-mnist-plain", "fashion-mnist-residual"])
def test_clothes_are_told_apart(name):
    assert accuracy(name, FashionMNISTMini()) >= 0.91


def test_digits_are_told_apart():
    assert accuracy("digits", Digits()) >= 0.98


@pytest.mark.parametrize("name", EMBEDDED)
def test_each_is_small_and_the_one_on_its_card(name):
    extractor, entry = embedded_extractor(name), EMBEDDED[name]
    assert (ASSETS / f"{name}.npz").stat().st_size < 1_000_000
    assert extractor.feature_dim >= (64 if name == "digits" else 128)
    data = getattr(genzoo.data, entry.data)
    assert (data.channels, data.native_size, len(data.class_names)) == (entry.channels, entry.size, 10)
    row = next(line for line in (ASSETS / "README.md").read_text().splitlines() if line.startswith(f"| `{name}`"))
    assert entry.hash in row


def test_the_two_for_clothes_are_unlike():
    plain, residual = (embedded_extractor(f"fashion-mnist-{kind}") for kind in ("plain", "residual"))
    assert plain.hash != residual.hash
    images = torch.tensor(FashionMNISTMini().load("test")[0][:100])
    assert abs(np.corrcoef(plain(images).features.flatten(), residual(images).features.flatten())[0, 1]) < 0.9


def test_weights_that_were_touched_are_refused(monkeypatch, tmp_path):
    network = EMBEDDED["digits"].build()
    embedded.write_weights(network, tmp_path / "digits.npz")
    monkeypatch.setattr(embedded, "ASSETS", tmp_path)
    with pytest.raises(ValueError, match="is not the file that was shipped with genzoo; install genzoo again"):
        embedded_extractor("digits")


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="no embedded extractor 'cats'; choose one of fashion-mnist-plain"):
        embedded_extractor("cats")
