"""What each of two processes does for `test_multi_device.py`: python -m tests.training.ranks FOLDER.

All scenarios share one group of processes, whose members find each other through the environment, as under torchrun.
"""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.strategies import FSDPStrategy
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.torch_version import TorchVersion

from genzoo.callbacks.alarms import Alarms
from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.callbacks.final_scores import Evaluation
from genzoo.callbacks.pictures import Pictures
from genzoo.callbacks.sample_scores import SampleScores
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.dcgan import DCGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from tests.training.cases import CASES, Case, paired

# Older ones end in a segmentation fault where the states of optimisers are gathered without a GPU.
CAN_DIVIDE = TorchVersion(torch.__version__) >= "2.14"
IMAGES = 53  # an odd number: one rank has an image less than the other

MODELS = {
    "GAN": Case(partial(GAN, networks=MLPPlayers((8,), (8,)), discriminator_steps=2, average_decay=0.9)),
    "DCGAN": Case(partial(DCGAN, networks=DCGANPlayers(width=2), latent_dim=4)),
    "VAE": Case(partial(VAE, networks=MLPEncoderDecoder((8,)), average_decay=0.9)),
    "density": Case(
        partial(AutoEncoder, networks=MLPEncoderDecoder((8,)), latent_dim=3, density=GaussianMixtureDensity(1))
    ),
}
DIVIDED = {"networks": MLPEncoderDecoder((8,)), "latent_dim": 4, "density": GaussianMixtureDensity(2)}
QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
SETTINGS = {
    "plain": {},
    "accumulated and clipped": {"accumulate_grad_batches": 2, "gradient_clip_val": 0.001},
    "bf16": {"precision": "bf16-mixed"},
}
RUNS = [*paired(MODELS, SETTINGS), *paired(CASES, SETTINGS)]


class DividingOnTheCPU(FSDPStrategy):
    """Torch divides weights on a CPU too, but only if it is told that this is meant."""

    @property
    def root_device(self):
        return torch.device("cpu")

    def _setup_model(self, model):
        return FullyShardedDataParallel(model, device_id=self.root_device, **self.kwargs)


class Witness(Callback):
    """Notes weights, gradients and noise, and saves a checkpoint in the middle of the second epoch."""

    def __init__(self, path):
        self.path = path
        self.seen = {"gradients": [], "noise": [], "images": []}

    def on_train_start(self, trainer, pl_module):
        self.seen["initial"] = {name: value.clone() for name, value in pl_module.named_parameters()}

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen["noise"].append(pl_module.training_noise().normal(3))
        self.seen["images"].append(batch[0].clone())

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == (1, 1):
            trainer.save_checkpoint(self.path)


class Gradients:
    """Notes the gradients that are followed, clipped or not."""

    def on_before_optimizer_step(self, optimizer):
        super().on_before_optimizer_step(optimizer)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self.gradients.append(torch.cat([gradient.flatten().clone() for gradient in gradients]))


def data(name="VAE"):
    return (MODELS | CASES)[name].data(number=IMAGES, batch_size=4, validation_fraction=0.33)


def make(name):
    made = (MODELS | CASES)[name].model
    kind = type(made.func.__name__, (Gradients, made.func), {"__module__": __name__})
    model = kind(data_spec=data(name).spec, **made.keywords)
    model.gradients = []
    return model


def fit(name, model, folder, callbacks=(), checkpoint=None, **settings):
    trainer = Trainer(
        accelerator="cpu",
        num_nodes=2,
        strategy="ddp",
        enable_checkpointing=False,
        max_epochs=2,
        default_root_dir=folder,
        callbacks=list(callbacks),
        **QUIET,
        **settings,
    )
    trainer.fit(model, datamodule=data(name), ckpt_path=checkpoint)
    return trainer


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items() if torch.is_tensor(value)}


def divide(folder):
    """Trains a VAE with divided weights and all that draws from it in between, breaks it and goes on with it."""

    def fit_divided(epochs, checkpoint=None, callbacks=(), **settings):
        model = VAE(data_spec=data().spec, **DIVIDED, **settings)
        trainer = Trainer(
            accelerator="cpu",
            num_nodes=2,
            strategy=DividingOnTheCPU(state_dict_type="full", process_group_backend="gloo"),
            max_epochs=epochs,
            default_root_dir=folder / "divided",
            callbacks=[Checkpoints(dirpath=folder / "divided", save_top_k=0), *callbacks],
            **QUIET,
        )
        trainer.fit(model, datamodule=data(), ckpt_path=checkpoint)
        return model, trainer

    last = folder / "divided" / "last.ckpt"
    scoring = SampleScores(number=20, extractor="fashion-mnist-plain")
    model, trainer = fit_divided(1, callbacks=[Pictures(columns=2, rows=2), Alarms(), scoring, Evaluation()])
    seen = {"samples": model.sample(3, seed=0), "held": sum(parameter.numel() for parameter in model.parameters())}
    if trainer.is_global_zero:
        shutil.copy(last, folder / "divided.ckpt")
    trainer.strategy.barrier()
    if not trainer.is_global_zero:
        next(parameter for parameter in model.parameters() if parameter.numel()).data.fill_(float("nan"))
    for name, action in {
        "broken": lambda: trainer.save_checkpoint(last),
        "scored": lambda: trainer.test(model, datamodule=data(), verbose=False),
        "other rate": lambda: fit_divided(2, last, optimizer=partial(torch.optim.Adam, lr=0.5)),
        "averaged": lambda: fit_divided(1, average_decay=0.9),
    }.items():
        try:
            action()
        except (ValueError, RuntimeError) as error:
            seen[name] = str(error)
    return seen | {"steps": [trainer.global_step, fit_divided(2, last)[1].global_step]}


def main(folder):
    rank = int(os.environ["RANK"])
    results = {}
    for name, setting in RUNS:
        settings = SETTINGS[setting]
        torch.manual_seed(rank)
        model, witness = make(name), Witness(folder / f"{name} {setting} middle.ckpt")
        trainer = fit(name, model, folder, [witness], **settings)
        validated = {key: float(value) for key, value in trainer.callback_metrics.items() if "val/" in key}
        trainer.save_checkpoint(folder / f"{name} {setting}.ckpt")
        tested = trainer.test(model, datamodule=data(name), verbose=False)[0]
        resumed = make(name)
        fit(name, resumed, folder, checkpoint=witness.path, **settings)
        results[name, setting] = witness.seen | {
            "gradients": model.gradients,
            "weights": state(model),
            "resumed": state(resumed),
            "validated": validated,
            "tested": tested,
            "step": trainer.global_step,
        }
    if CAN_DIVIDE:
        results["divided"] = divide(folder)
    torch.save(results, folder / f"rank {rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
