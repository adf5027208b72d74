"""The bound against exact likelihoods, and the objective against its formula."""

import math
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from genzoo.loggers import CSVLogger
from genzoo.losses.gaussian_likelihoods import Gaussian, LearnedGaussian
from genzoo.losses.likelihoods import Bernoulli, ContinuousBernoulli, DiscretizedLogistic
from genzoo.models.vae import VAE
from genzoo.networks.architectures import EncoderDecoder
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.noise import BatchNoise, ImageNoise, Stream
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.priors import Density, NormalPrior, Prior
from genzoo.training.variational import VariationalModel
from tests.conftest import RandomImages

SPEC = RandomImages().spec
SMALL = MLPEncoderDecoder((16,))


class LinearGaussianSampler(VariationalSampler):
    """x = W z + b + sigma e with orthogonal columns in W: the true posterior has a diagonal covariance.

    p(x) = N(b, W W' + sigma^2 I); S = (I + W'W / sigma^2)^-1 is its covariance, S W'(x - b) / sigma^2 its mean.
    """

    def __init__(self, data_spec, latent_shape, networks, likelihood, mean_error, log_variance_error):
        super().__init__(data_spec, latent_shape, networks, likelihood)
        orthogonal = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(1))).Q
        self.register_buffer("W", orthogonal[:, :2] * torch.tensor([1.5, 0.7]))
        self.register_buffer("b", torch.linspace(-1, 1, 5))
        self.mean_error, self.log_variance_error = mean_error, log_variance_error

    def posterior(self, x, condition):
        variance = 1 / (1 + self.W.square().sum(0) / 0.25)
        mean = variance * ((x - self.b) @ self.W) / 0.25
        log_variance = variance.log().expand_as(mean)
        return mean + self.mean_error, log_variance + self.log_variance_error

    def likelihood_parameters(self, z, condition):
        return z @ self.W.T + self.b


class LinearGaussian(VariationalModel):
    """The model of a `LinearGaussianSampler`."""

    def __init__(self, mean_error: float = 0.0, log_variance_error: float = 0.0):
        super().__init__(data_spec={"shape": [5]}, latent_dim=2, likelihood=Gaussian(0.5, "identity"))
        self.sampler = LinearGaussianSampler(
            self.data_spec, self.latent_shape, SMALL, self.likelihood, mean_error, log_variance_error
        )

    def exact(self, x):
        W = self.sampler.W
        return MultivariateNormal(self.sampler.b, W @ W.T + 0.25 * torch.eye(5)).log_prob(x)


def mean_elbo(model, x, draws=40_000):
    return torch.stack([model.elbo(x[i].expand(draws, -1), noise=BatchNoise("cpu", i)).mean() for i in range(len(x))])


X = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)) * 1.5


def test_bound_is_the_exact_log_likelihood_at_the_true_posterior():
    model = LinearGaussian()
    torch.testing.assert_close(mean_elbo(model, X), model.exact(X), atol=0.02, rtol=0)


@pytest.mark.parametrize("error", [{"mean_error": 0.4}, {"log_variance_error": 1.0}, {"log_variance_error": -1.5}])
def test_bound_is_below_the_exact_log_likelihood_by_the_divergence_from_the_true_posterior(error):
    model = LinearGaussian(**error)
    mean, log_variance = model.sampler.posterior(X, None)
    true_mean, true_log_variance = LinearGaussian().sampler.posterior(X, None)
    gap = kl_divergence(
        Normal(mean, (0.5 * log_variance).exp()), Normal(true_mean, (0.5 * true_log_variance).exp())
    ).sum(1)
    assert gap.min() > 0.05
    torch.testing.assert_close(mean_elbo(model, X), model.exact(X) - gap, atol=0.03, rtol=0)


def test_terms_are_those_of_torch_distributions():
    model = VAE(data_spec=SPEC, latent_dim=4, networks=SMALL, likelihood=Gaussian(0.3))
    x = torch.rand(8, 1, 28, 28) * 2 - 1
    terms = model.statistics(x, torch.zeros(8), BatchNoise("cpu", 0))
    mean, log_variance = model.sampler.posterior(x, None)
    posterior = Normal(mean, (0.5 * log_variance).exp())
    torch.testing.assert_close(terms["kl_per_dimension"], kl_divergence(posterior, Normal(0.0, 1.0)))
    z = mean + posterior.stddev * BatchNoise("cpu", 0).normal(8, 4)
    expected = Normal(model.decode(z), 0.3).log_prob(x).sum(dim=(1, 2, 3))
    torch.testing.assert_close(terms["reconstruction"], expected)
    torch.testing.assert_close(
        model.elbo(x, noise=BatchNoise("cpu", 0)), expected - terms["kl_per_dimension"].sum(1), rtol=1e-5, atol=1e-3
    )


def test_the_encoder_sees_what_the_likelihood_is_asked_for():
    model = VAE(data_spec=SPEC, networks=SMALL, likelihood=Bernoulli())
    seen = []
    posterior = model.sampler.posterior
    model.sampler.posterior = lambda x, condition: (seen.append(x), posterior(x, condition))[1]
    model.elbo(torch.zeros(4, 1, 28, 28))
    assert set(seen[0].unique().tolist()) == {-1.0, 1.0}


class ShiftedNormal(Density):
    """N(m, I) with a learned m, which gives no divergence in closed form."""

    def __init__(self, latent_shape):
        super().__init__(latent_shape)
        self.m = torch.nn.Parameter(torch.zeros(self.latent_shape))

    def sample(self, number, noise):
        return self.m + noise.normal(number, *self.latent_shape)

    def log_prob(self, z):
        return Normal(self.m, 1.0).log_prob(z).flatten(1).sum(1)


@dataclass(frozen=True)
class LearnedPrior(Prior):
    def build(self, latent_shape):
        return ShiftedNormal(latent_shape)


def test_the_divergence_from_a_prior_without_a_closed_one_is_estimated_without_bias():
    closed, estimated = (
        VAE(data_spec=SPEC, latent_dim=3, networks=SMALL, prior=prior) for prior in (NormalPrior(), LearnedPrior())
    )
    estimated.load_state_dict(closed.state_dict(), strict=False)
    x = (torch.rand(1, 1, 28, 28) * 2 - 1).expand(20_000, -1, -1, -1)
    exact = closed.statistics(x, torch.zeros(len(x)), BatchNoise("cpu", 0))["kl_per_dimension"].sum(1).mean()
    terms = estimated.statistics(x, torch.zeros(len(x)), BatchNoise("cpu", 0))["kl_per_dimension"]
    assert terms.shape == (len(x), 1)
    assert terms.mean().item() == pytest.approx(exact.item(), abs=0.02)
    torch.testing.assert_close(
        closed.log_likelihood(x[:2], samples=5, noise=BatchNoise("cpu", 1)),
        estimated.log_likelihood(x[:2], samples=5, noise=BatchNoise("cpu", 1)),
    )


def test_a_learned_prior_is_trained_averaged_and_sampled_from(trainer):
    data = RandomImages(number=48, batch_size=16)
    model = VAE(data_spec=data.spec, latent_dim=3, networks=SMALL, prior=LearnedPrior(), average_decay=0.9)
    runner = trainer(max_epochs=3)
    runner.fit(model, datamodule=data)
    learned, averaged = model.sampler.prior.m, model.average.copies["prior"].m
    assert bool((learned != 0.0).all())
    assert not torch.equal(learned, averaged)
    assert {name for name in runner.callback_metrics if "kl_per" in name} == {"val/kl_per_dimension/000"}
    noise = BatchNoise("cpu", 0).normal(2, 3)
    torch.testing.assert_close(model.prior_sample(2, BatchNoise("cpu", 0)), noise + learned)
    with model.using("averaged"):
        torch.testing.assert_close(model.prior_sample(2, BatchNoise("cpu", 0)), noise + averaged)


MEANS = {
    "reconstruction": torch.tensor(-100.0),
    "kl_per_dimension": torch.tensor([0.1, 2.0, 3.0]),
    "posterior_mean": torch.tensor([0.0, 1.0, 0.0]),
    "posterior_mean_squared": torch.tensor([0.005, 1.2, 0.5]),
}


@pytest.mark.parametrize(
    ("settings", "loss"),
    [
        ({}, 105.1),
        ({"beta": 4.0}, 100 + 4 * 5.1),
        ({"free_bits": 0.5}, 100 + 5.5),
        ({"free_bits": 2.5, "beta": 0.5}, 100 + 0.5 * 8.0),
    ],
)
def test_loss_follows_its_formula(settings, loss):
    summary = VAE(data_spec=SPEC, networks=SMALL, **settings).summary(MEANS)
    assert summary["loss"].item() == pytest.approx(loss)
    assert summary["objective"].item() == pytest.approx(-loss)
    assert summary["elbo"].item() == pytest.approx(-105.1)
    assert summary["kl"].item() == pytest.approx(5.1)
    assert summary["active_units"].item() == 2.0


def test_training_and_validation_report_the_same_objective(trainer):
    """With the learning rate at 0 the loss of all training images is, up to sampling noise, that of validation."""
    data = RandomImages(number=320, batch_size=32, validation_fraction=0.5)
    model = VAE(
        data_spec=data.spec, networks=SMALL, beta=3.0, free_bits=1.0, optimizer=partial(torch.optim.SGD, lr=0.0)
    )
    losses = []

    class Losses(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            losses.append(outputs["loss"].item())

    runner = trainer(callbacks=[Losses()])
    runner.fit(model, datamodule=data)
    for key in ("val/loss", "val/training/loss"):
        assert float(runner.callback_metrics[key]) == pytest.approx(sum(losses) / len(losses), rel=1e-2)
    assert float(runner.callback_metrics["val/objective"]) == pytest.approx(-float(runner.callback_metrics["val/loss"]))


def test_validation_is_the_same_for_every_batch_size(trainer):
    model = VAE(data_spec=SPEC, networks=SMALL)
    scores = []
    for batch_size in (1, 7, 50):
        runner = trainer()
        data = RandomImages(number=100, batch_size=batch_size, validation_fraction=0.5)
        scores.append(runner.validate(model, datamodule=data, verbose=False)[0])
    assert scores[0].keys() == scores[1].keys() == scores[2].keys()
    for score in scores[1:]:
        assert score == pytest.approx(scores[0], rel=1e-5)


def test_validation_is_the_mean_over_images(trainer):
    data = RandomImages(number=100, batch_size=16, validation_fraction=0.3)
    model = VAE(data_spec=data.spec, networks=SMALL, latent_dim=3)
    runner = trainer()
    runner.validate(model, datamodule=data, verbose=False)
    x = torch.cat([x for x, _ in data.val_dataloader()[0]]).float() / 127.5 - 1
    noise = ImageNoise(torch.arange(len(x)), "cpu", 0, Stream.EVALUATION)
    with torch.no_grad():
        terms = model.statistics(x, torch.zeros(len(x)), noise)
    metrics = runner.callback_metrics
    expected = (terms["reconstruction"] - terms["kl_per_dimension"].sum(1)).mean().item()
    assert float(metrics["val/elbo"]) == pytest.approx(expected, rel=1e-5)
    for dimension in range(3):
        value = terms["kl_per_dimension"][:, dimension].mean().item()
        assert float(metrics[f"val/kl_per_dimension/{dimension:03d}"]) == pytest.approx(value, rel=1e-4)


def test_the_divergence_warms_up_linearly_and_counts_in_full_afterwards(trainer):
    data = RandomImages(number=107, batch_size=16)
    model = VAE(data_spec=data.spec, networks=SMALL, kl_warmup_steps=4, beta=2.0)
    weights = []

    class Weights(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            summary = pl_module.summary(MEANS)
            weights.append((summary["loss"].item() - 100.0) / 5.1)

    trainer(callbacks=[Weights()]).fit(model, datamodule=data)
    assert weights == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0], rel=1e-4)
    assert model.summary(MEANS)["loss"].item() == pytest.approx(100 + 2 * 5.1)


def test_gradients_reach_encoder_and_decoder_through_the_reparameterisation():
    model = VAE(data_spec=SPEC, networks=SMALL)
    x = torch.rand(8, 1, 28, 28) * 2 - 1
    means = model.statistics(x, torch.zeros(8), BatchNoise("cpu", 0))
    (-means["reconstruction"].mean()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_samples_are_means_and_draws_share_their_latent_variables():
    """With huge logits an image is as good as its mean, and every z has an image of its own."""
    model = VAE(data_spec=SPEC, networks=MLPEncoderDecoder(()), likelihood=Bernoulli(), latent_dim=20)
    with torch.no_grad():
        model.sampler.decoder[0][0].weight.normal_(generator=torch.Generator().manual_seed(0)).mul_(1e4)
    mean, draw = model.sample(50, seed=1), model.sample_likelihood(50, seed=1)
    assert len(torch.unique(mean, dim=0)) == 50
    assert ((draw - mean).abs() > 0.01).float().mean() < 1e-3
    grey = VAE(data_spec=SPEC, networks=SMALL, likelihood=Bernoulli())
    assert set(grey.sample_likelihood(3, seed=1).unique().tolist()) == {-1.0, 1.0}
    assert len(grey.sample(3, seed=1).unique()) > 100


def test_a_vae_learns_to_beat_independent_pixels(trainer):
    """On images of two patterns the bound comes near log 2, which independent pixels cannot."""
    images = torch.stack([torch.ones(1, 4, 4), -torch.ones(1, 4, 4)]).repeat(64, 1, 1, 1)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, torch.zeros(128, dtype=torch.int64)), batch_size=32, shuffle=True
    )
    torch.manual_seed(0)
    model = VAE(data_spec={"shape": [1, 4, 4]}, latent_dim=2, networks=MLPEncoderDecoder((32,)))
    trainer(max_epochs=150).fit(model, loader)
    elbo = torch.stack([model.elbo(images).mean() for _ in range(20)]).mean().item()
    assert -16 * math.log(2) < -3.0 < elbo <= -math.log(2) + 0.1


@pytest.mark.parametrize("name", ["beta", "kl_warmup_steps", "free_bits"])
def test_negative_weights_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must (not be negative|be at least 0), got -1"):
        VAE(data_spec=SPEC, networks=SMALL, **{name: -1})


@pytest.mark.parametrize(
    "likelihood",
    [ContinuousBernoulli(), LearnedGaussian("one"), LearnedGaussian("value"), DiscretizedLogistic()],
    ids=str,
)
@pytest.mark.parametrize(
    "networks", [SMALL, ConvolutionalEncoderDecoder(width=4)], ids=lambda value: type(value).__name__
)
def test_every_likelihood_trains_samples_and_loads(likelihood, networks, trainer, tmp_path):
    data = RandomImages(channels=3, number=40, batch_size=8)
    model = VAE(data_spec=data.spec, latent_dim=3, networks=networks, likelihood=likelihood)
    before = {name: value.clone() for name, value in model.named_parameters()}
    runner = trainer()
    runner.fit(model, datamodule=data)
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters())
    assert model.sample(2, seed=0).shape == model.sample_likelihood(2, seed=0).shape == (2, 3, 28, 28)
    runner.save_checkpoint(tmp_path / "model.ckpt")
    loaded = VAE.load_from_checkpoint(tmp_path / "model.ckpt")
    assert loaded.likelihood == likelihood
    assert torch.equal(loaded.sample(2, seed=0), model.sample(2, seed=0))


def test_a_shared_deviation_finds_the_deviation_of_the_data(trainer):
    torch.manual_seed(0)
    images = 0.1 * torch.randn(256, 1, 4, 4)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, torch.zeros(256)), batch_size=64)
    fast = partial(torch.optim.Adam, lr=2e-2)
    model = VAE(
        data_spec={"shape": [1, 4, 4]},
        latent_dim=1,
        networks=MLPEncoderDecoder(()),
        likelihood=LearnedGaussian("one", "identity"),
        optimizer=fast,
    )
    trainer(max_epochs=100).fit(model, loader)
    deviation = 1 / 255 + torch.nn.functional.softplus(model.sampler.likelihood_head.raw_deviation).item()
    assert deviation == pytest.approx(0.1, rel=0.1)


def test_a_single_latent_variable_is_reported_like_several(trainer):
    data = RandomImages(number=48, batch_size=16)
    runner = trainer()
    runner.fit(VAE(data_spec=data.spec, latent_dim=1, networks=SMALL), datamodule=data)
    assert float(runner.callback_metrics["val/kl_per_dimension/000"]) == pytest.approx(
        float(runner.callback_metrics["val/kl"]), rel=1e-5
    )


class Unconditional(torch.nn.Sequential):
    def forward(self, x, condition=None):
        return super().forward(x)


@dataclass(frozen=True)
class PatchEncoderDecoder(EncoderDecoder):
    """A code of its own for every 4 x 4 pixels."""

    def encoder(self, data_shape, code_shape, condition_shape=()):
        return Unconditional(torch.nn.Conv2d(data_shape[0], code_shape[0], 4, stride=4))

    def decoder(self, code_shape, data_shape, condition_shape=()):
        return Unconditional(torch.nn.ConvTranspose2d(code_shape[0], data_shape[0], 4, stride=4))


class GridVAE(VAE):
    @property
    def latent_shape(self):
        return (2, 7, 7)


def test_latent_variables_may_be_a_grid(trainer):
    data = RandomImages(number=60, batch_size=20)
    density = GaussianMixtureDensity(1)
    model = GridVAE(data_spec=data.spec, networks=PatchEncoderDecoder(), density=density, average_decay=0.5)
    runner = trainer()
    runner.fit(model, datamodule=data)
    x = torch.zeros(3, 1, 28, 28)
    assert model.prior_sample(4).shape == (4, 2, 7, 7)
    assert model.encode(x).shape == (3, 2, 7, 7)
    assert model.sample(4).shape == (4, 1, 28, 28)
    assert model.elbo(x).shape == model.log_likelihood(x, samples=3).shape == (3,)
    assert sum("kl_per_dimension" in name for name in runner.callback_metrics) == 2 * 7 * 7


def test_the_divergences_of_latent_variables_are_logged_as_one_histogram(trainer, tmp_path):
    data = RandomImages(number=48, batch_size=16)
    loggers = [TensorBoardLogger(tmp_path, name="", version=""), CSVLogger(str(tmp_path))]
    runner = trainer(logger=loggers, max_epochs=2)
    runner.fit(VAE(data_spec=data.spec, latent_dim=3, networks=SMALL), datamodule=data)
    events = EventAccumulator(str(tmp_path), size_guidance={"histograms": 0}).Reload()
    histograms = events.Histograms("val/kl_per_dimension")
    assert [histogram.step for histogram in histograms] == [event.step for event in events.Scalars("val/kl")]
    assert len(histograms) == 2
    last, values = histograms[-1].histogram_value, runner.callback_metrics
    assert last.num == 3
    assert last.sum == pytest.approx(float(values["val/kl"]), rel=1e-5)
    of_each = [float(values[f"val/kl_per_dimension/{dimension:03d}"]) for dimension in range(3)]
    assert (last.min, last.max) == pytest.approx((min(of_each), max(of_each)), rel=1e-5)
    assert "kl_per" not in (tmp_path / "metrics.csv").read_text()
