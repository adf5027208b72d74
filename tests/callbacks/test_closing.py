import re
from types import SimpleNamespace

import pytest
import torch

from genzoo.callbacks.closing import Closing
from genzoo.cli import main

QUICK = ["--data", "Digits", "--data.image_size", "8", "--data.subset", "64", "--data.batch_size", "16"]
QUICK += ["--trainer.accelerator", "cpu", "--trainer.max_epochs", "2"]
QUICK += ["--trainer.logger", "genzoo.loggers.CSVLogger", "--trainer.log_every_n_steps", "2", "--run.name", "a run"]
QUICK += ["--trainer.enable_model_summary", "false"]
VAE = ["--model", "VAE", "--model.networks.hidden_features", "[4]"]
GAN = ["--model", "GAN", "--model.networks.generator_features", "[4]", "--model.networks.discriminator_features", "[4]"]
AUTOENCODER = ["--model", "AutoEncoder", "--model.networks.hidden_features", "[4]"]


@pytest.mark.parametrize(
    ("model", "quantities", "verbs"),
    [
        (VAE, {"train/elbo", "val/objective"}, ["sample", "latent traverse", "test"]),
        (GAN, {"train/discriminator_loss"}, ["sample", "latent interpolate", "test"]),
        (AUTOENCODER, {"val/squared_error"}, ["predict", "latent traverse", "test"]),
    ],
    ids=["VAE", "GAN", "AutoEncoder"],
)
def test_a_training_ends_with_what_it_was_and_what_to_try(model, quantities, verbs, working_folder, capsys):
    assert main(["fit", *model, *QUICK]) == 0
    said = capsys.readouterr().out
    (folder,) = (working_folder / "runs").glob("*/a run")
    folder = folder.relative_to(working_folder)
    assert re.search(rf"^{model[1]}: 2 epochs, 8 steps in 0:00:\d\d, at last [\d,]+ images a second$", said, re.M)
    values = dict(re.findall(r"^  (\S+): (\S+)", said, re.M))
    assert quantities <= set(values)
    assert all(float(value) == pytest.approx(float(value)) for value in values.values())
    assert f"pictures: {folder}/images\n" in said
    assert re.findall(rf"^  genzoo (.*) '{folder}'$", said, re.M) == verbs
    assert said.rindex("Epoch 1/1") < said.index(f"{model[1]}: 2 epochs")


def test_the_best_value_is_the_smallest_of_distances_and_the_largest_of_bounds():
    closing, trainer = Closing(), SimpleNamespace(sanity_checking=False)
    closing.setup(trainer, None, "fit")
    for epoch, (distance, bound) in enumerate([(3.0, -5.0), (1.0, -2.0), (2.0, -4.0)]):
        trainer.current_epoch = epoch
        trainer.callback_metrics = {"val/fd/digits": torch.tensor(distance), "val/elbo": torch.tensor(bound)}
        closing.on_validation_end(trainer, None)
    model = SimpleNamespace(monitor=("val/elbo", "max"), progress_metrics=("train/elbo",))
    assert closing._values(model) == {
        "val/elbo": "-4 (best -2, in epoch 2)",
        "val/fd/digits": "2 (best 1, in epoch 2)",
    }
