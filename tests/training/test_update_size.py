"""How far updates move weights, against what gradient descent says of them."""

import csv
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from torch.optim import SGD

from genzoo.loggers import CSVLogger
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.training.update_size import UpdateSize, names_of
from tests.conftest import RandomImages

SMALL = MLPPlayers((8,), (8,), dropout=0.0, batch_norm=False)


def rows_with(name, folder):
    with (folder / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row[name]]
    return [{key: float(value) for key, value in row.items() if value} for row in rows]


def test_norm_and_share_of_several_tensors():
    first, second = torch.nn.Parameter(torch.tensor([3.0, 0.0])), torch.nn.Parameter(torch.tensor([[4.0]]))
    size = UpdateSize({"network": iter([first, second])})
    with torch.no_grad():
        first += torch.tensor([0.0, 0.6])
        second += 0.8
    measured = size.measured()
    assert measured.keys() == names_of("network")
    assert measured["network_weight_norm"] == pytest.approx(5.0)
    assert measured["network_update_ratio"] == pytest.approx(1.0 / 5.0)


@pytest.mark.parametrize("k", [1, 3])
def test_a_step_of_gradient_descent_is_the_rate_times_the_gradient(k, trainer, tmp_path):
    data = RandomImages(number=178, batch_size=16)
    model = GAN(
        data_spec=data.spec,
        networks=SMALL,
        discriminator_steps=k,
        discriminator_optimizer=partial(SGD, lr=0.05),
        generator_optimizer=partial(SGD, lr=0.02),
    )
    trainer(logger=CSVLogger(str(tmp_path)), log_every_n_steps=5).fit(model, datamodule=data)
    rows = rows_with("train/generator_loss", tmp_path)
    assert [row["step"] for row in rows] == [4, 9]
    for row in rows:
        for player, rate in (("discriminator", 0.05), ("generator", 0.02)):
            of = {kind: row[f"train/{player}_{kind}"] for kind in ("gradient_norm", "weight_norm", "update_ratio")}
            assert of["update_ratio"] == pytest.approx(rate * of["gradient_norm"] / of["weight_norm"], rel=1e-4)
            assert row[f"train/{player}_learning_rate"] == pytest.approx(rate)


class Weights(Callback):
    """Notes the weights of a network around every batch."""

    def __init__(self, network):
        self.network, self.seen = network, []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.before = self.weights(pl_module)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.seen.append((self.before, self.weights(pl_module)))

    def weights(self, model):
        parameters = model.sampler.get_submodule(self.network).parameters()
        return torch.cat([parameter.detach().flatten().clone() for parameter in parameters])


@pytest.mark.parametrize(("network", "accumulated"), [("encoder", 1), ("decoder", 2)])
def test_each_network_of_one_optimiser_has_its_own(network, accumulated, trainer, tmp_path):
    data = RandomImages(number=80, batch_size=16)
    model = VAE(data_spec=data.spec, networks=MLPEncoderDecoder((8,)), optimizer=partial(torch.optim.Adam, lr=0.01))
    weights = Weights(network)
    settings = {"log_every_n_steps": 2, "accumulate_grad_batches": accumulated}
    trainer(logger=CSVLogger(str(tmp_path)), callbacks=[weights], **settings).fit(model, datamodule=data)
    rows = rows_with("train/elbo", tmp_path)
    assert [row["step"] for row in rows] == ([1, 3] if accumulated == 1 else [1])
    for row in rows:
        before, after = weights.seen[accumulated * (int(row["step"]) + 1) - 1]
        assert row[f"train/{network}_weight_norm"] == pytest.approx(float(before.norm()), rel=1e-5)
        ratio = float((after - before).norm() / before.norm())
        assert row[f"train/{network}_update_ratio"] == pytest.approx(ratio, rel=1e-4)
        assert row["train/learning_rate"] == pytest.approx(0.01)
