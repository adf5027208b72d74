"""Alarms: they fire on a constant generator, on a perfect discriminator and at an equilibrium, and not otherwise."""

import json
import re
import warnings

import pytest
import torch
from torch import nn

from genzoo.callbacks.alarms import AGAINST_COLLAPSE, AGAINST_VICTORY, Alarms, advice, pairwise_distance
from genzoo.losses.objectives import Hinge, LeastSquares, Wasserstein
from genzoo.losses.relativistic import RelativisticPairing
from genzoo.models import DCGAN, GAN, VAE, AutoEncoder, ConditionalGAN
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.generators import GeneratorSampler
from genzoo.schedules.schedule import Linear
from genzoo.training.optimizers import AdversarialAdam
from tests.conftest import RandomImages

MODELS = [AutoEncoder, VAE, GAN, DCGAN, ConditionalGAN]


def heard(trainer, alarms, model_class=GAN, epochs=6, **settings):
    """The warnings of a run of 3 steps an epoch, and how many steps it took."""
    data = RandomImages(number=56, batch_size=16)
    torch.manual_seed(0)
    networks = MLPPlayers((16,), (16,), dropout=0.0, batch_norm=False)
    model = model_class(data_spec=data.spec, networks=networks, **settings)
    runner = trainer(max_epochs=epochs, callbacks=[alarms], log_every_n_steps=1, num_sanity_val_steps=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runner.fit(model, datamodule=data)
    texts = [str(warning.message) for warning in caught]
    kinds = ("mode collapse", "the discriminator has won", "the game is over")
    return [text for text in texts if text.startswith(kinds)], runner.global_step


class OneImage(GeneratorSampler):
    """Generates one image, whatever z is."""

    def generate(self, z, condition):
        return super().generate(z, condition)[:1].expand(len(z), -1, -1, -1)


class Constant(GAN):
    """A game whose generator gives one image."""

    def __init__(self, networks, **kwargs):
        super().__init__(networks=networks, **kwargs)
        self.sampler = OneImage(self.data_spec, self.latent_shape, networks)


class Perfect(GAN):
    """Its discriminator knows the difference without having to learn it."""

    def score(self, x, condition):
        grey_levels = (x.detach() + 1.0) * 127.5
        is_real = (grey_levels - grey_levels.round()).flatten(1).abs().mean(1) < 1e-3
        return super().score(x, condition) * 1e-3 + torch.where(is_real, 10.0, -10.0)


class Even(GAN):
    """Told images apart for two steps, and since then sees a whisker of a difference."""

    def score(self, x, condition):
        logits = super().score(x, condition)
        if self.trainer.global_step < 2:
            return logits + 10.0 * (x.flatten(1).std(1) - 0.3).sign()
        return 1e-2 * logits


class Dead(Even):
    """The same, but nothing it sees reaches its answer any more."""

    def score(self, x, condition):
        logits = super().score(x, condition)
        return logits if self.trainer.global_step < 2 else 0.0 * logits


class NearOneHalf(GAN):
    """Told images apart for two steps, and since then gives all of them scores near 1/2."""

    def score(self, x, condition):
        logits = super().score(x, condition)
        if self.trainer.global_step < 2:
            return logits + 10.0 * (x.flatten(1).std(1) - 0.3).sign()
        return 0.5 + 1e-3 * logits


class NeverTold(GAN):
    """Has said 1/2 from the start."""

    def score(self, x, condition):
        return 1e-2 * super().score(x, condition)


def test_a_constant_generator_is_a_mode_collapse(trainer):
    said, _ = heard(trainer, Alarms(collapsed_epochs=2, collapsed_steps=4), Constant)
    assert len(said) == 1
    assert said[0].startswith("mode collapse: for 2 epochs the samples have been nearly all alike (their mean distance")
    assert "Try a lower learning rate" in said[0]


@pytest.mark.parametrize(("least", "epochs"), [(1, 2), (4, 2), (5, 3), (11, 5), (1000, None)])
def test_epochs_of_few_steps_are_no_mode_collapse(least, epochs, trainer):
    """Alike for the 3 n - 2 steps from the end of the first epoch to that of the n-th."""
    said, _ = heard(trainer, Alarms(collapsed_epochs=2, collapsed_steps=least), Constant)
    assert [text.split(" the samples")[0] for text in said] == [f"mode collapse: for {epochs} epochs"] * bool(epochs)


def test_by_default_a_run_of_twelve_steps_has_not_collapsed(trainer):
    assert heard(trainer, Alarms(), Constant, epochs=4) == ([], 12)


def test_what_was_said_is_kept_in_the_run_folder(trainer, tmp_path):
    said, _ = heard(trainer, Alarms(collapsed_epochs=2, collapsed_steps=4, won_steps=5), Perfect, epochs=3)
    kept = json.loads((tmp_path / "alarms.json").read_text())
    assert [alarm["text"] for alarm in kept] == said
    assert [(alarm["name"], alarm["epoch"], alarm["step"]) for alarm in kept] == [("won", 2, 5)]
    heard(trainer, Alarms(), Constant, epochs=1)
    assert json.loads((tmp_path / "alarms.json").read_text()) == []


def test_a_run_that_goes_on_keeps_what_was_said_before_its_checkpoint(trainer, tmp_path):
    first, second = Alarms(), Alarms()
    heard(trainer, first, epochs=1)
    first._alarms = [{"name": "won", "epoch": 1, "step": 2, "text": "said"}]
    second.load_state_dict(first.state_dict())
    (tmp_path / "alarms.json").write_text('[{"name": "collapse"}]')
    second.on_train_end(trainer(), GAN(data_spec=RandomImages().spec))
    assert json.loads((tmp_path / "alarms.json").read_text()) == first._alarms
    # Of a checkpoint of version 0.1.
    second.load_state_dict({"said": ["won"], "since": {}, "has_told_apart": True})
    assert second._alarms == []


def test_another_fit_is_watched_anew(trainer):
    alarms = Alarms(collapsed_epochs=2, collapsed_steps=1)
    assert len(heard(trainer, alarms, Constant)[0]) == 1
    assert len(heard(trainer, alarms, Constant)[0]) == 1
    data = RandomImages(channels=3, number=56, batch_size=16)
    trainer(callbacks=[alarms]).fit(VAE(data_spec=data.spec, networks=MLPEncoderDecoder((8,))), datamodule=data)
    assert alarms._real.shape[1] == 3


@pytest.mark.parametrize("remedies", [AGAINST_COLLAPSE, AGAINST_VICTORY])
@pytest.mark.parametrize("model_class", MODELS)
def test_advice_is_made_of_settings_that_the_model_has(model_class, remedies):
    model = model_class(data_spec=RandomImages().spec)
    names = {remedy.setting for remedy in (*AGAINST_COLLAPSE, *AGAINST_VICTORY)}
    said = re.findall(r"\w+", advice(model, remedies, "luck"))
    assert names.intersection(said) <= model.hparams.keys()
    assert said[-2:] == ["or", "luck"]
    assert "fewer" not in said


def test_advice_can_be_followed():
    spec = RandomImages().spec
    for steps in (2, Linear(3.0, 1.0, 100)):
        assert advice(GAN(data_spec=spec, discriminator_steps=steps), AGAINST_VICTORY, "more data") == (
            "Try a lower learning rate of the discriminator_optimizer, networks with a smaller discriminator, fewer "
            "discriminator_steps or more data"
        )
    assert advice(VAE(data_spec=spec), AGAINST_COLLAPSE, "another seed") == (
        "Try a lower learning rate of the optimizer, a smaller beta, more kl_warmup_steps, more free_bits or another "
        "seed"
    )
    assert "smaller beta" not in advice(VAE(data_spec=spec, beta=0.0), AGAINST_COLLAPSE, "another seed")
    assert advice(VAE(data_spec=spec), (), "another seed") == "Try another seed"


def test_a_perfect_discriminator_has_won(trainer):
    said, _ = heard(trainer, Alarms(least_diversity=0.0, won_steps=5), Perfect)
    assert len(said) == 1
    assert said[0].startswith("the discriminator has won: for 5 steps it has told more than 99% of all images apart")


@pytest.mark.parametrize("objective", [LeastSquares(), Hinge(), RelativisticPairing(), Wasserstein()], ids=str)
def test_a_critic_has_won_only_where_its_scores_have_a_threshold(objective, trainer):
    said, _ = heard(trainer, Alarms(least_diversity=0.0, won_steps=5), Perfect, objective=objective)
    assert [text.split(":")[0] for text in said] == ["the discriminator has won"] * (objective != Wasserstein())


@pytest.mark.parametrize("objective", [LeastSquares(), Hinge(), RelativisticPairing(), Wasserstein()], ids=str)
def test_scores_near_one_half_are_no_equilibrium(objective, trainer):
    alarms = Alarms(least_diversity=0.0, stop_at_equilibrium=True, patience=2)
    assert heard(trainer, alarms, NearOneHalf, objective=objective) == ([], 18)


@pytest.mark.parametrize(("model_class", "steps"), [(Even, 7), (Dead, 18), (NeverTold, 18)])
def test_a_run_stops_at_the_equilibrium_but_not_for_a_dead_discriminator(model_class, steps, trainer):
    alarms = Alarms(least_diversity=0.0, stop_at_equilibrium=True, patience=5)
    said, taken = heard(trainer, alarms, model_class, discriminator_optimizer=AdversarialAdam)
    assert taken == steps
    assert [text.startswith("the game is over") for text in said] == [True] * (steps == 7)


def test_nothing_stops_unless_asked_to(trainer):
    assert heard(trainer, Alarms(least_diversity=0.0, patience=5), Even) == ([], 18)


def test_a_game_that_goes_on_is_not_disturbed(trainer):
    assert heard(trainer, Alarms(least_diversity=0.0)) == ([], 18)


def test_what_was_seen_survives_a_resume():
    first, second = Alarms(), Alarms()
    first._said, first._since, first._has_told_apart = {"won"}, {"even": 7}, True
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == first.state_dict()


def test_the_distance_is_that_of_all_pairs():
    items = torch.randn(5, 2, 3)
    distances = [float((items[i] - items[j]).norm()) for i in range(5) for j in range(i)]
    assert pairwise_distance(items) == pytest.approx(sum(distances) / 10, rel=1e-5)
    assert pairwise_distance(nn.functional.one_hot(torch.arange(3))) == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    "settings", [{"won_accuracy": 2.0}, {"patience": 0}, {"collapsed_steps": 0}, {"tolerance": 0.5}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=r"of Alarms (must|should)"):
        Alarms(**settings)
