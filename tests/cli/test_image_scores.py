"""``genzoo evaluate``: images from anywhere, and what is said of those that do not fit."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from genzoo.cli import main
from genzoo.data.digits import Digits

pytestmark = pytest.mark.usefixtures("working_folder")
DATA = ["--data", "Digits", "--data.image_size", "8"]


@pytest.fixture
def training_images(working_folder):
    images, labels = Digits().load("train")
    np.savez(working_folder / "copies.npz", samples=images[:400], labels=labels[:400])
    return images[:400]


def scores_of(arguments, capsys, path):
    assert main(["evaluate", *arguments, *DATA]) == 0
    said = capsys.readouterr().out
    found = {entry["name"]: entry for entry in json.loads(path.read_text())}
    assert f"written to {path.name}" in said
    assert all(f"| {name} |" in said for name in found)
    return found


def test_copies_of_training_images_are_scored_and_flagged(training_images, working_folder, capsys):
    found = scores_of(["copies.npz"], capsys, working_folder / "copies.npz.scores.json")
    assert found["precision/digits"]["value"] > 0.8
    assert found["authenticity/digits"]["value"] < 5
    assert found["nearest_neighbour_accuracy"]["value"] > 90
    assert found["fd/digits"]["protocol"]["samples"] == "copies.npz"
    assert found["fd/digits"]["protocol"]["number_fake"] == 400


@pytest.mark.parametrize("layout", ["(N, H, W)", "(N, C, H, W)", "(N, H, W, C)", "folder", "npz without a name"])
def test_all_layouts_are_the_same_images(layout, training_images, working_folder, capsys):
    expected = scores_of(["copies.npz", "--output", "expected.json"], capsys, working_folder / "expected.json")
    if layout == "folder":
        (working_folder / "images" / "deeper").mkdir(parents=True)
        for place, image in enumerate(training_images):
            Image.fromarray(image[0]).save(working_folder / "images" / "deeper" / f"{place:03d}.png")
        samples = "images"
    elif layout == "npz without a name":
        np.savez(working_folder / "images.npz", training_images)
        samples = "images.npz"
    else:
        arrays = {"(N, H, W)": training_images[:, 0], "(N, C, H, W)": training_images}
        np.save(working_folder / "images.npy", arrays.get(layout, np.moveaxis(training_images, 1, -1)))
        samples = "images.npy"
    found = scores_of([samples], capsys, working_folder / f"{samples}.scores.json")
    del expected["nearest_neighbour_accuracy"]
    assert {name: entry["value"] for name, entry in found.items()} == pytest.approx(
        {name: entry["value"] for name, entry in expected.items()}
    )


def test_a_folder_is_read_by_the_rules_of_image_folders(training_images, working_folder, capsys, caplog):
    expected = scores_of(["copies.npz", "--output", "expected.json"], capsys, working_folder / "expected.json")
    folder = working_folder / "images"
    (folder / ".ipynb_checkpoints").mkdir(parents=True)
    for place, image in enumerate(training_images):
        Image.fromarray(image[0]).save(folder / f"{place:03d}.png")
        Image.fromarray(255 - image[0]).save(folder / ".ipynb_checkpoints" / f"{place:03d}-checkpoint.png")
        (folder / f"._{place:03d}.png").write_bytes(b"resource fork")
    (folder / "again").symlink_to(folder)
    (folder / "notes.txt").write_text("no image")
    found = scores_of(["images"], capsys, working_folder / "images.scores.json")
    assert found["fd/digits"]["protocol"]["number_fake"] == 400
    assert found["fd/digits"]["value"] == pytest.approx(expected["fd/digits"]["value"])
    assert "left out 2 file(s) in images: 1 x a link to what is there already, 1 x .txt" in caplog.text


def test_too_few_images_leave_out_what_needs_more(training_images, working_folder, capsys, caplog):
    np.save(working_folder / "few.npy", training_images[:30])
    found = scores_of(["few.npy"], capsys, working_folder / "few.npy.scores.json")
    assert "fd/digits" not in found
    assert "precision/digits" in found
    assert "FrechetDistance has 359 real and 30 generated samples, but needs at least 64" in caplog.text


def save(array):
    return lambda folder: np.save(folder / "bad.npy", array)


def pipe_among_images(folder):
    (folder / "images").mkdir()
    Image.new("L", (8, 8)).save(folder / "images" / "a.png")
    os.mkfifo(folder / "images" / "b.png")


def labelled(labels):
    images = np.zeros((len(labels), 1, 8, 8), np.uint8)
    return lambda folder: np.savez(folder / "bad.npz", samples=images, labels=np.array(labels))


@pytest.mark.parametrize(
    ("make", "samples", "data", "expected"),
    [
        (lambda folder: None, "nowhere", DATA, "there is no file or folder nowhere; give a folder of images"),
        (lambda folder: (folder / "empty").mkdir(), "empty", DATA, "empty holds no images; expected .jpg"),
        (lambda folder: os.mkfifo(folder / "a.npy"), "a.npy", DATA, "a.npy is neither a folder nor a .npz or"),
        (pipe_among_images, "images", DATA, "images/b.png cannot be read as an image (it is no regular file)"),
        (lambda folder: (folder / "a.txt").write_text(""), "a.txt", DATA, "a.txt is neither a folder nor a .npz or"),
        (save(np.zeros((9, 1, 8, 8), np.float32)), "bad.npy", DATA, "bad.npy holds float32 images of shape (9, 1, 8"),
        (
            save(np.zeros((9, 1, 9, 9), np.uint8)),
            "bad.npy",
            DATA,
            "bad.npy holds images of shape (1, 9, 9), but Digit",
        ),
        (
            save(np.zeros((9, 3, 8, 8), np.uint8)),
            "bad.npy",
            DATA,
            "bad.npy holds images of shape (3, 8, 8), but Digit",
        ),
        (save(np.zeros((0, 1, 8, 8), np.uint8)), "bad.npy", DATA, "bad.npy holds 0 images, where at least one was exp"),
        (save(np.zeros(9, np.uint8)), "bad.npy", DATA, "bad.npy holds uint8 images of shape (9,), but expected uint8"),
        (save(np.array([None, 1])), "bad.npy", DATA, "bad.npy is damaged, or holds Python objects where numbers were"),
        (lambda folder: (folder / "bad.npy").touch(), "bad.npy", DATA, "bad.npy is damaged, or holds Python objects"),
        (lambda folder: (folder / "bad.npz").write_text("PK\x03\x04"), "bad.npz", DATA, "bad.npz is damaged, or holds"),
        (
            lambda folder: np.savez(folder / "bad.npz", labels=np.zeros(9, np.int64)),
            "bad.npz",
            DATA,
            "bad.npz holds no images; call the array of images samples",
        ),
        (labelled([0, 9, 10]), "bad.npz", DATA, "bad.npz has label 10 at place 2, but the 10 classes of Digits have"),
        (labelled([0, -1, 2]), "bad.npz", DATA, "bad.npz has label -1 at place 1, but the 10 classes of Digits have"),
        (
            labelled([0, 1, 2]),
            "bad.npz",
            ["--data", "ImageFolder", "--data.root", "images", "--data.image_size", "8", "--data.channels", "1"],
            "bad.npz has labels, but ImageFolder has no classes; leave the labels out",
        ),
        (save(np.zeros((9, 2), np.uint8)), "bad.npy", ["--data", "GaussianMixture2D"], "GaussianMixture2D holds no im"),
        (
            lambda folder: np.savez(folder / "bad.npz", a=np.zeros(1), b=np.zeros(1)),
            "bad.npz",
            DATA,
            "bad.npz holds a, b; call the array of images samples",
        ),
        (
            lambda folder: np.savez(folder / "bad.npz", samples=np.zeros((9, 8, 8), np.uint8), labels=np.zeros(8)),
            "bad.npz",
            DATA,
            "bad.npz has float64 labels of shape (8,) for 9 images; give one whole number for each",
        ),
        (
            save(np.zeros((9, 3, 8, 8), np.uint8)),
            "bad.npy",
            ["--data", "StackedDigits"],
            "no extractor is embedded for StackedDigits; choose one with --extractor",
        ),
        (
            save(np.zeros((9, 8, 8), np.uint8)),
            "bad.npy",
            [*DATA, "--extractor", "nothing"],
            "there is no extractor nothing; choose one of fashion-mnist-plain",
        ),
        (
            save(np.zeros((9, 8, 8), np.uint8)),
            "bad.npy",
            [*DATA, "--extractor", "os.system"],
            "os.system cannot be called without arguments (missing a required argument: 'command'); give the path",
        ),
        (
            save(np.zeros((9, 8, 8), np.uint8)),
            "bad.npy",
            [*DATA, "--extractor", "inception-v3"],
            "FID needs the file ",
        ),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_sentence(make, samples, data, expected, working_folder, capsys):
    make(working_folder)
    (working_folder / "images").mkdir(exist_ok=True)
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", samples, *data])
    captured = capsys.readouterr()
    assert captured.err.strip().splitlines()[-1].startswith(f"genzoo: {expected}")
    assert "| score |" not in captured.out
    assert not list(working_folder.glob("*.json"))


def test_an_image_of_another_size_is_named(working_folder, capsys):
    (working_folder / "images").mkdir()
    Image.new("L", (9, 8)).save(working_folder / "images" / "wide.png")
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "images", *DATA])
    assert "wide.png has 9 x 8 pixels, but Digits has 8 x 8; samples are compared" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("folder", "folder is there already and is not overwritten; choose another --output"),
        ("copies.npz", "copies.npz is there already and is not overwritten; choose another --output"),
        ("nowhere/scores.json", "nowhere/scores.json cannot be written (No such file or directory); choose another"),
        ("copies.npz/scores.json", "copies.npz/scores.json cannot be written (Not a directory); choose another"),
        ("s" * 300, "cannot be written (File name too long); choose another --output"),
    ],
)
def test_a_place_for_the_scores_that_is_none_is_refused_before_scoring(
    output, expected, training_images, working_folder, capsys
):
    (working_folder / "folder").mkdir()
    before = (working_folder / "copies.npz").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "copies.npz", *DATA, "--output", output])
    captured = capsys.readouterr()
    assert expected in captured.err
    assert not captured.out
    assert (working_folder / "copies.npz").read_bytes() == before
    assert sorted(path.name for path in working_folder.iterdir()) == ["copies.npz", "folder"]


def test_scores_of_before_are_kept(training_images, working_folder, capsys):
    first = working_folder / "copies.npz.scores.json"
    first.write_text("[]")
    scores_of(["copies.npz"], capsys, working_folder / "copies.npz.scores_2.json")
    scores_of(["copies.npz"], capsys, working_folder / "copies.npz.scores_3.json")
    assert first.read_text() == "[]"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "samples"),
        (["a.npy"], "data"),
        (["a.npy", "--x"], "--x"),
        (["a.npy", "--config"], "argument --config: expected one argument"),
        (["a.npy", "--config", "configs/vae.yaml"], "a config has no setting model; it has data, extractor, output"),
        (["a.npy", "--config", "bad.yaml"], "the config bad.yaml cannot be used: it is a list, but should hold sec"),
    ],
)
def test_misuse_ends_with_code_2(arguments, expected, working_folder, capsys):
    (working_folder / "bad.yaml").write_text("- 1\n")
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *arguments])
    assert stop.value.code == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("size", ["8", "32"])
def test_a_real_file_against_itself_is_perfect_at_every_image_size(size, working_folder, capsys):
    images, labels = Digits().load("test")
    np.savez(working_folder / "test.npz", samples=images, labels=labels)
    assert main(["evaluate", "test.npz", "--data", "Digits", "--data.image_size", size]) == 0
    found = {entry["name"]: entry for entry in json.loads((working_folder / "test.npz.scores.json").read_text())}
    assert found["fd/digits"]["value"] == pytest.approx(0.0, abs=1e-4)
    assert found["precision/digits"]["value"] == 1.0
    assert found["nearest_neighbour_accuracy"]["value"] == 100.0
    assert 0.2 < found["fd/digits"]["floor"] < 0.7
    protocol = found["fd/digits"]["protocol"]
    assert (protocol["image_size"], protocol["native_size"]) == (int(size), 8)
    assert protocol["samples_to_native_size"] == "as they are"
