"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.losses.constraints import Constraint as Constraint
from genzoo.losses.constraints import WeightClipping as WeightClipping
from genzoo.losses.every import Every as Every
from genzoo.losses.gaussian_likelihoods import Gaussian as Gaussian
from genzoo.losses.gaussian_likelihoods import LearnedGaussian as LearnedGaussian
from genzoo.losses.gaussian_likelihoods import SharedDeviation as SharedDeviation
from genzoo.losses.likelihoods import Bernoulli as Bernoulli
from genzoo.losses.likelihoods import ContinuousBernoulli as ContinuousBernoulli
from genzoo.losses.likelihoods import DiscretizedLogistic as DiscretizedLogistic
from genzoo.losses.likelihoods import Likelihood as Likelihood
from genzoo.losses.objectives import AdversarialObjective as AdversarialObjective
from genzoo.losses.objectives import Hinge as Hinge
from genzoo.losses.objectives import LeastSquares as LeastSquares
from genzoo.losses.objectives import Minimax as Minimax
from genzoo.losses.objectives import NonSaturating as NonSaturating
from genzoo.losses.objectives import Wasserstein as Wasserstein
from genzoo.losses.penalties import DRAGAN as DRAGAN
from genzoo.losses.penalties import GradientPenalty as GradientPenalty
from genzoo.losses.penalties import Penalty as Penalty
from genzoo.losses.penalties import R1 as R1
from genzoo.losses.penalties import R2 as R2
from genzoo.losses.penalties import SlopePenalty as SlopePenalty
from genzoo.losses.regularisation import Regularisation as Regularisation
from genzoo.losses.relativistic import RelativisticAverage as RelativisticAverage
from genzoo.losses.relativistic import RelativisticObjective as RelativisticObjective
from genzoo.losses.relativistic import RelativisticPairing as RelativisticPairing
