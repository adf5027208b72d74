"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.sampling.capabilities import Encodes as Encodes
from genzoo.sampling.capabilities import HasLikelihood as HasLikelihood
from genzoo.sampling.capabilities import Represents as Represents
