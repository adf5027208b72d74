"""VAE/GAN: which loss reaches which parameters and in which direction, and what a trained one can do."""

import json
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader

from genzoo.cli import main
from genzoo.data.points import GaussianMixture2D
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.objectives import Hinge
from genzoo.losses.relativistic import RelativisticPairing
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.noise import BatchNoise, Stream
from tests.conftest import RandomImages

SPEC = RandomImages().spec
NETWORKS = MLPEncoderDecoder((16,))
JUDGE = MLPPlayers(discriminator_features=(16, 8), dropout=0.0)
RATE = 0.01
NO_LABELS = torch.zeros(8, dtype=torch.int64)


def made(**settings):
    torch.manual_seed(0)
    return VAEGAN(data_spec=SPEC, latent_dim=4, networks=NETWORKS, judge=JUDGE, **settings)


def batches():
    return DataLoader([*zip(images(), NO_LABELS, strict=True)], batch_size=8)


def images():
    return torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1


class AsWritten:
    """The three losses of Algorithm 1, term by term, on the networks of a model."""

    def __init__(self, model, x, noise):
        encoder, decoder, judge = model.sampler.encoder, model.sampler.decoder, model.discriminator
        mean, log_variance = encoder(x).chunk(2, 1)
        z = mean + (0.5 * log_variance).exp() * noise.normal(8, 4)
        reconstructions, samples = decoder(z).tanh(), decoder(noise.normal(8, 4)).tanh()
        self.kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
        self.error = 0.5 * ((judge.layers(x.flatten(1)) - judge.layers(reconstructions.flatten(1))) ** 2).sum(1)
        self.logits = [judge(items) for items in (x, reconstructions, samples)]

    def loss(self, player, gamma):
        real, *fakes = self.logits
        if player == "discriminator":
            return softplus(-real).mean() + 0.5 * sum(softplus(fake).mean() for fake in fakes)
        if player == "encoder":
            return (self.kl + self.error).mean()
        return gamma * self.error.mean() + 0.5 * sum(softplus(-fake).mean() for fake in fakes)


def parts_of(model):
    return {"discriminator": model.discriminator, "encoder": model.sampler.encoder, "decoder": model.sampler.decoder}


def flat(values):
    return torch.cat([value.detach().flatten() for value in values])


def step(model, trainer):
    """One step of training by plain gradient descent, and how far it has moved each player's parameters."""
    before = {name: flat(part.parameters()) for name, part in parts_of(model).items()}
    trainer().fit(model, batches())
    return {name: flat(part.parameters()) - before[name] for name, part in parts_of(model).items()}


descent = partial(torch.optim.SGD, lr=RATE)


def test_each_player_descends_its_own_loss_of_the_paper_and_no_other(trainer):
    moved = step(model := made(gamma=0.3, optimizer=descent), trainer)
    # The same step by hand, in the order of the players, each against those that have moved.
    model, noise = made(), BatchNoise("cpu", 0, Stream.TRAINING, 0, 0)
    for name, part in parts_of(model).items():
        parameters = list(part.parameters())
        gradients = torch.autograd.grad(AsWritten(model, images(), noise).loss(name, gamma=0.3), parameters)
        assert flat(gradients).norm() > 0.0
        torch.testing.assert_close(moved[name], -RATE * flat(gradients), atol=1e-6, rtol=1e-3)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= RATE * gradient


def test_the_game_moves_the_decoder_towards_higher_logits_and_the_discriminator_towards_lower_ones(trainer):
    moved = step(made(gamma=0.0, optimizer=descent), trainer)
    model = made()
    _, reconstructed, sampled = AsWritten(model, images(), BatchNoise("cpu", 0, Stream.TRAINING, 0, 0)).logits
    for name, direction in {"decoder": 1.0, "discriminator": -1.0}.items():
        parameters = list(parts_of(model)[name].parameters())
        rise = torch.autograd.grad((reconstructed + sampled).mean(), parameters, retain_graph=True)
        assert direction * nn.functional.cosine_similarity(moved[name], flat(rise), 0) > 0.2


def test_evaluation_measures_the_terms_of_the_losses():
    model = made().eval()
    found = model.statistics(images(), NO_LABELS, BatchNoise("cpu", 3))
    expected = AsWritten(model, images(), BatchNoise("cpu", 3))
    real, *fakes = expected.logits
    torch.testing.assert_close(found["kl"], expected.kl)
    torch.testing.assert_close(found["feature_error"], expected.error)
    torch.testing.assert_close(found["discriminator_real"], real.sigmoid())
    torch.testing.assert_close(found["discriminator_fake"], (fakes[0].sigmoid() + fakes[1].sigmoid()) / 2)


@pytest.mark.parametrize("objective", [Hinge(), RelativisticPairing()])
def test_the_game_may_be_another_one(objective):
    model = made(objective=objective, gamma=0.0)
    real, *fakes = AsWritten(model, images(), BatchNoise("cpu", 3)).logits
    for loss, expected in (
        (model.discriminator_loss, [objective.discriminator_loss(real, fake) for fake in fakes]),
        (model.decoder_loss, [objective.generator_loss(fake, real) for fake in fakes]),
    ):
        torch.testing.assert_close(loss(images(), NO_LABELS, BatchNoise("cpu", 3)), sum(expected) / 2)


def test_codes_are_posterior_means_and_samples_are_decoded_from_the_prior():
    model = made().eval()
    z = model.encode(images())
    torch.testing.assert_close(z, model.sampler.encoder(images())[:, :4])
    torch.testing.assert_close(model.reconstruct(images()), model.sampler.decoder(z).tanh())
    again = from_plain(as_plain(model.sampler))
    again.load_state_dict(model.sampler.state_dict())
    assert torch.equal(again.sample(5, seed=2), model.sample(5, seed=2))
    assert torch.equal(again.reconstruct(images()), model.reconstruct(images()))


def test_encoder_and_decoder_are_averaged_once_a_step_and_the_discriminator_is_not(trainer):
    model = made(average_decay=0.9)
    trainer(max_epochs=3).fit(model, batches())
    assert model.average.updates == 3
    assert {"encoder", "decoder"} <= set(model.average.copies)
    assert "discriminator" not in model.average.copies
    raw, averaged = (model.sample(4, seed=0, weights=weights) for weights in ("raw", "averaged"))
    assert not torch.equal(raw, averaged)
    with model.using("averaged"):
        torch.testing.assert_close(model.encode(images()), model.average.copies["encoder"](images())[:, :4])


def test_a_run_is_tested_by_its_reconstructions(working_folder):
    small = ["--model.networks", "MLPEncoderDecoder", "--model.networks.hidden_features", "[8]"]
    judge = ["--model.judge", "MLPPlayers", "--model.judge.discriminator_features", "[8]"]
    quick = ["--trainer.accelerator", "cpu", "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false"]
    data = ["--data", "Digits", "--data.image_size", "8"]
    assert (
        main(
            [
                "fit",
                "--model",
                "VAEGAN",
                *small,
                *judge,
                *data,
                *quick,
                "--trainer.logger",
                "false",
                "--run.name",
                "run",
            ]
        )
        == 0
    )
    assert main(["test", "runs/vaegan/run", "--evaluation.groups", "[reconstruction]"]) == 0
    scores = json.loads((working_folder / "runs" / "vaegan" / "run_test" / "scores.json").read_text())
    assert {"squared_error", "psnr", "ssim"} == {score["name"] for score in scores}


def test_points_are_rebuilt_wherever_they_lie():
    points = GaussianMixture2D(layout="grid")
    judge = MLPPlayers((16,), (16,), dropout=0.0)
    model = VAEGAN(data_spec=points.spec, latent_dim=4, networks=NETWORKS, judge=judge).eval()
    x = torch.randn(8, 2) * 100.0
    expected = model.sampler.decoder(model.encode(x))
    assert expected.abs().max() > 1.0
    torch.testing.assert_close(model.reconstruct(x), expected)
    assert made().eval().reconstruct(images() * 1e4).abs().max() <= 1.0


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="gamma must be finite and not negative, got -5"):
        made(gamma=-5.0)
