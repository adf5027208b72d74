"""What all data modules share: splits, parts, order and resuming, of arrays of any kind."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from lightning import LightningDataModule
from lightning.pytorch.utilities import rank_zero_info
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset
from typing_extensions import Self

from genzoo.checkpoint_files import local_file, read_checkpoint
from genzoo.data.arrays import Batch, EpochSampler, ImageArray, identity_of, joined
from genzoo.data.labels import require_classes, require_enough_labels, require_tokens, some_labelled
from genzoo.data.loading import batch_loader
from genzoo.data.training_position import position, require_validation_within_an_epoch
from genzoo.hyperparameters import whole_number
from genzoo.noise import run_seed
from genzoo.spec import DataSpec
from genzoo.subsets import Purpose, choose_balanced, choose_proportional, choose_some, count_of, require_fraction

Split = Literal["train", "validation", "test"]
Part = Literal["train", "validation", "seen", "test"]
Arrays = tuple[NDArray[Any], NDArray[Any]]

PARTS_IN_WORDS: dict[Part, str] = {
    "train": "training",
    "validation": "validation",
    "seen": "seen training",
    "test": "test",
}
# What the content of a split that is drawn is a function of, besides a data set's own seed. Any two numbers would do;
# these are the lengths of the names, which version 0.1.0 took, so that its data are still the same.
SPLIT_SEEDS: dict[Split, int] = {"train": 5, "test": 4}
MOST_CLASSES_NAMED = 10
# Items of a pass over the training data without gradients, for which small batches would only take longer.
READ_AT_ONCE = 256


class ArrayDataModule(LightningDataModule, ABC):
    """Items and labels as batches ``(x, y)``, each split of them one array.

    Which items are held out or make up a subset depends on the data alone. The order of training is a
    function of the run's seed and the epoch; a run that resumes, also within an epoch, continues it.

    Args:
        batch_size: Items per batch and device. In training an incomplete last batch is dropped.
        num_workers: Worker processes for loading. The data are in memory, where 0 is fastest.
        subset: Train on so many items only, equally many of each class. None: all of them. Validation
            items stay the same.
        validation_fraction: Share of the training items that is held out for validation, the same share of
            each class. 0.0: no validation. It does not apply where there is an official validation split.
        labelled: Train with the labels of so many items only, equally many of each class; those of all others are -1
            in training batches. Validation, test and scores know all labels. None: all of them.

    Attributes:
        class_names: One name per class; empty without labels.
        has_validation_split: Whether `load` knows an official validation split.
        license: Of the data, as the Hugging Face Hub names it, such as ``mit``; empty if genzoo does not know it.
        hub_name: Of the data on the Hugging Face Hub; empty if they are not there or genzoo does not know it.
        parts: What `setup` has loaded: ``train``, ``validation`` (the official split, or held out of the training
            file), ``seen`` (as many training items as there are validation items) and ``test``.
    """

    class_names: Sequence[str] = ()
    has_validation_split: bool = False
    license: str = ""
    hub_name: str = ""

    def __init__(
        self,
        batch_size: int = 128,
        num_workers: int = 0,
        subset: int | None = None,
        validation_fraction: float = 0.1,
        labelled: int | None = None,
    ) -> None:
        super().__init__()
        require_fraction("validation_fraction", validation_fraction)
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.num_workers = whole_number("num_workers", num_workers)
        self.subset = None if subset is None else whole_number("subset", subset, 1)
        self.validation_fraction = validation_fraction
        self.labelled = None if labelled is None else whole_number("labelled", labelled, 1)
        self.parts: dict[Part, ImageArray | Subset[Batch]] = {}
        self._places: dict[Part, NDArray[np.int64]] = {}

    @abstractmethod
    def load(self, split: Split) -> Arrays:
        """Reads one of the official splits.

        Args:
            split: ``train`` or ``test``; ``validation`` only if ``has_validation_split``.

        Returns:
            N items and N labels: int64 ``(N,)``, zeros where there are none; or vectors ``(N, K)``, float32; or
            tokens ``(N, L)``, int64, as the spec announces them. Both may be read-only.
        """

    @property
    @abstractmethod
    def spec(self) -> DataSpec:
        """What a model must know of this data; known before any of it is loaded."""

    def setup(self, stage: str) -> None:
        """Loads what the stage needs, unless it is there already.

        Args:
            stage: ``fit`` or ``validate`` for the training file, ``test`` or ``predict`` for the test file.

        Raises:
            ValueError: If the subset is larger than what remains for training, more items shall be labelled than
                there are, the test split is empty, or a trainer that fits would never validate.
        """
        if stage in ("fit", "validate") and "train" not in self.parts:
            official = self._array("validation") if self.has_validation_split else None
            self._divide(self._array("train"), official)
        if stage in ("test", "predict") and "test" not in self.parts:
            self.parts["test"] = self._array("test")
            if not len(self.parts["test"]):
                raise ValueError(
                    f"the test split of {type(self).__name__} is empty; set test_fraction to more than 0, or give it "
                    "images"
                )
        if stage == "fit":
            rank_zero_info(self.summary())
            if self.trainer is not None and self.trainer.training:
                require_validation_within_an_epoch(self.trainer, len(self.train_dataloader()))

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | Path, **kwargs: Any) -> Self:  # type: ignore[override]
        """As Lightning's method of the same name, but nothing that the file holds is run.

        Args:
            checkpoint_path: The file, or its address.
            **kwargs: Arguments of the constructor, and those of Lightning's method.

        Raises:
            FileNotFoundError: If there is no such file.
            CheckpointError: If the file is no checkpoint.
        """
        with local_file(checkpoint_path) as file:
            weights_only = kwargs.setdefault("weights_only", True)
            read_checkpoint(file, name=checkpoint_path, mmap=True, weights_only=weights_only)
            return super().load_from_checkpoint(file, **kwargs)

    @cached_property
    def identity(self) -> str:
        """Tells the training data from other data, for runs that go on; known once they are loaded.

        It is a function of the items and labels in the order of their file. Neither the place nor the date of a file
        matters, nor what is held out of it or left out by a subset.
        """
        whole: Any = self.parts["train"]
        while isinstance(whole, Subset):
            whole = whole.dataset
        return identity_of(whole)

    def summary(self) -> str:
        """One line on what is loaded: the data set, how many items there are in each part, the classes."""
        sizes = {PARTS_IN_WORDS[part]: f"{number:,}" for part, number in self._sizes().items()}
        if self.labelled is not None and "training" in sizes:
            sizes["training"] += f" ({self.labelled:,} labelled)"
        counts = ", ".join(f"{part} {number}" for part, number in sizes.items())
        names = ", ".join(self.class_names[:MOST_CLASSES_NAMED])
        more = ", ..." if len(self.class_names) > MOST_CLASSES_NAMED else ""
        number = len(self.class_names)
        classes = f"{number:,} class{'es' * (number > 1)} ({names}{more})" if number else "no classes"
        return f"{type(self).__name__}: {counts}; {classes}"

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches in the order of (seed, epoch), from where the run stands.

        Raises:
            ValueError: If not a single batch can be filled, or not enough of them have room in shared memory.
        """
        sampler = self._sampler("train", shuffle=True, seed=run_seed(), drop_last=True)
        if len(sampler) < self.batch_size:
            raise ValueError(
                f"batch_size is {self.batch_size}, but each of {sampler.num_replicas} device(s) has only "
                f"{len(sampler)} training images, and incomplete batches are dropped; lower the batch_size"
            )
        if self.trainer is not None:
            # Lightning sets the epoch too, but only after workers have asked the sampler for its order.
            epoch, batches_done = position(self.trainer)
            sampler.set_epoch(epoch)
            sampler.skip = batches_done * self.batch_size
        return self._loader(self._trained_on(), sampler, drop_last=True)

    def val_dataloader(self) -> list[DataLoader[Batch]]:
        """Two loaders, held-out images and as many training images, neither of them flipped.

        Models log the first as validation (``dataloader_idx`` 0); the distance of the second (1) from it is
        how much they overfit. Empty if ``validation_fraction`` is 0.0.
        """
        if "validation" not in self.parts:
            return []
        return [
            self._loader(self.parts["validation"], self._sampler("validation")),
            self._loader(self.parts["seen"], self._sampler("seen")),
        ]

    def test_dataloader(self) -> DataLoader[Batch]:
        """The official test split, in order."""
        return self._loader(self.parts["test"], self._sampler("test"))

    def predict_dataloader(self) -> DataLoader[Batch]:
        """The official test split, in order."""
        return self.test_dataloader()

    def training_batches(self, number: int) -> Iterator[Batch]:
        """Training items and the labels that training may see: in the order of the file, not flipped.

        Args:
            number: How many at most; fewer than there are, are a fixed choice.

        Yields:
            Batches of what a model sees, at least ``READ_AT_ONCE`` long but for the last.
        """
        items, size = self._excerpt(number), max(self.batch_size, READ_AT_ONCE)
        for start in range(0, len(items), size):
            batch: Any = items.__getitems__(list(range(start, min(start + size, len(items)))))
            yield batch

    def array(self, part: Part) -> ImageArray:
        """A part that is loaded, as one array, in its order and as evaluation shows it.

        Args:
            part: Its name.
        """
        return joined(self.parts[part])

    def native_array(self, part: Part) -> ImageArray:
        """A part that is loaded, as one array, in its order and as its file has it: what scores compare with.

        Args:
            part: Its name.
        """
        return self.array(part)

    def labels(self, part: Part) -> NDArray[Any]:
        """The labels of a part that is loaded, in its order, including those that are withheld from training.

        Args:
            part: Its name.

        Returns:
            Of the kind that `load` gives, images in the size that the model sees.
        """
        found: Any = self.parts[part]
        labels: NDArray[Any] = found.labels if isinstance(found, ImageArray) else found.dataset.labels[found.indices]
        return labels

    def _sizes(self) -> dict[Part, int]:
        """The sizes of those parts whose size is known."""
        named: tuple[Part, ...] = ("train", "validation", "test")
        return {part: len(self.parts[part]) for part in named if part in self.parts}

    def _excerpt(self, number: int) -> ImageArray | Subset[Batch]:
        part = self._trained_on()
        return Subset(part, choose_some(len(part), number).tolist())

    def _array(self, split: Split) -> ImageArray:
        items, labels = self.load(split)
        source = f"the {split} split of {type(self).__name__}"
        if len(items) and (tokens := self.spec.get("tokens")):
            require_tokens(labels, tokens, source)
        elif len(items) and labels.ndim == 1:
            require_classes(labels, self.class_names, source)
        return ImageArray(items, labels)

    def _held_out(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which training items are for validation, in ascending order."""
        return choose_proportional(labels, count_of(self.validation_fraction, len(labels)), Purpose.VALIDATION)

    def _divide(self, whole: ImageArray, official: ImageArray | None) -> None:
        """Divides the training file into parts; validates on the official split if there is one."""
        # Where labels are no classes, all items count as one class.
        labels = whole.labels if whole.labels.ndim == 1 else np.zeros(len(whole), np.int64)
        everything = np.arange(len(whole))
        held_out = self._held_out(labels) if official is None else np.empty(0, np.int64)
        # Validation items are held out of all items and not of the subset: they are the same for every subset.
        training = np.setdiff1d(everything, held_out, assume_unique=True)
        if self.subset is not None:
            if self.subset > len(training):
                raise ValueError(
                    f"subset is {self.subset}, but only {len(training)} training images remain beside "
                    f"{len(held_out)} held out for validation; choose a smaller subset or validation_fraction"
                )
            training = training[choose_balanced(labels[training], self.subset, Purpose.SUBSET)]
        if self.labelled is not None:
            require_enough_labels(self.labelled, whole.labels[training], self.class_names, type(self).__name__)
        shown = len(held_out) if official is None else len(official)
        seen = training[choose_proportional(labels[training], min(shown, len(training)), Purpose.SEEN)]
        self._places["train"] = training
        if len(held_out):
            self._places["validation"] = held_out
        if shown:
            self._places["seen"] = seen
        self.parts |= {part: Subset(whole, places.tolist()) for part, places in self._places.items()}
        if official is not None:
            self.parts["validation"] = official

    def _split_of(self, part: Part) -> Split:
        """The official split that a part is from."""
        if part == "validation" and self.has_validation_split:
            return "validation"
        return "test" if part == "test" else "train"

    def _sampler(self, part: Part, shuffle: bool = False, seed: int = 0, drop_last: bool = False) -> EpochSampler:
        ranks, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        return EpochSampler(self.parts[part], ranks, rank, shuffle, seed, drop_last)

    def _trained_on(self) -> ImageArray | Subset[Batch]:
        """The training part as training batches show it: only those items have labels that shall be labelled."""
        if self.labelled is None:
            return self.parts["train"]
        part: Any = self.parts["train"]
        whole, places = part.dataset, part.indices
        # A copy: validation and scores share the array, and keep all labels.
        labels = whole.labels.copy()
        labels[places] = some_labelled(labels[places], self.labelled)
        return Subset(ImageArray(whole.images, labels), places)

    def _loader(
        self, items: ImageArray | Subset[Batch], sampler: EpochSampler, drop_last: bool = False
    ) -> DataLoader[Batch]:
        return batch_loader(items, sampler, self.batch_size, self.num_workers, drop_last)
