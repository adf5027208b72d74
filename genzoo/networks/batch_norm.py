"""Layers that compare the items of a batch, and batches too small for them."""

from torch import nn

from genzoo.networks.minibatch_deviation import MinibatchDeviation

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def require_batches_for_batch_norm(network: nn.Module, name: str, smallest_batch: int) -> None:
    """Refuses to train on a batch of one what needs statistics of a batch: batch norm, or a minibatch deviation.

    Args:
        network: With or without such layers.
        name: What to call it.
        smallest_batch: Size of the smallest batch per device that it will be trained on.

    Raises:
        ValueError: If the network has such layers and the smallest batch is a single item.
    """
    for kinds, called in ((BATCH_NORMS, "batch norm"), (MinibatchDeviation, "a minibatch deviation")):
        if smallest_batch == 1 and any(isinstance(part, kinds) for part in network.modules()):
            raise ValueError(
                f"a {name} with {called} would be trained on a batch of 1 image, but needs at least 2 per device; "
                f"set batch_size to 2 or more, drop an incomplete last batch, or choose networks without {called}"
            )
