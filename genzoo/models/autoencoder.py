"""Autoencoder: the deterministic baseline that reconstructs, and generates only with a density of its codes.

Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 2006.
From the paper: a bottleneck of few units between an encoder and a decoder, trained to reconstruct. Not from
the paper: no layer-wise pretraining; ReLU, Adam and, if asked for, convolutions.
"""

from typing import Any, ClassVar, Literal

from torch import Tensor

from genzoo.networks.architectures import EncoderDecoder
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.autoencoders import AutoEncoderSampler
from genzoo.spec import is_image
from genzoo.training.descent import DescentModel
from genzoo.training.inference import InferenceModel


class AutoEncoder(InferenceModel, DescentModel):
    r"""Encodes an image in a few numbers and decodes it again.

    .. math:: L = E_x \sum_i (x_i - \hat x_i)^2, \qquad \hat x = \tanh(\mathrm{decoder}(\mathrm{encoder}(x)))

    The squared error is summed over the values of an image, with values scaled to [0, 1].

    Args:
        networks: Builds encoder and decoder.
        **kwargs: Arguments of `InferenceModel` and `DescentModel`.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = ("val/squared_error", "min")
    progress_metrics = ("train/squared_error", "val/squared_error")

    def __init__(self, networks: EncoderDecoder = MLPEncoderDecoder(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sampler = AutoEncoderSampler(self.data_spec, self.latent_shape, networks, self.density, self.condition)

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """The squared error of each item, ``(N,)``: pixels scaled to [0, 1], points as they are."""
        error = (at_least_float32(self.reconstruct(x)) - x) / (2.0 if is_image(self.data_shape) else 1.0)
        return {"squared_error": error.square().flatten(1).sum(1)}

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean squared error, which is the loss."""
        return means | {"loss": means["squared_error"]}
