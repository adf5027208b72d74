import numpy as np
import pytest
import torch

from genzoo.data.binarised import BinarisedImages, BinarizedFashionMNIST, BinarizedFashionMNISTMini
from tests.data.test_images import Numbered, Recorder, trainer


class Greys(BinarisedImages, Numbered):
    """Images of the five greys 0, 51, ..., the grey being the label; the first row spells the number in bits."""

    def load(self, split):
        _, labels = super().load(split)
        images = np.empty((len(labels), 1, 28, 28), np.uint8)
        images[:] = 51 * labels[:, None, None, None]
        images[:, 0, 0, :16] = 255 * ((np.arange(len(labels))[:, None] >> np.arange(16)) & 1)
        return images, labels


class Keeper(Recorder):
    """Keeps the batches of every stage."""

    def __init__(self):
        super().__init__()
        self.kept = {"train": [], 0: [], 1: [], "test": []}

    def training_step(self, batch, batch_idx):
        self.kept["train"].append(batch)
        return self.weight**2

    def validation_step(self, batch, batch_idx, dataloader_idx=0):
        self.kept[dataloader_idx].append(batch)

    def test_step(self, batch, batch_idx):
        self.kept["test"].append(batch)


def run(data, **settings):
    keeper = Keeper()
    fitting = trainer(max_epochs=2, **settings)
    fitting.fit(keeper, data)
    fitting.test(keeper, data, verbose=False)
    return {name: [torch.cat(column) for column in zip(*batches, strict=True)] for name, batches in keeper.kept.items()}


def places(x):
    return ((x[:, 0, 0, :16] > 0) * 2 ** torch.arange(16)).sum(1).tolist()


@pytest.fixture(autouse=True)
def seed(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "3")


@pytest.fixture(scope="module")
def stages():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PL_GLOBAL_SEED", "3")
        return run(Greys(batch_size=25))


def test_pixels_are_bits_with_the_greys_as_probabilities(stages):
    for x, y in stages.values():
        assert set(x.unique().tolist()) == {-1.0, 1.0}
        for label in range(5):
            share = (x[y == label][:, :, 1:] > 0).float().mean().item()
            assert share == pytest.approx(label / 5, abs=0.02)
    train, labels = stages["train"]
    assert (train[labels == 0][:, :, 1:] == -1).all()


def test_training_pixels_are_drawn_anew_at_every_step(stages):
    x, y = stages["train"]
    first = dict(zip(places(x[:250]), x[:250], strict=True))
    again = [
        (image != first[place]).float().mean().item()
        for place, image, label in zip(places(x[250:]), x[250:], y[250:], strict=True)
        if label == 2
    ]
    # Two draws with p = 0.4 differ in 2 p (1 - p) = 0.48 of the pixels.
    assert np.mean(again) == pytest.approx(0.48 * 27 / 28, abs=0.02)


def test_validation_and_test_bits_are_fixed_for_every_batch_size_and_run(stages, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "4")
    other = run(Greys(batch_size=7))
    assert torch.equal(stages[0][0][:50], stages[0][0][50:])
    for stage in (0, 1, "test"):
        assert torch.equal(other[stage][0], stages[stage][0])
    assert not torch.equal(run(Greys(batch_size=25, bits_seed=1))["test"][0], stages["test"][0])


def test_bits_belong_to_the_images_whatever_is_held_out():
    def bits(fraction):
        data = Greys(validation_fraction=fraction)
        data.setup("fit")
        images, _ = data.parts["validation"].__getitems__(range(len(data.parts["validation"])))
        return dict(zip(places(images.int()), images, strict=True))

    few, many = bits(0.1), bits(0.5)
    assert set(few) < set(many)
    assert all(torch.equal(image, many[place]) for place, image in few.items())


def test_training_draws_are_a_function_of_the_seed(stages, monkeypatch):
    same = run(Greys(batch_size=25))
    assert torch.equal(same["train"][0], stages["train"][0])
    monkeypatch.setenv("PL_GLOBAL_SEED", "4")
    assert not torch.equal(run(Greys(batch_size=25))["train"][0], stages["train"][0])


def test_test_bits_differ_from_validation_bits_of_the_same_places():
    data = Greys(validation_fraction=0.9)
    data.setup("fit")
    data.setup("test")
    test = data.parts["test"].images
    held_out, _ = data.parts["validation"].__getitems__(range(len(data.parts["validation"])))
    both = dict(zip(places(held_out.int()), held_out.numpy(), strict=True))
    assert not any((both[place] == image).all() for place, image in enumerate(test) if place in both and place % 5)


def test_a_sixth_is_held_out_at_random(stages):
    assert len(stages[0][0]) == 100
    data = Greys()
    data.setup("fit")
    assert [len(data.parts[part]) for part in ("train", "validation", "seen")] == [250, 50, 50]
    assert data.spec["binarised"] is True


def test_the_protocol_of_the_mini_data_set():
    data = BinarizedFashionMNISTMini(batch_size=100)
    assert data.spec["shape"] == [1, 28, 28]
    assert data.spec["binarised"]
    data.setup("fit")
    assert len(data.parts["validation"]) == 1667
    assert set(np.unique(data.parts["validation"].images)) == {0, 255}


def test_the_official_split_is_fifty_to_ten_thousand(monkeypatch):
    arrays = np.zeros((60_000, 1, 28, 28), np.uint8), np.zeros(60_000, np.int64)
    monkeypatch.setattr(BinarizedFashionMNIST, "load", lambda self, split: arrays)
    data = BinarizedFashionMNIST(root="data")
    data.setup("fit")
    assert [len(data.parts[part]) for part in ("train", "validation")] == [50_000, 10_000]


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_native_bits_are_the_same_at_every_image_size(part):
    native, padded, enlarged = (Greys(image_size=size) for size in (28, 32, 64))
    for data in (native, padded, enlarged):
        data.setup("fit")
        data.setup("test")
    bits = native.array(part)
    assert set(np.unique(bits.images)) == {0, 255}
    for data in (native, padded, enlarged):
        assert np.array_equal(data.native_array(part).images, bits.images)
        assert np.array_equal(data.native_array(part).labels, bits.labels)
