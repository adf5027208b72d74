import json

import numpy as np
import pytest
import yaml
from lightning.pytorch import Trainer
from PIL import Image

from genzoo.cli.latent import latent
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.points import GaussianMixture2D
from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.cvae import ConditionalVAE
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers

CODER, PLAYERS = MLPEncoderDecoder((8,)), MLPPlayers((8,), (8,))
CLOTHES = (FashionMNISTMini, {"image_size": 28, "batch_size": 16})
RING = (GaussianMixture2D, {"layout": "ring", "training_points": 64, "test_points": 20, "batch_size": 16})
MODELS = {
    "vae": (VAE, {"networks": CODER, "latent_dim": 3}, CLOTHES),
    "plane": (VAE, {"networks": CODER, "latent_dim": 2}, CLOTHES),
    "cvae": (ConditionalVAE, {"networks": CODER, "latent_dim": 2}, CLOTHES),
    "autoencoder": (AutoEncoder, {"networks": CODER, "latent_dim": 2}, CLOTHES),
    "cgan": (ConditionalGAN, {"networks": PLAYERS, "latent_dim": 4}, CLOTHES),
    "points": (GAN, {"networks": PLAYERS, "latent_dim": 2}, RING),
    "points_vae": (VAE, {"networks": CODER, "latent_dim": 2, "likelihood": Gaussian(activation="identity")}, RING),
}


@pytest.fixture(scope="session")
def run_of(tmp_path_factory):
    """Makes run folders of models that were trained for a step, each once."""
    made = {}

    def make(name):
        if name not in made:
            cls, settings, (data_cls, data_settings) = MODELS[name]
            folder, data = tmp_path_factory.mktemp(name), data_cls(**data_settings)
            model = cls(data_spec=data.spec, **settings)
            quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
            trainer = Trainer(accelerator="cpu", max_steps=1, limit_val_batches=0, enable_checkpointing=False, **quiet)
            trainer.fit(model, datamodule=data)
            trainer.save_checkpoint(folder / "checkpoints" / "last.ckpt")
            config = {"data": {"class_path": f"genzoo.{data_cls.__name__}", "init_args": data_settings}}
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
            made[name] = folder
        return made[name]

    return make


@pytest.fixture
def drawn(run_of, working_folder):
    """Runs a tool on a model, and gives its picture and its record."""

    def draw(tool, model, *options, ending=".png"):
        assert latent([tool, str(run_of(model)), *options]) == 0
        picture, record = working_folder / f"{tool}{ending}", working_folder / f"{tool}.json"
        assert sorted(working_folder.iterdir()) == sorted([picture, record])
        return Image.open(picture) if ending != ".mp4" else picture, json.loads(record.read_text())

    return draw


@pytest.fixture
def refused(run_of, working_folder, capsys):
    """Runs a tool on a model, which has to refuse it and write nothing, and gives what it says."""

    def draw(tool, model, *options):
        before = sorted(working_folder.iterdir())
        with pytest.raises(SystemExit) as end:
            latent([tool, str(run_of(model)), *options])
        assert end.value.code == 2
        assert sorted(working_folder.iterdir()) == before
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        return said

    return draw


@pytest.fixture
def pixels():
    """The pixels of a picture, ``(height, width, 3)``."""
    return lambda picture: np.asarray(picture.convert("RGB"))
