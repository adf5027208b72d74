"""Games of any number of players, with all that goes into a loss, against a loop of our own in plain torch."""

from contextlib import nullcontext

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.plugins import MixedPrecision

from genzoo.models.gan import GAN
from genzoo.noise import BatchNoise, Stream, counter_seed
from tests.training.cases import CASES, paired

# What adapts to the logits is missing here: its state is none of a loss alone.
GAMES = [name for name, case in CASES.items() if case.is_game and name != "adaptive augmentation"]


class KeepingCasts(MixedPrecision):
    """Keeps the half-precision copies of weights for as long as autocast is on: Lightning asks it not to."""

    def autocast_context_manager(self):
        return torch.autocast("cpu", torch.bfloat16, cache_enabled=True)


SCALE = 256.0


def scaled():
    return MixedPrecision("16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu", init_scale=SCALE))


SETTINGS = {
    "plain": dict,
    "bf16": lambda: {"precision": "bf16-mixed"},
    "bf16, casts kept": lambda: {"plugins": [KeepingCasts("bf16-mixed", "cpu")]},
    "accumulated and clipped": lambda: {"accumulate_grad_batches": 2, "gradient_clip_val": 0.01},
    "accumulated in bf16": lambda: {"accumulate_grad_batches": 3, "precision": "bf16-mixed"},
    "scaled, accumulated and clipped": lambda: SETTINGS["accumulated and clipped"]() | {"plugins": [scaled()]},
}


class Batches(Callback):
    """Notes what the model is trained on."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append(tuple(part.clone() for part in batch))


def play_by_hand(model, batches, k, window_length, clip, autocast, scale):
    """The game as the paper has it: a graph for each loss, and of it no gradient but the mover's own."""
    players = model.players()
    optimizers = [player.optimizer(player.parameters()) for player in players]

    def gradient(player, x, y, noise):
        with autocast():
            loss = player.loss(x, y, noise)
        gradients = torch.autograd.grad(loss / window_length * scale, player.parameters())
        return [each / scale for each in gradients]

    def move(player, optimizer, gradients):
        for parameter, *parts in zip(player.parameters(), *gradients, strict=True):
            parameter.grad = sum(parts)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(player.parameters(), clip)
        optimizer.step()

    window, gradients, taken = [], [], 0
    for place, batch in enumerate(batches):
        # Without a trainer no steps are counted, and losses depend on their number.
        model.step = taken
        torch.manual_seed(counter_seed(0, Stream.GLOBAL, 0, place))
        window.append((*batch, BatchNoise("cpu", 0, Stream.TRAINING, 0, place)))
        gradients.append(gradient(players[0], *window[-1]))
        if len(window) == window_length:
            move(players[0], optimizers[0], gradients)
            for constraint in model.penalties.constraints if isinstance(model, GAN) else ():
                constraint.constrain(model.discriminator)
            taken += 1
            if taken % k == 0:
                for player, optimizer in zip(players[1:], optimizers[1:], strict=True):
                    move(player, optimizer, [gradient(player, *part) for part in window])
            window, gradients = [], []


# Each game with two of the settings, and each setting with several games.
PLAYED = [*paired(GAMES, SETTINGS), *paired(reversed(GAMES), SETTINGS)]


@pytest.mark.parametrize(("k", "name", "setting"), [(1 + n % 2, *played) for n, played in enumerate(PLAYED)])
def test_training_is_a_plain_loop_to_the_last_bit(k, name, setting, trainer):
    settings, data = SETTINGS[setting](), CASES[name].data(number=108, batch_size=16)

    def made():
        torch.manual_seed(0)
        return CASES[name].model(data_spec=data.spec, discriminator_steps=k, average_decay=0.0)

    model, batches = made(), Batches()
    runner = trainer(callbacks=[batches], num_sanity_val_steps=0, **settings)
    runner.fit(model, datamodule=data)
    expected = made()
    play_by_hand(
        expected,
        batches.seen,
        k,
        runner.accumulate_grad_batches,
        runner.gradient_clip_val,
        getattr(runner.precision_plugin, "autocast_context_manager", nullcontext),
        SCALE if "scaled" in setting else 1.0,
    )
    assert runner.global_step == 6 // runner.accumulate_grad_batches
    state = model.state_dict()
    assert [name for name, value in expected.state_dict().items() if not torch.equal(value, state[name])] == []


@pytest.mark.parametrize("batches_of_an_update", [1, 3])
def test_an_adaptive_augmentation_observes_all_real_items_of_an_update_at_once(
    batches_of_an_update, trainer, monkeypatch
):
    data, seen = CASES["adaptive augmentation"].data(number=108, batch_size=16), []
    model = CASES["adaptive augmentation"].model(data_spec=data.spec)
    observe, judging_loss, judged = model.augmenter.observe, model.judging_loss, []

    def noted(logits):
        assert torch.equal(logits, torch.cat(judged))
        seen.append((len(logits), logits.requires_grad, model.trainer.global_step))
        observe(logits)
        judged.clear()

    def judging(real, *others):
        judged.append(real.detach())
        return judging_loss(real, *others)

    monkeypatch.setattr(model.augmenter, "observe", noted)
    monkeypatch.setattr(model, "judging_loss", judging)
    trainer(accumulate_grad_batches=batches_of_an_update).fit(model, datamodule=data)
    steps = range(1, 1 + 6 // batches_of_an_update)
    assert seen == [(16 * batches_of_an_update, False, step) for step in steps]
