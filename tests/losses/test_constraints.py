import math

import pytest
import torch
from torch import nn, tensor

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.constraints import WeightClipping
from genzoo.schedules import Linear


def test_clipping_moves_parameters_to_the_bound_and_leaves_buffers_alone():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        network[0].weight.copy_(tensor([[-3.0, 0.25], [0.0, 7.0]]))
        network[0].bias.copy_(tensor([0.5, -0.75]))
    network[1].running_mean.fill_(4.0)
    clipping = WeightClipping(0.5)
    clipping.constrain(network)
    assert network[0].weight.tolist() == [[-0.5, 0.25], [0.0, 0.5]]
    assert network[0].bias.tolist() == [0.5, -0.5]
    # Batch norm's scales, which begin at 1, are parameters.
    assert network[1].weight.tolist() == [0.5, 0.5]
    assert network[1].running_mean.tolist() == [4.0, 4.0]
    assert network[1].running_var.tolist() == [1.0, 1.0]
    assert all(parameter.requires_grad and parameter.grad_fn is None for parameter in network.parameters())


def test_the_bound_follows_a_schedule_and_is_asked_for():
    clipping = WeightClipping(Linear(0.1, 0.2, 10))
    assert clipping.at(5).bound == pytest.approx(0.15)
    assert from_plain(as_plain(clipping)) == clipping
    for wrong in (0.0, -1.0, math.inf, math.nan, Linear(0.1, 0.0, 10)):
        with pytest.raises(ValueError, match="bound of WeightClipping must be finite and above 0, got"):
            WeightClipping(wrong)
