"""Means over a split."""

import torch

from genzoo.training.split_means import SplitMeans


def test_means_are_over_images_and_have_the_shape_of_the_statistic():
    means = SplitMeans()
    means.take_in({"number": torch.tensor([1.0, 2.0]), "one": torch.tensor([[1.0], [3.0]])}, 0, 2)
    means.take_in({"number": torch.tensor([6.0, 100.0]), "one": torch.tensor([[5.0], [100.0]])}, 0, 1)
    assert {name: mean.tolist() for name, mean in means.of(0).items()} == {"number": 3.0, "one": [3.0]}
    assert means.of(1) == {}
