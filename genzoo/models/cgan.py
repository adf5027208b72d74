r"""Conditional GAN.

Source: Mirza and Osindero, "Conditional generative adversarial nets", 2014.

.. math:: \min_G \max_D V(D, G) = E_x[\log D(x|y)] + E_z[\log(1 - D(G(z|y)|y))]

From the paper: the condition goes to both players, by concatenation; for a class label it is the one-hot
vector. Not from the paper: it is concatenated at the input (as constant maps beside an image in convolutional
players) rather than behind a first layer of its own; Adam, and the players of `GAN` or `DCGAN`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genzoo.models.gan import GAN


class ConditionalGAN(GAN):
    """GAN in which both players are told a condition: a class label, or any vector.

    Args:
        vector_dim: Length of the conditions if they are vectors, ``(N, vector_dim)`` floats in place of
            labels. 0: the number of the data's attributes if they have such, else they are class labels.
        **kwargs: Arguments of `GAN`.
    """

    def __init__(self, vector_dim: int = 0, **kwargs: Any) -> None:
        self._given_vector_dim = vector_dim
        super().__init__(**kwargs)
        if self.condition_dim == 0:
            raise ValueError(
                "a ConditionalGAN needs data with class labels, or vector_dim for conditions that are vectors; "
                "these data have no classes"
            )

    @property
    def vector_dim(self) -> int:
        """Length of conditions that are vectors, 0 if they are class labels."""
        return self._given_vector_dim or len(self.data_spec.get("attribute_names", ()))

    @property
    def condition_dim(self) -> int:
        """Length of the vector that both players see: the number of classes, or ``vector_dim``."""
        return self.vector_dim or self.num_classes

    def blank_labels(self, number: int) -> Tensor:
        """Class 0, or vectors of zeros."""
        if self.vector_dim:
            return torch.zeros(number, self.vector_dim, device=self.device)
        return super().blank_labels(number)

    def condition(self, y: Tensor) -> Tensor:
        """One-hot vectors of labels ``(N,)``; vectors ``(N, vector_dim)`` as they are."""
        if self.vector_dim:
            return y.float()
        return functional.one_hot(y, self.num_classes).float()

    def sampling_conditions(self, number: int, y: Tensor | None) -> Tensor:
        """The given conditions, or all classes in turn.

        Raises:
            ValueError: If the conditions are of another number or shape, or missing where they are vectors.
        """
        if y is None:
            if self.vector_dim:
                raise ValueError(f"sampling needs y: one condition of {self.vector_dim} numbers per image")
            return torch.arange(number, device=self.device) % self.num_classes
        expected = (number, self.vector_dim) if self.vector_dim else (number,)
        if y.shape != expected:
            raise ValueError(f"y should have the shape {expected}, one condition per image, got {tuple(y.shape)}")
        if not self.vector_dim and (y.min() < 0 or y.max() >= self.num_classes):
            raise ValueError(f"labels should lie in 0 to {self.num_classes - 1}, got {int(y.min())} to {int(y.max())}")
        return y.to(self.device)
