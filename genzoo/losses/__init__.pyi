"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.losses.adversarial import AdversarialObjective as AdversarialObjective
from genzoo.losses.adversarial import Minimax as Minimax
from genzoo.losses.adversarial import NonSaturating as NonSaturating
from genzoo.losses.likelihoods import Bernoulli as Bernoulli
from genzoo.losses.likelihoods import ContinuousBernoulli as ContinuousBernoulli
from genzoo.losses.likelihoods import DiscretizedLogistic as DiscretizedLogistic
from genzoo.losses.likelihoods import Gaussian as Gaussian
from genzoo.losses.likelihoods import LearnedGaussian as LearnedGaussian
from genzoo.losses.likelihoods import Likelihood as Likelihood
