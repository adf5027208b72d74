"""``genzoo sample``: the samples of the model, in every form, and what is said where there are none."""

import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from PIL import Image

import genzoo
from genzoo.cli import main
from genzoo.cli.sampling import WATCHED, sample
from genzoo.data.points import GaussianMixture2D
from genzoo.drawing import tiled
from genzoo.hyperparameters import as_plain
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.dcgan import DCGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.safe_files import write_sampler
from genzoo.spec import to_native, to_uint8
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages, RandomPairs
from tests.sampling.test_stored import QUIET
from tests.test_files import no_file_larger_than
from tests.training.cases import CASES
from tests.zoo.made import make_entry

SMALL = MLPPlayers((8,), (8,))


class Clothes(RandomImages):
    """With names that people write in small letters."""

    class_names = ("T-shirt/top", "Trouser", "Bag", "Sneaker")

    def load(self, split):
        images, labels = super().load(split)
        return images, labels % 4


def points(**kwargs):
    return GaussianMixture2D("ring", training_points=64, test_points=16, batch_size=16)


MODELS = {
    "gan": (partial(GAN, networks=SMALL, latent_dim=4, average_decay=0.5), RandomImages),
    "dcgan": (partial(DCGAN, networks=DCGANPlayers(width=2), latent_dim=4), partial(RandomImages, 3, image_size=32)),
    "classes": (partial(ConditionalGAN, networks=SMALL, latent_dim=4), Clothes),
    "vae": (partial(VAE, networks=MLPEncoderDecoder((8,)), latent_dim=4), RandomImages),
    "points": (partial(GAN, networks=SMALL, latent_dim=4), points),
    "edges": (partial(ConditionalGAN, networks=ImageToImagePlayers(width=2), latent_dim=4), RandomPairs),
    "autoencoder": (partial(AutoEncoder, networks=MLPEncoderDecoder((8,)), latent_dim=4), RandomImages),
    "of others": (CASES["second stage"].model, RandomImages),
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A checkpoint of each model, after a batch."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, (model, make_data) in MODELS.items():
        torch.manual_seed(0)
        data = make_data()
        trainer = Trainer(
            accelerator="cpu", max_epochs=1, limit_train_batches=2, limit_val_batches=0, **dict.fromkeys(QUIET, False)
        )
        made = model(data_spec=data.spec)
        with torch.no_grad():
            # As they begin, some of these models make samples that are alike to the byte.
            for parameter in made.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
        trainer.fit(made, datamodule=data)
        trainer.save_checkpoint(folder / f"{name}.ckpt")
    return folder


@pytest.fixture
def drawn(checkpoints, working_folder):
    """Draws samples into an archive, and gives its arrays."""

    def draw(name, *options):
        assert main(["sample", str(checkpoints / f"{name}.ckpt"), "--out", "drawn.npz", "--overwrite", *options]) == 0
        with np.load("drawn.npz", allow_pickle=False) as found:
            return dict(found)

    return draw


def bytes_of(samples, model):
    return to_uint8(to_native(samples, model.data_spec)).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("name", ["gan", "dcgan", "classes", "vae"])
def test_samples_are_those_of_the_model_and_of_the_sampler(name, checkpoints, drawn):
    found = drawn(name, "--number", "70", "--seed", "3")["images"]
    model = GenerativeModel.load_from_checkpoint(checkpoints / f"{name}.ckpt")
    np.testing.assert_array_equal(found, bytes_of(model.sample(70, seed=3), model))
    loaded = genzoo.load(checkpoints / f"{name}.ckpt").sample(70, seed=3)
    np.testing.assert_array_equal(found, loaded.bytes())
    assert found.dtype == np.uint8
    assert found.std() > 0
    # Whatever the number, and not whatever the seed.
    np.testing.assert_array_equal(drawn(name, "--number", "5", "--seed", "3")["images"], found[:5])
    assert not np.array_equal(drawn(name, "--number", "5", "--seed", "4")["images"], found[:5])


def test_pictures_show_the_same_samples(checkpoints, drawn):
    images = drawn("classes", "--number", "8")["images"]
    place = str(checkpoints / "classes.ckpt")
    assert main(["sample", place, "--number", "8", "--out", "folder/"]) == 0
    assert main(["sample", place, "--number", "8", "--out", "GRID.PNG"]) == 0
    files = sorted(Path("folder").iterdir())
    np.testing.assert_array_equal([np.asarray(Image.open(file)) for file in files], images[..., 0])
    # Four classes in turn, so that each has a column.
    expected = tiled(torch.from_numpy(images).permute(0, 3, 1, 2), 4)
    np.testing.assert_array_equal(np.asarray(Image.open("GRID.PNG")), expected)


PROGRAM = """
import sys
from genzoo.cli import main
code = main(sys.argv[1:])
print(code, *sorted({"lightning", "torchmetrics", "wandb", "torchvision", "jsonargparse", "rich"} & sys.modules.keys()))
"""


def test_another_process_writes_the_same_bytes_and_imports_nothing_heavy(checkpoints, drawn):
    drawn("dcgan")
    arguments = ["sample", str(checkpoints / "dcgan.ckpt"), "--out", "other.npz"]
    paths = os.pathsep.join([str(Path(genzoo.__file__).parents[1]), *sys.path])
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert result.stdout.splitlines() == ["written to other.npz", "0"], result.stderr
    assert Path("other.npz").read_bytes() == Path("drawn.npz").read_bytes()


def test_a_file_of_the_sampler_and_an_entry_of_the_zoo_give_the_same_bytes(checkpoints, drawn):
    drawn("gan", "--number", "70")
    sampler = genzoo.load(checkpoints / "gan.ckpt")
    write_sampler(sampler, Path("alone.safetensors"))
    make_entry(Path("entry"), Path("alone.safetensors").read_bytes(), sampler=as_plain(sampler))
    for place in ("alone.safetensors", "entry"):
        assert main(["sample", place, "--number", "70", "--out", "other.npz", "--overwrite"]) == 0
        assert Path("other.npz").read_bytes() == Path("drawn.npz").read_bytes()


def test_averaged_weights_are_drawn_from_unless_others_are_asked_for(drawn):
    default, averaged, raw = (
        drawn("gan", *options)["images"] for options in ([], ["--weights", "averaged"], ["--weights", "raw"])
    )
    np.testing.assert_array_equal(default, averaged)
    assert not np.array_equal(default, raw)


def test_truncated_samples_are_those_of_the_sampler(checkpoints, drawn):
    found = drawn("gan", "--truncation", "0.5", "--number", "8")["images"]
    sampler = genzoo.load(checkpoints / "gan.ckpt")
    np.testing.assert_array_equal(found, sampler.sample(8, seed=0, truncation=0.5).bytes())
    assert not np.array_equal(found, sampler.sample(8, seed=0).bytes())


def test_classes_come_in_turn(checkpoints, drawn):
    sampler = genzoo.load(checkpoints / "classes.ckpt")
    for asked, labels in (
        ("3,1", [3, 1, 3, 1, 3]),
        ("sneaker, TROUSER", [3, 1, 3, 1, 3]),
        ("T-shirt/top", [0, 0, 0, 0, 0]),
    ):
        found = drawn("classes", "--classes", asked, "--number", "5")
        assert found["labels"].dtype == np.int64
        assert found["labels"].tolist() == labels
        np.testing.assert_array_equal(found["images"], sampler.sample(5, labels, seed=0).bytes())
    assert drawn("classes", "--number", "5")["labels"].tolist() == [0, 1, 2, 3, 0]
    assert drawn("vae", "--number", "5").keys() == {"images"}


def test_points_are_numbers_or_a_scatter(checkpoints, drawn):
    found = drawn("points", "--number", "100")["points"]
    assert (found.dtype, found.shape) == (np.float32, (100, 2))
    np.testing.assert_array_equal(found, genzoo.load(checkpoints / "points.ckpt").sample(100, seed=0).numpy())
    assert main(["sample", str(checkpoints / "points.ckpt"), "--number", "100", "--out", "points.png"]) == 0
    shown = np.asarray(Image.open("points.png"))
    assert 0 < (shown[..., 0] < 255).sum() <= 100


def test_condition_images_are_given_by_file(checkpoints, drawn):
    given = np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28), np.uint8)
    floats = given.astype(np.float32) / 127.5 - 1
    np.save("each.npy", floats)
    np.save("one.npy", floats[0])
    Image.fromarray(given[0, 0]).save("one.png")
    each, one, picture = (
        drawn("edges", "--condition", file, "--number", "3")["images"] for file in ("each.npy", "one.npy", "one.png")
    )
    sampler = genzoo.load(checkpoints / "edges.ckpt")
    np.testing.assert_array_equal(each, sampler.sample(3, torch.from_numpy(floats), seed=0).bytes())
    np.testing.assert_array_equal(one[0], each[0])
    assert not np.array_equal(one[1], each[1])
    np.testing.assert_array_equal(picture, one)


def test_classes_of_packages_that_are_allowed_are_made(checkpoints, drawn):
    assert drawn("of others", "--allow", "tests", "--number", "2")["images"].shape == (2, 28, 28, 1)


def test_samples_go_where_nothing_is(checkpoints, working_folder, capsys):
    for name in ("samples.png", "samples_2.png", "samples_3.png"):
        assert main(["sample", str(checkpoints / "vae.ckpt"), "--number", "4"]) == 0
        assert capsys.readouterr().out == f"written to {name}\n"
        assert Image.open(name).size == (62, 62)
    Path("samples.png").write_bytes(b"from before")
    assert main(["sample", str(checkpoints / "vae.ckpt"), "--number", "4", "--overwrite"]) == 0
    assert Path("samples.png").read_bytes() == Path("samples_2.png").read_bytes()


def test_a_folder_is_overwritten_whole(checkpoints, working_folder):
    for number in (5, 3):
        options = ["--number", str(number), "--out", "folder", "--overwrite"]
        assert main(["sample", str(checkpoints / "vae.ckpt"), *options]) == 0
    assert sorted(path.name for path in working_folder.rglob("*")) == [
        *(f"{index:06d}.png" for index in range(3)),
        "folder",
    ]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("vae", ["--number", "0"], "--number should be at least 1, got 0"),
        ("vae", ["--number", "-3"], "--number should be at least 1, got -3"),
        ("vae", ["--number", "many"], "--number should be a whole number, got many"),
        ("vae", ["--seed", "-1"], "--seed should be at least 0, got -1"),
        ("vae", ["--weights", "best"], "--weights cannot be best; choose one of raw, averaged"),
        ("vae", ["--weights", "averaged"], "holds no averaged weights"),
        ("vae", ["--truncation", "0"], "truncation of a normal prior should be above 0, got 0"),
        ("vae", ["--truncation", "much"], "--truncation should be a number, got much"),
        ("vae", ["--numbr", "3"], "did you mean --number?"),
        ("vae", ["--device", "cpux"], "torch cannot compute on cpux here"),
        ("vae", ["--device", "meta"], "torch cannot compute on meta here"),
        ("nowhere", [], "nowhere.ckpt"),
        ("autoencoder", [], "this model has no prior to draw from"),
        ("of others", [], "is no class of genzoo, and those alone are made from plain data"),
        ("vae", ["--classes", "3"], "this model depends on no labels, not on classes; leave --classes out"),
        ("vae", ["--condition", "vector.npy"], "this model is unconditional; leave --condition out"),
        ("edges", ["--classes", "3"], "not on classes; give them with --condition FILE.npy"),
        ("edges", [], "this model depends on condition images of 1 x 28 x 28; give one for all samples, or one for"),
        ("edges", ["--condition", "nothing.npy"], "there is no file nothing.npy; correct --condition"),
        ("edges", ["--condition", "vector.npy"], "--condition vector.npy does not fit 64 samples of this model: "),
        ("edges", ["--condition", "objects.npy"], "objects.npy is no .npy file of numbers: it is damaged, of another"),
        ("edges", ["--condition", "pickle.npy"], "pickle.npy is no .npy file of numbers: it is damaged, of another"),
        ("edges", ["--condition", "archive.npy"], "archive.npy holds no single array of numbers; save the conditions"),
        ("edges", ["--condition", "wide.png"], "wide.png has 9 x 8 pixels, but condition images of this model have 28"),
        ("edges", ["--condition", "text.txt"], "text.txt is neither a .npy file nor a picture that can be read"),
        ("classes", ["--classes", "sneker"], "there is no class 'sneker'; did you mean Sneaker? there are T-shirt"),
        ("classes", ["--classes", "3,4"], "there is no class 4: the 4 classes of this model have the numbers 0 to 3"),
        ("classes", ["--classes=-1"], "there is no class -1: the 4 classes of this model have the numbers 0 to 3"),
        ("classes", ["--classes=--1"], "there is no class '--1'; there are T-shirt/top"),
        ("classes", ["--classes", ""], "there is no class ''; there are T-shirt/top, Trouser"),
        ("classes", ["--classes", "1", "--condition", "vector.npy"], "--classes and --condition were both given; give"),
        (
            "vae",
            ["--out", "drawn.jpg"],
            "--out drawn.jpg ends in .jpg, which stands for no form of samples; give it .png",
        ),
        ("vae", ["--out", "vector.npy/drawn.png"], "vector.npy is no folder; choose another --out"),
        (
            "vae",
            ["--out", "there.png"],
            "there.png is there already; give --overwrite to replace it, or choose another",
        ),
        ("vae", ["--out", "there/"], "there is there already; give --overwrite to replace it, or choose another"),
        ("vae", ["--out", "there.png/", "--overwrite"], "there.png is a file and cannot be replaced by a folder"),
        ("vae", ["--out", "there.npz", "--overwrite"], "there.npz is a folder and cannot be replaced by a file"),
        (
            "vae",
            ["--out", "there", "--overwrite"],
            "there holds other files too, such as notes.txt, and is not replaced",
        ),
        ("vae", ["--out", "/", "--overwrite"], "/ holds other files too, such as "),
        ("vae", ["--number", "1000000"], "one picture of 1000000 images of 28 pixels would be too large to be looked"),
        ("points", ["--out", "folder/"], "this model makes points, which have no pictures of their own; write all to"),
    ],
)
def test_misuse_is_said_in_one_sentence_before_anything_is_drawn(
    name, options, expected, checkpoints, working_folder, capsys
):
    np.save("vector.npy", np.zeros(3))
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    Path("pickle.npy").write_bytes(pickle.dumps([1, 2]))
    np.savez("archive.npz", np.zeros(3))
    Path("archive.npz").rename("archive.npy")
    Image.new("L", (9, 8)).save("wide.png")
    Path("text.txt").write_text("no picture")
    Path("there.png").write_text("from before")
    Path("there.npz").mkdir()
    Path("there").mkdir()
    Path("there/notes.txt").write_text("from before")
    before = {path: path.is_file() and path.read_bytes() for path in working_folder.rglob("*")}
    with pytest.raises(SystemExit) as stop:
        main(["sample", str(checkpoints / f"{name}.ckpt"), *options])
    said = capsys.readouterr()
    assert stop.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert expected in said.err
    assert {path: path.is_file() and path.read_bytes() for path in working_folder.rglob("*")} == before


@pytest.mark.parametrize("out", ["drawn.npz", "drawn.png", "drawn/"])
def test_a_disk_that_is_full_is_told_and_left_as_it_was(out, checkpoints, working_folder, capsys):
    with no_file_larger_than(300):
        assert main(["sample", str(checkpoints / "vae.ckpt"), "--out", out]) == 1
    said = capsys.readouterr().err
    assert "cannot be written (File too large)" in said
    assert said.count("\n") == 1
    assert not list(working_folder.iterdir())


def test_many_samples_are_watched_where_somebody_sees_it(checkpoints, working_folder, capsys, monkeypatch):
    arguments = [str(checkpoints / "gan.ckpt"), "--number", str(WATCHED), "--out", "drawn.npz", "--overwrite"]
    assert sample(arguments) == 0
    assert capsys.readouterr().err == ""
    plain = Path("drawn.npz").read_bytes()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert sample(arguments) == 0
    assert "Drawing samples" in capsys.readouterr().err
    assert Path("drawn.npz").read_bytes() == plain
