"""The page of a run, read by another reader than the browser's: what it holds is what lies in the folder."""

import base64
import csv
import json
import re

import pytest

from genzoo.report import run_page as module
from genzoo.report.markup import NONE
from genzoo.report.run_page import LIMIT, run_page
from genzoo.report.story import read_story
from tests.report.made import Page, draw, make_run, make_test, rows, settings_of


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "vae" / "first")


def page_of(run):
    return Page(run_page(read_story(run)))


def test_it_tells_what_was_run(run):
    training = {"steps": 12, "epochs": 3, "seconds": 3723.4, "device": "1 x CPU"}
    (run / "training.json").write_text(json.dumps(training))
    entry = {"date": "2026-11-29T08:00:00+00:00", "command": "genzoo fit --model VAE", "versions": {"torch": "2.6"}}
    later = {"date": "2026-11-30T09:00:00+00:00", "command": "genzoo fit runs/vae/first", "git_commit": "abc"}
    entries = [entry, later | {"versions": {"torch": "2.7", "numpy": "2"}, "git_dirty": True}]
    (run / "provenance.json").write_text(json.dumps(entries))
    page = page_of(run)
    facts = {cells[0]: cells[1:] for cells in page.cells if len(cells) == 2}
    expected = {
        "run": "first",
        "model": "VAE",
        "data": "FashionMNISTMini",
        "epochs": "3 of 5",
        "steps": "12",
        "seed": "7",
        "time taken": "1:02:03 (hours, minutes, seconds)",
        "device": "1 x CPU",
        "began": "2026-11-29 08:00",
        "versions": "torch 2.7",
        "commit": "abc, with changes",
        "command": "genzoo fit runs/vae/first",
    }
    assert {name: facts[name][0] for name in expected} == expected
    assert f"genzoo fit --config {run}/config.yaml --run.name again" in page.shown
    assert (run / "config.yaml").read_text() in page.shown
    assert "None was raised." in page.shown


def test_curves_are_those_of_the_file(run):
    page = page_of(run)
    with (run / "metrics.csv").open() as file:
        table = [*csv.DictReader(file)]
    plots = {tuple(curve["label"] for curve in plot["series"]): plot for plot in page.data["plots"]}
    elbo = plots["training batches", "held-out images", "training images, evaluated"]
    for curve, column in zip(elbo["series"], ("train/elbo", "val/elbo", "val/training/elbo"), strict=True):
        drawn = {step: value for step, value in zip(elbo["places"], curve["values"], strict=True) if value is not None}
        assert drawn == pytest.approx({int(row["step"]): float(row[column]) for row in table if row[column]})
    assert len(page.data["plots"]) == sum("data-plot" in attributes for attributes in page.all("div")) == 2


def test_pictures_are_the_bytes_of_the_files(run):
    page = page_of(run)
    shown = [image["src"] for image in page.all("img")]
    for place, (name, frames) in enumerate(zip(("samples", "reconstructions"), page.data["frames"], strict=True)):
        decoded = [base64.b64decode(address.partition(",")[2]) for address in [*frames["addresses"], shown[place]]]
        assert decoded == [(run / "images" / f"{name}_epoch_000{epoch}.png").read_bytes() for epoch in (1, 2, 3)]
        assert frames["names"] == ["epoch 1", "epoch 2", "epoch 3"]
    assert all(image["alt"] for image in page.all("img"))


def test_scores_stand_beside_what_real_data_get(run):
    make_test(run)
    page = page_of(run)
    assert page.row("fd/fashion-mnist-plain") == ["1.25", "0.0625", "low"]
    assert page.row("recall/fashion-mnist-plain") == ["0.5", "0.75", "high"]
    assert page.row("sharpness") == [NONE, "", ""]
    assert page.row("number_fake") == ["2000"]
    assert "first_test, last.ckpt" in page.shown


def test_alarms_are_told(run):
    alarm = {"name": "collapse", "epoch": 3, "step": 12, "text": "mode collapse: <all> alike"}
    (run / "alarms.json").write_text(json.dumps([alarm]))
    assert "Epoch 3, step 12: mode collapse: <all> alike" in page_of(run).shown


def test_the_page_of_a_test(run):
    page = page_of(make_test(run))
    assert page.row("checkpoint") == [str(run / "checkpoints" / "last.ckpt")]
    assert page.row("sharpness") == [NONE, "", ""]
    assert f"genzoo test {run}/checkpoints/last.ckpt" in page.shown


def test_nothing_is_fetched(run):
    make_test(run)
    html = run_page(read_story(run))
    page = Page(html)
    references = [
        value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert all(value.startswith(("data:", "#")) for value in references)
    assert "default-src 'none'" in next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert not re.search(r"@import|url\(", html)
    assert {link["href"][1:] for link in page.all("a")} <= {section["id"] for section in page.all("section")}


def test_what_users_write_is_no_html(tmp_path):
    evil = "</script><script>alert('&\"')</script><!--"
    run = make_run(tmp_path / "a<b>&", settings=settings_of(notes=evil))
    with (run / "metrics.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["step", "<b>", evil], [0, 1, 2], [1, 3, 4]])
    draw(run / "images" / "<i>_epoch_0001.png", 0)
    page = page_of(run)
    assert len(page.all("script")) == 3
    assert not page.all("b")
    assert not page.all("i")
    assert "a<b>&" in page.shown
    assert "alert('&\"')" in page.shown
    assert {evil, "<b>"} <= {plot["series"][0]["label"] for plot in page.data["plots"]}


@pytest.mark.parametrize("kept", ["config.yaml", "metrics.csv", "images"])
def test_a_page_of_parts(run, kept):
    for path in run.iterdir():
        if path.name != kept:
            path.rename(run.parent / path.name)
    page = page_of(run)
    assert bool(page.data["plots"]) == (kept == "metrics.csv")
    assert bool(page.data["frames"]) == (kept == "images")
    assert ("latent_dim" in page.shown) == (kept == "config.yaml")


def test_numbers_that_are_none_leave_gaps(tmp_path):
    table = [row | ({"train/elbo": float("nan")} if row["step"] == 5 else {}) for row in rows(3)]
    html = run_page(read_story(make_run(tmp_path / "run", numbers=table)))
    plot = Page(html).data["plots"][0]
    assert plot["series"][0]["values"][plot["places"].index(5)] is None


def test_single_numbers_are_a_table(tmp_path):
    page = page_of(make_run(tmp_path / "run", numbers=[{"step": 0, "val/elbo": -250.125}]))
    assert page.row("val/elbo") == ["-250.1"]
    assert page.data["plots"] == []


def test_a_page_stays_below_its_limit(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", epochs=9)
    base = len(run_page(read_story(make_run(tmp_path / "other", epochs=2))))
    monkeypatch.setattr(module, "LIMIT", base + 12_000)
    html = run_page(read_story(run))
    assert base < len(html.encode()) < base + 12_000
    page = Page(html)
    for frames in page.data["frames"]:
        assert (frames["names"][0], frames["names"][-1]) == ("epoch 1", "epoch 9")
        assert 2 < len(frames["names"]) < 9
        assert f"{len(frames['names'])} of 9 epochs have room on this page; images/ has all." in page.shown
    monkeypatch.setattr(module, "LIMIT", 10_000)
    assert not Page(run_page(read_story(run))).all("img")


def test_long_runs_make_no_long_pages(tmp_path):
    columns = [f"train/quantity_{number}" for number in range(40)]
    lines = [",".join(["step", *columns])] + [",".join([str(step), *["0.123456789"] * 40]) for step in range(3000)]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.csv").write_text("\n".join(lines) + "\n")
    assert len(run_page(read_story(tmp_path / "run"))) < LIMIT / 5


def test_long_names_may_be_broken_behind_their_parts(run):
    make_test(run)
    written = run_page(read_story(run))
    assert "recall/<wbr>fashion-mnist-plain" in written
    assert "recall/fashion-mnist-plain" in Page(written).shown
