"""How often arithmetic with concepts gives what was meant, beside random directions of the same length.

    python -m tests.benchmarks.latent_arithmetic RUN

Twenty sums of a class and a difference of measured attributes, such as Dress - dark + bright, on a model of clothes.
Each has nine results, as the picture of ``genzoo latent arithmetic`` has them: one, and eight with noise around it.

shown   how many of them stand out by the attribute that was added, as the samples do that it was picked from: by more
        than a standard deviation of all samples from their mean
class   how many of them the classifier still takes for the class
shift   of the attribute, from what the mean code of the class becomes, in standard deviations, in the direction meant

Random directions begin at the mean code of the class as well, are as long as the difference, nine for each sum, and get
the same noise. Of a conditional model all samples are of the class, and attributes stand out among them.
"""

import argparse

import torch
from torch import Tensor

from genzoo.cli.latent_tools.found_concepts import ConceptFinder
from genzoo.latent.arithmetic import NEIGHBOURS, Term, combined, surrounded
from genzoo.latent.codes import random_codes
from genzoo.latent.rows import decoded_rows
from genzoo.noise import BatchNoise
from genzoo.sampling.sampler import Sampler
from genzoo.zoo.loading import load

CLASSES = ("T-shirt/top", "Trouser", "Dress", "Sneaker", "Ankle boot")
MOVES = (("dark", "bright"), ("bright", "dark"), ("narrow", "wide"), ("short", "tall"))


class Bench:
    """A model, the samples that concepts are picked from, and how many of some results are what they should be.

    Args:
        sampler: The model.
        options: With those of a `ConceptFinder`, ``candidates``, ``examples`` and ``seed``.
        condition: What a conditional model depends on, the class.
    """

    def __init__(self, sampler: Sampler, options: argparse.Namespace, condition: Tensor | None) -> None:
        self.sampler, self.options, self.condition = sampler, options, condition
        self.codes = random_codes(sampler, options.candidates, options.seed)
        self.finder = ConceptFinder(sampler, self.decoded(self.codes), options)
        self.words = {word: each for each in self.finder.attributes for word in (each.high, each.low)}

    def decoded(self, codes: Tensor) -> Tensor:
        """What codes ``(N, *latent_shape)`` become."""
        condition = None if self.condition is None else self.condition.expand(1, len(codes), -1)
        return decoded_rows(self.sampler, codes[None], condition).items[0]

    def examples(self, name: str) -> Tensor:
        """Codes of samples that show a concept; under a condition all show the class."""
        number = self.options.examples
        if self.condition is not None and name in self.finder.classes:
            return self.codes[:number]
        return self.codes[self.finder.find(name, number).places]

    def far(self, items: Tensor, word: str) -> Tensor:
        """How far items lie on the side of a word, in standard deviations of the samples from their mean."""
        attribute = self.words[word]
        values = attribute.measure(self.finder.samples)
        far = (attribute.measure(items) - values.mean()) / values.std()
        return far if word == attribute.high else -far

    def row(self, name: str, away: str, towards: str, number: int) -> Tensor:
        """Shown, class and shift of arithmetic and of random directions, ``(2, 3)``."""
        start, taken, added = map(self.examples, (name, away, towards))
        code = combined([Term(1, name), Term(-1, away), Term(1, towards)], [start, taken, added])
        directions = BatchNoise("cpu", self.options.seed, number).normal(NEIGHBOURS, *code.shape)
        lengths = directions.flatten(1).norm(dim=1).view(-1, *[1] * code.ndim)
        directions *= (added.mean(0) - taken.mean(0)).norm() / lengths
        noise = surrounded(code, seed=self.options.seed) - code
        first = self.far(self.decoded(start.mean(0)[None]), towards)
        parts = []
        for results in (self.decoded(code + noise), self.decoded(start.mean(0) + directions + noise)):
            far = self.far(results, towards)
            kept = self.finder.logits_of(results).argmax(1) == self.finder.classes.index(name)
            parts.append(torch.stack([(far > 1.0).float().mean(), kept.float().mean(), (far - first).mean()]))
        return torch.stack(parts)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", metavar="RUN", help="run of a model of clothes")
    parser.add_argument("--candidates", type=int, default=4000)
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.data, options.allow, options.classifier, options.sure = None, [], None, 0.9
    sampler = load(options.model)
    print(f"{'':34} arithmetic            random directions")
    print(f"{'':34} shown class shift      shown class shift")
    rows: list[Tensor] = []
    bench = None
    for name in CLASSES:
        if bench is None or sampler.condition.shape:
            bench = Bench(sampler, options, sampler.encoded_condition(1, name) if sampler.condition.shape else None)
        for away, towards in MOVES:
            rows.append(bench.row(name, away, towards, len(rows)))
            print(_line(f"{name} - {away} + {towards}", rows[-1]))
    print(_line("mean", torch.stack(rows).mean(0)))


def _line(name: str, row: Tensor) -> str:
    parts = [f"{100 * shown:4.0f}% {100 * kept:4.0f}% {shift:+5.2f}" for shown, kept, shift in row.tolist()]
    return f"{name:34} {'      '.join(parts)}"


if __name__ == "__main__":
    main()
