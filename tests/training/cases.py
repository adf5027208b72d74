"""Small models of every kind that is trained, each with settings of its own: what the tests of training run over.

Each value of a setting occurs somewhere; together they would be too many.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod

from torch import nn

from genzoo.augmentations.adaptive_augment import AdaptiveAugment
from genzoo.augmentations.consistency import Consistency
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.losses.constraints import WeightClipping
from genzoo.losses.every import Every
from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.losses.objectives import Hinge, NonSaturating, Wasserstein
from genzoo.losses.penalties import DRAGAN, R1, R2, GradientPenalty
from genzoo.losses.relativistic import RelativisticPairing
from genzoo.models.acgan import ACGAN
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.cvae import ConditionalVAE
from genzoo.models.dcgan import DCGAN
from genzoo.models.gan import GAN
from genzoo.models.infogan import InfoGAN
from genzoo.models.unrolled_gan import UnrolledGAN
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.embedded import Embedded
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.networks.r3gan import R3GANPlayers
from genzoo.networks.residual_players import ResidualPlayers
from genzoo.networks.spectral import SpectrallyNormalised
from genzoo.sampling.autoencoders import EncodingSampler, VariationalSampler
from genzoo.sampling.coded import CodedPrior
from genzoo.schedules.schedule import HalfLife, Linear
from genzoo.training.adversarial import AdversarialModel, Player
from genzoo.training.descent import DescentModel
from genzoo.training.inference import InferenceModel
from genzoo.training.model import GenerativeModel
from genzoo.training.optimizer_schedule import OptimizerSchedule
from tests.conftest import RandomImages, RandomPairs
from tests.sampling.second_stage import CodeSampler


class ThreePlayers(GAN):
    """A game in which a third player, the reader, tells latent variables from what the generator makes of them.

    As in InfoGAN it moves the generator too, which so moves twice in a step. The generator's own loss depends on the
    parameters of all three.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.reader = nn.Sequential(nn.Flatten(), nn.Linear(prod(self.data_shape), 8), nn.Linear(8, self.latent_dim))

    def players(self):
        moved = [self.reader, self.sampler.generator]
        return [*super().players(), Player("reader", moved, self.reader_loss, self.generator_optimizer)]

    def reader_loss(self, x, y, noise):
        z = self.prior_sample(len(x), noise)
        return (self.reader(self.sampler.generate(z, None)).float() - z).square().mean()

    def generator_loss(self, x, y, noise):
        return super().generator_loss(x, y, noise) + self.reader_loss(x, y, noise)


class SecondStage(InferenceModel, DescentModel):
    """Learns how the codes of a first stage are distributed, by their likelihood."""

    def __init__(self, first: EncodingSampler, **kwargs):
        super().__init__(**kwargs)
        # A copy, since others may hold what is given.
        self.sampler = CodeSampler(self.data_spec, copy.deepcopy(first))

    @property
    def latent_shape(self):
        return self.sampler.latent_shape

    def statistics(self, x, y, noise):
        z = self.encode(x).float()
        return {"loss": (0.5 * z.square() + self.acting.scaling.log_deviation).sum(1)}


FIRST_STAGE = VariationalSampler(RandomImages().spec, (3,), MLPEncoderDecoder((8,)), Gaussian())


@dataclass(frozen=True)
class Case:
    """A model and data that it can be trained on, both with further settings."""

    model: partial[GenerativeModel]
    data: Callable[..., RandomImages] = RandomImages

    @property
    def is_game(self):
        """Whether players take turns."""
        return issubclass(self.model.func, AdversarialModel)


SMALL = MLPPlayers((8,), (8,), dropout=0.3)

FOLLOWING = partial(OptimizerSchedule, lr=Linear(1e-3, 0.0, 30), beta2=Linear(0.9, 0.99, 12))

# Its probability moves up and down within a few steps.
ADAPTIVE = AdaptiveAugment(target=-0.5, images=64, highest=1.0, updates=2)

# Of which deep networks have few layers.
TINY = partial(RandomImages, image_size=8)

CASES = {
    "gradient penalty": Case(
        partial(
            GAN,
            networks=SpectrallyNormalised(SMALL),
            objective=Wasserstein(),
            penalties=(GradientPenalty(side="above"), Every(R1(), steps=3)),
            discriminator_steps=2,
            average_decay=0.9,
        )
    ),
    "pairs, two penalties, augmented": Case(
        partial(
            GAN,
            networks=R3GANPlayers(width=1, depth=1),
            objective=RelativisticPairing(),
            penalties=(DRAGAN(0.1), R2(0.1)),
            augmentation=DiffAugment(),
        ),
        TINY,
    ),
    "adaptive augmentation": Case(
        partial(
            DCGAN,
            networks=ResidualPlayers(width=2, attention_size=4, deviation_group=4),
            latent_dim=4,
            augmentation=InTurn([ADAPTIVE, InstanceNoise(Linear(0.2, 0.0, 12))]),
            average_decay=HalfLife(Linear(1.0, 9.0, 8)),
            generator_scheduler=FOLLOWING,
            discriminator_scheduler=FOLLOWING,
        ),
        TINY,
    ),
    "three players": Case(
        partial(
            ThreePlayers,
            networks=SMALL,
            objective=NonSaturating(real_label=Linear(0.8, 1.0, 6)),
            penalties=(WeightClipping(0.2),),
            latent_dim=4,
            discriminator_steps=Linear(start=2.0, end=1.0, steps=5),
            average_decay=0.9,
        )
    ),
    "condition images": Case(
        partial(
            ConditionalGAN,
            networks=ImageToImagePlayers(width=2),
            latent_dim=2,
            objective=Hinge(),
            penalties=(Consistency(DiffAugment(), 1.0, 2.0),),
        ),
        RandomPairs,
    ),
    "classifier": Case(partial(ACGAN, networks=Embedded(SMALL, dim=3), latent_dim=4)),
    "codes": Case(partial(InfoGAN, networks=SMALL, latent_dim=2, prior=CodedPrior((3,), 1), average_decay=0.9)),
    "lookahead of packs": Case(
        partial(UnrolledGAN, networks=Packed(SMALL), latent_dim=4, lookahead=2, penalties=(R1(0.1),))
    ),
    "second stage": Case(partial(SecondStage, first=FIRST_STAGE, average_decay=0.9)),
    "encoder in the game": Case(
        partial(VAEGAN, networks=MLPEncoderDecoder((8,)), judge=SMALL, latent_dim=4, average_decay=0.9)
    ),
    "conditional bound": Case(
        partial(ConditionalVAE, networks=MLPEncoderDecoder((8,)), average_decay=0.9, scheduler=FOLLOWING)
    ),
}


def paired(first, second):
    """Pairs in which each of two lists' entries occurs, in place of all pairs."""
    first, second = list(first), list(second)
    return [(first[n % len(first)], second[n % len(second)]) for n in range(max(len(first), len(second)))]
