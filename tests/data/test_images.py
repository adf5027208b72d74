import numpy as np
import pytest
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from genzoo.data.images import ImageDataModule

CLASSES = 5


class Numbered(ImageDataModule):
    """300 training and 50 test images.

    The first two pixels of each spell its number, and the left half of the second row is black.
    """

    channels = 1
    native_size = 28
    class_names = ("a", "b", "c", "d", "e")

    def load(self, split):
        count = 300 if split == "train" else 50
        images = np.full((count, 1, 28, 28), 255, np.uint8)
        images[:, 0, 0, 0] = np.arange(count) // 256
        images[:, 0, 0, 1] = np.arange(count) % 256
        images[:, 0, 1, :14] = 0
        images.flags.writeable = False
        return images, np.arange(count) % CLASSES


class Recorder(LightningModule):
    """Learns nothing; writes down which images came in which stage, and the batches themselves."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.stop_after = stop_after
        self.epochs = []
        self.batches = []
        self.validated = {0: [], 1: []}
        self.predicted = []

    def on_train_epoch_start(self):
        self.epochs.append([])

    def training_step(self, batch, batch_idx):
        if not self.epochs:
            self.epochs.append([])
        self.epochs[-1].extend(numbers(batch[0]))
        self.batches.append(batch)
        if len(self.batches) == self.stop_after:
            raise InterruptedError
        return self.weight**2

    def validation_step(self, batch, batch_idx, dataloader_idx=0):
        self.validated[dataloader_idx].extend(numbers(batch[0]))

    def test_step(self, batch, batch_idx):
        self.predicted.extend(numbers(batch[0]))

    def predict_step(self, batch, batch_idx):
        self.predicted.extend(numbers(batch[0]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def upper_rows(images):
    """The first two rows of pixels in 0 ... 255, whether they come as floats or bytes, padded or not."""
    pixels = images.long() if images.dtype == torch.uint8 else ((images + 1) * 127.5).round().long()
    margin = 2 if images.shape[-1] == 32 else 0
    return pixels[:, 0, margin : margin + 2, margin : margin + 28]


def flipped(images):
    return upper_rows(images)[:, 1, 0] == 255


def numbers(images):
    """Which images these are, flipped or not."""
    rows = upper_rows(images)[:, 0]
    rows = torch.where(flipped(images)[:, None], rows.flip(-1), rows)
    return (rows[:, 0] * 256 + rows[:, 1]).tolist()


def part(data, name):
    images, labels = data.parts[name].__getitems__(range(len(data.parts[name])))
    return numbers(images), labels


def loaded(stage="fit", **settings):
    data = Numbered(**settings)
    data.setup(stage)
    return data


def trainer(**settings):
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    return Trainer(**{**quiet, "enable_checkpointing": False, "num_sanity_val_steps": 0, **settings})


@pytest.fixture(autouse=True)
def seed(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "3")


def test_the_spec_is_known_before_anything_is_loaded(monkeypatch):
    monkeypatch.setattr(Numbered, "load", lambda self, split: pytest.fail("loaded"))
    assert Numbered().spec == {
        "shape": [1, 32, 32],
        "native_size": 28,
        "class_names": ["a", "b", "c", "d", "e"],
        "range": [-1.0, 1.0],
    }
    assert Numbered(image_size=28).spec["shape"] == [1, 28, 28]


def test_each_stage_loads_what_it_needs():
    assert set(loaded("fit").parts) == set(loaded("validate").parts) == {"train", "validation", "seen"}
    assert set(loaded("test").parts) == set(loaded("predict").parts) == {"test"}


def test_loading_twice_reads_once(monkeypatch):
    data = loaded("fit")
    monkeypatch.setattr(Numbered, "load", lambda self, split: pytest.fail("loaded again"))
    data.setup("validate")


def test_validation_is_a_tenth_of_each_class_and_never_trained_on():
    data = loaded()
    training, _ = part(data, "train")
    validation, labels = part(data, "validation")
    assert len(validation) == 30
    assert labels.bincount().tolist() == [6] * CLASSES
    assert sorted(training + validation) == list(range(300))
    assert [number % CLASSES for number in validation] == labels.tolist()


def test_validation_depends_neither_on_the_subset_nor_on_the_run(monkeypatch):
    validation = part(loaded(), "validation")[0]
    monkeypatch.setenv("PL_GLOBAL_SEED", "4")
    assert part(loaded(subset=20), "validation")[0] == validation


def test_a_subset_is_balanced_and_the_same_in_every_run(monkeypatch):
    training, labels = part(loaded(subset=52), "train")
    assert labels.bincount().tolist() == [11, 11, 10, 10, 10]
    monkeypatch.setenv("PL_GLOBAL_SEED", "4")
    assert part(loaded(subset=52), "train")[0] == training
    assert set(training) < set(part(loaded(subset=100), "train")[0])
    assert set(training).isdisjoint(part(loaded(), "validation")[0])


def test_seen_images_are_training_images_as_many_as_validation_images():
    data = loaded()
    seen, labels = part(data, "seen")
    assert len(set(seen)) == len(part(data, "validation")[0])
    assert set(seen) < set(part(data, "train")[0])
    assert labels.bincount().tolist() == [6] * CLASSES
    assert len(part(loaded(subset=10), "seen")[0]) == 10


def test_without_validation_all_is_trained_on():
    data = loaded(validation_fraction=0.0)
    assert part(data, "train")[0] == list(range(300))
    assert data.val_dataloader() == []


def test_padding_keeps_every_pixel_and_adds_black():
    small, large = loaded(image_size=28).parts["train"], loaded().parts["train"]
    images, padded = small.__getitems__(range(270))[0], large.__getitems__(range(270))[0]
    assert padded.shape == (270, 1, 32, 32)
    assert torch.equal(padded[..., 2:30, 2:30], images)
    assert padded.sum() == images.sum()


def test_other_sizes_are_resized():
    images, _ = loaded(image_size=14).parts["train"].__getitems__(range(3))
    assert images.shape == (3, 1, 14, 14)
    assert images[:, :, 5:].eq(255).all()


def test_training_batches_are_whole_and_evaluation_batches_are_all():
    data = loaded(batch_size=40)
    data.setup("test")
    assert [len(labels) for _, labels in data.train_dataloader()] == [40] * 6
    assert [[len(labels) for _, labels in loader] for loader in data.val_dataloader()] == [[30], [30]]
    assert [len(labels) for _, labels in data.test_dataloader()] == [40, 10]
    assert [number for images, _ in data.predict_dataloader() for number in numbers(images)] == list(range(50))


def test_bytes_become_floats_from_minus_one_to_one():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    floats, labels = Numbered().on_after_batch_transfer((images, torch.arange(3)), 0)
    assert floats.dtype == torch.float32
    assert floats.flatten().tolist() == pytest.approx([-1.0, -0.6, 1.0], abs=1e-6)
    assert (floats.min(), floats.max()) == (-1.0, 1.0)
    assert labels.tolist() == [0, 1, 2]


def test_floats_are_left_alone():
    images = torch.rand(3, 1, 4, 4)
    assert Numbered(horizontal_flip=True).on_after_batch_transfer([images, None], 0)[0] is images


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"subset": 0}, "subset must be at least 1, got 0"),
        ({"validation_fraction": 1.0}, r"validation_fraction is 1\.0"),
        ({"validation_fraction": -0.1}, r"validation_fraction is -0\.1"),
    ],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        Numbered(**settings)


def test_a_subset_larger_than_the_training_part_is_refused():
    with pytest.raises(ValueError, match="subset is 271, but only 270 training images remain beside 30"):
        loaded(subset=271)


def test_a_batch_that_can_never_be_filled_is_refused():
    with pytest.raises(ValueError, match=r"batch_size is 64, but each of 1 .* only 50 training images"):
        loaded(subset=50, batch_size=64).train_dataloader()


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="batchsize"):
        Numbered(batchsize=3)


def test_training_sees_each_image_once_per_epoch_in_a_new_order():
    recorder, data = Recorder(), Numbered(batch_size=27)
    trainer(max_epochs=2).fit(recorder, data)
    first, second = recorder.epochs
    assert sorted(first) == sorted(second) == sorted(part(data, "train")[0])
    assert first != second
    assert recorder.batches[0][0].shape == (27, 1, 32, 32)
    assert recorder.batches[0][0].dtype == torch.float32
    assert (recorder.batches[0][0].amin(), recorder.batches[0][0].amax()) == (-1.0, 1.0)
    assert recorder.validated == {0: 2 * part(data, "validation")[0], 1: 2 * part(data, "seen")[0]}


def test_the_order_follows_the_seed_of_the_run(monkeypatch):
    def first_epoch():
        recorder = Recorder()
        trainer(max_epochs=1).fit(recorder, Numbered(batch_size=27))
        return recorder.epochs[0]

    before = first_epoch()
    assert first_epoch() == before
    monkeypatch.setenv("PL_GLOBAL_SEED", "4")
    assert first_epoch() != before


def test_a_run_without_validation():
    recorder = Recorder()
    trainer(max_epochs=1).fit(recorder, Numbered(validation_fraction=0.0, batch_size=100))
    assert len(recorder.epochs[0]) == 300
    assert recorder.validated == {0: [], 1: []}


def test_testing_and_predicting_see_the_test_split_in_order():
    recorder = Recorder()
    trainer().test(recorder, Numbered(batch_size=16), verbose=False)
    trainer().predict(recorder, Numbered(batch_size=16))
    assert recorder.predicted == 2 * list(range(50))


def test_flips_are_tossed_per_image_and_reproducible():
    def flips():
        recorder, data = Recorder(), Numbered(batch_size=90, horizontal_flip=True)
        trainer(max_epochs=2).fit(recorder, data)
        assert sorted(recorder.epochs[0]) == sorted(part(data, "train")[0])
        return [flipped(images).tolist() for images, _ in recorder.batches]

    tossed = flips()
    assert flips() == tossed
    assert len({tuple(batch) for batch in tossed}) == 6
    assert 0.4 < np.mean(tossed) < 0.6


def test_only_training_images_are_flipped():
    class Watcher(Recorder):
        def validation_step(self, batch, batch_idx, dataloader_idx=0):
            assert not flipped(batch[0]).any()
            self.validated[dataloader_idx].extend(numbers(batch[0]))

    watcher = Watcher()
    trainer(max_epochs=1, num_sanity_val_steps=1).fit(watcher, Numbered(batch_size=90, horizontal_flip=True))
    assert len(watcher.validated[1]) == 60
    assert any(flipped(images).any() for images, _ in watcher.batches)


def test_without_asking_nothing_is_flipped():
    recorder = Recorder()
    trainer(max_epochs=1).fit(recorder, Numbered(batch_size=90))
    assert not any(flipped(images).any() for images, _ in recorder.batches)


class Save(Callback):
    """Saves the run after its n-th batch, after the validation in its n-th epoch, or when that has ended."""

    def __init__(self, path, batches=None, validations=None, epochs=None):
        self.path, self.batches, self.validations, self.epochs = path, batches, validations, epochs

    def on_train_batch_end(self, trainer, module, *_):
        if len(module.batches) == self.batches:
            trainer.save_checkpoint(self.path)

    def on_validation_end(self, trainer, module):
        if len(module.epochs) == self.validations:
            trainer.save_checkpoint(self.path)

    def on_train_epoch_end(self, trainer, module):
        if len(module.epochs) == self.epochs:
            trainer.save_checkpoint(self.path)

    def on_exception(self, trainer, module, exception):
        trainer.save_checkpoint(self.path)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("saved", "batches_done"),
    [
        ({"batches": 1}, 1),
        ({"batches": 2}, 2),
        ({"batches": 3}, 3),  # the last of the first epoch, which has not ended
        ({"validations": 1}, 3),
        ({"epochs": 1}, 3),
        ({"batches": 4}, 4),
    ],
)
def test_a_resumed_run_continues_with_the_very_next_batch(tmp_path, saved, batches_done, workers):
    def run(recorder, **settings):
        data = Numbered(batch_size=90, horizontal_flip=True, num_workers=workers)
        fitting = trainer(max_epochs=3, callbacks=settings.pop("callbacks", []))
        fitting.fit(recorder, data, weights_only=True, **settings)
        return recorder.batches

    straight = run(Recorder(), callbacks=[Save(tmp_path / "run.ckpt", **saved)])
    resumed = run(Recorder(), ckpt_path=tmp_path / "run.ckpt")
    assert len(straight) == 9
    assert len(resumed) == 9 - batches_done
    for (images, labels), (same_images, same_labels) in zip(straight[batches_done:], resumed, strict=True):
        assert torch.equal(images, same_images)
        assert torch.equal(labels, same_labels)


@pytest.mark.parametrize("stop_after", [2, 3, 4])
def test_a_batch_that_was_interrupted_is_seen_again(tmp_path, stop_after):
    straight, broken, resumed = Recorder(), Recorder(stop_after), Recorder()
    trainer(max_epochs=2).fit(straight, Numbered(batch_size=90))
    with pytest.raises(InterruptedError):
        trainer(max_epochs=2, callbacks=[Save(tmp_path / "run.ckpt")]).fit(broken, Numbered(batch_size=90))
    trainer(max_epochs=2).fit(resumed, Numbered(batch_size=90), ckpt_path=tmp_path / "run.ckpt")
    images = [numbers(batch[0]) for batch in straight.batches]
    assert [numbers(batch[0]) for batch in resumed.batches] == images[stop_after - 1 :]


def test_ranks_share_the_images():
    class Place:
        world_size = 2

        def __init__(self, rank):
            self.global_rank = rank

    shares = []
    for rank in range(2):
        data = loaded("test")
        data.trainer = Place(rank)
        shares.append([number for images, _ in data.test_dataloader() for number in numbers(images)])
    assert shares == [list(range(0, 50, 2)), list(range(1, 50, 2))]


@pytest.mark.parametrize(("label", "message"), [(5, "label 5 at place 7"), (-1, "label -1 at place 7")])
def test_a_label_outside_the_classes_is_refused(monkeypatch, label, message):
    images, labels = Numbered().load("train")
    labels[7] = label
    monkeypatch.setattr(Numbered, "load", lambda self, split: (images, labels))
    with pytest.raises(ValueError, match=f"the train split of Numbered has {message}, but its 5 classes .* 0 to 4;"):
        loaded()


def test_labels_without_classes_are_refused(monkeypatch):
    monkeypatch.setattr(Numbered, "class_names", ())
    with pytest.raises(ValueError, match="has label 1 at place 1, but it has no class_names; correct"):
        loaded()


def test_images_of_another_shape_or_type_than_promised_are_refused(monkeypatch):
    monkeypatch.setattr(Numbered, "native_size", 30)
    with pytest.raises(ValueError, match=r"uint8 images of shape \(1, 28, 28\); expected uint8 of shape \(1, 30, 30\)"):
        loaded()


def test_vectors_may_stand_for_labels(monkeypatch):
    images, labels = Numbered().load("train")
    vectors = np.eye(CLASSES, dtype=np.float32)[labels]
    monkeypatch.setattr(Numbered, "load", lambda self, split: (images, vectors))
    data = loaded(subset=50)
    chosen, conditions = part(data, "train")
    assert conditions.shape == (50, CLASSES)
    assert conditions.dtype == torch.float32
    assert conditions.argmax(1).tolist() == [number % CLASSES for number in chosen]


@pytest.mark.parametrize("image_size", [16, 28, 32, 64])
@pytest.mark.parametrize("settings", [{}, {"subset": 40, "validation_fraction": 0.2, "horizontal_flip": True}])
def test_native_arrays_are_the_pixels_of_the_file_at_every_image_size(image_size, settings):
    data = Numbered(image_size=image_size, **settings)
    for stage in ("fit", "test"):
        data.setup(stage)
    for part in ("train", "validation", "seen", "test"):
        images, labels = data.load("test" if part == "test" else "train")
        native = data.native_array(part)
        places = native.images[:, 0, 0, :2].astype(int) @ [256, 1]
        assert np.array_equal(native.images, images[places])
        assert np.array_equal(native.labels, labels[places])
        assert np.array_equal(native.labels, data.array(part).labels)
        assert np.array_equal(native.labels, data.labels(part))
        assert len(set(places.tolist())) == len(data.parts[part])


def test_an_empty_test_split_is_refused(monkeypatch):
    monkeypatch.setattr(Numbered, "load", lambda self, split: (np.empty((0, 1, 28, 28), np.uint8), np.empty(0, int)))
    with pytest.raises(ValueError, match="the test split of Numbered is empty; set test_fraction to more than 0"):
        Numbered().setup("test")


class WithValidation(Numbered):
    """The last 30 of the training images of `Numbered` are the official validation split."""

    has_validation_split = True

    def load(self, split):
        images, labels = super().load("test" if split == "test" else "train")
        chosen = {"train": slice(0, 270), "validation": slice(270, 300), "test": slice(None)}[split]
        return images[chosen], labels[chosen]


@pytest.mark.parametrize("settings", [{}, {"validation_fraction": 0.0}, {"subset": 20}, {"image_size": 28}])
def test_an_official_validation_split_is_the_validation_part(settings):
    data = WithValidation(**settings)
    data.setup("fit")
    training, _ = part(data, "train")
    assert part(data, "validation")[0] == numbers(torch.from_numpy(data.native_array("validation").images))
    assert part(data, "validation")[0] == list(range(270, 300))
    assert len(training) == settings.get("subset", 270)
    assert set(training) <= set(range(270))
    assert set(part(data, "seen")[0]) <= set(training)
    assert [len(loader.dataset) for loader in data.val_dataloader()] == [30, min(30, len(training))]


def test_a_fit_begins_with_one_line_on_the_data(caplog):
    with caplog.at_level("INFO"):
        trainer(max_epochs=1).fit(Recorder(), Numbered(batch_size=100, subset=200))
        trainer().test(Recorder(), Numbered(batch_size=100), verbose=False)
    lines = [message for message in caplog.messages if message.startswith("Numbered: ")]
    assert lines == ["Numbered: training 200, validation 30; 5 classes (a, b, c, d, e)"]


def test_only_some_of_many_classes_are_named(monkeypatch):
    monkeypatch.setattr(Numbered, "class_names", tuple(map(str, range(1000))))
    assert loaded().summary().endswith("; 1,000 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...)")
    monkeypatch.setattr(Numbered, "load", lambda self, split: (np.zeros((9, 1, 28, 28), np.uint8), np.zeros(9, int)))
    monkeypatch.setattr(Numbered, "class_names", ())
    assert loaded().summary() == "Numbered: training 8, validation 1; no classes"


@pytest.mark.parametrize("settings", [{"subset": 20}, {"validation_fraction": 0.5}, {"batch_size": 3}])
def test_the_same_data_are_known_again_whatever_is_done_with_them(settings):
    assert loaded(**settings).identity == loaded().identity


@pytest.mark.parametrize("change", ["pixel", "label", "order", "fewer"])
def test_other_data_are_told_apart(monkeypatch, change):
    before = loaded().identity
    images, labels = (values.copy() for values in Numbered().load("train"))
    if change == "pixel":
        images[7, 0, 9, 9] -= 1
    elif change == "label":
        labels[7] = 0
    elif change == "order":
        images, labels = images[::-1], labels[::-1]
    else:
        images, labels = images[:-1], labels[:-1]
    monkeypatch.setattr(Numbered, "load", lambda self, split: (images, labels))
    assert loaded().identity != before


class WithImages(Numbered):
    """Each image is its own condition, in three channels."""

    class_names = ()
    condition_channels = 3

    def load(self, split):
        images, _ = super().load(split)
        return images, np.repeat(images, 3, axis=1)


@pytest.mark.parametrize("image_size", [16, 28, 32])
def test_condition_images_are_brought_to_the_size_of_the_items(image_size):
    data = WithImages(image_size=image_size, subset=40)
    assert data.spec["condition_image"] == [3, image_size, image_size]
    for stage in ("fit", "test"):
        data.setup(stage)
    for part in ("train", "validation", "seen", "test"):
        found = data.array(part)
        assert found.labels.dtype == np.uint8
        assert np.array_equal(found.labels, np.repeat(found.images, 3, axis=1))
        assert np.array_equal(found.labels, data.labels(part))
    for loader in (data.train_dataloader, data.test_dataloader):
        data.batch_size = 10
        x, y = data.on_after_batch_transfer(next(iter(loader())), 0)
        assert y.dtype == torch.float32
        assert torch.equal(x.expand_as(y), y)


def test_condition_images_are_mirrored_with_their_items():
    recorder = Recorder()
    trainer(max_epochs=1).fit(recorder, WithImages(batch_size=90, horizontal_flip=True))
    flips = torch.cat([flipped(images) for images, _ in recorder.batches])
    assert 0.3 < flips.float().mean() < 0.7
    for images, conditions in recorder.batches:
        assert torch.equal(images.expand_as(conditions), conditions)


def test_condition_images_of_another_shape_are_refused(monkeypatch):
    monkeypatch.setattr(WithImages, "condition_channels", 1)
    with pytest.raises(
        ValueError, match=r"uint8 condition images of shape \(3, 28, 28\); expected uint8 of shape \(1, 28, 28\), from"
    ):
        WithImages().setup("fit")


def test_other_condition_images_are_other_data(monkeypatch):
    data = WithImages()
    data.setup("fit")
    images, conditions = WithImages().load("train")
    conditions[7, 2, 9, 9] -= 1
    monkeypatch.setattr(WithImages, "load", lambda self, split: (images, conditions))
    changed = WithImages()
    changed.setup("fit")
    assert changed.identity != data.identity


class WithTokens(Numbered):
    """Each image comes with the digits of its number."""

    class_names = ()

    @property
    def spec(self):
        return super().spec | {"tokens": [3, 10]}

    def load(self, split):
        images, _ = super().load(split)
        return images, np.arange(len(images))[:, None] // [100, 10, 1] % 10


def test_tokens_may_stand_for_labels():
    data = WithTokens(subset=50, batch_size=25)
    data.setup("fit")
    for images, tokens in data.train_dataloader():
        assert tokens.dtype == torch.int64
        assert (tokens @ torch.tensor([100, 10, 1])).tolist() == numbers(images)


def test_tokens_that_the_spec_does_not_announce_are_refused(monkeypatch):
    monkeypatch.setattr(WithTokens, "spec", property(lambda self: {"shape": [1, 28, 28], "tokens": [3, 9]}))
    with pytest.raises(ValueError, match="the train split of WithTokens has token 9 at place 9, but its spec has"):
        WithTokens().setup("fit")
