"""Which column of an attribute table holds the customers of the orders, and which the day that a row counts from."""

from collections.abc import Callable
from typing import Final

import polars as pl

from churnkit.errors import MissingColumnError
from churnkit.orders.dates import date_shares
from churnkit.orders.ids import read_ids
from churnkit.orders.names import name_score, name_words

_MOSTLY: Final = 0.9
_LOOKED_AT: Final = 1_000
_FROM_WHEN: Final = (
    "valid from since effective asof answered answer response responded survey surveyed recorded changed updated "
    "modified measured month week snapshot stichtag gultig ab stand"
)
_OF_ACCOUNT: Final = "created creation joined opened"


def customer_column(cells: pl.DataFrame, known: pl.Series, table: str) -> str:
    """The column that speaks of customers by its name, among those with the most customers of the orders.

    Args:
        cells: The table.
        known: The customers of the orders.
        table: What to call the table in a message.

    Raises:
        MissingColumnError: No column is called like one, nor holds any of the customers.
    """
    matched = {name: _matched(cells[name], known) for name in cells.columns if _may_be_ids(cells[name])}
    most = max(matched.values(), default=0)
    named = [name for name in cells.columns if name_score("customer", name) > 0]
    if not most and named:
        return max(named, key=lambda name: name_score("customer", name))
    enough = [name for name, count in matched.items() if count and 2 * count >= most]
    if not enough:
        raise MissingColumnError(
            f"no column of {table} holds a customer of the orders",
            hint="ids are compared as text; name the column: --attributes-customer COLUMN",
        )
    return max(enough, key=lambda name: (name_score("customer", name), matched[name]))


def date_column(cells: pl.DataFrame, *, repeated: bool) -> str | None:
    """The column of dates that speaks of when something became known; any column of dates where customers repeat.

    A birthday or a day of signing up does not say since when the row holds; `None` where no column does.
    """
    dated = [name for name in cells.columns if _is_dated(cells[name])]
    named = [name for name in dated if _says_from_when(name)]
    if named:
        return max(named, key=_says_from_when)
    return dated[0] if repeated and len(dated) == 1 else None


def why_no_match(ids: pl.Series, known: pl.Series) -> str:
    """What would make ids match, where a simple change does: empty where none does."""
    ids = ids.drop_nulls().unique()
    changes: dict[str, Callable[[pl.Series], pl.Series]] = {
        "blanks or capitals": lambda text: text.str.strip_chars().str.to_lowercase(),
        "zeros in front": lambda text: text.str.strip_chars().str.strip_chars_start("0"),
        "a .0 at the end": lambda text: text.str.strip_chars().str.replace(r"\.0+$", ""),
    }
    for what, changed in changes.items():
        if changed(ids).is_in(changed(known).unique().implode()).any():
            return f"they would match but for {what}: write the ids of both files alike"
    return ""


def _matched(column: pl.Series, known: pl.Series) -> int:
    return int(read_ids(column, "customer")[0].drop_nulls().unique().is_in(known.implode()).sum())


def _may_be_ids(column: pl.Series) -> bool:
    return column.dtype in (pl.String, pl.Categorical) or column.dtype.is_numeric()


def _is_dated(column: pl.Series) -> bool:
    if column.dtype.is_temporal():
        return column.dtype not in (pl.Time, pl.Duration)
    return column.dtype == pl.String and date_shares(column.drop_nulls().head(_LOOKED_AT))[0] >= _MOSTLY


def _says_from_when(name: str) -> int:
    """Points for a name; 0 where it speaks of another day."""
    words = name_words(name)
    if words & frozenset(_OF_ACCOUNT.split()):
        return 0
    return max(name_score("date", name), 45 if words & frozenset(_FROM_WHEN.split()) else 0)
