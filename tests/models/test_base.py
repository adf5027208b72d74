import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger

from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.base import evaluating
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.conftest import RandomImages

SMALL = MLPEncoderDecoder((8,))


class Draws(Callback):
    """Notes a draw from the training noise and one from the global generator in each batch."""

    def __init__(self):
        self.training, self.dropout = [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.training.append(pl_module.training_noise().normal(3))
        pl_module.on_train_batch_start(batch, batch_idx)
        self.dropout.append(torch.rand(3))


def draws(trainer, seed, monkeypatch, rank=0):
    monkeypatch.setenv("PL_GLOBAL_SEED", str(seed))
    noted = Draws()
    data = RandomImages(number=72, batch_size=16)
    model = AutoEncoder(data_spec=data.spec, networks=SMALL)
    monkeypatch.setattr(type(model), "global_rank", rank)
    trainer(callbacks=[noted], max_epochs=2, num_sanity_val_steps=0).fit(model, datamodule=data)
    return torch.stack(noted.training), torch.stack(noted.dropout)


def test_noise_of_every_batch_and_rank_differs_and_repeats_with_the_seed(trainer, monkeypatch):
    reference = draws(trainer, 0, monkeypatch)
    for kind in reference:
        assert len(torch.unique(kind, dim=0)) == 8
    for kind, again in zip(reference, draws(trainer, 0, monkeypatch), strict=True):
        assert torch.equal(kind, again)
    for other in (draws(trainer, 1, monkeypatch), draws(trainer, 0, monkeypatch, rank=1)):
        for kind, changed in zip(reference, other, strict=True):
            assert not torch.isin(kind, changed).any()


def test_training_is_the_same_whatever_drew_from_the_global_generator_before(trainer):
    class Disturb(Callback):
        def on_validation_end(self, trainer, pl_module):
            torch.rand(17)

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            torch.rand(5)

    finals = []
    for callbacks in ([], [Disturb()]):
        torch.manual_seed(0)
        data = RandomImages(number=72, batch_size=16)
        model = GAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,), dropout=0.5))
        trainer(callbacks=callbacks, max_epochs=2).fit(model, datamodule=data)
        finals.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    assert torch.equal(*finals)


def test_nothing_reaches_the_logger_between_log_steps(trainer, tmp_path):
    class Counting(CSVLogger):
        steps = ()

        def log_metrics(self, metrics, step=None):
            if any(name.startswith("train/") for name in metrics):
                self.steps = (*self.steps, step)

    logger, handed = Counting(tmp_path), []

    class Handed(VAE):
        def log_training(self, values):
            handed.append(self.trainer.global_step)
            super().log_training(values)

    data = RandomImages(number=178, batch_size=16)
    model = Handed(data_spec=data.spec, networks=SMALL)
    trainer(logger=logger, log_every_n_steps=4, max_epochs=2).fit(model, datamodule=data)
    assert logger.steps == (3, 7, 11, 15, 19)
    assert handed == [3, 7, 11, 15, 19]


def test_evaluating_gives_every_module_its_own_mode_back():
    module = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Sequential(torch.nn.Dropout()))
    module[1].eval()

    def fail():
        with evaluating(module):
            assert not any(part.training for part in module.modules())
            assert not torch.is_grad_enabled()
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert [part.training for part in module.modules()] == [True, True, False, False]
    assert torch.is_grad_enabled()
