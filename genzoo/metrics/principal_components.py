"""Principal components: the reconstructions that a code of the same size should at least achieve."""

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import Self

from genzoo.subsets import choose_some

# The exact method decomposes a matrix of values by values: 32 MB and some seconds for 2,048 of them.
EXACT_UP_TO, IMAGES_FOR_LARGE = 2048, 10_000


@dataclass(frozen=True)
class PrincipalComponents:
    """The best linear autoencoder: what a latent code of a given size should at least achieve.

    Args:
        mean: Of the training images, ``(D,)``, float64.
        components: Orthonormal directions of the largest variance, ``(K, D)``, float64.
    """

    mean: Tensor
    components: Tensor

    @classmethod
    def fit(cls, images: Tensor, number: int) -> Self:
        """Finds the components of training images.

        Those of images of more than 2,048 values are found by a randomised method, of at most 10,000 images.

        Args:
            images: ``(N, ...)``, floats, with D values each.
            number: K, how many components.

        Raises:
            ValueError: If there are not as many components.

        Example:
            >>> import torch
            >>> from genzoo.metrics import PrincipalComponents
            >>> images = torch.rand(50, 1, 4, 4)
            >>> whole = PrincipalComponents.fit(images, number=16)
            >>> torch.allclose(whole.reconstruct(images), images, atol=1e-5)
            True
        """
        values = images.flatten(1)
        if not 1 <= number <= values.shape[1]:
            raise ValueError(
                f"number is {number}, but images of {values.shape[1]} values have from 1 to {values.shape[1]} "
                "components; choose one of these"
            )
        if values.shape[1] > EXACT_UP_TO:
            return cls._approximate(values, number)
        mean = values.double().mean(0)
        scatter = torch.zeros(len(mean), len(mean), dtype=torch.float64)
        for chunk in values.split(4096):
            centred = chunk.double() - mean
            scatter += centred.T @ centred
        _, vectors = torch.linalg.eigh(scatter)
        return cls(mean, vectors[:, -number:].T.contiguous())

    @classmethod
    def _approximate(cls, values: Tensor, number: int) -> Self:
        """By a randomised decomposition, whose time is proportional to the number of values."""
        spread = values[choose_some(len(values), IMAGES_FOR_LARGE)].float()
        mean = spread.mean(0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            # A few directions more than are wanted, and power iterations, make the wanted ones accurate (Halko et al.
            # 2011, section 4).
            rank = min(number + 10, *spread.shape)
            vectors = torch.svd_lowrank(spread - mean, rank, niter=8)[2][:, :number]
        return cls(mean.double(), vectors.T.double().contiguous())

    def reconstruct(self, images: Tensor) -> Tensor:
        """Projects images onto the components: ``(N, ...)`` to the same shape and type."""
        centred = images.flatten(1).double() - self.mean
        projected = centred @ self.components.T @ self.components + self.mean
        return projected.to(images.dtype).view(images.shape)
