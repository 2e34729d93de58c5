"""Reading: from what the user typed to raw lines, whatever the format. Content decides what a file is."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from churnkit.errors import ChurnkitError, DataError, InputNotFoundError, ReadWriteError, UsageError
from churnkit.orders.databases import read_duckdb, read_sqlite
from churnkit.orders.delimited import TextOptions, read_delimited
from churnkit.orders.dialect import delimiter_named
from churnkit.orders.excel import read_excel
from churnkit.orders.lines import READ_ERRORS, Origin, RawLines, first_words, read_error
from churnkit.orders.sniff import disagreement, encoding_named, format_named, format_of, format_promised, packing_of
from churnkit.orders.sources import Database, Remote, Source, find_sources
from churnkit.orders.typed import read_ipc, read_json, read_ndjson, read_parquet
from churnkit.orders.unpack import bytes_of, head_of, is_workbook

_MAX_RETRIES = 2
"""Polars retries an unreachable store for seconds; it wants this as an integer."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the user said; None is to be found out."""

    format: str | None
    text: TextOptions
    table: str | None
    query: str | None


def read_orders(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    input_format: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    table: str | None = None,
    query: str | None = None,
    stdin: BinaryIO | None = None,
) -> RawLines:
    r"""Read order lines from files, globs, folders, databases, object stores or standard input.

    Nothing is parsed yet: text stays text, so that ids keep their zeros and bad cells can be counted. Several inputs
    must have the columns of the widest of them, in any order; what one lacks is null there, and said.

    Args:
        sources: One or many of: a file, a glob, a folder (at any depth; `key=value` folders become columns), `-`, a URI
            (`s3://`, `gs://`, `az://`, `https://`), `sqlite:///shop.db`, `duckdb:///shop.duckdb`.
        input_format: One of `csv parquet ndjson json ipc xlsx xls sqlite duckdb`, against what the content shows.
        delimiter: Of delimited text: one character, `tab`, or `space` for whitespace-aligned columns.
        encoding: Of text, such as `cp1252`.
        header: Whether the first line of text holds names; found out without.
        table: Table of a database, or sheet of a workbook.
        query: One SELECT statement for a database.
        stdin: The binary stream behind `-`.

    Returns:
        The lines, lazily, with their places and what was assumed.

    Raises:
        InputNotFoundError: Nothing is there.
        DataError: What is there is damaged, empty, or cannot be told apart.
        ExtraMissingError: The format needs an extra that is not installed.
        UsageError: An argument makes no sense.
        ReadWriteError: Reading failed half-way.

    Example:
        >>> import io
        >>> lines = read_orders("-", stdin=io.BytesIO(b"kunde;betrag\n007;9,50\n"))
        >>> lines.collect().rows(), lines.place(0), lines.notes
        ([('007', '9,50')], 'stdin:2', ("the delimiter is ';' (--delimiter)",))
    """
    wanted = _Wanted(
        format_named(input_format) if input_format else None,
        TextOptions(
            delimiter_named(delimiter) if delimiter else None, encoding_named(encoding) if encoding else None, header
        ),
        table,
        query,
    )
    named = [sources] if isinstance(sources, str | os.PathLike) else sources
    return _together([_read_one(source, wanted) for source in find_sources(named, stdin)])


def _read_one(source: Source | Database | Remote, wanted: _Wanted) -> RawLines:
    if isinstance(source, Database):
        read = read_sqlite if source.kind == "sqlite" else read_duckdb
        return read(source.name, source.path, wanted.table, wanted.query)
    if isinstance(source, Remote):
        return _read_remote(source, wanted)
    lines = _read_content(source.name, source.content, wanted)
    if not source.partitions:
        return lines
    columns = lines.frame.collect_schema().names()
    stated = [pl.lit(value, pl.String).alias(key) for key, value in source.partitions if key not in columns]
    return replace(lines, frame=lines.frame.with_columns(stated))


def _read_content(name: str, content: Path | bytes, wanted: _Wanted) -> RawLines:
    head = head_of(content, None, name)
    packing = packing_of(head)
    if packing == "zip" and is_workbook(content):
        packing, found = None, "xlsx"
    else:
        found = wanted.format or format_of(head_of(content, packing, name) if packing else head, name)
    said = disagreement(name, found, packing) if wanted.format is None and isinstance(content, Path) else None
    lines = _read_format(name, content, packing, wanted.format or found, wanted)
    return replace(lines, notes=(said, *lines.notes)) if said else lines


def _read_format(name: str, content: Path | bytes, packing: str | None, found: str, wanted: _Wanted) -> RawLines:
    if found in ("sqlite", "duckdb"):
        if packing or isinstance(content, bytes):
            raise DataError(f"{name} is a database, which must be a plain file", hint="write it to a file first")
        return (read_sqlite if found == "sqlite" else read_duckdb)(name, content, wanted.table, wanted.query)
    if wanted.query is not None or (wanted.table is not None and found not in ("xlsx", "xls")):
        raise UsageError(f"{name} is no database ({found})", hint="--query is for databases, --table for workbooks too")
    if found in ("xlsx", "xls"):
        return read_excel(
            name, bytes_of(content, packing, name) if packing else content, wanted.table, wanted.text.header
        )
    if found == "csv":
        return read_delimited(name, content, packing, wanted.text)
    typed = {"parquet": read_parquet, "ipc": read_ipc, "ndjson": read_ndjson, "json": read_json}
    return typed[found](name, content, packing)


def _read_remote(source: Remote, wanted: _Wanted) -> RawLines:
    """A file in a store: Parquet and IPC are scanned there; text is fetched whole and read like a stream."""
    options = {"max_retries": _MAX_RETRIES}
    found = wanted.format or format_promised(source.name) or "csv"
    try:
        if found not in ("parquet", "ipc"):
            text = pl.scan_lines(source.uri, storage_options=options).collect()["line"]
            return _read_content(source.name, "".join(f"{line}\n" for line in text).encode("utf-8"), wanted)
        scan = pl.scan_parquet if found == "parquet" else pl.scan_ipc
        frame = scan(source.uri, storage_options=options)
        lines = frame.select(pl.len()).collect().item()
    except READ_ERRORS as error:
        if isinstance(error, DataError):
            raise
        raise _remote_error(error, source.name) from error
    return RawLines(frame, (Origin(source.name, lines, unit="row"),), text=False)


def _remote_error(error: BaseException, name: str) -> ChurnkitError:
    said = first_words(str(error))
    if isinstance(error, FileNotFoundError) or "not found" in said.lower():
        return InputNotFoundError(f"no such input: {name}")
    if isinstance(error, OSError) or "object-store" in said or "sending request" in said:
        return ReadWriteError(f"{name} cannot be reached: {said}", hint="are the address and the credentials right?")
    return read_error(error, name)


def _together(parts: Sequence[RawLines]) -> RawLines:
    """Several inputs as one.

    Raises:
        DataError: There is no row, or the columns do not fit.
    """
    filled = [part for part in parts if part.lines]
    if not filled:
        raise _no_rows(parts)
    empty = [part.name for part in parts if not part.lines]
    notes = [f"{len(empty)} of {len(parts)} inputs hold no rows: {_some(empty)}"] if empty else []
    if len(filled) == 1:
        return replace(filled[0], notes=(*notes, *filled[0].notes))
    for part in filled[1:]:
        if (part.header, part.text) != (filled[0].header, filled[0].text):
            what = "a header" if part.text == filled[0].text else "the format"
            raise DataError(f"{part.name} and {filled[0].name} differ in {what}", hint="read them in separate runs")
    columns = {part.name: part.frame.collect_schema() for part in filled}
    order = max((list(found) for found in columns.values()), key=lambda names: len(names))
    notes += _missing(columns, order)
    frames = [part.frame.select(_filled(columns[part.name], order)) for part in filled]
    try:
        frame = pl.concat(frames, how="vertical_relaxed")
        frame.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"the columns of {filled[0].name} and the other inputs have different types: {error}"
        ) from error
    origins = tuple(origin for part in filled for origin in part.origins)
    return RawLines(frame, origins, filled[0].header, filled[0].text, (*notes, *_shared_notes(filled)))


def _filled(columns: Mapping[str, pl.DataType], order: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(column) if column in columns else pl.lit(None).alias(column) for column in order]


def _missing(columns: Mapping[str, Mapping[str, pl.DataType]], order: Sequence[str]) -> list[str]:
    """Sentences on columns that not all inputs have."""
    widest = next(name for name, found in columns.items() if len(found) == len(order))
    lacking: dict[str, list[str]] = {}
    for name, found in columns.items():
        if unknown := [column for column in found if column not in order]:
            lacks = [column for column in order if column not in found]
            raise DataError(
                f"{name} has a column {unknown[0]!r}, which {widest} has not",
                hint=f"rename the columns alike: {name} lacks {_some([repr(column) for column in lacks])}",
            )
        for column in order:
            if column not in found:
                lacking.setdefault(column, []).append(name)
    return [
        f"the column {column!r} is empty for the lines of {_some(names)}, which lack it"
        for column, names in lacking.items()
    ]


def _shared_notes(parts: Sequence[RawLines]) -> list[str]:
    """Notes of several inputs, each said once, with the inputs it holds for."""
    held: dict[str, list[str]] = {}
    for part in parts:
        for note in part.notes:
            held.setdefault(note, []).append(part.name)
    return [note if len(names) == len(parts) else f"{_some(names)}: {note}" for note, names in held.items()]


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _no_rows(parts: Sequence[RawLines]) -> DataError:
    if len(parts) > 1:
        return DataError(f"none of the {len(parts)} inputs holds any rows", hint="an export of no orders?")
    columns = parts[0].frame.collect_schema().names()
    what = (
        f"holds names of columns and no rows ({_some([repr(column) for column in columns])})"
        if columns
        else "is empty: no rows"
    )
    return DataError(f"{parts[0].name} {what}", hint="was the export cut short?")
