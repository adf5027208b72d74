"""Penalties and constraints in a game that is trained."""

import csv
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger

from genzoo.augmentations.consistency import Consistency
from genzoo.losses.constraints import WeightClipping
from genzoo.losses.every import Every
from genzoo.losses.objectives import Hinge
from genzoo.losses.penalties import R1, R2
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise
from genzoo.schedules import Linear
from genzoo.training.penalty_terms import PenaltyTerms
from tests.conftest import RandomImages

SMALL = MLPPlayers((8,), (8,), dropout=0.0, batch_norm=False)
SPEC = RandomImages().spec


def logged(trainer, folder, every):
    """What is logged of a penalty that is due at every third step, by the step."""
    data = RandomImages(number=16 * 13, batch_size=16)
    torch.manual_seed(0)
    # The later, the heavier: no two steps have one value.
    model = GAN(data_spec=data.spec, networks=SMALL, penalties=[Every(R1(Linear(1.0, 13.0, 12)), 3)])
    logger = CSVLogger(folder, name="")
    trainer(logger=logger, log_every_n_steps=every).fit(model, datamodule=data)
    rows = csv.DictReader((Path(logger.log_dir) / "metrics.csv").read_text().splitlines())
    return {int(row["step"]): float(row["train/penalty/R1"]) for row in rows if row["train/penalty/R1"]}


def test_a_penalty_that_is_due_between_log_steps_is_reported_at_the_next(trainer, tmp_path):
    each, fifth = (logged(trainer, tmp_path / str(every), every) for every in (1, 5))
    assert each[3] == each[4] == each[5] != each[6]
    assert fifth == {4: each[3], 9: each[9]}


@dataclass(frozen=True)
class Counted(R1):
    """Counts how often it is asked."""

    asked: list[int] = field(default_factory=list)

    def __call__(self, *arguments):
        self.asked.append(1)
        return super().__call__(*arguments)


def test_all_batches_of_an_accumulated_step_agree_whether_a_penalty_is_due(trainer):
    class Asked(Callback):
        def __init__(self):
            self.at_steps = []

        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            self.step = trainer.global_step
            counted.asked.clear()

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            self.at_steps.append((self.step, len(counted.asked)))

    witness, counted = Asked(), Counted()
    data = RandomImages(number=16 * 12, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, penalties=[Every(counted, steps=2)])
    trainer(callbacks=[witness], accumulate_grad_batches=3, num_sanity_val_steps=0).fit(model, datamodule=data)
    assert witness.at_steps[:9] == [(step, asked) for step, asked in ((0, 1), (1, 0), (2, 1)) for _ in range(3)]


def test_weights_are_within_their_bounds_after_each_update_of_the_discriminator(trainer):
    class Farthest(Callback):
        def __init__(self):
            self.of = {"discriminator": [], "generator": []}

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            for player in pl_module.players():
                self.of[player.name].append(max(float(p.detach().abs().max()) for p in player.parameters()))

    witness = Farthest()
    data = RandomImages(number=16 * 8, batch_size=16)
    bounds = Linear(0.01, 0.04, 3)
    model = GAN(
        data_spec=data.spec,
        networks=SMALL,
        penalties=[WeightClipping(bounds)],
        discriminator_optimizer=partial(torch.optim.SGD, lr=10.0),
    )
    trainer(callbacks=[witness]).fit(model, datamodule=data)
    assert witness.of["discriminator"][:3] == pytest.approx([bounds.at(step) for step in (0, 1, 2)])
    assert min(witness.of["generator"]) > 0.1
    # It is no term of the loss, and nothing is reported of it.
    assert model.penalties.by_name == {}


def test_of_several_penalties_of_one_name_the_later_ones_are_numbered():
    terms = PenaltyTerms([R1(), Every(R1(), 4), WeightClipping(), R2()], SPEC, Hinge())
    assert list(terms.by_name) == ["penalty/R1", "penalty/R1_2", "penalty/R2"]
    assert terms.constraints == [WeightClipping()]


def test_what_does_not_fit_the_data_is_refused_before_training():
    with pytest.raises(ValueError, match="DiffAugment changes images"):
        GAN(data_spec={"shape": [2]}, networks=SMALL, penalties=[Consistency()])


def test_the_loss_is_the_objectives_and_what_is_due():
    plain, held = (
        (torch.manual_seed(0), GAN(data_spec=SPEC, networks=SMALL, penalties=penalties))[1]
        for penalties in ([], [Every(R1(0.5), 2), R2(0.25)])
    )
    x, y = torch.rand(4, 1, 28, 28) * 2 - 1, torch.zeros(4, dtype=torch.int64)
    losses = [model.discriminator_loss(x, y, BatchNoise("cpu", 0)) for model in (plain, held)]
    fake = held.generate(4, None, BatchNoise("cpu", 0))

    def square(items):
        items = items.detach().requires_grad_()
        return torch.autograd.grad(held.discriminator(items).sum(), items)[0].square().sum() / 4

    torch.testing.assert_close(losses[1] - losses[0], 0.5 * square(x) + 0.125 * square(fake), rtol=1e-4, atol=1e-5)


def test_a_penalty_that_is_not_in_a_list_is_refused():
    with pytest.raises(ValueError, match=r"penalties are a list, got R1\(gamma=10.0\); put it into one"):
        GAN(data_spec=RandomImages().spec, penalties=R1())
