from dataclasses import dataclass
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from torch import nn

from genzoo.losses.objectives import Wasserstein
from genzoo.losses.relativistic import RelativisticAverage, RelativisticPairing
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.dcgan import DCGAN
from genzoo.models.gan import GAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise
from genzoo.sampling.conditions import VectorCondition
from genzoo.sampling.priors import Density, Prior, UniformCube
from tests.conftest import RandomImages

SPEC = RandomImages().spec
SMALL = MLPPlayers(generator_features=(8,), discriminator_features=(8,))


def test_validation_reports_the_discriminator_on_held_out_and_on_training_images(trainer):
    data = RandomImages(number=200, batch_size=16, validation_fraction=0.25)
    model = GAN(data_spec=data.spec, networks=SMALL)
    runner = trainer(max_epochs=2)
    runner.fit(model, datamodule=data)
    metrics = {name: float(value) for name, value in runner.callback_metrics.items()}
    model.eval()

    def mean_score(loader):
        images = torch.cat([x for x, _ in loader]).float() / 127.5 - 1
        return model.score(images, None).sigmoid().mean().item()

    held_out, seen = data.val_dataloader()
    assert metrics["val/discriminator_real"] == pytest.approx(mean_score(held_out), abs=1e-5)
    assert metrics["val/training/discriminator_real"] == pytest.approx(mean_score(seen), abs=1e-5)
    gap = metrics["val/training/discriminator_real"] - metrics["val/discriminator_real"]
    assert metrics["val/discriminator_gap"] == pytest.approx(gap, abs=1e-6)
    assert gap != 0.0


@pytest.mark.parametrize("objective", [Wasserstein(), RelativisticAverage()])
def test_critics_are_reported_by_their_scores_and_the_gap_between_them(objective, trainer):
    data = RandomImages(number=100, batch_size=16, validation_fraction=0.25)
    model = GAN(data_spec=data.spec, networks=SMALL, objective=objective)
    runner = trainer(max_epochs=1, log_every_n_steps=1)
    runner.fit(model, datamodule=data)
    metrics = {name: float(value) for name, value in runner.callback_metrics.items()}
    assert not {name for name in metrics if name.endswith(("discriminator_real", "discriminator_gap"))}
    gap = metrics["val/training/critic_real"] - metrics["val/critic_real"]
    assert metrics["val/critic_gap"] == pytest.approx(gap, abs=1e-6)
    assert {name for name in metrics if name.startswith("val/")} <= model.reports()
    assert "train/critic_fake" in model.step_log.shown


@pytest.mark.parametrize("objective", [RelativisticPairing(), RelativisticAverage()], ids=str)
def test_a_relativistic_generator_sees_the_logits_of_the_real_images(objective):
    model = GAN(data_spec=SPEC, networks=SMALL, objective=objective)
    x, y = torch.rand(4, 1, 28, 28) * 2 - 1, torch.zeros(4, dtype=torch.int64)
    model.eval()
    loss = model.generator_loss(x, y, BatchNoise("cpu", 0))
    fake_logits = model.score(model.generate(4, None, BatchNoise("cpu", 0)), None)
    margins = model.score(x, None) - fake_logits
    if isinstance(objective, RelativisticAverage):
        real_logits = model.score(x, None)
        margins = torch.stack([real_logits - fake_logits.mean(), real_logits.mean() - fake_logits])
    torch.testing.assert_close(loss, nn.functional.softplus(margins).mean(-1).sum())


def test_a_discriminator_that_learns_by_heart_shows_a_gap(trainer):
    data = RandomImages(number=100, batch_size=16, validation_fraction=0.2, subset=20)
    model = GAN(data_spec=data.spec, networks=MLPPlayers((8,), (256,), dropout=0.0))
    runner = trainer(max_epochs=60, check_val_every_n_epoch=60)
    runner.fit(model, datamodule=data)
    assert float(runner.callback_metrics["val/discriminator_gap"]) > 0.1


def test_dcgan_is_that_of_the_paper():
    model = DCGAN(data_spec={"shape": [3, 64, 64]}, networks=DCGANPlayers(width=128))
    assert model.latent_dim == 100
    assert isinstance(model.sampler.prior, UniformCube)
    layers = list(model.sampler.generator.layers)
    transposed = [layer for layer in layers if isinstance(layer, torch.nn.ConvTranspose2d)]
    assert [layer.in_channels for layer in transposed] == [100, 1024, 512, 256, 128]
    assert transposed[-1].out_channels == 3
    assert transposed[0].kernel_size == (4, 4)
    assert [type(layer).__name__ for layer in layers[-3:]] == ["ReLU", "ConvTranspose2d", "Tanh"]
    assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in layers) == 4
    critic = [*model.discriminator.layers, model.discriminator.head]
    assert isinstance(critic[0], torch.nn.Conv2d)
    assert isinstance(critic[1], torch.nn.LeakyReLU)
    assert critic[1].negative_slope == 0.2
    assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in critic) == 3
    assert not any(isinstance(layer, torch.nn.Linear) for layer in [*layers, *critic])
    for layer in [*transposed, *(layer for layer in critic if isinstance(layer, torch.nn.Conv2d))]:
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    for optimizer in model.configure_optimizers():
        group = optimizer["optimizer"].param_groups[0]
        assert (group["lr"], group["betas"]) == (2e-4, (0.5, 0.999))


@pytest.mark.parametrize("players", [SMALL, DCGANPlayers(width=4)], ids=["mlp", "convolutional"])
def test_the_condition_goes_to_both_players(players):
    model = ConditionalGAN(data_spec=SPEC, networks=players, latent_dim=5).eval()
    z, x = torch.randn(1, 5), torch.rand(1, 1, 28, 28) * 2 - 1
    images = [model.decode(z, torch.tensor([label])) for label in (0, 1)]
    assert not torch.allclose(*images)
    logits = [model.score(x, model.condition.encode(torch.tensor([label]))) for label in (0, 1)]
    assert not torch.allclose(*logits)


def test_labels_become_one_hot_vectors():
    model = ConditionalGAN(data_spec=SPEC, networks=SMALL)
    assert torch.equal(model.condition.encode(torch.tensor([2, 0])), torch.eye(10)[[2, 0]])


def test_samples_without_labels_go_through_all_classes():
    model = ConditionalGAN(data_spec=SPEC, networks=SMALL)
    torch.testing.assert_close(model.sample(25, seed=0), model.sample(25, torch.arange(25) % 10, seed=0))


def test_training_pairs_every_image_with_its_own_condition():
    model = ConditionalGAN(data_spec=SPEC, networks=SMALL)
    asked = []
    model.score = lambda x, condition: (asked.append(condition), torch.zeros(len(x), requires_grad=True))[1]
    y = torch.tensor([3, 1, 4])
    model.discriminator_loss(torch.zeros(3, 1, 28, 28), y, BatchNoise("cpu", 0))
    model.generator_loss(torch.zeros(3, 1, 28, 28), y, BatchNoise("cpu", 0))
    assert len(asked) == 3
    assert all(torch.equal(condition, torch.eye(10)[y]) for condition in asked)


@pytest.mark.parametrize("players", [SMALL, DCGANPlayers(width=4)], ids=["mlp", "convolutional"])
def test_conditions_may_be_vectors(players, trainer):
    spec = {"shape": [1, 28, 28]}
    model = ConditionalGAN(data_spec=spec, networks=players, vector_dim=3)
    pairs = [(torch.rand(1, 28, 28) * 2 - 1, torch.randn(3)) for _ in range(8)]
    loader = torch.utils.data.DataLoader(pairs, batch_size=4)
    trainer().fit(model, loader)
    y = torch.eye(3)
    model.eval()
    images, logits = model.decode(torch.ones(3, 32), y), model.score(pairs[0][0].expand(3, 1, 28, 28), y)
    assert len(torch.unique(images, dim=0)) == 3
    assert len(logits.unique()) == 3
    torch.testing.assert_close(model.sample(3, y, seed=0), model.sample(3, y, seed=0))
    with pytest.raises(ValueError, match="sampling needs y: one condition of 3 numbers per image"):
        model.sample(2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.arange(3), r"should have the shape \(2,\), one condition per image, or be .*, got \(3,\)"),
        (torch.tensor([0, 10]), "labels should lie in 0 to 9, got 0 to 10"),
        (torch.tensor([-1, 0]), "labels should lie in 0 to 9, got -1 to 0"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(data_spec=SPEC, networks=SMALL).sample(2, y)


def test_an_unconditional_model_takes_no_labels():
    model = GAN(data_spec=SPEC, networks=SMALL)
    for ask in (model.sample, lambda number, y: model.decode(model.prior_sample(number), y)):
        with pytest.raises(ValueError, match="this model is unconditional: it cannot sample under a given y"):
            ask(2, torch.arange(2))


def test_a_conditional_model_decodes_without_labels_as_it_samples():
    model = ConditionalGAN(data_spec=SPEC, networks=SMALL).eval()
    z = model.prior_sample(12)
    assert torch.equal(model.decode(z), model.decode(z, torch.arange(12) % 10))


def test_a_conditional_model_needs_classes():
    with pytest.raises(ValueError, match="a ConditionalGAN needs data with class labels, attributes"):
        ConditionalGAN(data_spec={"shape": [1, 28, 28]}, networks=SMALL)


def test_attributes_of_the_data_are_conditions():
    spec = {"shape": [1, 28, 28], "class_names": [], "attribute_names": ["smiling", "hat", "young"]}
    model = ConditionalGAN(data_spec=spec, networks=SMALL)
    assert model.condition == VectorCondition(3)
    assert model.sample(2, torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])).shape == (2, 1, 28, 28)


@dataclass(frozen=True)
class MovedPrior(Prior):
    def build(self, latent_shape):
        return MovedNormal(latent_shape)


class MovedNormal(Density):
    def __init__(self, latent_shape):
        super().__init__(latent_shape)
        self.mean = nn.Parameter(torch.zeros(self.latent_shape))

    def sample(self, number, noise):
        return self.mean + noise.normal(number, *self.latent_shape)

    def log_prob(self, z):
        return -0.5 * (z - self.mean).square().sum(1)


def test_a_prior_that_is_learned_moves_in_the_turns_of_the_generator_alone(trainer):
    data = RandomImages(number=64, batch_size=16)
    descent = partial(torch.optim.SGD, lr=1.0)
    settings = {"discriminator_optimizer": descent, "generator_optimizer": descent, "discriminator_steps": 2}
    model = GAN(data_spec=data.spec, networks=SMALL, prior=MovedPrior(), **settings)
    moved = []

    class Witness(Callback):
        def on_train_batch_end(self, trainer, pl_module, *_):
            moved.append(pl_module.sampler.prior.mean.detach().clone())

    trainer(max_steps=2, callbacks=[Witness()]).fit(model, datamodule=data)
    assert not moved[0].any()
    assert moved[1].all()
