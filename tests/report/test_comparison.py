"""The page that compares runs."""

import base64

import yaml

from genzoo.evaluation.score import Score
from genzoo.report import comparison as module
from genzoo.report.comparison import comparison_page, differences, labels
from genzoo.report.markup import NONE
from genzoo.report.story import read_story
from tests.report.made import Page, make_run, make_test, settings_of


def stories(*folders):
    return [read_story(folder) for folder in folders]


def test_runs_are_called_by_what_tells_them_apart(tmp_path):
    folders = [make_run(tmp_path / name, epochs=1) for name in ("vae/first", "gan/first", "gan/second")]
    assert labels(stories(*folders[1:])) == ["first", "second"]
    assert labels(stories(*folders)) == ["vae/first", "gan/first", "gan/second"]


def test_settings_that_differ_have_the_names_of_the_command_line():
    first, second = settings_of(), yaml.safe_load(yaml.safe_dump(settings_of()))
    second["model"]["init_args"]["optimizer"] = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}
    second["trainer"] |= {"max_epochs": 9, "logger": False}
    second["run"]["name"] = "other"
    assert differences([first, second]) == {
        "trainer.max_epochs": [5, 9],
        "model.optimizer": ["torch.optim.Adam", "torch.optim.SGD"],
        "model.optimizer.lr": [NONE, 0.1],
    }
    assert differences([first, first]) == {}


def test_a_comparison_holds_what_its_runs_do(tmp_path):
    other = settings_of(seed_everything=8)
    folders = [make_run(tmp_path / "a", 2), make_run(tmp_path / "b", 3, other), make_run(tmp_path / "c", 4)]
    make_test(folders[0])
    make_test(folders[1], [Score("fd/fashion-mnist-plain", 1.5, 0.0625, False, {"split": "test", "number_fake": 500})])
    page = Page(comparison_page(stories(*folders)))
    assert page.row("seed_everything") == ["7", "8", "7"]
    assert page.row("epochs") == ["2 of 5", "3 of 5", "4 of 5"]
    assert page.row("fd/fashion-mnist-plain") == ["1.25 (0.0625)", "1.5 (0.0625)", NONE, "low"]
    assert page.row("recall/fashion-mnist-plain") == ["0.5 (0.75)", NONE, NONE, "high"]
    assert page.shown.count("1.25") == 1
    assert "The tests differ in number_fake" in page.shown
    (elbo,) = [plot for plot in page.data["plots"] if plot["places"] == [3, 7, 11, 15]]
    assert [curve["label"] for curve in elbo["series"]] == ["a", "b", "c"]
    assert elbo["series"][1]["values"] == [-310.0, -309.0, -308.0, None]
    latest = [folder / "images" / f"samples_epoch_000{number}.png" for number, folder in enumerate(folders, 2)]
    shown = [base64.b64decode(image["src"].partition(",")[2]) for image in page.all("img")]
    assert shown[:3] == [path.read_bytes() for path in latest]


def test_a_run_has_one_colour(tmp_path):
    folders = [make_run(tmp_path / name) for name in "ab"]
    (folders[0] / "metrics.csv").write_text("step,train/elbo\n0,1\n1,2\n")
    page = Page(comparison_page(stories(*folders)))
    colours = {(curve["label"], curve["colour"]) for plot in page.data["plots"] for curve in plot["series"]}
    assert colours == {("a", 0), ("b", 1)}
    # Of training batches, since those are what both runs have.
    assert [len(plot["series"]) for plot in page.data["plots"]] == [2, 1]


def test_equal_settings_are_said_to_be(tmp_path):
    page = Page(comparison_page(stories(make_run(tmp_path / "a"), make_run(tmp_path / "b"))))
    assert "All settings are equal." in page.shown
    assert "Scores" not in page.shown


def test_pictures_without_room_are_named(tmp_path, monkeypatch):
    found = stories(make_run(tmp_path / "a"), make_run(tmp_path / "b"))
    size = found[0].pictures["samples"][0].size
    with_one = len(comparison_page(found)) - 3 * size
    monkeypatch.setattr(module, "LIMIT", with_one)
    html = comparison_page(found)
    assert len(html) <= with_one
    assert len(Page(html).all("img")) == 1
    assert "samples_epoch_0003.png is too large for this page" in html
