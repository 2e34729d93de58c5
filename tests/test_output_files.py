"""A file is replaced whole or not at all, whatever fails on the way."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from churnkit.errors import ChurnkitError, OutputError, ReadWriteError
from churnkit.output.files import ReaderGoneError, check_writable, raise_named, system_error, write_bytes


def new(stream: BinaryIO) -> None:
    stream.write(b"new\n")


def failing(number: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_new_file_has_the_bytes_and_the_usual_mode(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    write_bytes(str(target), new)
    assert target.read_bytes() == b"new\n"
    (tmp_path / "other").write_text("")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    target.write_text("old\n")
    target.chmod(0o640)
    write_bytes(str(target), new)
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"new\n", 0o640)


def test_the_target_of_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old\n")
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    write_bytes(str(link), new)
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"new\n"


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize(("number", "code"), [(errno.EIO, 74), (errno.ENOSPC, 74), (errno.EROFS, 73)])
def test_a_failing_call_leaves_the_old_file_and_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: int
) -> None:
    target = tmp_path / "list.csv"
    target.write_text("old\n")
    monkeypatch.setattr(os, call, failing(number))
    with pytest.raises(ChurnkitError) as caught:
        write_bytes(str(target), new)
    monkeypatch.undo()
    assert caught.value.exit_code == code
    assert str(target) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_an_interruption_leaves_the_old_file_and_no_debris(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted(stream: BinaryIO) -> None:
        stream.write(b"ne")
        raise error

    target = tmp_path / "list.csv"
    target.write_text("old\n")
    with pytest.raises(error):
        write_bytes(str(target), interrupted)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old\n"]


def test_a_folder_that_is_not_there_is_refused_early(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        check_writable(str(tmp_path / "no" / "list.csv"))
    with pytest.raises(OutputError, match="it is a folder"):
        check_writable(str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_refused_early(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="may not be written to"):
        check_writable(str(tmp_path / "list.csv"))
    tmp_path.chmod(0o700)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    check_writable(str(pipe))
    write_bytes(str(pipe), new)
    reader.join()
    assert read == [b"new\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_device_is_a_failure_to_write() -> None:
    with pytest.raises(ReadWriteError, match="No space left"):
        write_bytes("/dev/full", new)


def test_what_polars_says_in_words_is_understood() -> None:
    assert system_error(OSError("Broken pipe (os error 32)")) == errno.EPIPE
    assert system_error(RuntimeError("something else")) is None
    with pytest.raises(ReaderGoneError):
        raise_named(OSError("Broken pipe (os error 32)"), "writing")
    with pytest.raises(ReadWriteError, match="No space left"):
        raise_named(OSError("No space left on device (os error 28)"), "writing")
