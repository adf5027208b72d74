"""Checkpoints as Lightning reads them: by `genzoo.checkpoint_files`, so that no code in them is run."""

import traceback
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.trainer.connectors import checkpoint_connector

from genzoo.checkpoint_files import read_checkpoint

# The name of the file in which Lightning's ddp_spawn and ddp_fork hand the weights back, bare, to who started them.
HANDED_BACK = ".temp.ckpt"


def happened_while_restoring(error: BaseException) -> bool:
    """Whether an error was raised while Lightning gave models, optimisers and callbacks what a checkpoint holds."""
    functions = (frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(
        code.co_name.lstrip("_").startswith("restore") and code.co_filename == checkpoint_connector.__file__
        for code in functions
    )


class SafeCheckpointIO(TorchCheckpointIO):
    """Reads checkpoints by `read_checkpoint`: no code that they hold is run, wherever they come from."""

    def load_checkpoint(
        self, path: str | Path, map_location: Any = lambda storage, _: storage, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Reads a checkpoint.

        Args:
            path: The file, or its address.
            map_location: As for ``torch.load``.
            weights_only: False, and nothing else, lets code in the file run.

        Raises:
            FileNotFoundError: If there is no such file.
            CheckpointError: If it cannot be read, or is no checkpoint.
        """
        if Path(path).name == HANDED_BACK:
            return torch.load(path, map_location=map_location, weights_only=True)  # type: ignore[no-any-return]
        return read_checkpoint(path, map_location=map_location, weights_only=weights_only is not False)
