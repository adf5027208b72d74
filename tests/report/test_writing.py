"""Pages as files, and which of them a test refreshes."""

import pytest

from genzoo.report.writing import refresh_tested, write_comparison, write_report
from tests.report.made import Page, make_run, make_test


def test_a_test_refreshes_a_page_that_is_there(tmp_path):
    run = make_run(tmp_path / "run")
    test = make_test(run)
    assert refresh_tested(test) is None
    assert not (run / "report.html").exists()
    (run / "report.html").write_text("earlier")
    assert refresh_tested(test) == run / "report.html"
    assert "recall/fashion-mnist-plain" in Page((run / "report.html").read_text()).shown
    assert refresh_tested(run) is None


def test_a_page_goes_where_it_is_asked_for(tmp_path):
    run = make_run(tmp_path / "run")
    assert write_report(run, tmp_path / "pages" / "page.html") == tmp_path / "pages" / "page.html"
    assert write_report(run) == run / "report.html"
    assert (tmp_path / "pages" / "page.html").read_bytes() == (run / "report.html").read_bytes()


def test_a_run_is_compared_with_others(tmp_path):
    run = make_run(tmp_path / "run")
    with pytest.raises(ValueError, match="run is named twice"):
        write_comparison([run, tmp_path / "run" / ".." / "run"], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
