"""Bytes leave through here: standard output, or a file that is replaced whole or not at all."""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from churnkit.errors import OutputError, ReadWriteError
from churnkit.output.safe_text import one_line

STANDARD_OUTPUT = "-"
_NOT_CREATED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}
)


class ReaderGoneError(Exception):
    """The program that read our output has ended (`| head`); nobody is left to be told."""


def check_writable(path: str) -> None:
    """Refuses a target that cannot be created, before the expensive work.

    Raises:
        OutputError: The folder is missing, or may not be written to, or the target is a folder.
    """
    if path == STANDARD_OUTPUT:
        return
    target = Path(path).resolve()
    if target.is_dir():
        raise OutputError(f"cannot write {one_line(path)}: it is a folder", hint="name a file: -o FOLDER/list.csv")
    if not target.parent.is_dir():
        raise OutputError(
            f"cannot write {one_line(path)}: there is no folder {one_line(str(Path(path).parent))}",
            hint="create the folder first, or write somewhere else",
        )
    if not os.access(target.parent, os.W_OK | os.X_OK) and not _is_stream(target):
        raise OutputError(
            f"cannot write {one_line(path)}: the folder may not be written to", hint="write somewhere else: -o FILE"
        )


def write_bytes(path: str, write: Callable[[BinaryIO], object]) -> None:
    """Writes to a file, or to standard output for `-`: the same bytes in both.

    Args:
        path: The target; `-` is standard output. A regular file is replaced at once when all of it is on the disk; a
            link is followed; a pipe or a device is written to as it is.
        write: Writes everything to the binary stream that it is given.

    Raises:
        OutputError: The target cannot be created.
        ReadWriteError: Writing failed half-way; an older file is still whole.
        ReaderGoneError: The reader of the stream went away.
    """
    with _errors_named("standard output" if path == STANDARD_OUTPUT else path):
        if path == STANDARD_OUTPUT:
            if sys.stdout is None:
                raise ReadWriteError("standard output is closed", hint="write to a file: -o FILE")
            write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif _is_stream(Path(path)):
            with Path(path).open("wb") as stream:
                write(stream)
        else:
            _replace(Path(path).resolve(), write)


def _replace(target: Path, write: Callable[[BinaryIO], object]) -> None:
    import tempfile

    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            part.chmod(_mode(target))
            os.fsync(stream.fileno())
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    _sync_folder(target.parent)


def _mode(target: Path) -> int:
    """The mode bits of the file that is replaced, or those that a new file would get."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Makes the new name last through a power cut; the file itself is already whole, so failing here is no failure."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


@contextlib.contextmanager
def _errors_named(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise_named(error, f"writing {name}")


def system_error(error: BaseException) -> int | None:
    """The errno of an operating system's refusal; Polars tells it only in its text, "(os error 32)"."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    digits = text.partition("(os error ")[2].partition(")")[0]
    return int(digits) if digits.isdigit() else None


def raise_named(error: BaseException, doing: str) -> NoReturn:
    """The same problem as one of our errors, saying what was being done."""
    number = system_error(error)
    if number == errno.EPIPE:
        raise ReaderGoneError from None
    reason = os.strerror(number) if number is not None else str(error)
    message = one_line(f"{doing} failed: {reason}")
    if number in _NOT_CREATED:
        raise OutputError(message, hint="write somewhere else: -o FILE") from error
    if number in (errno.ENOSPC, errno.EDQUOT):
        raise ReadWriteError(
            message, hint="make room on the disk; an older file of that name is still whole"
        ) from error
    raise ReadWriteError(message) from error
