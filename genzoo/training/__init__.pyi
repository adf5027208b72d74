"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.training.checkpoint_io import SafeCheckpointIO as SafeCheckpointIO
