"""Whole files, and the system's refusals in words."""

import errno
import os
import resource
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from genzoo.drawing import save_picture
from genzoo.evaluation.score import Score, write_scores
from genzoo.files import REMEDIES, require_free, system_refusal, whole_file, whole_folder, write_whole
from genzoo.loggers import CSVLogger

FULL = Path("/dev/full")


@contextmanager
def no_file_larger_than(size):
    """The system writes this many bytes of a file, and refuses the next."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WRITERS = {
    "text": lambda path: write_whole(path, "new" * 1000),
    "scores": lambda path: write_scores([Score("nll", 1.0)] * 100, path),
    "picture": lambda path: save_picture(path, np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_cannot_be_written_stays_as_it_was(kind, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"from before")
    with no_file_larger_than(100), pytest.raises(OSError, match=r"file cannot be written \(File too large\); the one"):
        WRITERS[kind](path)
    assert contents(tmp_path) == {"file": b"from before"}


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("kind", WRITERS)
def test_on_a_full_disk_nothing_is_left_of_a_new_file(kind, working_folder):
    (working_folder / "file.unfinished").symlink_to(FULL)
    with pytest.raises(OSError, match=r"file cannot be written \(No space left on device\); make room$"):
        WRITERS[kind](working_folder / "file")
    assert not list(working_folder.iterdir())


def test_what_fails_for_another_reason_is_told_as_it_is(working_folder):
    def fail():
        with whole_file(working_folder / "file") as unfinished:
            unfinished.write_text("half")
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match=r"^something else$"):
        fail()
    assert not list(working_folder.iterdir())


@pytest.mark.parametrize("numbers", [{"a": 3.0}, {"a": 3.0, "another": 4.0}], ids=["another row", "another column"])
def test_numbers_that_cannot_be_written_leave_those_that_are(numbers, tmp_path):
    logger = CSVLogger()
    logger.place(tmp_path)
    logger.log_metrics({"a": 1.0}, 10)
    before = contents(tmp_path)
    with no_file_larger_than(len(before["metrics.csv"]) + 2):
        with pytest.raises(OSError, match=r"metrics\.csv cannot be written \(File too large\)"):
            logger.log_metrics(numbers, 11)
        # Lightning tries once more at the end.
        with pytest.raises(OSError, match=r"metrics\.csv cannot be written \(File too large\)"):
            logger.finalize("failed")
    assert contents(tmp_path) == before
    logger.finalize("failed")
    assert b"3.0" in contents(tmp_path)["metrics.csv"]


def test_a_row_that_was_cut_off_in_its_step_is_no_earlier_step(tmp_path):
    (tmp_path / "metrics.csv").write_text("a,step\n0.1,0\n0.2,1\n0.3,2\n0.4,1")
    logger = CSVLogger()
    logger.place(tmp_path, first_step=2)
    logger.log_metrics({"a": 0.9}, 2)
    assert (tmp_path / "metrics.csv").read_text().splitlines() == ["a,step", "0.1,0", "0.2,1", "0.9,2"]


@pytest.mark.parametrize("number", REMEDIES, ids=errno.errorcode.get)
def test_a_refusal_of_the_system_says_what_it_is_and_what_to_do(number, tmp_path):
    said = system_refusal(OSError(number, os.strerror(number), str(tmp_path / "new")))
    failed = "opened" if number in (errno.EMFILE, errno.ENFILE) else "written"
    assert said == f"{tmp_path / 'new'} cannot be {failed} ({os.strerror(number)}); {REMEDIES[number]}"
    assert ("make room" in said) == (number in (errno.ENOSPC, errno.EDQUOT))


def refusal_without_rights(attempt):
    """What is said in a process that is nobody in particular."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            attempt()
            said = "nothing was refused"
        except OSError as error:
            said = system_refusal(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        return pipe.read()


@pytest.fixture
def open_folder():
    """A folder that everybody may look into, as those of pytest are not."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_it_is_told_whether_reading_or_writing_is_not_allowed(open_folder):
    secret, fixed = open_folder / "secret", open_folder / "fixed"
    for path, mode in ((secret, 0o000), (fixed, 0o444)):
        path.write_text("")
        path.chmod(mode)
    (open_folder / "folder").mkdir(mode=0o555)
    denied = "(Permission denied); give the right to do so"
    assert refusal_without_rights(secret.read_text) == f"{secret} cannot be read {denied}"
    assert refusal_without_rights(lambda: fixed.write_text("")) == f"{fixed} cannot be written {denied}"
    new = open_folder / "folder" / "new"
    assert refusal_without_rights(lambda: new.write_text("")) == f"{new} cannot be written {denied}"


def test_a_folder_takes_its_place_once_all_of_it_is_written(tmp_path):
    with whole_folder(tmp_path / "deep" / "folder") as unfinished:
        (unfinished / "a").write_text("one")
        assert not (tmp_path / "deep" / "folder").exists()
        (unfinished / "b").write_text("two")
    assert contents(tmp_path) == {"a": b"one", "b": b"two"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["folder"]


def test_a_folder_that_was_there_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").write_text("old")
    with whole_folder(tmp_path / "folder") as unfinished:
        (unfinished / "new").write_text("new")
    assert contents(tmp_path) == {"new": b"new"}
    assert [path.name for path in tmp_path.glob("folder*")] == ["folder"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_folder_that_is_not_written_to_its_end_leaves_the_one_before(error, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").write_text("old")

    def write():
        with whole_folder(tmp_path / "folder") as unfinished:
            (unfinished / "new").write_text("new")
            raise error

    with pytest.raises(type(error)):
        write()
    assert contents(tmp_path) == {"old": b"old"}
    assert [path.name for path in tmp_path.glob("folder*")] == ["folder"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_the_folder_from_before_goes_back_if_the_new_one_cannot_take_its_place(error, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").write_text("old")
    replace = Path.replace

    def replace_but_the_new_one(self, target):
        if self.name == "folder.unfinished":
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_but_the_new_one)
    with pytest.raises(type(error)), whole_folder(tmp_path / "folder"):
        pass
    assert contents(tmp_path) == {"old": b"old"}
    assert [path.name for path in tmp_path.glob("folder*")] == ["folder"]


def test_what_a_killed_process_has_left_is_settled(tmp_path):
    for state in ("unfinished", "before"):
        (tmp_path / f"folder.{state}").mkdir()
        (tmp_path / f"folder.{state}" / state).write_text("left")

    def fail():
        with whole_folder(tmp_path / "folder"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert contents(tmp_path) == {"before": b"left"}
    with whole_folder(tmp_path / "folder") as unfinished:
        (unfinished / "new").write_text("new")
    assert contents(tmp_path) == {"new": b"new"}


def test_what_is_there_is_replaced_only_where_that_is_asked_for(tmp_path):
    (tmp_path / "there").touch()
    with pytest.raises(FileExistsError, match=r"there is there already; give --overwrite .* another --out$"):
        require_free(tmp_path / "there")
    require_free(tmp_path / "there", overwrite=True)
    require_free(tmp_path / "new" / "deep" / "file")


def test_places_that_cannot_be_written_to_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file is no folder; choose another --output$"):
        require_free(tmp_path / "file" / "below", option="--output")
    monkeypatch.setattr("os.access", lambda *asked: False)
    with pytest.raises(ValueError, match="nothing may be put into"):
        require_free(tmp_path / "new")
