"""What the dashboards show is what genzoo logs: neither list can change without the other."""

import re

import pytest

from genzoo.dashboards.layout import SECTIONS
from genzoo.dashboards.panels import Bars, Curves, Pictures, Table
from genzoo.dashboards.report import SECTIONS as REPORT_SECTIONS
from genzoo.dashboards.report import TEXTS
from genzoo.dashboards.workspace import COLUMNS
from genzoo.evaluation.suite import INCEPTION_NAMES
from genzoo.evaluation.suited_extractors import EMBEDDED
from genzoo.loggers import SUMMARIES
from tests.dashboards.logged import logged_names

PANELS = [panel for section in SECTIONS for panel in section.panels]
ALL_PANELS = [*PANELS, *(panel for section in REPORT_SECTIONS for panel in section.panels)]
# What Inception-v3, whose weights are downloaded, has in place of the scores of other extractors.
INCEPTION = {f"{part}/{name}" for part in ("val", "test") for name in INCEPTION_NAMES.values()}
LEFT_OUT = (
    "epoch",
    # In tables and files of scores: how sure others are, and what has no good side.
    r"test/(nll_error|psnr|ssim|sharpness|(kernel_distance_error|frechet_slope|class_score|diversity)/\w+)",
)


def of_digits(name):
    """A name in which the extractor is that of the digits, on which the tests train."""
    return re.sub("|".join(EMBEDDED), "digits", name)


def is_held_out_too(name):
    """Whether it is a number of test images of which the panels show that of held-out ones."""
    held_out = re.sub("^test/", "val/", name)
    return held_out != name and held_out in logged_names() and any(panel.shows(held_out) for panel in PANELS)


def test_panels_show_only_what_is_logged():
    known = logged_names() | INCEPTION
    empty = {
        pattern
        for panel in ALL_PANELS
        for pattern in panel.names
        if not any(re.fullmatch(of_digits(pattern), name) for name in known)
    }
    assert empty == set()


def test_what_is_logged_is_shown_or_left_out_on_purpose():
    forgotten = {
        name
        for name in logged_names()
        if not any(panel.shows(name) for panel in PANELS)
        and not is_held_out_too(name)
        and not any(re.fullmatch(pattern, name) for pattern in LEFT_OUT)
    }
    assert forgotten == set()


def test_nothing_is_left_out_that_is_shown_or_not_logged():
    for pattern in LEFT_OUT:
        named = [name for name in logged_names() if re.fullmatch(pattern, name)]
        assert named
        assert not any(panel.shows(name) for panel in PANELS for name in named)


def test_panels_of_one_kind_show_one_kind_of_thing():
    assert all(
        name.startswith("pictures/") == isinstance(panel, Pictures) for panel in ALL_PANELS for name in panel.names
    )
    plain = [panel for panel in ALL_PANELS if isinstance(panel, Bars | Pictures | Table)]
    assert all(re.fullmatch(r"[\w/-]+", name) for panel in plain for name in panel.names)


def test_columns_of_the_table_are_numbers_and_their_summaries():
    for column in COLUMNS:
        kind, _, name = column.partition(":")
        if kind == "summary":
            number, _, summary = name.rpartition(".")
            assert of_digits(number) in logged_names()
            assert SUMMARIES.get(number) == summary or (
                number.startswith("val/fd/") and SUMMARIES["val/fd/*"] == summary
            )
        else:
            assert column in ("run:displayName", "config:model.value.class_path", "config:data.value.class_path")


@pytest.mark.parametrize(
    ("names", "pattern"),
    [(("train/a", "val/a"), None), (("val/fd/.*", "val/fid"), "^(val/fd/.*|val/fid)$"), ((r"a/\w+",), r"^(a/\w+)$")],
)
def test_curves_are_listed_or_one_pattern(names, pattern):
    assert Curves("", names).pattern == pattern


def test_sections_and_texts():
    names = [section.name for section in SECTIONS]
    assert names[:7] == ["Overview", "Game", "Likelihood", "Quality", "Pictures", "Latent space", "Speed"]
    assert len({*names}) == len(names)
    assert TEXTS.keys() < {section.name for section in REPORT_SECTIONS}
