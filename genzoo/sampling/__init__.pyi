"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.sampling.autoencoders import AutoEncoderSampler as AutoEncoderSampler
from genzoo.sampling.autoencoders import EncodingSampler as EncodingSampler
from genzoo.sampling.autoencoders import VariationalSampler as VariationalSampler
from genzoo.sampling.capabilities import Encodes as Encodes
from genzoo.sampling.capabilities import HasLikelihood as HasLikelihood
from genzoo.sampling.capabilities import Represents as Represents
from genzoo.sampling.conditions import ClassCondition as ClassCondition
from genzoo.sampling.conditions import Condition as Condition
from genzoo.sampling.conditions import ImageCondition as ImageCondition
from genzoo.sampling.conditions import NoCondition as NoCondition
from genzoo.sampling.conditions import TokenCondition as TokenCondition
from genzoo.sampling.conditions import VectorCondition as VectorCondition
from genzoo.sampling.densities import FittedDensity as FittedDensity
from genzoo.sampling.densities import FittedPrior as FittedPrior
from genzoo.sampling.densities import GaussianMixture as GaussianMixture
from genzoo.sampling.densities import GaussianMixtureDensity as GaussianMixtureDensity
from genzoo.sampling.generators import GeneratorSampler as GeneratorSampler
from genzoo.sampling.priors import Density as Density
from genzoo.sampling.priors import NormalPrior as NormalPrior
from genzoo.sampling.priors import Prior as Prior
from genzoo.sampling.priors import StandardNormal as StandardNormal
from genzoo.sampling.priors import UniformCube as UniformCube
from genzoo.sampling.priors import UniformPrior as UniformPrior
from genzoo.sampling.sampler import Sampler as Sampler
