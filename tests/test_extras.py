"""What is said where an optional package, or something that it needs itself, cannot be imported."""

import re
import sys

import pytest

from genzoo.extras import import_extra

FILES = {
    "whole": {"__init__.py": "", "part.py": "value = 3"},
    "lacking": {"__init__.py": "import whole", "part.py": "import absent_dependency.inner"},
    "older": {"__init__.py": "", "part.py": "from whole.newer import value"},
    "broken": {"__init__.py": "", "part.py": "from whole.part import gone"},
    "unloadable": {"__init__.py": "raise ImportError('libGL.so.1: cannot open shared object file')"},
    "unnamed": {"__init__.py": "raise ModuleNotFoundError('somewhere deep')"},
    "failing": {"__init__.py": "raise ValueError('numpy.dtype size changed')"},
}


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Packages with all sorts of faults."""
    for package, files in FILES.items():
        (tmp_path / package).mkdir()
        for name, content in files.items():
            (tmp_path / package / name).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in FILES]:
        del sys.modules[name]


def test_what_is_there_is_imported(packages):
    assert import_extra("whole.part", "whole-package", "Data").value == 3


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("absent.part", "Data needs the package name-for-pip, which is not installed; run `pip install name-for-pip`"),
        ("absent", "Data needs the package name-for-pip, which is not installed; run `pip install name-for-pip`"),
        (
            "lacking.part",
            "Data needs the package name-for-pip, which is installed, but needs absent_dependency, which is not; run "
            "`pip install name-for-pip` again, which installs what it needs, or `pip install absent_dependency`",
        ),
        (
            "whole.later",
            "of which the installed version has no whole.later; run `pip install --upgrade name-for-pip`",
        ),
        ("older.part", "which is installed, but needs whole.newer, which is not"),
    ],
)
def test_what_is_really_missing_is_named(module, said, packages):
    with pytest.raises(ModuleNotFoundError, match=re.escape(said)):
        import_extra(module, "name-for-pip", "Data")


def test_an_extra_that_brings_several_packages_may_be_named_for_pip(packages):
    said = "Data needs the package absent, which is not installed; run `pip install 'genzoo[data]'`"
    with pytest.raises(ModuleNotFoundError, match=re.escape(said)):
        import_extra("absent", "absent", "Data", install="'genzoo[data]'")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("broken.part", "cannot import name 'gone' from 'whole.part'"),
        ("unnamed", "somewhere deep"),
        ("unloadable", "libGL.so.1: cannot open shared object file"),
    ],
)
def test_another_fault_is_shown_as_it_is(module, reason, packages):
    with pytest.raises(ImportError, match=re.escape(reason)) as refused:
        import_extra(module, "name-for-pip", "Data")
    assert not isinstance(refused.value, ModuleNotFoundError)
    assert "which is installed but cannot be imported: " in str(refused.value)
    assert "--force-reinstall name-for-pip`" in str(refused.value)


def test_what_is_no_fault_of_importing_is_left_alone(packages):
    with pytest.raises(ValueError, match="dtype size changed"):
        import_extra("failing", "name-for-pip", "Data")
