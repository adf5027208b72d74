"""Samplers out of checkpoints draw what the models draw, without what trained them."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer

from genzoo.checkpoint_files import CheckpointError
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.sampler import in_eval_mode
from genzoo.sampling.stored import load_sampler
from genzoo.training.inference import InferenceModel
from tests.models.test_contract import MODELS
from tests.test_earlier_runs import FIXTURES
from tests.training.cases import CASES, Case


def with_density(kind):
    """What samples by a density alone cannot do without one, and all that encode may have one."""
    return {"density": GaussianMixtureDensity(2)} if issubclass(kind, InferenceModel) else {}


FOUND = {kind.__name__: Case(partial(kind, latent_dim=4, average_decay=0.5, **with_density(kind))) for kind in MODELS}
ALL = FOUND | CASES
AVERAGED = [name for name, case in ALL.items() if "average_decay" in case.model.keywords]
ASKED = [
    (name, weights) for name in ALL for weights in ("raw", "averaged", None) if name in AVERAGED or weights == "raw"
]
QUIET = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What models draw, and what their samplers draw in a process of their own."""
    folder = tmp_path_factory.mktemp("stored")
    models, items, expected = {}, {}, {}
    for name, case in ALL.items():
        torch.manual_seed(0)
        data = case.data(number=40, batch_size=16)
        model = models[name] = case.model(data_spec=data.spec)
        trainer = Trainer(accelerator="cpu", max_epochs=1, **dict.fromkeys(QUIET, False))
        trainer.fit(model, datamodule=data)
        trainer.save_checkpoint(folder / f"{name}.ckpt")
        x, y = (part[:5] for part in data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0))
        items[name] = x, y if model.condition.shape else None
    for name, weights in ASKED:
        model, (x, y) = models[name], items[name]
        expected[name, weights] = {"samples": model.sample(5, y, seed=3, weights=weights)}
        if isinstance(model, Encodes):
            with in_eval_mode(model), model.using(weights):
                expected[name, weights] |= {"codes": model.encode(x, y), "reconstructions": model.reconstruct(x, y)}
    torch.save({(name, weights): items[name] for name, weights in ASKED}, folder / "asked.pt")
    program = [sys.executable, "-m", "tests.sampling.alone", str(folder)]
    subprocess.run(program, check=True, cwd=Path(__file__).parents[2])
    return expected, torch.load(folder / "drawn.pt"), folder


@pytest.mark.parametrize(("name", "weights"), ASKED)
def test_a_sampler_draws_what_its_model_draws(name, weights, drawn):
    expected, alone = drawn[0][name, weights], drawn[1]["drawn"][name, weights]
    assert alone.keys() == expected.keys()
    assert [kind for kind, values in expected.items() if not torch.equal(alone[kind], values)] == []


def test_nothing_that_trains_is_imported_for_it(drawn):
    assert drawn[1]["imported"] == []


@pytest.mark.parametrize("name", AVERAGED)
def test_averages_are_drawn_from_unless_raw_weights_are_asked_for(name, drawn):
    default, averaged, raw = (drawn[1]["drawn"][name, weights]["samples"] for weights in (None, "averaged", "raw"))
    assert torch.equal(default, averaged)
    assert not torch.equal(default, raw)


def test_averages_that_are_not_there_are_not_drawn_from(drawn):
    with pytest.raises(CheckpointError, match='holds no averaged weights; ask for weights="raw"'):
        load_sampler(drawn[2] / "condition images.ckpt", "averaged")
    raw, default = (load_sampler(drawn[2] / "condition images.ckpt", weights) for weights in ("raw", None))
    assert all(torch.equal(value, default.state_dict()[name]) for name, value in raw.state_dict().items())


def test_a_checkpoint_of_before_is_loaded_with_its_model():
    with pytest.raises(CheckpointError, match=r"by version 0\.1\.0, which does not say how samplers are made"):
        load_sampler(next(FIXTURES.glob("vae/**/last.ckpt")))


def test_no_class_of_another_package_is_made(drawn, tmp_path):
    checkpoint = torch.load(drawn[2] / "VAE.ckpt", weights_only=True)
    checkpoint["sampler"]["init_args"]["networks"] = {"class_path": "subprocess.Popen", "init_args": {"args": ["true"]}}
    torch.save(checkpoint, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match=r"subprocess.Popen is no class of genzoo, and those alone are made"):
        load_sampler(tmp_path / "other.ckpt")


def test_a_loaded_sampler_is_ready_to_draw(drawn):
    sampler = load_sampler(drawn[2] / "DCGAN.ckpt")
    assert not sampler.training
    assert sampler.device == torch.device("cpu")
    assert not any("augment" in name or "discriminator" in name for name in sampler.state_dict())


def test_weights_keep_the_type_that_they_were_trained_in(tmp_path):
    torch.manual_seed(0)
    data = CASES["conditional bound"].data(number=40, batch_size=16)
    model = CASES["conditional bound"].model(data_spec=data.spec, average_decay=0.0)
    trainer = Trainer(accelerator="cpu", max_epochs=1, precision="bf16-true", **dict.fromkeys(QUIET, False))
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    drawn = load_sampler(tmp_path / "model.ckpt").sample(5, seed=0)
    assert drawn.dtype == torch.bfloat16
    assert torch.equal(drawn, model.sample(5, seed=0))
