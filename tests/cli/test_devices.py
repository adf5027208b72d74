import pytest
import torch
from torch import nn

from genzoo.cli.devices import move


def test_modules_move_where_torch_computes():
    module = nn.Linear(2, 2)
    move(module, "cpu")
    assert module.weight.device == torch.device("cpu")


# `meta` has a name and no numbers.
@pytest.mark.parametrize("device", ["nonsense", "meta", "cuda:99"])
def test_other_devices_are_refused(device):
    with pytest.raises(ValueError, match=f"torch cannot compute on {device} here"):
        move(nn.Linear(2, 2), device)
