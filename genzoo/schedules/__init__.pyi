"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.schedules.schedule import Cosine as Cosine
from genzoo.schedules.schedule import HalfLife as HalfLife
from genzoo.schedules.schedule import Linear as Linear
from genzoo.schedules.schedule import Ramp as Ramp
from genzoo.schedules.schedule import Schedule as Schedule
