"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.evaluation.classes import ClassesGroup as ClassesGroup
from genzoo.evaluation.compared import Comparison as Comparison
from genzoo.evaluation.likelihood import LikelihoodGroup as LikelihoodGroup
from genzoo.evaluation.modes import ModesGroup as ModesGroup
from genzoo.evaluation.parzen import ParzenGroup as ParzenGroup
from genzoo.evaluation.reconstruction import ReconstructionGroup as ReconstructionGroup
from genzoo.evaluation.representation import RepresentationGroup as RepresentationGroup
from genzoo.evaluation.samples import SamplesGroup as SamplesGroup
from genzoo.evaluation.score import Score as Score
from genzoo.evaluation.score_group import ScoreGroup as ScoreGroup
