"""The documents hold what they say: their examples run, their models train, what they count is counted."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.export.exporting import export_sampler
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.dcgan import DCGAN
from genzoo.models.infogan import InfoGAN
from genzoo.models.vae import VAE
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.training.model import GenerativeModel
from genzoo.zoo.loading import load

CHECKOUT = Path(__file__).resolve().parents[1]
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
MODELS = CHECKOUT / "docs" / "models.md"
MOST_LINES_OF_DCGAN = 600


def examples(document):
    """The Python of a document: each block with the number of its first line."""
    text = document.read_text()
    blocks = re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, block.start()) + 1, block[1]) for block in blocks]


@pytest.fixture
def module(monkeypatch):
    """A module to run examples in, whose classes nobody takes for those of the package."""
    made = ModuleType("tests.examples")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def run(document, module):
    """Runs the examples of a document one after the other, and yields what is there after each."""
    for line, code in examples(document):
        exec(compile("\n" * line + code, str(document), "exec"), vars(module))
        yield vars(module)


@pytest.fixture
def runs(working_folder, trainer):
    """Checkpoints where the examples look for them."""
    data = FashionMNISTMini(image_size=28)
    for model in (
        DCGAN(data_spec=data.spec, networks=DCGANPlayers(width=2)),
        AutoEncoder(data_spec=data.spec, latent_dim=2, networks=MLPEncoderDecoder((8,))),
        VAE(data_spec=data.spec, latent_dim=2, networks=MLPEncoderDecoder((8,))),
        InfoGAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,))),
    ):
        runner = trainer(limit_train_batches=1, limit_val_batches=0)
        runner.fit(model, datamodule=data)
        runner.save_checkpoint(working_folder / "runs" / type(model).__name__.lower() / "NAME/checkpoints/last.ckpt")


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("document", [each for each in DOCUMENTS if examples(each) and each != MODELS], ids=str)
def test_examples_run(document, module):
    # What the example of a metric compares.
    module.real_images, module.samples = torch.randint(256, (2, 200, 1, 28, 28), dtype=torch.uint8)
    # What the example of a data set reads.
    for split in ("train", "test"):
        Path("data").mkdir(exist_ok=True)
        np.save(f"data/{split}_images.npy", np.zeros((10, 3, 48, 48), np.uint8))
        np.save(f"data/{split}_labels.npy", np.arange(10) % 2)
    # What `genzoo export` has written. It takes seconds, so that only its readers get it.
    if "exported/decoder.onnx" in document.read_text():
        export_sampler(load("runs/dcgan/NAME"), "exported", "onnx")
    *_, found = run(document, module)
    if "MyImages" in found:
        data = found["MyImages"](batch_size=2)
        data.setup("fit")
        assert next(iter(data.train_dataloader()))[0].shape == (2, 3, 32, 32)


@pytest.mark.usefixtures("runs")
def test_examples_of_additions_train(module, trainer):
    models, reported = [], {}
    for found in run(MODELS, module):
        models += [each for each in found.values() if isinstance(each, GenerativeModel) and each not in models]
    for model in models:
        before = {name: value.clone() for name, value in model.named_parameters()}
        runner = trainer(max_epochs=1, limit_train_batches=2, limit_val_batches=1, log_every_n_steps=1)
        runner.fit(model, datamodule=FashionMNISTMini(model.data_shape[1], batch_size=8, subset=64))
        still = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
        assert not still, f"{type(model).__name__} does not train {still}"
        reported[type(model).__name__] = runner.callback_metrics
    assert {
        "LabelledAutoEncoder",
        "InvertedGAN",
        "DenoisingAutoEncoder",
        "AutoEncoder",
        "GAN",
        "VAE",
    } <= reported.keys()
    assert all(value.isfinite() for metrics in reported.values() for value in metrics.values())
    assert "train/inverter_loss" in reported["InvertedGAN"]
    assert found["sneakers"].shape == (8, 1, 32, 32)
    assert found["images"].shape == (64, 1, 28, 28)
    assert found["score"].floor == pytest.approx(FashionMNISTMini().load("test")[0].mean(), abs=1e-3)


def test_a_reader_of_dcgan_opens_four_files_of_a_bounded_length():
    files = re.search(r"^wc -l (.*)$", MODELS.read_text(), re.MULTILINE)[1].split()
    assert len(files) == 4
    assert {f"genzoo/models/{name}.py" for name in ("dcgan", "gan")} < {*files}
    assert sum(len((CHECKOUT / file).read_text().splitlines()) for file in files) <= MOST_LINES_OF_DCGAN


def test_files_that_documents_name_are_there():
    for document in DOCUMENTS:
        text = document.read_text()
        named = re.findall(r"`((?:genzoo|tests|configs|scripts|docs)/[\w/.-]*\.\w+)`", text)
        assert not [file for file in named if not (CHECKOUT / file).is_file()]
        links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text)
        assert not [link for link in links if not (document.parent / link).exists()]
