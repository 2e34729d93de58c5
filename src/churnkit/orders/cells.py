"""Columns that say something of a customer or a line: as words, as numbers, and which of the two they hold."""

from typing import Final, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.errors import DataError
from churnkit.orders.dates import date_shares
from churnkit.orders.numbers import Numbers, parse_numbers

CellKind: TypeAlias = Literal["number", "category", "date", "other"]

READ_ALIKE: Final = 0.95  # share of the values of a text column that read as numbers, or as dates
_MISSING: Final = ("", "null", "nan", "n/a", "na", "<na>", "#n/a")
_LOOKED_AT = 1_000


def kind_of(cells: pl.Series, decimal: str | None = None) -> CellKind:
    """What a column holds, by its type and its values.

    Example:
        >>> [kind_of(pl.Series(values)) for values in (["1,5", "2"], ["a", "1"], ["2024-05-01"], [True], [[1]])]
        ['number', 'category', 'date', 'category', 'other']
    """
    if cells.dtype.is_temporal():
        return "date"
    if cells.dtype.is_nested() or cells.dtype in (pl.Binary, pl.Object):
        return "other"
    if cells.dtype in (pl.Boolean, pl.Null):
        return "category"
    words = words_of(cells)
    if not words.count():
        return "category"
    if unreadable(cells, decimal) <= (1 - READ_ALIKE) * words.count():
        return "number"
    return "date" if date_shares(words.head(_LOOKED_AT))[0] >= READ_ALIKE else "category"


def text_of(cells: pl.Series) -> pl.Series:
    """Values as text: whole numbers without a point, so that 1.0 of one format is 1 of another.

    Example:
        >>> text_of(pl.Series([1.0, 0.0, None])).to_list(), text_of(pl.Series([" Yes ", "No"])).to_list()
        (['1', '0', None], ['Yes', 'No'])
    """
    if cells.dtype.is_float():
        finite = cells.to_frame("v").select(pl.when(pl.col("v").is_finite()).then("v"))["v"].alias(cells.name)
        present = finite.drop_nulls()
        cells = finite.cast(pl.Int64) if (present == present.round()).all() and _fits(present) else finite
    return cells.cast(pl.String, strict=False).str.strip_chars()


def words_of(cells: pl.Series) -> pl.Series:
    """The values of a category as text, null where there is none."""
    text = text_of(cells).to_frame("value")
    present = ~pl.col("value").str.to_lowercase().is_in(_MISSING)
    return text.select(pl.when(present).then("value"))["value"].alias(cells.name)


def numbers_of(cells: pl.Series, decimal: str | None = None) -> NDArray[np.float64]:
    """A column as numbers, NaN where there is none."""
    values = parsed_numbers(cells, decimal).values.fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def parsed_numbers(cells: pl.Series, decimal: str | None = None) -> Numbers:
    """`parse_numbers`, whose errors name the column."""
    try:
        return parse_numbers(cells, decimal)
    except DataError as error:
        raise DataError(f"{cells.name}: {error}", hint=error.hint) from error


def unreadable(cells: pl.Series, decimal: str | None = None) -> int:
    """How many values are no numbers."""
    return int((parsed_numbers(cells, decimal).unreadable & words_of(cells).is_not_null()).sum())


def _fits(values: pl.Series) -> bool:
    return bool((values.abs() < 2.0**53).all())
