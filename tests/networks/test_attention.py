import pytest
import torch
from torch import nn

from genzoo.networks.attention import SelfAttention


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return SelfAttention(16).double()


def test_places_look_up_each_other_as_the_paper_says(attention):
    nn.init.constant_(attention.gamma, 0.7)
    x = torch.randn(2, 16, 3, 4).double()

    def of(layer, column):
        return layer.weight[:, :, 0, 0] @ column + layer.bias

    for item, found in zip(x.flatten(2), attention(x).flatten(2), strict=True):
        places = item.T
        for j, here in enumerate(places):
            scores = torch.stack([of(attention.key, there) @ of(attention.query, here) for there in places])
            share = scores.softmax(0)
            looked_up = sum(share[i] * of(attention.value, there) for i, there in enumerate(places))
            torch.testing.assert_close(found[:, j], here + 0.7 * of(attention.out, looked_up))


def test_it_begins_with_what_is_there_and_keeps_an_eighth_of_the_channels(attention):
    x = torch.randn(2, 16, 3, 3).double()
    assert torch.equal(attention(x), x)
    assert attention.query.out_channels == attention.value.out_channels == 2
    assert SelfAttention(4).key.out_channels == 1


def test_it_is_differentiated_twice(attention):
    nn.init.ones_(attention.gamma)
    x = torch.randn(2, 16, 2, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(attention, x)
    assert torch.autograd.gradgradcheck(lambda x: attention(x).square().sum(1), x)
