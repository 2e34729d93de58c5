"""The bytes behind a packing (gzip, bzip2, xz, zip, zstd) and the UTF-8 behind another encoding."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl

from churnkit.errors import ChurnkitError, DataError
from churnkit.orders.lines import READ_ERRORS, read_error
from churnkit.orders.sniff import HEAD_BYTES

POLARS_UNPACKS = (None, "gzip", "zstd")
"""Packings that Polars reads by itself, as a stream."""

MAX_IN_MEMORY = 2 << 30
"""What is unpacked or recoded in memory may not be larger than this: a bomb must not take the machine down."""

_UNPACK_ERRORS = (*READ_ERRORS, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
_CHUNK = 1 << 20


def head_of(content: Path | bytes, packing: str | None, name: str) -> bytes:
    """The first bytes of what a packing holds."""
    if packing == "zstd":
        return _zstd_text(content, name, lines=1000)[:HEAD_BYTES]
    with opened(content, packing, name) as stream:
        return stream.read(HEAD_BYTES)


def bytes_of(content: Path | bytes, packing: str | None, name: str) -> bytes:
    """All bytes of what a packing holds.

    Raises:
        DataError: The packing is damaged, or holds more than `MAX_IN_MEMORY`.
    """
    if isinstance(content, bytes) and packing is None:
        return content
    with opened(content, packing, name) as stream:
        return b"".join(_chunks(stream, name))


def recoded(content: Path | bytes, packing: str | None, encoding: str, name: str) -> bytes:
    """The whole text in UTF-8 with LF line ends: CR-only files are brought to LF here.

    Raises:
        DataError: The text is not in that encoding; the message names the first line that is not.
    """
    try:
        with opened(content, packing, name) as stream:
            text = codecs.iterdecode(_chunks(stream, name), encoding)
            whole = b"".join(piece.encode("utf-8") for piece in text)
    except UnicodeError as error:
        raise DataError(
            f"{name} is not {encoding} text: {str(error).rpartition(': ')[2]}", hint="name its encoding: --encoding"
        ) from error
    return whole if b"\n" in whole else whole.replace(b"\r", b"\n")


def line_not_utf8(content: bytes) -> int | None:
    r"""Number of the first line that is not UTF-8.

    Example:
        >>> line_not_utf8("id\ncafé\n".encode("cp1252")), line_not_utf8(b"id")
        (2, None)
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return None


@contextmanager
def opened(content: Path | bytes, packing: str | None, name: str) -> Iterator[BinaryIO]:
    """What a packing holds, as a stream; damage that shows while reading becomes a `DataError`."""
    try:
        with ExitStack() as stack:
            yield _open(content, packing, name, stack)
    except (UnicodeError, ChurnkitError):
        raise
    except _UNPACK_ERRORS as error:
        raise read_error(error, name) from error


def _open(content: Path | bytes, packing: str | None, name: str, stack: ExitStack) -> BinaryIO:
    if packing == "zstd":
        return io.BytesIO(_zstd_text(content, name))
    raw = stack.enter_context(content.open("rb")) if isinstance(content, Path) else io.BytesIO(content)
    match packing:
        case "gzip":
            return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
        case "bzip2":
            return cast(BinaryIO, bz2.BZ2File(raw))
        case "xz":
            return cast(BinaryIO, lzma.LZMAFile(raw))
        case "zip":
            archive = stack.enter_context(zipfile.ZipFile(raw))
            return cast(BinaryIO, stack.enter_context(archive.open(_only_member(archive, name))))
        case _:
            return raw


def _zstd_text(content: Path | bytes, name: str, lines: int | None = None) -> bytes:
    """Python 3.11 to 3.13 have no zstd, and Polars hands out text only: lines, joined again."""
    try:
        text = pl.scan_lines(content, glob=False, n_rows=lines).collect()["line"]
    except READ_ERRORS as error:
        if not says_not_utf8(error):
            raise read_error(error, name) from error
        raise DataError(
            f"{name} is compressed with zstd and holds no UTF-8 text", hint="unpack it first: zstd -d FILE"
        ) from error
    return "".join(f"{line}\n" for line in text).encode("utf-8")


def says_not_utf8(error: BaseException) -> bool:
    """Whether Polars stopped at bytes that are not UTF-8."""
    return "utf" in str(error).lower()


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir() and "__MACOSX" not in member.filename]
    if len(members) != 1:
        raise DataError(f"{name} is a zip archive of {len(members)} files", hint="unpack it and name the folder")
    return members[0]


def is_workbook(content: Path | bytes) -> bool:
    """Whether a zip archive is a spreadsheet (xlsx, xlsm, xlsb, ods)."""
    try:
        with zipfile.ZipFile(content if isinstance(content, Path) else io.BytesIO(content)) as archive:
            return any(member.startswith("xl/") or member == "content.xml" for member in archive.namelist())
    except _UNPACK_ERRORS:
        return False


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > MAX_IN_MEMORY:
            raise DataError(
                f"{name} holds more than {MAX_IN_MEMORY >> 30} GB once unpacked",
                hint="unpack it to plain UTF-8, gzip or zstd, which are read as a stream",
            )
        yield chunk
