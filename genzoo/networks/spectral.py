r"""Spectral normalisation of discriminators, whatever players they are of.

.. math:: \bar W = W / \sigma(W), \qquad \sigma(W) \approx u^\top W v

Source: Miyato et al. 2018, equation 8 and Algorithm 1: a step of the power iteration for each pass in training mode,
in eval mode none; a convolution counts as the matrix of its output channels by all else. Not from the paper: u and v
start from 15 steps, as torch has it; embeddings, which are linear in one-hot vectors, are normalised too (Miyato and
Koyama 2018).
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from genzoo.networks.architectures import WrappedPlayers
from genzoo.networks.conditioning import Shape
from genzoo.networks.discriminator import Discriminator

LINEAR_MAPS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Embedding)

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


@dataclass(frozen=True)
class SpectrallyNormalised(WrappedPlayers):
    """Other players, with spectral norm on every convolution, linear layer and embedding of the discriminator.

    The largest singular value of each is then about 1, and the discriminator as Lipschitz as its nonlinearities and
    sums allow. A norm that it has by itself would undo this: give it players whose ``discriminator_norm`` is ``none``.
    What later takes the place of its ``head`` has no spectral norm, unless `spectrally_normalised` gives it one.

    torch copies such networks by their weights alone, so that the strategy ``ddp_spawn``, which pickles them, is
    refused by it; ``ddp`` is not.

    Args:
        players: Whose discriminator is normalised. Layers that start with weights of zeros, as those of `R3GANPlayers`,
            are refused: they have no largest singular value to divide by.
    """

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """That of the players, normalised: ``(N, *data_shape)`` to logits ``(N,)``."""
        return spectrally_normalised(self.players.discriminator(data_shape, condition_shape))


def spectrally_normalised(network: AnyNetwork) -> AnyNetwork:
    """Puts spectral norm on every layer of a network that multiplies by a matrix; changed in place.

    Args:
        network: Such as a discriminator, or a head that takes the place of its own.

    Raises:
        ValueError: If all weights of a layer are 0.
    """
    for name, part in list(network.named_modules()):
        if isinstance(part, LINEAR_MAPS) and not is_parametrized(part, "weight"):
            if not part.weight.any():
                raise ValueError(
                    f"spectral norm divides by the largest singular value, but all weights of {name or 'the layer'} of "
                    f"a {type(network).__name__} are 0 at the start; choose players that start from others"
                )
            spectral_norm(part)
            steps: Any = part.parametrizations["weight"]  # type: ignore[index]
            steps[0] = OutsideAutocast(steps[0])
    return network


class OutsideAutocast(nn.Module):
    """Computes singular values in the type of the weights, where autocast would take them in half precision.

    Args:
        norm: From weights to normalised ones.
    """

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, weight: Tensor) -> Tensor:
        """The normalised weights, of the same shape."""
        with torch.autocast(weight.device.type, enabled=False):
            normalised: Tensor = self.norm(weight)
        return normalised
