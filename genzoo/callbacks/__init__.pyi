"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.callbacks.alarms import Alarms as Alarms
from genzoo.callbacks.alarms import Remedy as Remedy
from genzoo.callbacks.beginning import Beginning as Beginning
from genzoo.callbacks.checkpoints import Checkpoints as Checkpoints
from genzoo.callbacks.checkpoints import WholeCheckpointIO as WholeCheckpointIO
from genzoo.callbacks.closing import Closing as Closing
from genzoo.callbacks.final_scores import Evaluation as Evaluation
from genzoo.callbacks.interruption import Interruption as Interruption
from genzoo.callbacks.interruption import RunInterruptedError as RunInterruptedError
from genzoo.callbacks.picture_kinds.interpolation import InterpolationPicture as InterpolationPicture
from genzoo.callbacks.picture_kinds.kind import PictureKind as PictureKind
from genzoo.callbacks.picture_kinds.latent import InPlane as InPlane
from genzoo.callbacks.picture_kinds.latent import LatentPicture as LatentPicture
from genzoo.callbacks.picture_kinds.neighbours import NeighboursPicture as NeighboursPicture
from genzoo.callbacks.picture_kinds.reconstructions import ReconstructionsPicture as ReconstructionsPicture
from genzoo.callbacks.picture_kinds.samples import SamplesPicture as SamplesPicture
from genzoo.callbacks.picture_kinds.scene import Scene as Scene
from genzoo.callbacks.picture_kinds.scene import SeenItems as SeenItems
from genzoo.callbacks.picture_kinds.traversals import TraversalsPicture as TraversalsPicture
from genzoo.callbacks.pictures import Pictures as Pictures
from genzoo.callbacks.predictions import Predictions as Predictions
from genzoo.callbacks.progress import ProgressBar as ProgressBar
from genzoo.callbacks.report import Report as Report
from genzoo.callbacks.sample_scores import SampleScores as SampleScores
from genzoo.callbacks.speed import Speed as Speed
