"""What is drawn together, and under which heading."""

import csv
from pathlib import Path

import pytest

from genzoo.report.curves import Curve
from genzoo.report.plots import HEADINGS, OTHER, is_drawn, plots_of

RUNS = Path(__file__).parents[1] / "fixtures" / "runs_of_0_1"


@pytest.mark.parametrize("path", sorted(RUNS.glob("*/*/metrics.csv")), ids=str)
def test_every_column_stands_in_one_plot(path):
    with path.open() as file:
        columns = {*csv.reader(file).__next__()} - {"epoch", "step"}
    plots = plots_of(sorted(columns))
    assert sorted(column for plot in plots for column in plot.columns) == sorted(columns)
    assert all(len({*plot.columns.values()}) == len(plot.columns) for plot in plots)
    order = [HEADINGS.index(plot.section) for plot in plots]
    assert order == sorted(order)


def test_a_quantity_on_several_splits_is_one_plot():
    (plot,) = plots_of(["train/elbo", "val/elbo", "val/training/elbo"])
    assert plot.columns == {
        "train/elbo": "training batches",
        "val/elbo": "held-out images",
        "val/training/elbo": "training images, evaluated",
    }


def test_players_share_a_plot():
    columns = ["train/discriminator_loss", "train/generator_loss"]
    (plot,) = plots_of(columns)
    assert (plot.section, [*plot.columns.values()]) == ("Game", ["discriminator_loss", "generator_loss"])


def test_numbered_parts_are_drawn_by_their_numbers():
    columns = {f"val/kl_per_dimension/{number:03d}": f"{number:03d}" for number in range(12)}
    (plot,) = plots_of(columns)
    assert (plot.section, plot.by_number, plot.columns) == ("Latent space", True, columns)
    assert is_drawn(plot, {})


def test_what_the_dashboard_does_not_name_comes_last():
    plots = plots_of(["epoch", "mine", "train/mine", "train/elbo"])
    assert [(plot.section, plot.title) for plot in plots[1:]] == [(OTHER, "mine")]
    assert plots[1].columns == {"mine": "mine", "train/mine": "training batches"}


def test_single_numbers_are_not_drawn():
    (plot,) = plots_of(["val/elbo", "train/elbo"])
    one, two = Curve([3], [1.0]), Curve([3, 4], [1.0, 2.0])
    assert not is_drawn(plot, {"val/elbo": one, "train/elbo": one})
    assert is_drawn(plot, {"val/elbo": one, "train/elbo": two})
