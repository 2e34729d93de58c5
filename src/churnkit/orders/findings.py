"""What must be said, or stops the work: several currencies, cancelled orders, amounts that are no numbers."""

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.amounts import Amounts
from churnkit.orders.columns import SIDE_COLUMNS
from churnkit.orders.dates import BAD_LINES, BAD_SHARE
from churnkit.orders.ids import MISSING_IDS
from churnkit.orders.lines import RawLines
from churnkit.orders.names import name_key

_UNPAID = r"(?i)cancel|fail|void|pending|declin|storn|annul|refund"


def refuse_mixed_currencies(cells: pl.DataFrame, name: str) -> None:
    """Amounts in several currencies are never added.

    Raises:
        DataError: A column of currencies holds more than one.
    """
    for column in _side_columns(cells, "currency"):
        text = cells[column].cast(pl.String).str.strip_chars().str.to_uppercase().drop_nulls().unique()
        present = sorted(set(text.to_list()) - {"", column.upper(), *(word.upper() for word in MISSING_IDS)})
        if len(present) > 1:
            raise DataError(
                f"{name} has amounts in {len(present)} currencies ({', '.join(present[:5])}), in {column}",
                hint="amounts in several currencies are never added: keep the lines of one, or convert them first",
            )


def status_notes(cells: pl.DataFrame) -> list[str]:
    """Orders that are marked as cancelled, failed or refunded: they are counted, and that is said."""
    notes = []
    for column in _side_columns(cells, "status"):
        text = cells[column].cast(pl.String)
        odd = text.filter(text.str.contains(_UNPAID))
        if odd.len():
            values = ", ".join(sorted(odd.unique().to_list())[:4])
            notes.append(f"{odd.len()} lines are marked {values} in {column}: they count unless you take them out")
    return notes


def refuse_unreadable_amounts(unreadable: pl.Series, amounts: Amounts, cells: pl.DataFrame, raw: RawLines) -> None:
    """A column in which many values are no numbers is not the amount.

    Args:
        unreadable: Rows whose only fault is their amount.
        amounts: The amounts.
        cells: The user's columns.
        raw: The lines, for their places.

    Raises:
        DataError: There are more than a few of them.
    """
    filled = int((amounts.values.is_not_null() | amounts.unreadable).sum())
    if amounts.found is None or unreadable.len() <= max(BAD_SHARE * filled, min(BAD_LINES, filled // 2)):
        return
    columns = list(amounts.found.columns)
    shown = [(" * ".join(map(repr, cells.select(columns).row(row))), raw.place(row)) for row in unreadable.head(3)]
    raise DataError(
        f"{unreadable.len()} of {filled} amounts in {amounts.found.column} are no numbers: "
        + ", ".join(f"{value} ({place})" for value, place in shown),
        hint="name another column with --amount, or the decimal sign with --decimal",
    )


def _side_columns(cells: pl.DataFrame, kind: str) -> list[str]:
    return [name for name in cells.columns if name_key(name) in SIDE_COLUMNS[kind]]
