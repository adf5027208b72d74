"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.callbacks.alarms import Alarms as Alarms
from genzoo.callbacks.alarms import Remedy as Remedy
from genzoo.callbacks.beginning import Beginning as Beginning
from genzoo.callbacks.checkpoints import Checkpoints as Checkpoints
from genzoo.callbacks.checkpoints import WholeCheckpointIO as WholeCheckpointIO
from genzoo.callbacks.final_scores import Evaluation as Evaluation
from genzoo.callbacks.interruption import Interruption as Interruption
from genzoo.callbacks.interruption import RunInterruptedError as RunInterruptedError
from genzoo.callbacks.pictures import Pictures as Pictures
from genzoo.callbacks.predictions import Predictions as Predictions
from genzoo.callbacks.progress import ProgressBar as ProgressBar
from genzoo.callbacks.sample_scores import SampleScores as SampleScores
from genzoo.callbacks.speed import Speed as Speed
