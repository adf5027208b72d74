"""Inversion: which latent variables a model would make given items of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.noise import ImageNoise, Noise, Stream
from genzoo.precision import at_least_float32
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.given import Given
from genzoo.sampling.sampler import Sampler, in_eval_mode

# Rows that go through the network together. Blocks that are not full are filled up with copies: in a batch of another
# size the same item would come out with other last digits, of which hundreds of steps make more.
ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class Inversion:
    """What was found for N items from S starts each.

    Attributes:
        codes: The latent variables, ``(N, *latent_shape)``.
        reconstructions: What the model makes of them, ``(N, *data_shape)``.
        errors: Mean squared errors per value of the reconstructions, ``(N,)``; images are in [-1, 1].
        errors_of_starts: The same of what was found from each start, ``(N, S)``. For models that encode, the last
            start is the code of the item.
    """

    codes: Tensor
    reconstructions: Tensor
    errors: Tensor
    errors_of_starts: Tensor


def invert(
    sampler: Sampler,
    x: Tensor,
    y: Given | None = None,
    starts: int = 4,
    steps: int = 300,
    learning_rate: float = 0.1,
    prior_weight: float = 0.0,
    seed: int = 0,
) -> Inversion:
    r"""Looks for the latent variables of items, which a generator has no encoder to tell.

    .. math:: \min_z \tfrac1D \|G(z, y) - x\|^2 - \tfrac{w}{L} \log p(z)

    for items of D values and L latent variables, by Adam from several draws of z from the prior, with a learning rate
    that falls to 0 along half a cosine; for models that encode, from the code of the item too. Of all steps from all
    starts the best is kept. Latent variables that leave the support of the prior are brought back (`Density.returned`).
    The weights stay as they are. What is found for item i is a function of the weights, the seed, i, the item and its
    condition alone.

    Args:
        sampler: The model.
        x: The items, ``(N, *data_shape)``, images in [-1, 1].
        y: What they depend on, as `Sampler.sample` takes it; conditional models need it.
        starts: How many draws from the prior to start from.
        steps: Of Adam.
        learning_rate: Of the first step.
        prior_weight: w, of the log-density of z (Creswell and Bharath 2018).
        seed: Of the starts.

    Raises:
        ValueError: If items or conditions do not fit, or there is nothing to start from.

    Source: Lipton and Tripathi 2017, "Precise recovery of latent vectors from generative adversarial networks", for the
    descent from draws of the prior; Zhu et al. 2016, "Generative visual manipulation on the natural image manifold",
    section 3.1, for the start from an encoder's code.
    """
    sampler.require_data(x)
    if sampler.condition.shape and y is None:
        raise ValueError("a conditional model makes items of latent variables and labels; give y, the labels of x")
    if not sampler.can_sample and not isinstance(sampler, Encodes):
        raise ValueError("this model has neither a prior nor an encoder to start from")
    if not len(x):
        raise ValueError("there are no items to invert; give at least one")
    starts, steps, seed = whole_number("starts", starts, 1), whole_number("steps", steps), whole_number("seed", seed)
    # Items may lack their labels, where samples may not.
    labels = None if y is None else sampler.condition.of_data(y, len(x))
    number_at_once = max(1, ROWS_AT_ONCE // starts)
    found = []
    with in_eval_mode(sampler):
        for block in torch.arange(len(x)).split(number_at_once):
            places = torch.cat([block, block[-1:].expand(number_at_once - len(block))])
            search = _Search(sampler, x[places], None if labels is None else labels[places], prior_weight)
            # One more for the start from the code, where there is one.
            noise = [ImageNoise(places, sampler.device, seed, Stream.INVERSION, start) for start in range(starts + 1)]
            best = search.run(search.first(noise[:starts]), noise, steps, learning_rate)
            found.append([part[: len(block)] for part in search.kept(best)])
    return Inversion(*(torch.cat(parts) for parts in zip(*found, strict=True)))


class _Search:
    """Looks for B items from S starts each, all at once: codes are ``(B, S, *latent_shape)``."""

    def __init__(self, sampler: Sampler, x: Tensor, y: Tensor | None, prior_weight: float) -> None:
        self.sampler, self.y = sampler, y
        self.x = sampler.in_own_type(x.to(sampler.device))
        self.condition = sampler.as_networks_get(y)
        self.density = sampler.prior if sampler.density is None else sampler.density
        self.prior_weight = prior_weight / math.prod(sampler.latent_shape)

    def first(self, noise: Sequence[Noise]) -> Tensor:
        """The codes to start from."""
        starts = [self.sampler.prior_sample(len(self.x), each) for each in noise if self.sampler.can_sample]
        if isinstance(self.sampler, Encodes):
            starts.append(self.sampler.encode(self.x, self.y))
        return torch.stack([at_least_float32(self.sampler.in_own_type(start)) for start in starts], 1)

    def run(self, z: Tensor, noise: Sequence[Noise], steps: int, learning_rate: float) -> Tensor:
        """The codes with the lowest objective on the way from each start."""
        best, lowest = z.clone(), z.new_full(z.shape[:2], math.inf)
        z.requires_grad_()
        descent = torch.optim.Adam([z], learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(descent, max(1, steps))
        for step in range(steps + 1):
            with torch.enable_grad():
                objective = self.objective(z)
                total = objective.sum()
            is_better = objective < lowest
            best[is_better], lowest[is_better] = z[is_better], objective[is_better]
            if step < steps:
                # Of the codes alone: the weights get no gradients, which someone would have to remove.
                (z.grad,) = torch.autograd.grad(total, z)
                descent.step()
                schedule.step()
                z.copy_(self.returned(z, noise))
        return best

    def objective(self, z: Tensor) -> Tensor:
        """What is made small, ``(B, S)``."""
        errors = self.errors(self.generated(z))
        if not self.prior_weight or self.density is None:
            return errors
        return errors - self.prior_weight * self.density.log_prob(z.flatten(0, 1)).view_as(errors)

    def generated(self, z: Tensor) -> Tensor:
        """What the model makes of codes, ``(B, S, *data_shape)``."""
        condition = None if self.condition is None else self.condition.repeat_interleave(z.shape[1], 0)
        generated = self.sampler.generate(z.flatten(0, 1), condition)
        return generated.reshape(*z.shape[:2], *generated.shape[1:])

    def errors(self, generated: Tensor) -> Tensor:
        """Mean squared errors per value, ``(B, S)``."""
        return (at_least_float32(generated) - self.x[:, None]).square().flatten(2).mean(2)

    def returned(self, z: Tensor, noise: Sequence[Noise]) -> Tensor:
        """Codes within the support of the density."""
        if self.density is None:
            return z
        return torch.stack([self.density.returned(*each) for each in zip(z.unbind(1), noise, strict=False)], 1)

    def kept(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The entries of an `Inversion`, of the best code of each item."""
        generated = self.generated(z)
        rows, best = torch.arange(len(z)), self.objective(z).argmin(1)
        errors = self.errors(generated)
        return z[rows, best], generated[rows, best], errors[rows, best], errors
