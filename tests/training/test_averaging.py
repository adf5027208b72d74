"""Averaged weights: what they are, when they act, and that they live in the checkpoint."""

from functools import partial

import pytest
import torch

from genzoo.losses.gaussian_likelihoods import LearnedGaussian
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.schedules.schedule import HalfLife, Linear
from genzoo.training.averaging import WeightAverage
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages
from tests.training.cases import CASES, Case

PERCEPTRONS = MLPEncoderDecoder((8,))
MODELS = {
    "GAN": Case(partial(GAN, networks=MLPPlayers((8,), (8,)), discriminator_steps=2)),
    "VAE": Case(partial(VAE, networks=PERCEPTRONS, likelihood=LearnedGaussian())),
    "AutoEncoder": Case(partial(AutoEncoder, networks=PERCEPTRONS)),
} | CASES


def fitted(name, trainer, decay=0.9, **settings):
    data = MODELS[name].data(number=96, batch_size=16)
    torch.manual_seed(0)
    model = MODELS[name].model(data_spec=data.spec, average_decay=decay)
    runner = trainer(**settings)
    runner.fit(model, datamodule=data)
    return model, runner, data


def test_the_average_is_the_sum_of_the_paper():
    """Against the weighted sum of all earlier weights, worked out in float64."""
    torch.manual_seed(0)
    sampler = GAN(data_spec=RandomImages().spec, networks=MLPPlayers((8,), (8,))).sampler
    sampler.generator = module = torch.nn.BatchNorm1d(3)
    average = WeightAverage(sampler, decay=0.5)
    expected = module.weight.detach().double().clone()
    for number in range(12):
        with torch.no_grad():
            module.weight.normal_()
            module.running_mean.normal_()
            module.num_batches_tracked += 1
        average.update(sampler)
        decay = min(0.5, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * module.weight.detach().double()
    copy = average.copies["generator"]
    torch.testing.assert_close(copy.weight.detach().double(), expected, rtol=1e-6, atol=1e-6)
    assert torch.equal(copy.running_mean, module.running_mean)
    assert copy.num_batches_tracked == 12
    assert average.updates == 12


def test_a_decay_may_follow_a_schedule_that_counts_its_updates():
    sampler = GAN(data_spec=RandomImages().spec, networks=MLPPlayers((8,), (8,))).sampler
    sampler.generator = module = torch.nn.Linear(1, 1)
    decay = HalfLife(Linear(0.1, 2.0, 6))
    average = WeightAverage(sampler, decay)
    expected = module.bias.item()
    for number in range(12):
        torch.nn.init.constant_(module.bias, number)
        # Goes on from its number of updates alone.
        state, average = average.state_dict(), WeightAverage(sampler, decay)
        average.load_state_dict(state)
        average.update(sampler)
        share = min(decay.at(number), (1 + number) / (10 + number))
        expected = share * expected + (1 - share) * number
        assert average.copies["generator"].bias.item() == pytest.approx(expected)


@pytest.mark.parametrize(("decay", "is_kept"), [(Linear(0.0, 0.9, 4), True), (Linear(0.0, 0.0, 4), False)])
def test_averages_are_kept_if_the_decay_is_ever_above_0(decay, is_kept, trainer):
    model, _, _ = fitted("GAN", trainer, decay)
    assert (model.average is not None) is is_kept
    assert model.best_weights == ("averaged" if is_kept else "raw")


@pytest.mark.parametrize("name", MODELS)
def test_one_update_for_each_of_the_modules_own_updates(name, trainer):
    model, runner, _ = fitted(name, trainer)
    assert runner.global_step == 5
    is_own_update = [not hasattr(model, "turns") or model.turns.answers_after(step) for step in range(1, 6)]
    assert model.average.updates == sum(is_own_update)
    assert set(model.average.copies) == set(model.sampler.trained_parts())
    trained = {id(p) for optimizer in runner.optimizers for group in optimizer.param_groups for p in group["params"]}
    assert not trained & {id(parameter) for parameter in model.average.parameters()}
    assert model.weights == "raw"


def test_samples_take_either_set_of_weights(trainer):
    model, _, _ = fitted("GAN", trainer)
    averaged, raw = model.sample(4, seed=0), model.sample(4, seed=0, weights="raw")
    assert not torch.equal(averaged, raw)
    assert torch.equal(model.sample(4, seed=0, weights="averaged"), averaged)
    for name, parameter in model.average.copies["generator"].named_parameters():
        model.sampler.generator.get_parameter(name).data.copy_(parameter)
    for name, buffer in model.average.copies["generator"].named_buffers():
        model.sampler.generator.get_buffer(name).copy_(buffer)
    assert torch.equal(model.sample(4, seed=0, weights="raw"), averaged)


@pytest.mark.parametrize("name", MODELS)
def test_validation_and_test_use_the_averages_and_training_does_not(name, trainer):
    model, _, data = fitted(name, trainer)
    part = next(part for part in ("generator", "decoder", "scaling") if part in model.average.copies)
    reported = trainer().test(model, datamodule=data, verbose=False)[0]
    copies = {key: value.clone() for key, value in model.average.copies[part].state_dict().items()}
    model.sampler._modules[part].load_state_dict({key: torch.zeros_like(value) for key, value in copies.items()})
    assert trainer().test(model, datamodule=data, verbose=False)[0] == reported
    model.average.copies[part].load_state_dict({key: torch.zeros_like(value) for key, value in copies.items()})
    assert trainer().test(model, datamodule=data, verbose=False)[0] != reported


def test_both_sets_are_in_the_checkpoint_and_the_switch_changes_nothing_in_it(trainer, tmp_path):
    model, runner, _ = fitted("GAN", trainer)
    state = {key: value for key, value in model.state_dict().items() if torch.is_tensor(value)}
    with model.using("averaged"):
        switched = {key: value for key, value in model.state_dict().items() if torch.is_tensor(value)}
        assert model.acting.generator is model.average.copies["generator"]
    assert model.acting is model.sampler
    assert all(torch.equal(value, switched[key]) for key, value in state.items())

    runner.save_checkpoint(tmp_path / "a.ckpt")
    assert torch.load(tmp_path / "a.ckpt", weights_only=True)["state_dict"]["average._extra_state"] == 2
    loaded = GenerativeModel.load_from_checkpoint(tmp_path / "a.ckpt")
    assert loaded.weights == "averaged"
    assert loaded.average.updates == 2
    z = torch.randn(3, model.latent_dim)
    with model.using("averaged"):
        torch.testing.assert_close(loaded.eval().decode(z), model.eval().decode(z))
    for weights in ("raw", "averaged"):
        assert torch.equal(loaded.sample(4, seed=1, weights=weights), model.sample(4, seed=1, weights=weights))


def test_an_average_that_was_never_updated_is_an_error(trainer, tmp_path):
    data = RandomImages(number=96, batch_size=16)
    model = MODELS["GAN"].model(data_spec=data.spec, average_decay=0.9)
    with pytest.raises(RuntimeError, match="averaged weights of this GAN have never been updated; train it, or ask"):
        model.sample(1)
    assert model.sample(1, weights="raw").shape == (1, 1, 28, 28)

    model = MODELS["GAN"].model(data_spec=data.spec, average_decay=0.9, discriminator_steps=100)
    trainer().fit(model, datamodule=data)
    with pytest.raises(RuntimeError, match="never been updated"):
        trainer().test(model, datamodule=data)


def test_without_averages_none_can_be_asked_for():
    model = MODELS["GAN"].model(data_spec=RandomImages().spec)
    assert model.sample(2, seed=0).shape == (2, 1, 28, 28)
    with pytest.raises(RuntimeError, match="keeps no averaged weights"):
        model.sample(2, weights="averaged")
    with pytest.raises(ValueError, match=r"average_decay should be .* below 1.0, got 1.0"):
        MODELS["GAN"].model(data_spec=RandomImages().spec, average_decay=1.0)
    with pytest.raises(ValueError, match=r"average_decay should be .* below 1.0, got Linear"):
        MODELS["GAN"].model(data_spec=RandomImages().spec, average_decay=Linear(0.9, 1.0, 10))


def test_averages_can_begin_and_end_with_a_resume(trainer, tmp_path):
    _, runner, data = fitted("GAN", trainer, decay=0.0)
    runner.save_checkpoint(tmp_path / "without.ckpt")
    model = MODELS["GAN"].model(data_spec=data.spec, average_decay=0.9)
    runner = trainer(max_epochs=2)
    runner.fit(model, datamodule=data, ckpt_path=tmp_path / "without.ckpt")
    assert model.average.updates == 3
    runner.save_checkpoint(tmp_path / "with.ckpt")
    model = MODELS["GAN"].model(data_spec=data.spec)
    trainer(max_epochs=3).fit(model, datamodule=data, ckpt_path=tmp_path / "with.ckpt")
    assert model.average is None


def test_the_average_smooths_batch_norm_with_the_copied_buffers(trainer):
    data = RandomImages(number=64, batch_size=16)
    model = GAN(data_spec=data.spec, networks=DCGANPlayers(width=2), average_decay=0.9, latent_dim=4)
    trainer().fit(model, datamodule=data)
    live = dict(model.sampler.generator.named_buffers())
    copied = dict(model.average.copies["generator"].named_buffers())
    assert live
    assert all(torch.equal(value, copied[name]) for name, value in live.items())
