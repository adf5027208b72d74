"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.training.adversarial import AdversarialModel as AdversarialModel
from genzoo.training.adversarial import Player as Player
from genzoo.training.averaging import Averaged as Averaged
from genzoo.training.averaging import WeightAverage as WeightAverage
from genzoo.training.checkpoint_io import SafeCheckpointIO as SafeCheckpointIO
from genzoo.training.combinations import Judged as Judged
from genzoo.training.descent import DescentModel as DescentModel
from genzoo.training.divided import Together as Together
from genzoo.training.finite_watch import FiniteWatch as FiniteWatch
from genzoo.training.foreseen import Foreseen as Foreseen
from genzoo.training.inference import InferenceModel as InferenceModel
from genzoo.training.laps import Laps as Laps
from genzoo.training.manual_optimisation import OwnDuties as OwnDuties
from genzoo.training.model import GenerativeModel as GenerativeModel
from genzoo.training.optimizer_schedule import OptimizerSchedule as OptimizerSchedule
from genzoo.training.optimizers import AdversarialAdam as AdversarialAdam
from genzoo.training.penalty_terms import PenaltyTerms as PenaltyTerms
from genzoo.training.recorder import Recorder as Recorder
from genzoo.training.schedule_log import HoldsSettings as HoldsSettings
from genzoo.training.schedule_log import ScheduleLog as ScheduleLog
from genzoo.training.schedule_log import Scheduled as Scheduled
from genzoo.training.split_means import SplitMeans as SplitMeans
from genzoo.training.step_log import StepLog as StepLog
from genzoo.training.turns import Turns as Turns
from genzoo.training.update_size import UpdateSize as UpdateSize
from genzoo.training.variational import VariationalModel as VariationalModel
