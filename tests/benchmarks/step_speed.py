"""How many steps per second training makes, beside a bare loop in PyTorch that computes the same.

    python -m tests.benchmarks.step_speed [--rounds 100] [--steps 10]

The shipped configs of DCGAN and of the VAE of perceptrons are trained by the command line as always, with metrics.csv
but without a progress bar and W&B. After every so many steps the bare loop makes as many: the same networks, losses
and optimisers, on batches of the same data module. Each of the two thus meets whatever else the machine is doing, and
what counts is the median over the rounds of the ratio of their speeds.
"""

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from genzoo.cli import main as genzoo
from genzoo.data.splits import ArrayDataModule
from genzoo.losses.divergences import standard_normal_kl

Step = Callable[[Tensor], None]

# The second leaves out of account what else the machine is doing, and waiting too.
CLOCKS = {"by the clock": time.perf_counter, "processor time": time.process_time}


def bare_game(model: Any) -> Step:
    """A step of DCGAN as it is usually written: an update of the discriminator, and one of the generator.

    The generator's turn also computes gradients of the discriminator that nobody uses, and ours does not.
    """
    generator = copy.deepcopy(model.sampler.generator).train()
    discriminator = copy.deepcopy(model.discriminator).train()
    of_generator = model.generator_optimizer(generator.parameters())
    of_discriminator = model.discriminator_optimizer(discriminator.parameters())

    def step(x: Tensor) -> None:
        of_discriminator.zero_grad()
        fake = generator(2.0 * torch.rand(len(x), model.latent_dim) - 1.0, None).detach()
        model.objective.discriminator_loss(discriminator(x, None), discriminator(fake, None)).backward()
        of_discriminator.step()

        of_generator.zero_grad()
        fake = generator(2.0 * torch.rand(len(x), model.latent_dim) - 1.0, None)
        model.objective.generator_loss(discriminator(fake, None)).backward()
        of_generator.step()

    return step


def bare_bound(model: Any) -> Step:
    """A step of the VAE: an update of encoder and decoder."""
    encoder, decoder = copy.deepcopy(model.sampler.encoder).train(), copy.deepcopy(model.sampler.decoder).train()
    optimizer = model.optimizer([*encoder.parameters(), *decoder.parameters()])

    def step(x: Tensor) -> None:
        bits = (torch.rand_like(x) < (x + 1.0) / 2.0).float()
        mean, log_variance = encoder(2.0 * bits - 1.0).chunk(2, dim=1)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(decoder(z), bits, reduction="none")
        loss = (cross_entropy.flatten(1).sum(1) + standard_normal_kl(mean, log_variance).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


BARE = {"DCGAN": bare_game, "VAE": bare_bound}
# The bare game averages no weights.
CONFIGS = {"dcgan": ["--model.average_decay", "0", "--data.batch_size", "64"], "vae": []}


class Rounds(Callback):
    """Lets a bare loop run after every so many steps of a fit, times both, and ends the fit with a line on them.

    Args:
        rounds: How often each is timed.
        steps: How many steps long.
    """

    def __init__(self, rounds: int, steps: int) -> None:
        self.rounds = rounds
        self.steps = steps
        # Seconds of ours and of the bare loop, one row per round.
        self.seconds: dict[str, list[tuple[float, float]]] = {clock: [] for clock in CLOCKS}

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Makes the bare loop, and lets it run once untimed."""
        self.batches = endless_batches(trainer.datamodule)  # type: ignore[attr-defined]
        self.step = BARE[type(pl_module).__name__](pl_module)
        self._run_bare()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Ends a round and begins the next; one in whose midst the epoch ends, with its validation, does not count."""
        if batch_idx % self.steps:
            return
        if batch_idx > 0:
            ended = read_clocks()
            self._run_bare()
            both_ended = read_clocks()
            for clock, rows in self.seconds.items():
                rows.append((ended[clock] - self.started[clock], both_ended[clock] - ended[clock]))
                trainer.should_stop = len(rows) >= self.rounds
        self.started = read_clocks()

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Prints what came out."""
        for clock, rows in self.seconds.items():
            ours, bare = (
                statistics.median(self.steps / seconds for seconds in column) for column in zip(*rows, strict=True)
            )
            low, middle, high = statistics.quantiles((bare / ours for ours, bare in rows), n=4)
            print(
                f"{type(pl_module).__name__:6} {clock:15} {ours:7.1f} steps/s, bare {bare:7.1f}; ratio {middle:.3f} "
                f"(half of the {len(rows)} rounds between {low:.3f} and {high:.3f})"
            )

    def _run_bare(self) -> None:
        for _ in range(self.steps):
            self.step(next(self.batches))


def read_clocks() -> dict[str, float]:
    """What all clocks show."""
    return {name: read() for name, read in CLOCKS.items()}


def endless_batches(data: ArrayDataModule) -> Iterator[Tensor]:
    """Training batches of a data module for ever, as models get them."""
    data = copy.copy(data)
    # Away from the trainer, so that the loader begins at the beginning.
    data.trainer = None
    while True:
        for batch in data.train_dataloader():
            yield data.on_after_batch_transfer(batch, 0)[0]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="how often each loop is timed")
    parser.add_argument("--steps", type=int, default=10, help="how many steps long")
    arguments = parser.parse_args()
    # One thread for both: what several do to so small a task depends on what else the machine is doing.
    torch.set_num_threads(1)
    for config, own in CONFIGS.items():
        with tempfile.TemporaryDirectory() as folder:
            genzoo(
                [
                    *(
                        "fit",
                        "--config",
                        f"configs/{config}.yaml",
                        "--run.root",
                        folder,
                        "--trainer.max_epochs",
                        "1000",
                    ),
                    *own,
                    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"),
                    *("--trainer.logger", "genzoo.loggers.CSVLogger"),
                    *("--trainer.callbacks", "tests.benchmarks.step_speed.Rounds"),
                    *("--trainer.callbacks.rounds", str(arguments.rounds)),
                    *("--trainer.callbacks.steps", str(arguments.steps)),
                ]
            )


if __name__ == "__main__":
    main()
