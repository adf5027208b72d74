"""Instance noise against the generator that it is drawn from."""

import math

import pytest
import torch

from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.losses.objectives import Wasserstein
from genzoo.noise import BatchNoise
from genzoo.schedules.schedule import Linear


@pytest.mark.parametrize("shape", [(5, 2), (3, 1, 4, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_noise_of_the_deviation_of_the_step_is_added_to_items_of_any_kind(shape, dtype):
    InstanceNoise().require_fit({"shape": list(shape[1:])}, Wasserstein())
    x, augmenter = torch.zeros(shape, dtype=dtype), InstanceNoise(Linear(0.5, 0.0, 10)).build()
    for step, deviation in ((0, 0.5), (5, 0.25), (10, 0.0)):
        augmenter.steps_done = step
        found = augmenter(x, BatchNoise("cpu", 0))
        assert torch.equal(found, (deviation * BatchNoise("cpu", 0).normal(*shape)).to(dtype))
        assert found.dtype == dtype


def test_gradients_pass_through_as_they_are():
    x = torch.randn(3, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(InstanceNoise().build()(x, BatchNoise("cpu", 0)).sum(), x)
    assert torch.equal(gradient, torch.ones(3, 2))


@pytest.mark.parametrize("deviation", [-0.1, math.inf, Linear(0.1, -0.1, 5)])
def test_what_is_no_deviation_is_refused(deviation):
    with pytest.raises(ValueError, match="deviation of InstanceNoise must be finite and not negative, got"):
        InstanceNoise(deviation)
