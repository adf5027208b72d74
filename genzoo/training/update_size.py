r"""How far an update moves the weights of a network, beside how large they are.

.. math:: \frac{\lVert w_{t+1} - w_t \rVert_2}{\lVert w_t \rVert_2}

About 0.001 is usual where Adam trains well from scratch; 0.1 says that the learning rate is too high, and 0.00001 that
nothing moves any more.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


class UpdateSize:
    """Compares the weights of networks before and after an update.

    Example:
        >>> import torch
        >>> from genzoo.training import UpdateSize
        >>> network = torch.nn.Linear(2, 1, bias=False)
        >>> _ = torch.nn.init.constant_(network.weight, 3.0)
        >>> size = UpdateSize({"decoder": [network.weight]})
        >>> _ = torch.nn.init.constant_(network.weight, 3.3)
        >>> {name: round(float(value), 3) for name, value in size.measured().items()}
        {'decoder_weight_norm': 4.243, 'decoder_update_ratio': 0.1}

    Args:
        networks: The parameters of each by its name, before the update.
    """

    def __init__(self, networks: Mapping[str, Iterable[nn.Parameter]]) -> None:
        self.networks = {name: [*parameters] for name, parameters in networks.items()}
        self._before = {name: [p.detach().clone() for p in self.networks[name]] for name in self.networks}

    @torch.no_grad()
    def measured(self) -> dict[str, Tensor]:
        """Of each network the norm of its weights before the update, and how far this has moved them as a share of it.

        Returns:
            Scalars on the device of the weights, ``NAME_weight_norm`` and ``NAME_update_ratio``.
        """
        measured: dict[str, Tensor] = {}
        for name, parameters in self.networks.items():
            before = self._before[name]
            norm = nn.utils.get_total_norm(before)
            moved = nn.utils.get_total_norm(torch._foreach_sub([p.detach() for p in parameters], before))
            # Weights that are all 0 have no share.
            measured |= {f"{name}_weight_norm": norm, f"{name}_update_ratio": moved / norm}
        return measured


def names_of(network: str) -> set[str]:
    """What is measured of a network, by its name in the log."""
    return {f"{network}_weight_norm", f"{network}_update_ratio"}
