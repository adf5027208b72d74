r"""Conditional GAN.

Source: Mirza and Osindero, "Conditional generative adversarial nets", 2014.

.. math:: \min_G \max_D V(D, G) = E_x[\log D(x|y)] + E_z[\log(1 - D(G(z|y)|y))]

From the paper: the condition goes to both players, by concatenation; for a class label it is the one-hot
vector. Not from the paper: it is concatenated at the input (as constant maps beside an image in convolutional
players) rather than behind a first layer of its own, unless the networks are `Joined`; Adam, and the players of
`GAN` or `DCGAN`.
"""

from typing import Any

from genzoo.hyperparameters import whole_number
from genzoo.models.gan import GAN
from genzoo.sampling.conditions import Condition, VectorCondition, required_condition
from genzoo.spec import DataSpec


class ConditionalGAN(GAN):
    """GAN in which both players are given a condition: a class label, any vector, an image or tokens.

    Args:
        vector_dim: Length of the conditions if they are vectors, ``(N, vector_dim)`` floats in place of
            labels. 0: what the data have, as their spec says.
        **kwargs: Arguments of `GAN`.
    """

    def __init__(self, vector_dim: int = 0, **kwargs: Any) -> None:
        self.vector_dim = whole_number("vector_dim", vector_dim)
        super().__init__(**kwargs)

    def condition_for(self, data_spec: DataSpec) -> Condition:
        """Vectors where they are asked for, else what the data have."""
        return (
            VectorCondition(self.vector_dim) if self.vector_dim else required_condition(data_spec, type(self).__name__)
        )
