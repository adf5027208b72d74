import numpy as np
import pytest
import torch
from torch.utils.data import Subset

from genzoo.data.points import GaussianMixture2D, mode_means


def test_the_ring_is_eight_points_on_the_unit_circle():
    means = mode_means("ring")
    assert means.shape == (8, 2)
    assert torch.allclose(means.norm(dim=1), torch.ones(8))
    assert torch.allclose(means[2], torch.tensor([0.0, 1.0]), atol=1e-6)


def test_the_grid_is_five_by_five():
    means = mode_means("grid")
    assert {tuple(mean) for mean in means.tolist()} == {(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}
    assert means[1].tolist() == [-2.0, -4.0]


@pytest.mark.parametrize(("layout", "modes", "sigma"), [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_points_lie_about_the_mean_of_their_mode(layout, modes, sigma):
    data = GaussianMixture2D(layout, training_points=50_000)
    points, labels = data.load("train")
    assert points.shape == (50_000, 2)
    assert (points.dtype, labels.dtype) == (np.float32, np.int64)
    deviations = (points - mode_means(layout).numpy()[labels]) / sigma
    assert abs(deviations.std(axis=0) - 1).max() < 0.02
    assert abs(np.corrcoef(deviations.T)[0, 1]) < 0.02
    # Within three sigma in two dimensions: 1 - exp(-9/2) = 98.9 %.
    assert np.mean((deviations**2).sum(axis=1) <= 9) == pytest.approx(0.98889, abs=0.002)
    shares = np.bincount(labels, minlength=modes) / len(labels)
    assert abs(shares * modes - 1).max() < 0.1


def test_points_depend_on_split_and_seed_alone():
    def drawn(split="train", **settings):
        return GaussianMixture2D("ring", training_points=9, test_points=9, **settings).load(split)[0].tolist()

    assert drawn() == drawn(batch_size=3)
    assert drawn() != drawn(seed=1)
    assert drawn() != drawn("test")


def test_points_are_told_apart_by_what_they_are_drawn_from():
    settings = [{}, {"seed": 1}, {"training_points": 9}, {"layout": "ring"}]
    assert len({GaussianMixture2D(**given).identity for given in settings}) == len(settings)
    assert GaussianMixture2D(test_points=9).identity == GaussianMixture2D().identity


def test_the_spec_is_that_of_points():
    assert GaussianMixture2D("ring").spec == {"shape": [2], "class_names": [f"mode_0{i}" for i in range(8)]}


def test_batches_are_points_in_data_units():
    data = GaussianMixture2D("grid", training_points=1000, batch_size=100, subset=250)
    data.setup("fit")
    data.setup("test")
    part = data.parts["train"]
    assert isinstance(part, Subset)
    assert np.bincount(part.dataset.labels[part.indices]).tolist() == [10] * 25
    (points, labels), _ = data.train_dataloader()
    assert points.shape == (100, 2)
    assert points.dtype == torch.float32
    assert points.abs().max() > 3
    assert data.on_after_batch_transfer((points, labels), 0)[0] is points
    assert len(data.val_dataloader()) == 2
    assert sum(len(labels) for _, labels in data.test_dataloader()) == 10_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layout": "line"}, "layout is 'line', .* ring, grid"),
        ({"test_points": 0}, "test_points must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture2D(**settings)
