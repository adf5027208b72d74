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

from genzoo.hyperparameters import whole_number
from genzoo.models.gan import GAN
from genzoo.sampling.given import Given, labels_of, vectors_of


class ConditionalGAN(GAN):
    """GAN in which both players are told a condition: a class label, or any vector.

    Args:
        vector_dim: Length of the conditions if they are vectors, ``(N, vector_dim)`` floats in place of
            labels. 0: the number of the data's attributes if they have such, else they are class labels.
        **kwargs: Arguments of `GAN`.
    """

    def __init__(self, vector_dim: int = 0, **kwargs: Any) -> None:
        self._given_vector_dim = whole_number("vector_dim", vector_dim)
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

    def sampling_conditions(self, number: int, y: Given | None) -> Tensor:
        """The given conditions, or all classes in turn.

        Raises:
            ValueError: If the conditions are of another number or shape, no classes of the data, or missing where they
                are vectors.
        """
        if y is None:
            if self.vector_dim:
                raise ValueError(f"sampling needs y: one condition of {self.vector_dim} numbers per image")
            return torch.arange(number, device=self.device) % self.num_classes
        if self.vector_dim:
            return vectors_of(y, number, self.vector_dim).to(self.device)
        return labels_of(y, number, self.data_spec["class_names"]).to(self.device)
