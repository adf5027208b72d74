"""What the words of ``genzoo latent arithmetic`` stand for: classes, measured attributes, or chosen samples."""

import argparse
from functools import cached_property
from typing import TYPE_CHECKING

from torch import Tensor

from genzoo.latent.attributes import attributes_of
from genzoo.latent.concepts import Concept, chosen, pick, sure_of
from genzoo.names import nearest
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image, to_native, to_uint8

if TYPE_CHECKING:
    from genzoo.metrics.extractors.extractor import FeatureExtractor


class ConceptFinder:
    """Finds those of some samples that show a concept, and measures others in the same way.

    Args:
        sampler: The model.
        samples: Those that are looked at, ``(N, *data_shape)``.
        options: With ``model``, ``data``, ``allow``, ``classifier`` and ``sure``.
    """

    def __init__(self, sampler: Sampler, samples: Tensor, options: argparse.Namespace) -> None:
        self.spec = sampler.data_spec
        self.samples = samples
        self.options = options
        # Points have classes too, but nothing tells them apart.
        self.classes = list(self.spec.get("class_names", ())) if is_image(sampler.data_shape) else []
        self.attributes = attributes_of(sampler.data_shape)

    def find(self, name: str, number: int) -> Concept:
        """The samples that show a concept.

        Args:
            name: A class, a word for an attribute, or places of samples, as #3,17,25; small and large letters alike.
            number: How many samples to pick, of those that are not chosen by their places.

        Raises:
            ValueError: If there is no such concept, or too few samples show it.
        """
        if name.startswith("#"):
            return chosen(name, len(self.samples))
        words = {word: attribute for attribute in self.attributes for word in (attribute.high, attribute.low)}
        known = {word.casefold(): word for word in (*words, *self.classes)}
        if name.casefold() not in known:
            classes = f"the classes {', '.join(self.classes)}, " if self.classes else ""
            raise ValueError(
                f"there is no concept '{name}'; {nearest(name, known.values())}there are {classes}the attributes "
                f"{', '.join(words)}, and samples by their places, such as #3,17,25"
            )
        word = known[name.casefold()]
        if word in self.classes:
            shows = sure_of(self.logits, self.classes.index(word), self.options.sure)
            return pick(
                word, shows, number, f"{self.classifier.name} gives it a probability of {self.options.sure:g} or more"
            )
        attribute = words[word]
        side = "above" if word == attribute.high else "below"
        measured = f"their {attribute.name} is a standard deviation {side} the mean"
        return pick(word, attribute.shown(self.samples, word), number, measured)

    def measured(self, items: Tensor) -> list[dict[str, float | str]]:
        """All attributes of items and, where a class was asked for, their most probable class."""
        values = {attribute.name: attribute.measure(items).tolist() for attribute in self.attributes}
        found: list[dict[str, float | str]] = [
            {name: float(value[place]) for name, value in values.items()} for place in range(len(items))
        ]
        if "classifier" in vars(self):
            for entry, row in zip(found, self.logits_of(items).softmax(1), strict=True):
                entry |= {"class": self.classes[int(row.argmax())], "probability": float(row.max())}
        return found

    @cached_property
    def classifier(self) -> "FeatureExtractor":
        """What tells the classes of the data apart."""
        from genzoo.cli.known_data import data_of
        from genzoo.evaluation.suited_extractors import suited_extractors

        data = data_of(self.options.model, self.options.data, self.options.allow, self.spec)
        extractors = suited_extractors(data, self.options.classifier, "choose one with --classifier")
        for extractor in extractors:
            if extractor.number_of_classes == len(self.classes):
                return extractor
        raise ValueError(
            f"{extractors[0].name} tells {extractors[0].number_of_classes} classes apart, but the data of the model "
            f"have {len(self.classes)}; choose another --classifier"
        )

    @cached_property
    def logits(self) -> Tensor:
        """Of the samples."""
        return self.logits_of(self.samples)

    def logits_of(self, items: Tensor) -> Tensor:
        """Of items ``(N, *data_shape)``, ``(N, number_of_classes)``."""
        logits = self.classifier(to_uint8(to_native(items.cpu(), self.spec))).logits
        assert logits is not None
        return logits
