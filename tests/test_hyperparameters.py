from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch

from genzoo.hyperparameters import as_plain
from genzoo.losses.likelihoods import Gaussian
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.optimizers import AdversarialAdam


@dataclass(frozen=True)
class Nested:
    inner: Gaussian
    sizes: tuple[int, ...]


def test_plain_data_stay_as_they_are():
    value = {"a": [1, 2.5, "x", None, True], "b": {"c": []}}
    assert as_plain(value) == value


def test_numpy_scalars_become_numbers():
    plain = as_plain([np.float64(0.5), np.int64(3), np.float32(0.25)])
    assert plain == [0.5, 3, 0.25]
    assert [type(entry) for entry in plain] == [float, int, float]


def test_classes_partials_and_dataclasses_become_class_paths():
    assert as_plain(AdversarialAdam) == {"class_path": "genzoo.optimizers.AdversarialAdam"}
    assert as_plain(partial(torch.optim.SGD, lr=0.1)) == {
        "class_path": "torch.optim.sgd.SGD",
        "init_args": {"lr": 0.1},
    }
    assert as_plain(MLPEncoderDecoder((3, 4))) == {
        "class_path": "genzoo.networks.mlp.MLPEncoderDecoder",
        "init_args": {"hidden_features": [3, 4]},
    }
    nested = as_plain(Nested(Gaussian(0.5), (1,)))
    assert nested["init_args"]["inner"]["init_args"] == {"standard_deviation": 0.5, "activation": "tanh"}


@pytest.mark.parametrize("value", [lambda p: p, torch.nn.Linear(1, 1), partial(print, "x")])
def test_what_a_checkpoint_cannot_hold_is_refused(value):
    with pytest.raises(TypeError, match=r"cannot be stored in a checkpoint; give a class, functools\.partial"):
        as_plain(value)
