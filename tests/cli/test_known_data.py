import pytest
import yaml

from genzoo.cli.known_data import data_of
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.points import GaussianMixture2D
from genzoo.spec import image_spec
from tests.zoo.made import make_entry

DATA = {"class_path": "genzoo.FashionMNISTMini", "init_args": {"image_size": 28, "batch_size": 7}}


@pytest.fixture
def run(tmp_path):
    """A run folder with nothing but its config and an empty checkpoint."""
    folder = tmp_path / "runs" / "vae" / "first"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    (folder / "config.yaml").write_text(yaml.safe_dump({"model": {"class_path": "VAE"}, "data": DATA}))
    return folder


def test_the_data_of_a_run_are_those_of_its_config(run):
    for place in (run, str(run), run / "checkpoints" / "last.ckpt"):
        data = data_of(place)
        assert isinstance(data, FashionMNISTMini)
        assert (data.image_size, data.batch_size) == (28, 7)


def test_the_data_of_an_entry_are_those_of_its_record(tmp_path, monkeypatch):
    monkeypatch.setenv("GENZOO_HOME", str(tmp_path))
    folder = make_entry(tmp_path / "zoo" / "clothes", data=DATA)
    for place in (folder, folder / "model.safetensors", "clothes"):
        assert data_of(place).batch_size == 7


def test_what_the_user_gives_comes_first(run, tmp_path):
    assert isinstance(data_of(run, "GaussianMixture2D"), GaussianMixture2D)
    assert data_of(run, "genzoo.data.digits.Digits").image_size == 32
    assert data_of(run, "configs/data/ring.yaml").spec["class_names"][-1] == "mode_07"
    config = tmp_path / "mine.yaml"
    config.write_text(yaml.safe_dump({"data": {"class_path": "Digits", "init_args": {"image_size": 8}}}))
    assert data_of(run, str(config)).image_size == 8
    config.write_text("data: Digits")
    assert data_of(run, str(config)).image_size == 32


def test_images_of_a_class_get_the_size_that_the_model_knows(run):
    assert data_of(run, "Digits", like=image_spec(1, 28)).image_size == 28
    assert data_of(run, "GaussianMixture2D", like=image_spec(1, 28)).spec["shape"] == [2]


def test_classes_of_ones_own_are_made_where_they_are_named_or_allowed(run, working_folder, monkeypatch):
    monkeypatch.syspath_prepend(working_folder)
    (working_folder / "mine.py").write_text("from genzoo import Digits\n\n\nclass Mine(Digits):\n    pass\n")
    assert type(data_of(run, "mine.Mine")).__name__ == "Mine"
    (run / "config.yaml").write_text(yaml.safe_dump({"data": {"class_path": "mine.Mine", "init_args": {}}}))
    with pytest.raises(ValueError, match="if you trust its package, allow that too"):
        data_of(run)
    assert type(data_of(run, allow=["mine"])).__name__ == "Mine"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Digit", "there is no data set Digit; did you mean Digits"),
        ("VAE", "there is no data set VAE"),
        ("genzoo.VAE", "genzoo.VAE is no data set"),
        ("configs/trainer/nodes.yaml", "has no section data"),
        ("nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_what_is_no_data_set_is_refused(given, message, run):
    with pytest.raises(ValueError, match=message):
        data_of(run, given)


def test_data_that_nothing_tells_are_asked_for(tmp_path):
    alone = tmp_path / "last.ckpt"
    alone.touch()
    with pytest.raises(ValueError, match=r"not known which data .* name them with --data"):
        data_of(alone)
    with pytest.raises(ValueError, match=r"its entry does not say; name them with --data"):
        data_of(make_entry(tmp_path / "clothes", data={}))
