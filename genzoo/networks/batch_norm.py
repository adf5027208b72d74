"""Layers that compare the items of a batch, and batches too small for them."""

from torch import nn

from genzoo.networks.discriminator import Discriminator
from genzoo.networks.minibatch_deviation import MinibatchDeviation

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def require_batches_for_batch_norm(network: nn.Module, name: str, smallest_batch: int) -> None:
    """Refuses to train on a batch of one what needs statistics of a batch: batch norm, or a minibatch deviation.

    Args:
        network: With or without such layers; those within a discriminator of packs get a batch of packs.
        name: What to call it.
        smallest_batch: Size of the smallest batch per device that it will be trained on; 0 if it is not known.

    Raises:
        ValueError: If the network has such layers and the smallest batch is a single item, or a single pack.
    """
    packs = dict.fromkeys(network.modules(), 1)
    for judge in (part for part in network.modules() if isinstance(part, Discriminator)):
        packs |= {part: max(packs[part], judge.pack_size) for part in judge.modules()}
    for kinds, called in ((BATCH_NORMS, "batch norm"), (MinibatchDeviation, "a minibatch deviation")):
        for pack in (packs[part] for part in network.modules() if isinstance(part, kinds)):
            if smallest_batch == pack:
                item = "image" if pack == 1 else f"pack of {pack}"
                raise ValueError(
                    f"a {name} with {called} would be trained on a batch of 1 {item}, but needs at least 2 per device; "
                    f"set batch_size to {2 * pack} or more, drop an incomplete last batch, or choose networks without "
                    f"{called}"
                )
