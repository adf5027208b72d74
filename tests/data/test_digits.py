import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from genzoo.data.digits import Digits, StackedDigits
from genzoo.data.idx import FILE_NAMES
from tests.data.official_files import labelled, write_idx


def test_digits_are_scikit_learns_scaled_to_bytes():
    (images, labels), (test_images, test_labels) = Digits().load("train"), Digits().load("test")
    assert images.shape[1:] == (1, 8, 8)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert (images.min(), images.max()) == (0, 255)
    rows = [(image.tobytes(), label) for image, label in zip(images, labels, strict=True)]
    rows += [(image.tobytes(), label) for image, label in zip(test_images, test_labels, strict=True)]
    bundled = load_digits()
    expected = np.round(bundled.images * 255 / 16).astype(np.uint8)
    assert sorted(rows) == sorted(
        (image.tobytes(), label) for image, label in zip(expected, bundled.target, strict=True)
    )


def test_a_fifth_of_each_class_of_digits_is_for_the_test():
    counts = np.bincount(Digits().load("test")[1])
    assert counts.sum() == 359
    assert (counts - np.bincount(load_digits().target) / 5 < 1).all()
    assert len(Digits(test_fraction=0.5).load("test")[0]) == 898


def test_digits_name_the_package_that_they_need(monkeypatch):
    for name in ("sklearn", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ModuleNotFoundError, match=r"Digits needs the package scikit-learn, .* `pip install scikit-learn`"
    ):
        Digits().prepare_data()
    with pytest.raises(ModuleNotFoundError, match="scikit-learn"):
        StackedDigits().prepare_data()


@pytest.mark.parametrize("split", ["train", "test"])
def test_stacked_digits_are_three_digits_of_the_same_split(split):
    images, labels = StackedDigits(training_images=3000, test_images=3000).load(split)
    assert images.shape == (3000, 3, 8, 8)
    assert images.dtype == np.uint8
    label_of = {image.tobytes(): label for image, label in zip(*Digits().load(split), strict=True)}
    digits = np.array([[label_of[channel.tobytes()] for channel in image] for image in images])
    assert np.array_equal(labels, 100 * digits[:, 0] + 10 * digits[:, 1] + digits[:, 2])
    assert len(set(labels)) > 900
    # Each digit of each channel is as frequent as it should be, to within five standard errors.
    shares = np.stack([np.bincount(channel, minlength=10) for channel in digits.T]) / 3000
    assert abs(shares - 0.1).max() < 0.03


def test_stacked_digits_depend_on_their_seed_alone():
    def stacked(**settings):
        return StackedDigits(training_images=50, **settings).load("train")[1].tolist()

    assert stacked() == stacked(subset=10)
    assert stacked() != stacked(seed=1)
    assert StackedDigits(test_images=50).load("test")[1].tolist() != stacked()


def test_stacked_digits_of_mnist(tmp_path):
    images, labels = labelled(10, 1, 28)
    write_idx(tmp_path, FILE_NAMES, images, labels)
    data = StackedDigits("mnist", root=str(tmp_path), training_images=40, batch_size=8)
    assert data.spec["native_size"] == 28
    assert data.spec["class_names"][123] == "123"
    assert len(data.spec["class_names"]) == 1000
    data.prepare_data()
    images, labels = data.load("train")
    assert np.array_equal(images[:, :, 0, 0] @ [100, 10, 1], labels)
    data.setup("fit")
    assert next(iter(data.train_dataloader()))[0].shape == (8, 3, 32, 32)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "letters"}, "source is 'letters'"),
        ({"training_images": 0}, "training_images must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        StackedDigits(**settings)
