"""What is known of the customers as a matrix: numbers as they are, categories one column a value.

A column is judged without its label: by its type and its values. Columns are taken in the order of their names, so
that the order in the file changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.errors import DataError, MissingColumnError
from churnkit.orders.dates import date_shares
from churnkit.orders.names import name_words
from churnkit.orders.numbers import Numbers, parse_numbers
from churnkit.predict.labelled.labels import text_of

FloatArray: TypeAlias = NDArray[np.float64]

_MISSING: Final = ("", "null", "nan", "n/a", "na", "<na>", "#n/a")
_READ_AS_NUMBERS = 0.95  # share of the values of a text column
_LEAST_ROWS, _LEAST_SHARE, _MOST_LEVELS = 5, 0.01, 40  # of a value that is told apart
_COVERED = 0.5  # share of the rows that hold such a value; with less the column is a list of names
_ID_WORDS = "id number no nr key code zip postcode phone rownumber index"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column that the model reads.

    Attributes:
        name: As in the file.
        kind: `number` or `category`.
        levels: The values of a category that are told apart, none of which stands for few customers.
        usual: The median of a number over the training rows; 0 for a category.
    """

    name: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()
    usual: float = 0.0

    @property
    def width(self) -> int:
        """Columns of the matrix: of two levels one is enough."""
        return 1 if self.kind == "number" or len(self.levels) == 2 else len(self.levels)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns that the model reads, and why the others are left out."""

    columns: tuple[TableColumn, ...]
    notes: tuple[str, ...]


def choose_columns(cells: pl.DataFrame, decimal: str | None = None) -> Chosen:
    """Judge every column of a table.

    Raises:
        DataError: None is left.

    Example:
        >>> table = pl.DataFrame({"plan": ["a", "b"] * 10, "months": range(0, 40, 2), "country": ["DE"] * 20})
        >>> chosen = choose_columns(table)
        >>> [(column.name, column.kind) for column in chosen.columns], chosen.notes
        ([('months', 'number'), ('plan', 'category')], ('left out: country (the same everywhere)',))
    """
    columns, left_out, notes = [], [], []
    for name in sorted(cells.columns):
        column, said = _judged(cells[name], decimal)
        if isinstance(column, str):
            left_out.append(f"{name} ({column})")
        else:
            columns.append(column)
        notes += said
    if left_out:
        notes.append(f"left out: {', '.join(left_out)}")
    if not columns:
        raise DataError(
            "no column is left to tell customers apart by" + (f": {notes[-1]}" if left_out else ""),
            hint="give a table with numbers or categories beside the label",
        )
    return Chosen(tuple(columns), tuple(notes))


def matrix_of(
    cells: pl.DataFrame, columns: Sequence[TableColumn], decimal: str | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """A table as the model reads it: NaN where a value is missing, rare or unknown; and what was noticed.

    Raises:
        MissingColumnError: The table lacks a column.
    """
    missing = [column.name for column in columns if column.name not in cells.columns]
    if missing:
        raise MissingColumnError(
            f"the table lacks {_listed(missing)}, which the model was trained with",
            hint=f"add the column, empty where nothing is known, or train without it: --ignore {missing[0]}",
        )
    parts, notes = [], []
    for column in columns:
        part, note = _encoded(cells[column.name], column, decimal)
        parts.append(part)
        notes += [note] if note else []
    return np.asfortranarray(np.column_stack(parts)), tuple(notes)


def groups_of(columns: Sequence[TableColumn]) -> NDArray[np.int64]:
    """The column of the table of each column of the matrix."""
    return np.repeat(np.arange(len(columns)), [column.width for column in columns])


def numbers_among(columns: Sequence[TableColumn]) -> list[int]:
    """Where the numbers stand in the matrix: the columns that the regression bends."""
    is_number = np.array([column.kind == "number" for column in columns])
    return [int(place) for place in np.flatnonzero(is_number[groups_of(columns)])]


def words_of(cells: pl.Series) -> pl.Series:
    """The values of a category as text, null where there is none."""
    text = text_of(cells).to_frame("value")
    present = ~pl.col("value").str.to_lowercase().is_in(_MISSING)
    return text.select(pl.when(present).then("value"))["value"].alias(cells.name)


def numbers_of(cells: pl.Series, decimal: str | None = None) -> FloatArray:
    """A column as numbers, NaN where there is none."""
    values = _parsed(cells, decimal).values.fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def _judged(cells: pl.Series, decimal: str | None) -> tuple[TableColumn | str, list[str]]:
    """The column, or why it is left out; and what was noticed."""
    if cells.dtype.is_temporal():
        return "a date: give it as days or months up to when the table was taken", []
    if cells.dtype.is_nested() or cells.dtype in (pl.Binary, pl.Object):
        return "neither a number nor a text", []
    words = words_of(cells)
    different = words.drop_nulls().n_unique()
    if not different or (different == 1 and not words.null_count()):
        return ("empty" if not different else "the same everywhere"), []
    if different > 2 and cells.dtype != pl.Boolean:
        as_numbers = _as_numbers(words if not cells.dtype.is_numeric() else cells, words, decimal)
        if as_numbers is not None:
            return as_numbers
        if date_shares(words.head(1_000))[0] >= _READ_AS_NUMBERS:
            return "a date: give it as days or months up to when the table was taken", []
    return _as_category(words, different), []


def _as_numbers(cells: pl.Series, words: pl.Series, decimal: str | None) -> tuple[TableColumn | str, list[str]] | None:
    parsed = _parsed(cells, decimal)
    unreadable = int((parsed.unreadable & words.is_not_null()).sum())
    if unreadable > (1 - _READ_AS_NUMBERS) * words.count():
        return None
    values = numbers_of(cells, decimal)
    present = np.sort(values[~np.isnan(values)])
    if _is_numbering(cells.name, present):
        return "numbers its rows", []
    notes = [f"{cells.name}: {parsed.note}"] if parsed.note else []
    if not cells.dtype.is_numeric() and (gaps := len(values) - len(present)):
        what = f" ({unreadable:,} of them something else)" if unreadable else ""
        notes.append(f"{cells.name}: {_rows(gaps)} no number{what}: taken as missing")
    return TableColumn(cells.name, "number", usual=float(np.median(present))), notes


def _parsed(cells: pl.Series, decimal: str | None) -> Numbers:
    try:
        return parse_numbers(cells, decimal)
    except DataError as error:
        raise DataError(f"{cells.name}: {error}", hint=error.hint) from error


def _is_numbering(name: str, ordered: FloatArray) -> bool:
    """Whole numbers, each once, that run without a gap or are called an id."""
    if len(ordered) < 2 or not (ordered == np.round(ordered)).all() or not (np.diff(ordered) > 0).all():
        return False
    return bool(ordered[-1] - ordered[0] == len(ordered) - 1) or bool(name_words(name) & set(_ID_WORDS.split()))


def _as_category(words: pl.Series, different: int) -> TableColumn | str:
    least = max(_LEAST_ROWS, _LEAST_SHARE * words.len())
    counts = words.drop_nulls().alias("value").value_counts(name="rows").filter(pl.col("rows") >= least)
    counts = counts.sort("rows", "value", descending=[True, False]).head(_MOST_LEVELS)
    if counts["rows"].sum() < _COVERED * words.count():
        return f"{different:,} different texts"
    levels = tuple(sorted(counts["value"].to_list()))
    if len(levels) == 1 and counts["rows"].sum() == words.len():
        return "the same everywhere"
    return TableColumn(words.name, "category", levels)


def _encoded(cells: pl.Series, column: TableColumn, decimal: str | None) -> tuple[FloatArray, str]:
    if column.kind == "number":
        values = numbers_of(cells, decimal)
        unreadable = int((words_of(cells).is_not_null() & pl.Series(np.isnan(values))).sum())
        note = f"{column.name}: {_rows(unreadable)} no number: taken as missing" if unreadable else ""
        return values[:, None], note
    words = words_of(cells)
    unknown = words.filter(words.is_not_null() & ~words.is_in(column.levels))
    shown = column.levels[1:] if len(column.levels) == 2 else column.levels
    values = np.column_stack([(words == level).cast(pl.Float64).to_numpy() for level in shown])
    known = words.is_in(column.levels).fill_null(value=False).to_numpy()
    note = ""
    if unknown.len():
        note = (
            f"{column.name}: {_rows(unknown.len())} a value that the training had seldom or never "
            f"({_listed(sorted(set(unknown.to_list())))}): taken as missing"
        )
    return np.where(known[:, None], values, np.nan), note


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(str(name)[:40] for name in names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def _rows(count: int) -> str:
    return "1 row holds" if count == 1 else f"{count:,} rows hold"
