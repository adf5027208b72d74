import inspect
import json
import sys
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import partial
from importlib import import_module
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from torch.optim.lr_scheduler import StepLR
from torchmetrics import Metric

import genzoo.callbacks
import genzoo.data
import genzoo.metrics
import genzoo.models
import genzoo.networks
import genzoo.sampling
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.callbacks import Alarms, Pictures
from genzoo.data.splits import ArrayDataModule
from genzoo.data.torchvision_cached import STL10
from genzoo.discovery import public_classes
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.losses.penalties import R1
from genzoo.metrics import FeatureExtractor, PooledActivations
from genzoo.metrics.extractors.fitting import Recipe
from genzoo.models import VAE
from genzoo.networks.architectures import EncoderDecoder, Players
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.priors import NormalPrior, Prior, UniformPrior
from genzoo.spec import image_spec
from genzoo.training.model import GenerativeModel
from genzoo.training.optimizers import AdversarialAdam
from tests.conftest import RandomImages


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
    assert as_plain(AdversarialAdam) == {"class_path": "genzoo.training.optimizers.AdversarialAdam"}
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


# The values that hyperparameters are: by package, so that each new one is among them.
PLAIN_PACKAGES = [
    import_module(f"genzoo.{name}")
    for name in genzoo.PACKAGES_WITH_PUBLIC_CLASSES
    if name not in ("training", "models", "data", "metrics", "evaluation", "callbacks")
]
VALUES = [
    cls
    for package in PLAIN_PACKAGES
    for cls in public_classes(package).values()
    if is_dataclass(cls) and not inspect.isabstract(cls)
]
FIELDS_WITHOUT_DEFAULT = {
    "class_names": ("a", "b"),
    "length": 3,
    "data_shape": (1, 28, 28),
    "vocabulary": 5,
    "start": 1.0,
    "end": 0.5,
    "steps": 10,
    "penalty": R1(),
    "players": MLPPlayers(),
    "augmentations": (DiffAugment(), InstanceNoise()),
}


def other(value, hint):
    """Another value of a field, of its type."""
    if get_origin(hint) is Literal:
        return next(each for each in get_args(hint) if each != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.5 * value + 0.125
    if isinstance(value, tuple):
        return (*value, value[-1])
    if value == UniformPrior():
        return NormalPrior()
    if is_dataclass(value):
        first = fields(value)[0].name
        return replace(value, **{first: other(getattr(value, first), get_type_hints(type(value))[first])})
    raise TypeError(f"this test knows no other value of {value!r}: tell it one")


@pytest.mark.parametrize("cls", VALUES, ids=lambda cls: cls.__name__)
def test_every_value_comes_back_from_plain_data(cls):
    required = {
        field.name: FIELDS_WITHOUT_DEFAULT[field.name]
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    }
    hints = get_type_hints(cls)
    value = cls(**required)
    changed = {field.name: other(getattr(value, field.name), hints[field.name]) for field in fields(cls)}
    for each in (value, *(replace(value, **{name: new}) for name, new in changed.items()), cls(**changed)):
        # As a config or a checkpoint would hold it: lists in place of tuples, no objects.
        back = from_plain(json.loads(json.dumps(as_plain(each))))
        assert back == each
        assert type(back) is cls
        assert hash(back) == hash(each)
    if not required:
        for class_path in (f"{cls.__module__}.{cls.__name__}", f"genzoo.{cls.__name__}"):
            assert from_plain({"class_path": class_path}) == value


def test_values_within_values_come_back():
    nested = {"a": [Nested(Gaussian(0.5), (1, 2)), None], "b": {"c": 1.5, "d": "x"}}
    assert from_plain(as_plain(nested), allowed=("genzoo", "tests")) == nested


def test_optimisers_come_back_as_what_makes_them():
    parameters = [torch.nn.Parameter(torch.zeros(2))]
    made = from_plain(as_plain(partial(AdversarialAdam, betas=(0.1, 0.2))))
    assert isinstance(made, partial)
    assert isinstance(made(parameters), AdversarialAdam)
    assert made(parameters).param_groups[0]["betas"] == (0.1, 0.2)
    assert from_plain(as_plain(AdversarialAdam)) is AdversarialAdam
    schedule = from_plain(as_plain(partial(StepLR, step_size=3)), allowed=("torch",))
    assert schedule(made(parameters)).step_size == 3
    with pytest.raises(ValueError, match="a StepLR cannot be made from the arguments every: got an unexpected"):
        from_plain({"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"every": 3}}, allowed=("torch",))


class Remembering(torch.nn.Module):
    """What is no dataclass, and remembers how it was made."""

    def __init__(self, networks, sizes: tuple[tuple[int, ...], ...] | None = None, **others):
        super().__init__()
        self.plain_arguments = {"networks": networks, "sizes": sizes, **others}


def test_what_remembers_how_it_was_made_comes_back():
    plain = as_plain(Remembering(MLPEncoderDecoder((3,)), sizes=((1, 2), (3, 4, 5)), width=2))
    assert json.loads(json.dumps(plain)) == plain
    back = from_plain(plain, allowed=("genzoo", "tests"))
    assert isinstance(back, Remembering)
    assert back.plain_arguments == {
        "networks": MLPEncoderDecoder((3,)),
        "sizes": ((1, 2), (3, 4, 5)),
        "width": 2,
    }


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"class_path": "torch.optim.Adam"}, r"torch\.optim\.Adam is no class of genzoo, and those alone are made"),
        ({"class_path": "genzoo_of_mine.GAN"}, r"genzoo_of_mine\.GAN is no class of genzoo"),
        ({"class_path": "antigravity.Prior"}, "is no class of genzoo"),
        ({"class_path": 3}, "3 is no class of genzoo"),
        ({"class_path": "genzoo"}, "genzoo is no class of genzoo"),
        ({"class_path": "genzoo.nowhere.GAN"}, r"there is no class genzoo\.nowhere\.GAN; correct it, or use the vers"),
        ({"class_path": "genzoo.Nothing"}, r"there is no class genzoo\.Nothing"),
        ({"class_path": "genzoo.extras.import_extra"}, r"there is no class genzoo\.extras\.import_extra"),
        ({"class_path": "genzoo.files.Path"}, r"there is no class genzoo\.files\.Path"),
        (
            {"class_path": "genzoo.Gaussian", "init_args": {"deviation": 1.0}},
            r"a Gaussian cannot be made from the arguments deviation: .*; correct them, or use the version",
        ),
        ({"class_path": "genzoo.Prior", "init_args": {}}, "a Prior cannot be made from the arguments .none."),
        ({"class_path": "genzoo.Gaussian", "init_args": [1.0]}, r"the init_args of genzoo\.Gaussian are no mapping"),
        (
            {"class_path": "genzoo.MLPEncoderDecoder", "init_args": {"hidden_features": [0]}},
            "must be at least 1, got 0",
        ),
    ],
)
def test_plain_data_that_describe_nothing_are_refused(plain, message):
    with pytest.raises(ValueError, match=message):
        from_plain([{"somewhere": plain}])
    assert "antigravity" not in sys.modules


def whole_number_settings(cls):
    """The arguments of a class's constructor that count something, with their defaults."""
    found = {}
    for base in reversed(cls.__mro__):
        if "__init__" in vars(base) and base.__module__.startswith("genzoo."):
            hints = get_type_hints(vars(base)["__init__"])
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            counting = [name for name, hint in hints.items() if hint in (int, int | None)]
            found |= {name: parameters[name].default for name in counting}
    fixed = {"channels"} if cls is STL10 else set()
    return {name: default if isinstance(default, int) else 4 for name, default in found.items() if name not in fixed}


def numpy_numbers(value, seen):
    """What of NumPy's is held by a value, however deep."""
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, np.generic):
        return [value]
    if isinstance(value, dict):
        return [found for each in (*value.keys(), *value.values()) for found in numpy_numbers(each, seen)]
    if isinstance(value, list | tuple | set):
        return [found for each in value for found in numpy_numbers(each, seen)]
    if type(value).__module__.startswith("genzoo."):
        return numpy_numbers(vars(value), seen)
    return []


REQUIRED = {
    "data_spec": image_spec(1, 28, class_names="abc"),
    "means": torch.zeros(2, 2),
    "sigma": 1.0,
    "classifier": FeatureExtractor(torch.nn.Flatten(), "pixels", 1, 8, head=torch.nn.Linear(64, 3)),
    "samples": torch.zeros(2, 2),
    "validation": torch.zeros(2, 2),
    "network": torch.nn.Flatten(),
    "discriminator": torch.nn.Flatten(),
    "name": "pixels",
    "root": "data",
    "path": "data",
    "shape": (),
    "device": torch.device("cpu"),
    "players": MLPPlayers(),
}
FAMILIES = {
    genzoo.models: GenerativeModel,
    genzoo.data: ArrayDataModule,
    genzoo.callbacks: Callback,
    genzoo.metrics: (Metric, FeatureExtractor, PooledActivations, Recipe),
    genzoo.networks: (EncoderDecoder, Players),
    genzoo.sampling: Prior,
}
COUNTING = [
    cls
    for package, kinds in FAMILIES.items()
    for cls in public_classes(package).values()
    if issubclass(cls, kinds) and not inspect.isabstract(cls) and whole_number_settings(cls)
]


def made(cls, **settings):
    required = {
        name: REQUIRED[name]
        for base in cls.__mro__
        if "__init__" in vars(base)
        for name, parameter in inspect.signature(vars(base)["__init__"]).parameters.items()
        if name in REQUIRED and parameter.default is parameter.empty
    }
    return cls(**required | settings)


@pytest.mark.parametrize("cls", COUNTING, ids=lambda cls: cls.__name__)
def test_every_whole_number_may_be_one_of_numpy_and_is_kept_as_a_plain_one(cls):
    value = made(cls, **{name: np.int64(number) for name, number in whole_number_settings(cls).items()})
    assert numpy_numbers(vars(value), set()) == []
    if isinstance(value, GenerativeModel):
        assert numpy_numbers(dict(value.hparams), set()) == []


@pytest.mark.parametrize("cls", COUNTING, ids=lambda cls: cls.__name__)
def test_every_whole_number_is_named_where_it_is_none(cls):
    for name in whole_number_settings(cls):
        for wrong in (2.5, "4", True, -3):
            with pytest.raises(ValueError, match=rf"\b{name}\b.* (must be|got) "):
                made(cls, **whole_number_settings(cls) | {name: wrong})


def test_a_run_with_numbers_of_numpy_leaves_a_plain_checkpoint(trainer, tmp_path):
    number = np.int64
    data = RandomImages(number=40, image_size=number(32), batch_size=number(8), subset=number(16))
    networks = ConvolutionalEncoderDecoder(width=number(2))
    model = VAE(data_spec=data.spec, latent_dim=number(3), networks=networks, kl_warmup_steps=number(2))
    runner = trainer(callbacks=[Alarms(patience=number(3)), Pictures(columns=number(2), rows=number(2))])
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "plain.ckpt")
    assert numpy_numbers(torch.load(tmp_path / "plain.ckpt", weights_only=True)["hyper_parameters"], set()) == []
    assert GenerativeModel.load_from_checkpoint(tmp_path / "plain.ckpt").latent_dim == 3
