import pytest
import torch
from torch import nn

from genzoo.networks.batch_norm import require_batches_for_batch_norm
from genzoo.networks.minibatch_deviation import MinibatchDeviation


@pytest.mark.parametrize(
    ("number", "groups"), [(8, [[0, 2, 4, 6], [1, 3, 5, 7]]), (7, [list(range(7))]), (2, [[0, 1]])]
)
def test_the_map_is_the_mean_deviation_of_the_group(number, groups):
    x = torch.randn(number, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    found = MinibatchDeviation(4)(x)
    assert torch.equal(found[:, :3], x)
    for group in groups:
        expected = (x[group].var(0, correction=0) + 1e-8).sqrt().mean()
        torch.testing.assert_close(found[group, 3], expected.expand(len(group), 2, 2))


def test_items_that_are_all_alike_are_noticed():
    alike = MinibatchDeviation(4)(torch.ones(4, 1, 2, 2))
    assert float(alike[:, 1].max()) == pytest.approx(1e-4)


def test_each_item_is_judged_by_itself_in_eval_mode():
    layer = MinibatchDeviation(2, momentum=0.25)
    x = torch.randn(4, 3, 2, 2)
    seen = layer(x)[:2, 3, 0, 0].mean()
    torch.testing.assert_close(layer.running_deviation, 0.75 + 0.25 * seen)
    before = layer.running_deviation.clone()
    layer.eval()
    assert torch.equal(layer(x)[:1], layer(x[:1]))
    assert layer(x)[:, 3].unique().tolist() == [float(before)]


def test_it_is_differentiated_twice():
    layer = MinibatchDeviation(2).double()
    x = torch.randn(4, 2, 2, 1).double().requires_grad_()
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[:, 2].square(), x)


def test_half_precision_is_kept_and_summed_in_float32():
    x = torch.full((4, 1, 2, 2), 300.0, dtype=torch.float16)
    x[::2] = -300.0
    found = MinibatchDeviation(2).half()(x)
    assert found.dtype == torch.float16
    # The groups are items 0 and 2, and 1 and 3; a square of 300 is beyond half precision.
    assert torch.equal(found[:, 1], torch.full((4, 2, 2), 1e-4).half())
    assert float(MinibatchDeviation(4).half()(x)[0, 1, 0, 0]) == pytest.approx(300.0)


def test_a_batch_of_one_is_refused():
    network = nn.Sequential(MinibatchDeviation())
    require_batches_for_batch_norm(network, "network", 2)
    with pytest.raises(ValueError, match="a network with a minibatch deviation would be trained on a batch of 1 image"):
        require_batches_for_batch_norm(network, "network", 1)


def test_under_autocast_rounding_is_no_variety():
    layer = MinibatchDeviation(4)
    alike, varied = torch.full((4, 2, 3, 3), 10.3), 10.0 + 0.01 * torch.randn(4, 2, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(alike)
        assert float(layer(varied)[0, 2, 0, 0]) == pytest.approx(float(varied.std(0, unbiased=False).mean()), rel=0.05)
    torch.testing.assert_close(found[:, 2], torch.full((4, 3, 3), 1e-4))
