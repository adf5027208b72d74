"""What a group of scores is: which models and data it fits, and how it is computed."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from torch import Tensor

from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.compared import Comparison
from genzoo.evaluation.score import Score
from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.provenance import Plain
from genzoo.spec import is_image
from genzoo.training.model import GenerativeModel

GroupName = Literal["samples", "likelihood", "reconstruction", "classes", "modes", "representation", "parzen"]


class ScoreGroup(ABC):
    """Scores that fit the same models and data, and are computed together.

    Attributes:
        name: What the group is asked for by.
        is_computed_by_default: Whether it is computed where no groups are named.
    """

    name: ClassVar[GroupName]
    is_computed_by_default: ClassVar[bool] = True

    @abstractmethod
    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """Why the group does not fit a model and its data, for a message; None if it does. Nothing need be loaded yet.

        Args:
            model: What is to be scored.
            data: What it is to be compared with.
        """

    def extractors(self, comparison: Comparison) -> list[FeatureExtractor]:
        """The extractors that a group that fits cannot do without. Nothing need be loaded yet.

        Raises:
            ValueError: If there is none, or one does not take the images.
        """
        return []

    @abstractmethod
    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """Computes the scores; asked for only where the group fits, with all parts of the data loaded."""


def no_images(model: GenerativeModel, data: ArrayDataModule) -> str | None:
    """Why a model of some data cannot be scored by its images; None if it makes such."""
    return None if is_image(model.data_shape) else f"{type(data).__name__} holds no images"


def no_classes(data: ArrayDataModule) -> str | None:
    """Why data cannot be scored by their classes; None if they have such."""
    return None if len(data.class_names) else f"{type(data).__name__} has no classes"


def no_samples(model: GenerativeModel) -> str | None:
    """Why a model cannot be scored by its samples; None if it has a prior."""
    return None if model.can_sample else f"{type(model).__name__} has no prior to draw samples from"


def scores_of(
    values: Mapping[str, Tensor],
    protocol: Mapping[str, Plain],
    higher_is_better: Mapping[str, bool],
    floors: Mapping[str, float] | None = None,
) -> Iterator[Score]:
    """The scores that a metric gives by name.

    Args:
        values: What the metric computes.
        protocol: Of all of them.
        higher_is_better: Of those of which one is better.
        floors: What real data get, where that is known.
    """
    for name, value in values.items():
        yield Score(name, float(value), (floors or {}).get(name), higher_is_better.get(name), protocol)
