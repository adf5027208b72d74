"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.models.adversarial import AdversarialModel as AdversarialModel
from genzoo.models.autoencoder import AutoEncoder as AutoEncoder
from genzoo.models.averaging import AveragedModule as AveragedModule
from genzoo.models.averaging import WeightAverage as WeightAverage
from genzoo.models.base import GenerativeModel as GenerativeModel
from genzoo.models.cgan import ConditionalGAN as ConditionalGAN
from genzoo.models.dcgan import DCGAN as DCGAN
from genzoo.models.evaluated import EvaluatedModule as EvaluatedModule
from genzoo.models.gan import GAN as GAN
from genzoo.models.inference import InferenceModel as InferenceModel
from genzoo.models.stored import StoredModule as StoredModule
from genzoo.models.vae import VAE as VAE
from genzoo.models.variational import VariationalModel as VariationalModel
from genzoo.models.watched import WatchedModule as WatchedModule
