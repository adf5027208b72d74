"""Compiled networks: the same losses, gradients and checkpoints."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from torch.torch_version import TorchVersion

from genzoo.models.acgan import ACGAN
from genzoo.models.dcgan import DCGAN
from genzoo.models.gan import GAN
from genzoo.models.infogan import InfoGAN
from genzoo.models.vae import VAE
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.noise import BatchNoise
from tests.conftest import RandomImages
from tests.training.cases import CASES, Case

MODELS = {
    "VAE": Case(partial(VAE, networks=MLPEncoderDecoder((8,)))),
    "GAN": Case(partial(GAN, networks=MLPPlayers((8,), (8,)), discriminator_steps=2, average_decay=0.9)),
    "DCGAN": Case(partial(DCGAN, networks=DCGANPlayers(width=2), latent_dim=4)),
} | CASES
# Whose networks are those of another case.
for name in ("codes", "conditional bound"):
    del MODELS[name]
# What takes long is to trace one layer after another.
DEEP = {name: MODELS[name] for name in ("pairs, two penalties, augmented", "adaptive augmentation")}
for name in DEEP:
    MODELS[name] = replace(DEEP[name], model=partial(DEEP[name].model, networks=MLPPlayers((8,), (8,))))
# Whose convolutions take longest, and are those of others.
LONG = ("condition images", "three players")


class Losses(Callback):
    def __init__(self):
        self.losses, self.gradients, self.compiled = [], [], 0

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.losses.append(pl_module.step_log.latest)

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self.gradients.append(torch.cat([gradient.flatten().clone() for gradient in gradients]))


def fitted(case, trainer, backend, path):
    data = case.data(number=56, batch_size=16)
    torch.manual_seed(0)
    model = case.model(data_spec=data.spec, compile_backend=backend)
    seen = Losses()
    runner = trainer(callbacks=[seen], log_every_n_steps=1)
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(path)
    return model, seen


def compare(case, trainer, backend, tmp_path, **tolerance):
    skip_old_torch(case)
    torch.compiler.reset()
    _, eager = fitted(case, trainer, None, tmp_path / "eager.ckpt")
    model, compiled = fitted(case, trainer, backend, tmp_path / "compiled.ckpt")
    assert len(eager.losses) == len(compiled.losses) == 3
    for one, other in zip(eager.losses, compiled.losses, strict=True):
        assert other == pytest.approx(one, **tolerance)
    for one, other in zip(eager.gradients, compiled.gradients, strict=True):
        torch.testing.assert_close(other, one, rtol=tolerance["rel"], atol=tolerance["abs"])
    states = [torch.load(tmp_path / f"{kind}.ckpt", weights_only=True) for kind in ("eager", "compiled")]
    assert states[0]["state_dict"].keys() == states[1]["state_dict"].keys()
    assert not any("_orig_mod" in key for key in states[1]["state_dict"])
    networks = [*model.sampler.children(), *model.children()]
    assert any(module._compiled_call_impl is not None for module in networks)
    loaded = case.model.func.load_from_checkpoint(tmp_path / "compiled.ckpt", compile_backend=None)
    assert all(module._compiled_call_impl is None for module in loaded.modules())


def skip_old_torch(case):
    if case.is_game and TorchVersion(torch.__version__) < "2.14":
        pytest.skip("this torch cannot compile both players; they refuse it")


@pytest.mark.parametrize("version", ["2.6.0", "2.9.1+cpu"])
def test_an_old_torch_is_refused_for_both_players(version, monkeypatch):
    monkeypatch.setattr(torch, "__version__", TorchVersion(version))
    with pytest.raises(ValueError, match=f"compile_backend of a GAN needs torch 2.14 or newer.*torch {version[:5]}"):
        GAN(data_spec=RandomImages().spec, compile_backend="aot_eager")
    assert VAE(data_spec=RandomImages().spec, compile_backend="aot_eager").compile_backend == "aot_eager"


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in MODELS])
def test_compiled_training_is_eager_training(name, trainer, tmp_path):
    """With a backend that traces as all do, and then computes with the operations that eager mode has."""
    compare(MODELS[name], trainer, "aot_eager", tmp_path, rel=1e-5, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_so_it_is_with_deep_networks(name, trainer, tmp_path):
    compare(DEEP[name], trainer, "aot_eager", tmp_path, rel=1e-5, abs=1e-6)


@pytest.mark.slow
def test_the_usual_backend_agrees_to_rounding(trainer, tmp_path):
    """Without dropout, for which this backend draws numbers of its own."""
    compare(MODELS["DCGAN"], trainer, "inductor", tmp_path, rel=1e-2, abs=1e-4)


def test_an_unknown_backend_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"compile_backend is 'inducter', but torch has .*inductor"):
        VAE(data_spec=RandomImages().spec, compile_backend="inducter")


CALLS = {
    "GAN": (partial(GAN, networks=MLPPlayers((8,), (8,), dropout=0.0)), 3),
    "ACGAN": (partial(ACGAN, networks=MLPPlayers((8,), (8,), dropout=0.0)), 3),
    "InfoGAN": (partial(InfoGAN, networks=MLPPlayers((8,), (8,), dropout=0.0)), 3),
    # A pass of an image, its reconstruction and a sample for each of three players.
    "VAEGAN": (partial(VAEGAN, networks=MLPEncoderDecoder((8,)), judge=MLPPlayers((8,), (8,), dropout=0.0)), 9),
}


@pytest.mark.parametrize("name", CALLS)
def test_all_passes_of_a_discriminator_in_a_step_are_of_what_was_compiled(name):
    """What its features are read for besides the logits is compiled with them."""
    make, number = CALLS[name]
    data, calls = RandomImages(number=8), []
    model = make(data_spec=data.spec)
    skip_old_torch(Case(make))

    def counting(graph, inputs):
        def run(*arguments):
            calls.append(len(arguments))
            return graph(*arguments)

        return run

    torch.compiler.reset()
    model.discriminator.compile(backend=counting)
    for player in model.players():
        player.loss(torch.rand(4, 1, 28, 28), torch.zeros(4, dtype=torch.int64), BatchNoise("cpu", 0))
    assert len(calls) == number
