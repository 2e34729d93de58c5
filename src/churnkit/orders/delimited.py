"""Delimited text (CSV and its kin, whitespace-aligned tables) in any encoding, to columns of text."""

import codecs
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.dialect import BLANKS, Dialect, dialect_of
from churnkit.orders.lines import READ_ERRORS, Origin, RawLines, read_error
from churnkit.orders.quoted import read_quoted
from churnkit.orders.sniff import HEAD_BYTES, encoding_of
from churnkit.orders.survey import agrees, judge_ragged, jumps_over, nul_error, scan, survey
from churnkit.orders.unpack import POLARS_UNPACKS, bytes_of, head_of, line_not_utf8, recoded, says_not_utf8

_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class TextOptions:
    """What the user said of the text; None is to be found out."""

    delimiter: str | None = None
    encoding: str | None = None
    header: bool | None = None


class _NotUtf8Error(Exception):
    """Bytes that are not UTF-8 turned up."""


def read_delimited(name: str, content: Path | bytes, packing: str | None, options: TextOptions) -> RawLines:
    """The rows of a delimited text, all columns String, empty cells null.

    UTF-8 text is scanned from the file, also through gzip and zstd; any other encoding is recoded in memory.

    Raises:
        DataError: The text is damaged, not in the stated encoding, or its lines do not fit its header.
    """
    head = head_of(content, packing, name)
    encoding = options.encoding or encoding_of(head)
    if encoding not in _UTF8:
        said = () if options.encoding else (f"the encoding is {encoding} (--encoding)",)
        return _read_utf8(name, recoded(content, packing, encoding, name), None, options, said)
    if b"\r" in head and b"\n" not in head:
        content, packing = bytes_of(content, packing, name).replace(b"\r", b"\n"), None
    elif packing not in POLARS_UNPACKS:
        content, packing = bytes_of(content, packing, name), None
    try:
        return _read_utf8(name, content, packing, options)
    except _NotUtf8Error as error:
        whole = bytes_of(content, packing, name)
        line = line_not_utf8(whole)
        if options.encoding:
            raise DataError(f"{name}:{line} is not UTF-8", hint="name another encoding (--encoding)") from error
    text, encoding = _from_legacy(whole)
    said = (f"line {line} is not UTF-8, so the text was read as {encoding} (--encoding)",)
    return _read_utf8(name, text, None, options, said)


def _from_legacy(whole: bytes) -> tuple[bytes, str]:
    """Text of a single-byte encoding, in UTF-8: cp1252, or Latin-1 where there are bytes that cp1252 leaves open."""
    try:
        return whole.decode("cp1252").encode("utf-8"), "cp1252"
    except UnicodeDecodeError:
        return whole.decode("iso8859-1").encode("utf-8"), "iso8859-1"


def _read_utf8(
    name: str, content: Path | bytes, packing: str | None, options: TextOptions, notes: tuple[str, ...] = ()
) -> RawLines:
    dialect = dialect_of(_first_lines(name, content, packing), options.delimiter, options.header)
    if not dialect.columns:
        return RawLines(pl.LazyFrame(), (Origin(name, 0),), notes=notes)
    try:
        lines = _read(name, content, packing, dialect)
    except READ_ERRORS as error:
        if isinstance(error, DataError):
            raise
        if says_not_utf8(error):
            raise _NotUtf8Error from error
        raise read_error(error, name) from error
    return RawLines(lines.frame, lines.origins, lines.header, notes=(*notes, *lines.notes))


def _first_lines(name: str, content: Path | bytes, packing: str | None) -> str:
    head = head_of(content, packing, name)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError as error:
        raise _NotUtf8Error from error
    if "\0" in text:
        raise nul_error(name, text.count("\n", 0, text.index("\0")) + 1)
    return text[: text.rfind("\n") + 1] or text if len(head) >= HEAD_BYTES else text


def _read(name: str, content: Path | bytes, packing: str | None, dialect: Dialect) -> RawLines:
    found = survey(content, dialect, name)
    frame = scan(content, dialect, found)
    if found.torn or dialect.header_lines > 1 or (found.quoted and not agrees(frame, found)):
        return read_quoted(name, content, packing, dialect)
    lines = found.lines - len(found.blank)
    origin = Origin(name, lines, dialect.before_data + 1, jumps=jumps_over(found.blank))
    long, short = ([row - bisect_left(found.blank, row) for row in rows] for rows in (found.long, found.short))
    notes = judge_ragged(origin, len(dialect.columns), long, short, aligned=dialect.delimiter == BLANKS)
    return RawLines(frame, (origin,), dialect.header, notes=(*dialect.notes, *notes))
