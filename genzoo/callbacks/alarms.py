"""What usually goes wrong in adversarial training, said once each, with what to try."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch import Tensor

from genzoo.data.arrays import Batch
from genzoo.files import write_whole
from genzoo.hyperparameters import whole_number
from genzoo.report.story import ALARMS
from genzoo.training.model import GenerativeModel

# How many samples are compared with as many real items; more would cost time in every epoch and tell little more.
ALIKE = 256


@dataclass(frozen=True)
class Remedy:
    """Something to try.

    Args:
        setting: The model's setting that it is about; models without it do not get the advice.
        text: What to do.
        beyond: The setting must be more than this to be lowered; None if it is not a number that is lowered.
    """

    setting: str
    text: str
    beyond: float | None = None

    def fits(self, model: GenerativeModel) -> bool:
        """Whether a model has the setting, and can still follow the advice."""
        if self.setting not in model.hparams or self.beyond is None:
            return self.setting in model.hparams
        value = model.hparams[self.setting]
        # What follows a schedule is plain data that say so, and can be lowered.
        return isinstance(value, dict) or value > self.beyond


AGAINST_COLLAPSE = (
    Remedy("optimizer", "a lower learning rate of the optimizer"),
    Remedy("generator_optimizer", "a lower learning rate of the generator_optimizer"),
    Remedy("discriminator_steps", "more discriminator_steps"),
    Remedy("objective", "another objective"),
    Remedy("beta", "a smaller beta", beyond=0.0),
    Remedy("kl_warmup_steps", "more kl_warmup_steps"),
    Remedy("free_bits", "more free_bits"),
)
AGAINST_VICTORY = (
    Remedy("discriminator_optimizer", "a lower learning rate of the discriminator_optimizer"),
    Remedy("networks", "networks with a smaller discriminator"),
    Remedy("discriminator_steps", "fewer discriminator_steps", beyond=1.0),
)


def pairwise_distance(items: Tensor) -> float:
    """The mean Euclidean distance between two different ones of some items, ``(N, ...)``."""
    return float(torch.nn.functional.pdist(items.flatten(1).float()).mean())


def advice(model: GenerativeModel, remedies: Sequence[Remedy], always: str) -> str:
    """A sentence without its full stop: those of some remedies that fit a model, and one that fits every model."""
    fitting = [remedy.text for remedy in remedies if remedy.fits(model)]
    return f"Try {' or '.join([', '.join(fitting), always] if fitting else [always])}"


class Alarms(Callback):
    """Warns of mode collapse and of a discriminator that has won; stops a game that is over, if asked to.

    *Mode collapse.* At the end of each epoch samples from fixed noise are compared with as many real items: if their
    mean pairwise distance is less than ``least_diversity`` of that of the real ones for ``collapsed_epochs`` epochs and
    ``collapsed_steps`` steps in a row, they are (nearly) all the same, and not only because training has just begun.

    *A discriminator that has won.* It tells more than ``won_accuracy`` of a batch apart at every log step for
    ``won_steps`` steps in a row: its loss is nearly 0, and so is what the generator can learn from it. A critic whose
    scores have no threshold (`Wasserstein`) is not watched for this.

    *A game that is over* (Goodfellow et al. 2014, theorem 1 and proposition 2: at the equilibrium D = 1/2 everywhere).
    The means of D(x) and D(G(z)) stay within ``tolerance`` of 1/2 for ``patience`` steps in a row. This stops the run
    only if ``stop_at_equilibrium`` is set, and only for a discriminator that has told images apart before and still
    follows a gradient: one that has died says 1/2 to everything too. Critics, which give no probabilities, are not
    watched for this.

    What to try is made of settings that the model has. Non-finite values are an error of the model's own. What was said
    is kept in ``alarms.json`` in the run folder, with the epoch and the number of steps after which it was.

    Args:
        least_diversity: Share of the real items' diversity below which samples are alike.
        collapsed_epochs: For how many epochs they have to be.
        collapsed_steps: For how many steps they have to be; epochs may have few.
        won_accuracy: Share of right answers above which the discriminator is sure.
        won_steps: For how many steps it has to be.
        stop_at_equilibrium: Whether training stops once the discriminator can no longer tell.
        tolerance: Distance of its mean answers from 1/2 that still counts as not telling.
        patience: For how many steps it may not be able to tell.
    """

    def __init__(
        self,
        least_diversity: float = 0.25,
        collapsed_epochs: int = 3,
        collapsed_steps: int = 1000,
        won_accuracy: float = 0.99,
        won_steps: int = 2000,
        stop_at_equilibrium: bool = False,
        tolerance: float = 0.02,
        patience: int = 2000,
    ) -> None:
        if not 0.0 <= least_diversity < 1.0 or not 0.5 <= won_accuracy <= 1.0 or not 0.0 < tolerance < 0.5:
            raise ValueError(
                "least_diversity of Alarms should lie in [0, 1), won_accuracy in [0.5, 1] and tolerance in (0, 0.5), "
                f"got {least_diversity}, {won_accuracy} and {tolerance}"
            )
        self.least_diversity = least_diversity
        self.collapsed_epochs = whole_number("collapsed_epochs of Alarms", collapsed_epochs, 1)
        self.collapsed_steps = whole_number("collapsed_steps of Alarms", collapsed_steps, 1)
        self.won_accuracy = won_accuracy
        self.won_steps = whole_number("won_steps of Alarms", won_steps, 1)
        self.stop_at_equilibrium = stop_at_equilibrium
        self.tolerance = tolerance
        self.patience = whole_number("patience of Alarms", patience, 1)
        self._begin_anew()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forgets an earlier fit and its data; a resume then restores what was seen and said."""
        if stage == "fit":
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._real: Tensor | None = None
        self._said: set[str] = set()
        self._alarms: list[dict[str, str | int]] = []
        self._has_told_apart = False
        self._since: dict[str, int] = {}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Looks at the numbers of log steps, which have been read from the device anyway."""
        assert isinstance(pl_module, GenerativeModel)
        if (trainer.is_global_zero or pl_module.is_divided) and (self._real is None or len(self._real) < ALIKE):
            x = batch[0].detach().cpu()
            self._real = x if self._real is None else torch.cat([self._real, x])[:ALIKE]
        # The step that has just ended is counted already.
        if pl_module.step_log.latest_step == trainer.global_step - 1:
            self._watch_the_game(trainer, pl_module, pl_module.step_log.latest)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compares samples with real items."""
        assert isinstance(pl_module, GenerativeModel)
        if not (trainer.is_global_zero or pl_module.is_divided) or not pl_module.can_sample:
            return
        if self._real is None or len(self._real) < 2:
            return
        if "collapse" in self._said or not pl_module.condition.has_default:
            return
        # From the same noise each time, so that only training moves the distance.
        samples = pl_module.sample(len(self._real), seed=0)
        diversity, real = pairwise_distance(samples), pairwise_distance(self._real)
        are_alike = diversity < self.least_diversity * real
        epochs = self._lasts("alike", are_alike, trainer.current_epoch + 1)
        steps = self._lasts("alike_steps", are_alike, trainer.global_step)
        if epochs >= self.collapsed_epochs and steps >= self.collapsed_steps:
            self._say(
                trainer,
                "collapse",
                f"mode collapse: for {epochs} epochs the samples have been nearly all alike (their mean distance is "
                f"{diversity:.3g}, that of real ones {real:.3g}). "
                f"{advice(pl_module, AGAINST_COLLAPSE, 'another seed')}",
            )

    def _watch_the_game(self, trainer: Trainer, model: GenerativeModel, logged: dict[str, float]) -> None:
        accuracy = logged.get("train/discriminator_accuracy")
        # A critic's scores are no probabilities: those that have no threshold have no accuracy either.
        if accuracy is None:
            return
        step = trainer.global_step
        # Half-way from chance to certainty: before its first successes a discriminator gives 1/2 to everything too.
        self._has_told_apart |= accuracy > 0.75
        if self._lasts("won", accuracy > self.won_accuracy, step) >= self.won_steps:
            self._say(
                trainer,
                "won",
                f"the discriminator has won: for {self.won_steps} steps it has told more than "
                f"{self.won_accuracy:.0%} of all images apart, and the generator learns little from it. "
                f"{advice(model, AGAINST_VICTORY, 'more data')}",
            )
        beliefs = [logged.get(f"train/discriminator_{kind}") for kind in ("real", "fake")]
        # A dead discriminator, whose units all give 0, answers 1/2 to everything too, but has no gradient.
        cannot_tell = (
            self._has_told_apart
            and all(belief is not None and abs(belief - 0.5) < self.tolerance for belief in beliefs)
            and logged["train/discriminator_gradient_norm"] > 1e-6
        )
        is_over = self._lasts("even", cannot_tell, step) >= self.patience
        # All devices stop together, once it is over on each of them.
        if self.stop_at_equilibrium and trainer.strategy.reduce_boolean_decision(is_over):
            text = f"the game is over: for {self.patience} steps D(x) and D(G(z)) have both been 1/2"
            self._say(trainer, "even", text)
            trainer.should_stop = True

    def _lasts(self, name: str, holds: bool, step: int) -> int:
        """For how many steps (or epochs) something has held at every look, this one included."""
        if not holds:
            self._since.pop(name, None)
            return 0
        return step - self._since.setdefault(name, step) + 1

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leaves out of the file what was said after the checkpoint that the run went on from, and not again since."""
        if (Path(trainer.default_root_dir) / ALARMS).is_file():
            self._keep(trainer)

    def _say(self, trainer: Trainer, name: str, text: str) -> None:
        if name not in self._said:
            self._said.add(name)
            epoch, step = trainer.current_epoch + 1, trainer.global_step
            self._alarms.append({"name": name, "epoch": epoch, "step": step, "text": text})
            self._keep(trainer)
            rank_zero_warn(text)

    def _keep(self, trainer: Trainer) -> None:
        if trainer.is_global_zero:
            write_whole(Path(trainer.default_root_dir) / ALARMS, json.dumps(self._alarms, indent=2) + "\n")

    def state_dict(self) -> dict[str, Any]:
        """What has been seen and said, for a run that is resumed."""
        return {
            "said": sorted(self._said),
            "alarms": self._alarms,
            "since": self._since,
            "has_told_apart": self._has_told_apart,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores what has been seen and said."""
        self._said = set(state_dict["said"])
        # Version 0.1 remembered no more than which had been said.
        self._alarms = state_dict.get("alarms", [])
        self._since = state_dict["since"]
        self._has_told_apart = state_dict["has_told_apart"]
