"""Delimited text whose quotes Polars cannot be trusted with: cells with line ends of their own, quotes inside cells.

Records are read one by one with the csv module, in strict mode: what it refuses is refused, with its place.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.dialect import Dialect
from churnkit.orders.lines import Origin, RawLines
from churnkit.orders.survey import judge_ragged
from churnkit.orders.unpack import opened

_BATCH = 50_000
_REASONS = (
    ("unexpected end of data", "a quoted cell begins here and is never closed"),
    ("field larger than field limit", "a cell of more than 131,072 characters: its quote is never closed, it seems"),
    ("expected after", "a quoted cell goes on after its closing quote; a quote inside must be doubled"),
    ("new-line character", "a bare carriage return stands outside quotes"),
)


@dataclass(slots=True)
class _Found:
    """What the records read so far were like; rows are counted without blank ones."""

    rows: int = 0
    long: list[int] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    jumps: list[tuple[int, int]] = field(default_factory=list)


def read_quoted(name: str, content: Path | bytes, packing: str | None, dialect: Dialect) -> RawLines:
    """Read a UTF-8 text record by record, into memory.

    Raises:
        DataError: A quote is never closed, or the text goes on after one; the message names the line.
    """
    found = _Found()
    width = len(dialect.columns)
    schema = dict.fromkeys(dialect.columns, pl.String)
    frames = [pl.DataFrame(schema=schema)]
    with (
        opened(content, packing, name) as stream,
        io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n") as text,
    ):
        records = _records(text, name, dialect, found, width)
        while batch := list(islice(records, _BATCH)):
            cells = zip(*batch, strict=True)
            frames.append(pl.DataFrame(dict(zip(dialect.columns, cells, strict=True)), schema=schema))
    frame = pl.concat(frames).with_columns(pl.when(pl.col(column) != "").then(pl.col(column)) for column in schema)
    origin = Origin(name, found.rows, dialect.before_data + 1, jumps=tuple(found.jumps))
    notes = judge_ragged(origin, width, found.long, found.short)
    return RawLines(frame.lazy(), (origin,), dialect.header, notes=(*dialect.notes, *notes))


def _records(
    text: io.TextIOWrapper, name: str, dialect: Dialect, found: _Found, width: int
) -> Iterator[list[str | None]]:
    """Records of the right width; on the way `found` is told what they were like."""
    for _ in range(dialect.skip):
        text.readline()
    reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
    first = dialect.before_data + 1
    start, header = dialect.skip + 1, dialect.header
    shift = 0
    try:
        for cells in reader:
            if header:
                header = False
            elif any(cell.strip() for cell in cells):
                if start - first - found.rows != shift:
                    shift = start - first - found.rows
                    found.jumps.append((found.rows, shift))
                yield _fitted(cells, width, found)
                found.rows += 1
            start = dialect.skip + reader.line_num + 1
    except csv.Error as error:
        said = next((reason for words, reason in _REASONS if words in str(error)), str(error))
        raise DataError(f"{name}:{start}: {said}", hint="mend that line, or export the file again") from error


def _fitted(cells: list[str], width: int, found: _Found) -> list[str | None]:
    if any(cells[width:]):
        found.long.append(found.rows)
        return [None] * width
    if len(cells) < width:
        found.short.append(found.rows)
    return [*cells[:width], *[None] * (width - len(cells))]
