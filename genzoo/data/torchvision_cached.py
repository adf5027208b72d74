"""Images that torchvision downloads, but that take long to check or decode: STL-10 and CelebA."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision import datasets

from genzoo.data.decoded import DecodedImages, Listing, file_states
from genzoo.data.decoding import read_image
from genzoo.data.splits import Arrays, Split
from genzoo.data.torchvision_sources import open_torchvision
from genzoo.spec import DataSpec, to_size

STL10_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")

CELEBA_NAMES = """
5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair
Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male
Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks
Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace
Wearing_Necktie Young
"""

CELEBA_ATTRIBUTES = tuple(CELEBA_NAMES.split())


class CachedTorchvisionImages(DecodedImages):
    """Images that torchvision downloads and lists, but that take long to check or decode.

    Args:
        root: Folder with the files, or to download them into.
        **kwargs: As for `DecodedImages`.

    Attributes:
        folder: Where in the root the files are.
        file_names: Which of them the images depend on.
        files: What to put there, for error messages.
    """

    folder: str
    file_names: tuple[str, ...]
    files: str

    def __init__(self, root: str = "data", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(root).expanduser()

    @abstractmethod
    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set, after a download if that is wanted and needed."""

    @property
    def paths(self) -> list[Path]:
        """The files that the images depend on."""
        return [self.root / self.folder / name for name in self.file_names]

    def prepare_data(self) -> None:
        """Downloads the files unless they are there, and decodes them unless the cache has them.

        Raises:
            FileNotFoundError: If the download fails.
        """
        if not all(path.exists() for path in self.paths):
            self._open("train", download=True)
        super().prepare_data()

    def fingerprint(self) -> Any:
        """Names, sizes and times of the files."""
        if not all(path.exists() for path in self.paths):
            self._open("train", download=False)
        return file_states(self.paths)

    def _open(self, split: Split, download: bool = False) -> Any:
        return open_torchvision(self, self.root / self.folder, self.files, split, download)


class STL10(CachedTorchvisionImages):
    """STL-10 (Coates, Ng and Lee 2011): photographs of 96 x 96 pixels; 5,000 training and 8,000 test images.

    Args:
        image_size: Height and width in pixels that the model sees.
        unlabelled: Train on the 100,000 further images that have no labels; then there are no classes.
        **kwargs: As for `CachedTorchvisionImages`, but for ``channels``.
    """

    folder = "stl10_binary"
    file_names = ("train_X.bin", "train_y.bin", "unlabeled_X.bin", "test_X.bin", "test_y.bin")
    files = "train_X.bin, train_y.bin, unlabeled_X.bin, test_X.bin and test_y.bin of stl10_binary.tar.gz"

    def __init__(self, image_size: int = 96, unlabelled: bool = False, **kwargs: Any) -> None:
        super().__init__(image_size=image_size, channels=3, **kwargs)
        self.unlabelled = unlabelled
        if not unlabelled:
            self.class_names = STL10_NAMES

    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set."""
        name = "unlabeled" if self.unlabelled and split == "train" else split
        return datasets.STL10(self.root, split=name, download=download)

    def fingerprint(self) -> Any:
        """Names, sizes and times of the files, and which of them are trained on."""
        return [self.unlabelled, super().fingerprint()]

    def listing(self) -> dict[Split, Listing]:
        """The images and labels of both splits."""
        splits: tuple[Split, ...] = ("train", "test")
        sources = {split: self._open(split) for split in splits}
        # torchvision labels the unlabelled images -1, where data without classes have zeros.
        return {
            split: Listing(source.data, source.labels.astype(np.int64) * (not self.unlabelled))
            for split, source in sources.items()
        }

    def read(self, item: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Brings one image to the size that is wanted."""
        image = torch.from_numpy(np.ascontiguousarray(item))[None]
        resized: NDArray[np.uint8] = to_size(image, image.shape[-1], self.image_size)[0].numpy()
        return resized


class CelebA(CachedTorchvisionImages):
    """CelebA (Liu et al. 2015): 162,770 training and 19,962 test faces, aligned, the middle 178 x 178 pixels.

    Labels are the 40 attributes of each face, ``(N, 40)``, float32, 1 where it has one and 0 where not; or, with
    one attribute chosen, two classes. The official validation split is left out.

    Args:
        attribute: Whether the faces have it is their class; one of the names in `CELEBA_ATTRIBUTES`. None: all
            40 are the condition.
        **kwargs: As for `CachedTorchvisionImages`.
    """

    folder = "celeba"
    file_names = ("img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt")
    files = (
        "the folder img_align_celeba with the aligned faces, and list_attr_celeba.txt, list_eval_partition.txt, "
        "identity_CelebA.txt, list_bbox_celeba.txt and list_landmarks_align_celeba.txt"
    )

    def __init__(self, attribute: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if attribute is not None and attribute not in CELEBA_ATTRIBUTES:
            raise ValueError(f"attribute is {attribute!r}, but must be one of {', '.join(CELEBA_ATTRIBUTES)}")
        self.attribute = attribute
        if attribute is not None:
            self.class_names = (f"not {attribute}", attribute)

    @property
    def spec(self) -> DataSpec:
        """What a model must know of this data; known before any of it is loaded."""
        if self.attribute is not None:
            return super().spec
        return DataSpec(**super().spec, attribute_names=list(CELEBA_ATTRIBUTES))

    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set."""
        return datasets.CelebA(self.root, split=split, download=download)

    def listing(self) -> dict[Split, Listing]:
        """The files and attributes of both splits."""
        splits: tuple[Split, ...] = ("train", "test")
        sources = {split: self._open(split) for split in splits}
        folder = self.root / self.folder / "img_align_celeba"
        return {
            split: Listing([folder / name for name in source.filename], source.attr.numpy().astype(np.float32))
            for split, source in sources.items()
        }

    def read(self, item: Path) -> NDArray[np.uint8]:
        """Decodes the middle of one file."""
        return read_image(item, size=self.image_size, channels=self.channels)

    def load(self, split: Split) -> Arrays:
        """Opens one of the splits; the images are mapped into memory, not read."""
        images, attributes = super().load(split)
        if self.attribute is None:
            return images, attributes
        return images, attributes[:, CELEBA_ATTRIBUTES.index(self.attribute)].astype(np.int64)
