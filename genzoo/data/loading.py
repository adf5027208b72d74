"""Batches fetched by worker processes, which hand them over in shared memory; what fails there is one sentence."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Subset, get_worker_info

from genzoo.data.arrays import Batch, EpochSampler, ImageArray

SHARED_MEMORY = Path("/dev/shm")
# A worker that is stuck is given up; torch finds out by itself only that one has ended.
SECONDS_TO_WAIT = 300
# Locks and queues of a worker, a page of memory each.
BYTES_OF_WORKER = 2**16


class SharedMemoryError(RuntimeError):
    """A worker could not place a batch in shared memory."""


class WorkerError(RuntimeError):
    """Loading by worker processes has failed; says why, and what to do."""

    def __init__(self, reason: object) -> None:
        free = f" (of which {_megabytes(_free())} are free in {SHARED_MEMORY})" if SHARED_MEMORY.is_dir() else ""
        super().__init__(
            f"loading by worker processes has failed ({reason}); set num_workers to 0, which is fastest for data in "
            f"memory, or give the system more shared memory{free}, a container by --shm-size"
        )


class BatchLoader(DataLoader[Batch]):
    """A loader of batches that are fetched whole.

    Raises:
        WorkerError: While it is iterated, if its worker processes cannot be started, end, or do not hand over a batch.
    """

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        if self.num_workers == 0:
            return super().__iter__()
        try:
            batches = super().__iter__()
        except OSError as error:
            raise WorkerError(error) from error
        return _watched(batches)


def batch_loader(
    items: ImageArray | Subset[Batch], sampler: EpochSampler, batch_size: int, num_workers: int, drop_last: bool
) -> BatchLoader:
    """A loader of a part of a data set.

    Args:
        items: The part.
        sampler: The order.
        batch_size: Items per batch.
        num_workers: Worker processes.
        drop_last: Leaves out an incomplete last batch.

    Raises:
        ValueError: If shared memory has no room for the batches that workers fetch ahead.
    """
    if num_workers > 0 and len(items):
        bytes_of_item = sum(tensor.nbytes for tensor in items[0])
        require_shared_memory(bytes_of_item * min(batch_size, len(items)), num_workers)
    return BatchLoader(
        items,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        # `ImageArray.__getitems__` gives whole batches: there is nothing to collate.
        collate_fn=share_batch,
        pin_memory=torch.cuda.is_available(),
        drop_last=drop_last,
        # Both are refused by torch where there are no workers.
        persistent_workers=num_workers > 0,
        timeout=SECONDS_TO_WAIT if num_workers > 0 else 0,
    )


def share_batch(batch: Any) -> Any:
    """The collate function of batches that were fetched whole: returns the batch, in a worker in shared memory.

    It would get there anyway, but only while it is sent, in a thread whose failure is lost: training would then hang.
    """
    if get_worker_info() is not None:
        try:
            for tensor in batch:
                tensor.share_memory_()
        except (RuntimeError, OSError) as error:
            raise SharedMemoryError(str(error)) from error
    return batch


def require_shared_memory(bytes_of_batch: int, num_workers: int, batches_ahead: int = 2) -> None:
    """Requires room for the batches that workers fetch ahead.

    Args:
        bytes_of_batch: Size of one batch.
        num_workers: How many workers there are.
        batches_ahead: How many batches each of them fetches ahead.

    Raises:
        ValueError: If there is less room.
    """
    needed = num_workers * (batches_ahead * bytes_of_batch + BYTES_OF_WORKER)
    if SHARED_MEMORY.is_dir() and needed > _free():
        raise ValueError(
            f"{num_workers} workers need {_megabytes(needed)} of shared memory, but {SHARED_MEMORY} has "
            f"only {_megabytes(_free())} left; set num_workers to 0, which is fastest for data in memory, lower the "
            "batch_size, or enlarge it, in a container by --shm-size"
        )


def worker_error(error: Exception) -> WorkerError | None:
    """What torch says where it finds out that a worker has been killed, which may be anywhere in the training."""
    if isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker (pid"):
        return WorkerError(_reason(error))
    return None


def _watched(batches: Iterator[Batch]) -> Iterator[Batch]:
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except SharedMemoryError as error:
            raise WorkerError("there is no room for a batch in shared memory") from error
        except (RuntimeError, OSError, EOFError) as error:
            # What a worker met in reading the data comes with its traceback, and is not for the user.
            if str(error).startswith("Caught "):
                raise
            raise WorkerError(_reason(error)) from error
        yield batch


def _reason(error: Exception) -> str:
    # The first sentence says what has happened; what torch advises behind it is for other causes.
    return str(error).partition(". ")[0].strip() or type(error).__name__


def _free() -> int:
    return shutil.disk_usage(SHARED_MEMORY).free


def _megabytes(number: int) -> str:
    return f"{number / 2**20:,.1f} MB"
