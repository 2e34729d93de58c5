"""What is known of customers as a matrix: numbers as they are, categories one column a value.

A column is judged without its label: by its type and its values. Columns are taken in the order of their names, so
that the order in the file changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.errors import DataError, MissingColumnError, ModelFileError
from churnkit.orders.cells import kind_of, numbers_of, parsed_numbers, unreadable, words_of
from churnkit.orders.names import name_words
from churnkit.predict.manifest import field_of, number_of, texts_of

FloatArray: TypeAlias = NDArray[np.float64]

_LEAST_ROWS, _LEAST_SHARE, _MOST_LEVELS = 5, 0.01, 40  # of a value that is told apart
_COVERED = 0.5  # share of the rows that hold such a value; with less the column is a list of names
_LONGEST = 60  # letters of a value that is told
_A_DATE: Final = "a date: give it as days or months up to when the table was taken"
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

    def statement(self, value: str | float | None) -> str:
        """What the column says of a customer, beside what is usual.

        Example:
            >>> TableColumn("tenure", "number", usual=29.0).statement(2.0)
            'tenure 2 (usual is 29)'
            >>> TableColumn("plan", "category", ("a", "b")).statement("a")
            'plan is a'
        """
        if value is None:
            return f"{self.name} is missing"
        if isinstance(value, str):
            return f"{self.name} is {value if len(value) <= _LONGEST else f'{value[:_LONGEST]}…'}"
        return f"{self.name} {plain(value)} (usual is {plain(self.usual)})"

    def to_manifest(self) -> dict[str, Any]:
        """The column as a model file keeps it."""
        return {"name": self.name, "kind": self.kind, "levels": list(self.levels), "usual": self.usual}

    @classmethod
    def from_manifest(cls, each: object) -> Self:
        """The column of `to_manifest`, checked.

        Raises:
            ModelFileError: It is none.
        """
        if not isinstance(each, Mapping):
            raise ModelFileError("a column of the model is of the wrong kind")
        kind, levels = field_of(each, "kind", str), texts_of(each, "levels")
        if kind not in ("number", "category") or (kind == "number") != (not levels):
            raise ModelFileError("a column of the model is of an unknown kind, or has the levels of another")
        if len(set(levels)) < len(levels):
            raise ModelFileError("a level of a column of the model is there twice")
        usual = number_of(each, "usual")
        return cls(field_of(each, "name", str), kind, levels, float(np.float64(usual)))  # type: ignore[arg-type]


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


def typed_column(cells: pl.Series) -> TableColumn | str:
    """The column whose kind is plain from its type, or why it is left out.

    Example:
        >>> typed_column(pl.Series("country", ["DE"] * 20)), typed_column(pl.Series("visits", [1, 1, 3])).usual
        ('the same everywhere', 1.0)
    """
    values = cells.drop_nulls()
    if values.is_empty() or (values.n_unique() == 1 and not cells.null_count()):
        return "empty" if values.is_empty() else "the same everywhere"
    if cells.dtype == pl.String:
        return _as_category(cells, values.n_unique())
    ordered = np.sort(values.cast(pl.Float64).to_numpy())
    if _is_numbering(cells.name, ordered):
        return "numbers its rows"
    return TableColumn(cells.name, "number", usual=float(np.median(ordered)))


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


def plain(value: float) -> str:
    """A number as a person writes it.

    Example:
        >>> [plain(value) for value in (2.0, 1397.5, 53.85, 0.0042, -12.5)]
        ['2', '1,397.5', '53.85', '0.0042', '-12.5']
    """
    if value and abs(value) < 0.1:
        return f"{value:.3g}"
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def _judged(cells: pl.Series, decimal: str | None) -> tuple[TableColumn | str, list[str]]:
    """The column, or why it is left out; and what was noticed."""
    if cells.dtype.is_temporal():
        return _A_DATE, []
    if cells.dtype.is_nested() or cells.dtype in (pl.Binary, pl.Object):
        return "neither a number nor a text", []
    words = words_of(cells)
    different = words.drop_nulls().n_unique()
    if not different or (different == 1 and not words.null_count()):
        return ("empty" if not different else "the same everywhere"), []
    kind = kind_of(cells, decimal) if different > 2 else "category"
    if kind == "number":
        return _as_numbers(cells, decimal)
    return (_A_DATE if kind == "date" else _as_category(words, different)), []


def _as_numbers(cells: pl.Series, decimal: str | None) -> tuple[TableColumn | str, list[str]]:
    values = numbers_of(cells, decimal)
    present = np.sort(values[~np.isnan(values)])
    if _is_numbering(cells.name, present):
        return "numbers its rows", []
    note = parsed_numbers(cells, decimal).note
    notes = [f"{cells.name}: {note}"] if note else []
    if not cells.dtype.is_numeric() and (gaps := len(values) - len(present)):
        bad = unreadable(cells, decimal)
        what = f" ({bad:,} of them something else)" if bad else ""
        notes.append(f"{cells.name}: {_rows(gaps)} no number{what}: taken as missing")
    return TableColumn(cells.name, "number", usual=float(np.median(present))), notes


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
        bad = int((words_of(cells).is_not_null() & pl.Series(np.isnan(values))).sum())
        note = f"{column.name}: {_rows(bad)} no number: taken as missing" if bad else ""
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
