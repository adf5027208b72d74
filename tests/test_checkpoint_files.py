"""Checkpoints as files: what is none is said in one sentence, and nothing that it holds is run."""

import functools
import pickle
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from genzoo.callbacks.checkpoints import WholeCheckpointIO
from genzoo.checkpoint_files import CheckpointError, read_checkpoint
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.models.vae import VAE
from genzoo.training.checkpoint_io import SafeCheckpointIO
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages
from tests.spoiled import SPOILED, Payload, sign_beside

EARLIER = Path(__file__).parent / "fixtures" / "runs_of_0_1" / "vae" / "earlier" / "checkpoints" / "last.ckpt"


@pytest.fixture
def whole():
    """What a checkpoint holds."""
    return torch.load(EARLIER, weights_only=True)


@pytest.fixture
def hostile(tmp_path, whole):
    """A checkpoint that is one, but for code that it holds beside all else."""
    path = tmp_path / "hostile.ckpt"
    torch.save(whole | {"extra": Payload(sign_beside(path))}, path)
    return path


@pytest.fixture
def address(tmp_path, monkeypatch):
    """The address at which the files of the test's folder are served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", SPOILED)
def test_what_is_no_checkpoint_is_said_in_one_sentence(kind, tmp_path, whole):
    path = tmp_path / "file.ckpt"
    write, expected = SPOILED[kind]
    write(path, whole)
    for load in (read_checkpoint, VAE.load_from_checkpoint, SafeCheckpointIO().load_checkpoint):
        with pytest.raises(CheckpointError) as caught:
            load(path)
        said = str(caught.value)
        assert expected in said
        assert said.startswith(str(path))
        assert "\n" not in said
        assert any(advice in said for advice in ("; give", ". Give", "; copy", "; make"))
    assert not sign_beside(path).exists()


def test_a_pickle_of_another_program_is_told_in_the_sentence_alone(tmp_path, recwarn):
    path = tmp_path / "file.ckpt"
    path.write_bytes(pickle.dumps({1, 2}, protocol=4))
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        read_checkpoint(path)
    assert not recwarn.list


def test_a_file_that_is_not_there_or_may_not_be_read_is_told_apart(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"^there is no checkpoint .*nowhere\.ckpt; give one"):
        read_checkpoint(tmp_path / "nowhere.ckpt")
    path = tmp_path / "closed.ckpt"
    path.write_bytes(EARLIER.read_bytes())

    def closed(*arguments, **settings):
        raise PermissionError(13, "Permission denied")

    # The administrator, as whom tests may run, may read all.
    monkeypatch.setattr(torch, "load", closed)
    with pytest.raises(CheckpointError, match=r"cannot be read \(Permission denied\); give the right to read it"):
        read_checkpoint(path)


@pytest.mark.parametrize("load", [GenerativeModel.load_from_checkpoint, VAE.load_from_checkpoint])
def test_code_in_a_checkpoint_is_run_from_nowhere(load, hostile, address, monkeypatch):
    # Set by people who trust their own files, and of no consequence here.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    for place in (hostile, f"{address}/hostile.ckpt", f"file://{hostile}"):
        with pytest.raises(CheckpointError, match="could run code; nothing of it was run"):
            load(place)
        assert not sign_beside(hostile).exists()
    # What was planted would have run.
    load(hostile, weights_only=False)
    assert sign_beside(hostile).exists()


@pytest.mark.parametrize("verb", ["fit", "test"])
@pytest.mark.parametrize("plugins", [[], [WholeCheckpointIO()]], ids=["Lightning's own", "ours"])
def test_a_trainer_runs_no_code_either(verb, plugins, hostile, address, trainer, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    model, data = VAE(data_spec=FashionMNISTMini().spec), FashionMNISTMini(subset=32, batch_size=32)
    for place in (str(hostile), f"{address}/hostile.ckpt"):
        with pytest.raises(CheckpointError, match="could run code; nothing of it was run"):
            getattr(trainer(plugins=plugins), verb)(model, datamodule=data, ckpt_path=place)
    assert not sign_beside(hostile).exists()


def test_data_are_loaded_from_no_code(hostile, address):
    for place in (hostile, f"{address}/hostile.ckpt"):
        with pytest.raises(CheckpointError, match="could run code; nothing of it was run"):
            FashionMNISTMini.load_from_checkpoint(place)
    assert not sign_beside(hostile).exists()


def test_a_model_is_loaded_from_its_address(address, tmp_path):
    (tmp_path / "last.ckpt").write_bytes(EARLIER.read_bytes())
    expected = GenerativeModel.load_from_checkpoint(EARLIER).state_dict()
    for place in (f"{address}/last.ckpt", f"file://{EARLIER}"):
        found = GenerativeModel.load_from_checkpoint(place).state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(torch.as_tensor(found[name]), torch.as_tensor(expected[name])) for name in expected)


def test_an_address_gives_what_lies_there_now(address, tmp_path, whole):
    for step in (1, 2):
        torch.save(whole | {"global_step": step}, tmp_path / "last.ckpt")
        assert read_checkpoint(f"{address}/last.ckpt")["global_step"] == step


@pytest.mark.parametrize("place", ["/nothing.ckpt", "memory://nothing.ckpt", "no-such-scheme://nothing.ckpt"])
def test_an_address_without_a_file_is_said(place, address):
    place = f"{address}{place}" if place.startswith("/") else place
    with pytest.raises(CheckpointError, match=rf"^the checkpoint {place} cannot be fetched \(.+\); correct the addr"):
        read_checkpoint(place)


@pytest.mark.parametrize(
    ("cls", "class_path", "expected"),
    [
        (
            GenerativeModel,
            None,
            "does not say which model it holds; load it with load_from_checkpoint of its own class",
        ),
        (VAE, "genzoo.models.dcgan.DCGAN", "holds a DCGAN, not a VAE; load it with DCGAN.load_from_checkpoint"),
        (VAE, "genzoo.models.none.None", "holds a genzoo.models.none.None, which is no model that is known here"),
        (VAE, "mine.MyVAE", "holds a mine.MyVAE, which is no model that is known here; import the module"),
        (VAE, "os.system", "holds a os.system, which is no model that is known here"),
        (GenerativeModel, "builtins.dict", "holds a builtins.dict, which is no model that is known here"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(cls, class_path, expected, tmp_path, whole):
    hyperparameters = {name: value for name, value in whole["hyper_parameters"].items() if name != "_class_path"}
    if class_path is not None:
        hyperparameters["_class_path"] = class_path
    torch.save(whole | {"hyper_parameters": hyperparameters}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match=expected):
        cls.load_from_checkpoint(tmp_path / "other.ckpt")


def test_a_checkpoint_without_hyperparameters_takes_given_ones(tmp_path, trainer):
    data = RandomImages(number=24, batch_size=8)
    model = VAE(data_spec=data.spec, latent_dim=3)
    runner = trainer(max_steps=1)
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "model.ckpt")
    stored = torch.load(tmp_path / "model.ckpt", weights_only=True)
    del stored["hyper_parameters"]
    torch.save(stored, tmp_path / "bare.ckpt")
    with pytest.raises(CheckpointError, match="holds no hyperparameters; give those of its VAE, data_spec first"):
        VAE.load_from_checkpoint(tmp_path / "bare.ckpt")
    loaded = VAE.load_from_checkpoint(tmp_path / "bare.ckpt", data_spec=data.spec, latent_dim=3)
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in model.state_dict().items())


def test_training_does_not_go_on_from_weights_alone(tmp_path, trainer):
    data = RandomImages(number=24, batch_size=8)
    model = VAE(data_spec=data.spec, latent_dim=3)
    runner = trainer(max_steps=1)
    runner.fit(model, datamodule=data)
    path = tmp_path / "weights.ckpt"
    runner.save_checkpoint(path, weights_only=True)
    assert VAE.load_from_checkpoint(path).latent_dim == 3
    trainer().test(model, datamodule=data, ckpt_path=path)
    with pytest.raises(CheckpointError, match=r"weights\.ckpt can be tested and sampled from, but training cannot go"):
        trainer().fit(model, datamodule=data, ckpt_path=path)
