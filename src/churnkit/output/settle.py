"""Values settled once, so that all formats agree cell for cell.

Money is rounded to hundredths, probabilities to six digits; there is no NaN, no infinity and no minus zero.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl

from churnkit.terms import Kind, Term

DIGITS: Mapping[Kind, int] = {"money": 2, "probability": 6, "share": 6, "number": 6, "figure": 6}
_WHOLE: frozenset[Kind] = frozenset({"integer", "days"})


def settle(frame: pl.DataFrame, terms: Sequence[Term]) -> pl.DataFrame:
    """The columns of `terms`, in their order, with the dtype and digits of their kind.

    Args:
        frame: Rows; a column without a term is left out.
        terms: The columns to keep. One that the frame lacks is a bug of the caller.

    Returns:
        A frame of String, Int64, Float64, Date, Boolean and List(String) columns only.

    Example:
        >>> settle(pl.DataFrame({"p": [0.12345678], "n": [3]}), [Term("p", "probability", "A chance.")]).row(0)
        (0.123457,)
    """
    return frame.select(_settled(pl.col(term.name), term.kind, frame.schema[term.name]) for term in terms)


def _settled(column: pl.Expr, kind: Kind, dtype: pl.DataType) -> pl.Expr:
    if kind in DIGITS:
        number = column.cast(pl.Float64)
        rounded = pl.when(number.is_finite()).then(number).round(DIGITS[kind])
        return pl.when(rounded == 0).then(0.0).otherwise(rounded).alias(column.meta.output_name())  # 0.0 for -0.0
    if kind in _WHOLE:
        return column.cast(pl.Int64)
    if kind == "date":
        return column if dtype == pl.String else column.cast(pl.Date)
    if kind == "boolean":
        return column.cast(pl.Boolean)
    if kind == "list":
        return column.cast(pl.List(pl.String))
    return column.cast(pl.String)


def plain(value: object, kind: Kind = "text") -> object:
    """One value of a head or a summary as JSON holds it: settled, dates as ISO 8601.

    Example:
        >>> plain(date(2011, 12, 10)), plain(0.1 + 0.2, "money"), plain({"a": float("nan")})
        ('2011-12-10', 0.3, {'a': None})
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, DIGITS.get(kind, 6)) + 0.0 if math.isfinite(value) else None
    if isinstance(value, int):
        return value
    item = getattr(value, "item", None)  # a NumPy scalar
    return plain(item(), kind) if callable(item) else str(value)
