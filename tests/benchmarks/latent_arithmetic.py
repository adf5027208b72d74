"""How often arithmetic with concepts gives what was meant, beside random directions of the same length.

    python -m tests.benchmarks.latent_arithmetic RUN

Twenty sums of a class and a difference of measured attributes, such as Dress - dark + bright, on a model of clothes.
Each has nine results, as the picture of ``genzoo latent arithmetic`` has them: one, and eight with noise around it.

shown   how many of them stand out by the attribute that was added, as the samples do that it was picked from: by more
        than a standard deviation of all samples from their mean
class   how many of them the classifier still takes for the class
shift   of the attribute, from what the mean code of the class becomes, in standard deviations, in the direction meant

Random directions begin at the mean code of the class as well, are as long as the difference, nine for each sum, and get
the same noise.
"""

import argparse

import torch
from torch import Tensor

from genzoo.cli.latent_tools.found_concepts import ConceptFinder
from genzoo.latent.arithmetic import NEIGHBOURS, Term, combined, surrounded
from genzoo.latent.attributes import Attribute, attributes_of
from genzoo.latent.codes import random_codes
from genzoo.latent.rows import decoded_rows
from genzoo.noise import BatchNoise
from genzoo.zoo.loading import load

CLASSES = ("T-shirt/top", "Trouser", "Dress", "Sneaker", "Ankle boot")
MOVES = (("dark", "bright"), ("bright", "dark"), ("narrow", "wide"), ("short", "tall"))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", metavar="RUN", help="run of a model of clothes without labels")
    parser.add_argument("--candidates", type=int, default=4000)
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.data, options.allow, options.classifier, options.sure = None, [], None, 0.9
    sampler = load(options.model)

    def decoded(codes: Tensor) -> Tensor:
        return decoded_rows(sampler, codes[None]).items[0]

    codes = random_codes(sampler, options.candidates, options.seed)
    finder = ConceptFinder(sampler, decoded(codes), options)
    words = {word: each for each in attributes_of(sampler.data_shape) for word in (each.high, each.low)}

    def shown(items: Tensor, attribute: Attribute, word: str) -> Tensor:
        """How far items lie on the side of a word, in standard deviations of the samples from their mean."""
        values = attribute.measure(finder.samples)
        far = (attribute.measure(items) - values.mean()) / values.std()
        return far if word == attribute.high else -far

    def of(name: str) -> Tensor:
        return codes[finder.find(name, options.examples).places]

    print(f"{'':34} arithmetic            random directions")
    print(f"{'':34} shown class shift      shown class shift")
    totals = torch.zeros(2, 3)
    sums = [(name, low, high) for name in CLASSES for low, high in MOVES]
    for number, (name, away, towards) in enumerate(sums):
        start, taken, added = of(name), of(away), of(towards)
        code = combined([Term(1, name), Term(-1, away), Term(1, towards)], [start, taken, added])
        length = (added.mean(0) - taken.mean(0)).norm()
        directions = BatchNoise("cpu", options.seed, number).normal(NEIGHBOURS, *code.shape)
        directions *= length / directions.flatten(1).norm(dim=1).view(-1, *[1] * code.ndim)
        noise = surrounded(code, seed=options.seed) - code
        attribute, first = words[towards], decoded(start.mean(0)[None])
        row = []
        for results in (decoded(code + noise), decoded(start.mean(0) + directions + noise)):
            far = shown(results, attribute, towards)
            kept = finder.logits_of(results).argmax(1) == finder.classes.index(name)
            shift = (far - shown(first, attribute, towards)).mean()
            row.append(torch.stack([(far > 1.0).float().mean(), kept.float().mean(), shift]))
        totals += torch.stack(row)
        print(_line(f"{name} - {away} + {towards}", *row))
    print(_line("mean", *(totals / len(sums))))


def _line(name: str, *parts: Tensor) -> str:
    texts = [
        f"{100 * float(shown):4.0f}% {100 * float(kept):4.0f}% {float(shift):+5.2f}" for shown, kept, shift in parts
    ]
    return f"{name:34} {'      '.join(texts)}"


if __name__ == "__main__":
    main()
