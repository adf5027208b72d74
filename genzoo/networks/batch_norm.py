"""Batch norm and batches too small for it."""

from torch import nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def require_batches_for_batch_norm(network: nn.Module, name: str, smallest_batch: int) -> None:
    """Refuses to train batch norm on a batch of one, whose statistics say nothing of the data.

    Args:
        network: With or without batch norm.
        name: What to call it.
        smallest_batch: Size of the smallest batch per device that it will be trained on.

    Raises:
        ValueError: If the network has batch norm and the smallest batch is a single item.
    """
    if smallest_batch == 1 and any(isinstance(part, BATCH_NORMS) for part in network.modules()):
        raise ValueError(
            f"a {name} with batch norm would be trained on a batch of 1 image, but needs at least 2 per device; "
            "set batch_size to 2 or more, drop an incomplete last batch, or choose networks without batch norm"
        )
