"""A pass over all lines of a delimited text before it is parsed: what a parser would pass over or mend in silence.

Polars fills short lines, cuts long ones, and merges lines at a stray quote without a word. The survey counts cells line
by line, so that every such line has a number in the report.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.dialect import BLANKS, Dialect
from churnkit.orders.lines import Jumps, Origin

LONG_SHARE = 0.1
"""Above this share of lines with too many cells the delimiter or the header is wrong, and nothing can be trusted."""

_LINE = pl.col("line")
_ROW = "row"


@dataclass(frozen=True, slots=True)
class Survey:
    """What the lines of a text look like; rows are counted from the first line of data.

    Args:
        lines: How many lines of data there are, blank ones included.
        quoted: Whether there is a quote at all.
        torn: Whether a line holds an odd number of quotes, so that records and lines may not be the same.
        blank: Rows without any value.
        short: Rows with fewer cells than columns.
        long: Rows with more.
    """

    lines: int
    quoted: bool
    torn: bool
    blank: Sequence[int] = ()
    short: Sequence[int] = ()
    long: Sequence[int] = ()


def survey(content: Path | bytes, dialect: Dialect, name: str) -> Survey:
    """Count the cells of every line.

    Raises:
        DataError: A line holds a NUL, or the file is damaged.
        polars.exceptions.ComputeError: The text is not UTF-8.
    """
    lines = text_lines(content, dialect)
    width = len(dialect.columns)
    total, quoted, torn, nul, suspects = (
        lines.select(
            pl.len(),
            _LINE.str.contains('"', literal=True).any().alias("quoted"),
            (_LINE.str.count_matches('"', literal=True) % 2 == 1).any().alias("torn"),
            pl.col(_ROW).filter(_LINE.str.contains("\0", literal=True)).min().alias("nul"),
            _suspect(dialect.delimiter, width).any().alias("suspects"),
        )
        .collect()
        .row(0)
    )
    if nul is not None:
        raise nul_error(name, nul + dialect.before_data + 1)
    torn = torn and dialect.delimiter != BLANKS
    if torn or not suspects:
        return Survey(total, quoted, torn)
    return _sorted_out(Survey(total, quoted, torn), lines, dialect.delimiter, width)


def nul_error(name: str, line: int) -> DataError:
    """NUL bytes in what should be text."""
    return DataError(
        f"{name}:{line}: NUL bytes, as in no text",
        hint="name the encoding (--encoding) or the format (--input-format), or export the file again",
    )


def text_lines(content: Path | bytes, dialect: Dialect) -> pl.LazyFrame:
    """The lines of data as `line`, numbered from 0 as `row`."""
    lines = pl.scan_lines(content, glob=False).with_row_index(_ROW)
    return lines.filter(pl.col(_ROW) >= dialect.before_data).with_columns(pl.col(_ROW) - dialect.before_data)


def _cells(line: pl.Expr, delimiter: str) -> pl.Expr:
    """How many cells a line holds, quotes left aside."""
    if delimiter == BLANKS:
        return line.str.count_matches(r"[^ \t\r\x{feff}]+")
    return line.str.count_matches(delimiter, literal=True) + 1


def _blank(delimiter: str) -> pl.Expr:
    return _LINE.str.strip_chars(f'{delimiter}" \t\r\ufeff') == ""


def _suspect(delimiter: str, width: int) -> pl.Expr:
    return (_cells(_LINE, delimiter) != width) | _blank(delimiter)


def _sorted_out(plain: Survey, lines: pl.LazyFrame, delimiter: str, width: int) -> Survey:
    """Lines with another number of cells by what they are; empty cells at the end do not make a line long.

    Where a line holds quotes, the csv module has the last word.
    """
    bare = _LINE if delimiter == BLANKS else _LINE.str.replace_all('"[^"]*"', "")
    found = (
        lines.filter(_suspect(delimiter, width))
        .select(
            _ROW,
            "line",
            blank=_blank(delimiter),
            short=_cells(bare, delimiter) < width,
            long=_cells(bare.str.strip_chars_end(f"{delimiter}\r"), delimiter) > width,
        )
        .filter(pl.any_horizontal("blank", "short", "long"))
        .collect()
    )
    blank: list[int] = []
    short: list[int] = []
    long: list[int] = []
    for row, line, is_blank, is_short, is_long in found.iter_rows():
        if delimiter != BLANKS and '"' in line:
            cells = next(csv.reader([line], delimiter=delimiter))
            is_blank = not any(cell.strip() for cell in cells)
            is_short, is_long = len(cells) < width, any(cells[width:])
        if is_blank:
            blank.append(row)
            continue
        if is_short:
            short.append(row)
        if is_long:
            long.append(row)
    return Survey(plain.lines, plain.quoted, plain.torn, blank, short, long)


def scan(content: Path | bytes, dialect: Dialect, found: Survey) -> pl.LazyFrame:
    """The cells of the text, lazily, without its blank lines; what cannot be told apart is null."""
    frame = _scan_aligned(content, dialect) if dialect.delimiter == BLANKS else _scan_delimited(content, dialect)
    unclear = [*found.long, *found.short] if dialect.delimiter == BLANKS else found.long
    if found.quoted:
        frame = frame.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in dialect.columns)
    if not unclear and not found.blank:
        return frame
    frame = frame.with_row_index(_unused(dialect.columns))
    row = pl.col(_unused(dialect.columns))
    kept = frame.filter(~row.is_in(list(found.blank)))
    return kept.select(pl.when(~row.is_in(list(unclear))).then(pl.col(name)).alias(name) for name in dialect.columns)


def _unused(columns: Sequence[str]) -> str:
    """A column name that the user has not taken."""
    return "_".join(("row", *columns))


def _scan_delimited(content: Path | bytes, dialect: Dialect) -> pl.LazyFrame:
    return pl.scan_csv(
        content,
        has_header=False,
        separator=dialect.delimiter,
        skip_lines=dialect.before_data,
        schema=dict.fromkeys(dialect.columns, pl.String),
        extra_columns="ignore",
        missing_columns="insert",
        glob=False,
    )


def _scan_aligned(content: Path | bytes, dialect: Dialect) -> pl.LazyFrame:
    width = len(dialect.columns)
    cells = _LINE.str.strip_chars(" \t\r\ufeff").str.replace_all(r"[ \t]+", "\t").str.splitn("\t", width + 1)
    named = cells.struct.rename_fields([*dialect.columns, _unused(dialect.columns)])
    return text_lines(content, dialect).select(named.alias("cells")).unnest("cells").select(dialect.columns)


def agrees(frame: pl.LazyFrame, found: Survey) -> bool:
    """Whether Polars finds a record in every line; it stumbles over quotes that other readers take as they are."""
    try:
        counts = (
            frame.select(pl.all().count(), pl.len().alias(_unused(frame.collect_schema().names()))).collect().row(0)
        )
    except pl.exceptions.ComputeError:
        return False
    return bool(counts[-1] == found.lines - len(found.blank))


def jumps_over(blank: Sequence[int]) -> Jumps:
    """Where the line number jumps ahead of the row because blank lines are left out.

    Example:
        >>> jumps_over([2, 3, 9])
        ((2, 1), (2, 2), (7, 3))
    """
    return tuple((row - before, before + 1) for before, row in enumerate(blank))


def judge_ragged(
    origin: Origin, columns: int, long: Sequence[int], short: Sequence[int], aligned: bool = False
) -> tuple[str, ...]:
    """Sentences on lines with too many or too few cells; rows are counted as in the frame.

    A long line keeps its place but loses its values: an unquoted `1,234.50` must not become an amount of 1. So does
    every ragged line of a whitespace-aligned table.

    Raises:
        DataError: There are so many that the delimiter or the header must be wrong.
    """
    unclear, wrong = (sorted([*long, *short]), "another number of") if aligned else (long, "more")
    said = f"{len(unclear):,} of {origin.lines:,} lines have {wrong} cells than the {columns} columns"
    if len(unclear) > LONG_SHARE * origin.lines:
        raise DataError(
            f"{said}: {examples(origin, unclear)}",
            hint="is the delimiter right (--delimiter)? A cell that holds the delimiter must be in quotes",
        )
    notes = []
    if unclear:
        notes.append(
            f"{said} ({examples(origin, unclear)}); which is which cannot be told, so they count as empty lines"
        )
    if short and not aligned:
        notes.append(
            f"{len(short):,} of {origin.lines:,} lines have fewer cells than the {columns} columns "
            f"({examples(origin, short)}); the missing ones count as empty"
        )
    return tuple(notes)


def examples(origin: Origin, rows: Sequence[int], most: int = 3) -> str:
    """The places of the first few rows."""
    return ", ".join(origin.place(row) for row in rows[:most]) + (", ..." if len(rows) > most else "")
