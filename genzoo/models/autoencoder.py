"""Autoencoder: the deterministic baseline that reconstructs, and generates only with a density of its codes.

Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 2006.
From the paper: a bottleneck of few units between an encoder and a decoder, trained to reconstruct. Not from
the paper: no layer-wise pretraining; ReLU, Adam and, if asked for, convolutions.
"""

from typing import Any, ClassVar, Literal

from torch import Tensor

from genzoo.models.inference import InferenceModel
from genzoo.networks.architectures import EncoderDecoder
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.given import Given
from genzoo.spec import is_image


class AutoEncoder(InferenceModel):
    r"""Encodes an image in a few numbers and decodes it again.

    .. math:: L = E_x \sum_i (x_i - \hat x_i)^2, \qquad \hat x = \tanh(\mathrm{decoder}(\mathrm{encoder}(x)))

    The squared error is summed over the values of an image, with values scaled to [0, 1].

    Args:
        networks: Builds encoder and decoder.
        **kwargs: Arguments of `InferenceModel`.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = ("val/squared_error", "min")
    progress_metrics = ("train/squared_error", "val/squared_error")
    averaged_modules = ("encoder", "decoder")

    def __init__(self, networks: EncoderDecoder = MLPEncoderDecoder(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = networks.encoder(self.data_shape, (self.latent_dim,))
        self.decoder = networks.decoder((self.latent_dim,), self.data_shape)

    @property
    def can_sample(self) -> bool:
        """Whether there is a density of codes to draw from; an autoencoder has no prior."""
        return self.density is not None

    def encode(self, x: Tensor) -> Tensor:
        """Codes of images: ``(N, *data_shape)`` to ``(N, latent_dim)``."""
        self.require_data(x)
        z: Tensor = self.encoder(self.in_own_type(x))
        return z

    def decode(self, z: Tensor, y: Given | None = None) -> Tensor:
        """Data of codes: ``(N, latent_dim)`` to ``(N, *data_shape)``, images in [-1, 1]."""
        self.require_latents(z)
        self.sampling_conditions(len(z), y)
        output: Tensor = self.decoder(self.in_own_type(z))
        return output.tanh() if is_image(self.data_shape) else output

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """The squared error of each item, ``(N,)``: pixels scaled to [0, 1], points as they are."""
        error = (at_least_float32(self.reconstruct(x)) - x) / (2.0 if is_image(self.data_shape) else 1.0)
        return {"squared_error": error.square().flatten(1).sum(1)}

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean squared error, which is the loss."""
        return means | {"loss": means["squared_error"]}
