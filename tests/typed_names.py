"""What a type checker knows of public names. mypy checks this file beside the package; there is nothing to run."""

from typing_extensions import assert_type

import genzoo.models
from genzoo import DCGAN, VAE, FashionMNISTMini, FrechetDistance, NonSaturating, Pictures
from genzoo.data import ImageFolder
from genzoo.networks import DCGANPlayers
from genzoo.spec import DataSpec
from genzoo.training import GenerativeModel


def public_names_have_types() -> None:
    assert_type(DCGAN, type[genzoo.models.DCGAN])
    assert_type(VAE.load_from_checkpoint("last.ckpt"), VAE)
    assert_type(GenerativeModel.load_from_checkpoint("last.ckpt"), GenerativeModel)
    assert_type(FashionMNISTMini().spec, DataSpec)
    assert_type(ImageFolder("pictures"), ImageFolder)
    assert_type((NonSaturating(), Pictures(), DCGANPlayers()), tuple[NonSaturating, Pictures, DCGANPlayers])
    assert_type(FrechetDistance(64), FrechetDistance)
    assert_type(genzoo.__version__, str)
