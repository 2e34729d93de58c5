"""The customer table: one row a customer, whose id, label and amount are found and taken apart from what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from churnkit.errors import DataError, UsageError
from churnkit.orders.columns import column_names, resolve
from churnkit.orders.dates import date_shares
from churnkit.orders.ids import read_ids
from churnkit.orders.lines import RawLines
from churnkit.orders.names import name_score
from churnkit.orders.numbers import parse_numbers, to_hundredths
from churnkit.predict.labelled.labels import Labels, read_labels

_CUSTOMER_NAMED: Final = 80
_MOSTLY = 0.9
_ORDERS_PER_CUSTOMER = 1.5  # a table with more rows per customer holds orders


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """A table with one row a customer.

    Attributes:
        customer_ids: String, never null; `row 17` where there is no id.
        id_column: The column of the ids; None where there is none.
        cells: What else is known, as it is in the file.
        labels: Who churned; None where no label was named.
        amount_cents: Int64, what is at stake with each customer; None where no amount was named.
        notes: What was assumed, as sentences.
    """

    customer_ids: pl.Series
    id_column: str | None
    cells: pl.DataFrame
    labels: Labels | None
    amount_cents: pl.Series | None
    notes: tuple[str, ...]


def customer_table(
    lines: Any,
    *,
    label: str | None = None,
    churned_value: str | None = None,
    customer: str | None = None,
    amount: str | None = None,
    ignore: Sequence[str] = (),
    decimal: str | None = None,
) -> CustomerTable:
    """Take a table of customers apart.

    Args:
        lines: What `read_orders` gave, or any frame.
        label: The column that says who churned.
        churned_value: Its value that means churned.
        customer: The column of ids; found by name, or because each of its texts stands on one row.
        amount: The column of what is at stake with each customer.
        ignore: Columns that are not to be used.
        decimal: The decimal sign of numbers in text.

    Raises:
        MissingColumnError: A column that was named is not there.
        DataError: The table is empty, holds orders, or its label cannot be read.
    """
    raw = lines if isinstance(lines, RawLines) else RawLines.from_frame(lines)
    names = column_names(raw)
    named = resolve(customer, names, "customer", raw) if customer is not None else None
    amount_column = resolve(amount, names, "amount", raw) if amount is not None else None
    left_out = {resolve(name, names, "ignore", raw) for name in ignore}
    cells = raw.collect()
    if not cells.height:
        raise DataError(f"{raw.name} is empty", hint="give a table with one row per customer")
    id_column = named or _id_column(cells.drop(label or "", strict=False))
    _refuse_orders(cells, id_column, raw.name, has_label=label is not None)
    label_column = resolve(label, names, "label", raw) if label is not None else None
    if id_column is not None and id_column == label_column:
        raise UsageError(f"{id_column} is the customer and the label", hint="name another column: --label COLUMN")
    labels = read_labels(cells[label_column], churned_value) if label_column is not None else None
    free = cells.drop(column for column in (label_column,) if column is not None)
    ids, id_notes = _ids(free, id_column)
    if named is None and id_column is not None and not name_score("customer", id_column):
        id_notes.append(f"the id is {id_column}, each of whose texts stands on one row (--customer)")
    cents = None if amount_column is None else _cents(cells[amount_column], decimal)
    used = free.drop({*left_out, *((id_column,) if id_column is not None else ())}, strict=False)
    notes = (*raw.notes, *([labels.note] if labels else []), *id_notes)
    return CustomerTable(ids, id_column, used, labels, cents, notes)


def _id_column(cells: pl.DataFrame) -> str | None:
    """The best named column whose values stand on one row each, or the first of texts that do."""
    unique = [name for name in cells.columns if _is_id(cells[name])]
    best = max(unique, key=lambda name: name_score("customer", name), default=None)
    if best is not None and name_score("customer", best) > 0:
        return best
    repeated = max(cells.columns, key=lambda name: name_score("customer", name), default=None)
    if repeated is not None and name_score("customer", repeated) >= _CUSTOMER_NAMED and _counts(cells[repeated]) > 1:
        return repeated
    return next((name for name in unique if cells[name].dtype == pl.String and not _reads_as_number(cells[name])), None)


def _is_id(column: pl.Series) -> bool:
    whole = column.dtype == pl.String or column.dtype.is_integer()
    return whole and not column.null_count() and column.n_unique() == column.len()


def _reads_as_number(column: pl.Series) -> bool:
    unreadable = (int(parse_numbers(column, mark).unreadable.sum()) for mark in (".", ","))
    return min(unreadable) < (1 - _MOSTLY) * column.len()


def _counts(column: pl.Series) -> float:
    """Rows per value; 0 where there are too few values to be customers."""
    values = column.drop_nulls().n_unique()
    return column.len() / values if values > 10 else 0.0


def _refuse_orders(cells: pl.DataFrame, id_column: str | None, name: str, *, has_label: bool) -> None:
    """A table in which customers repeat and days stand is an order file."""
    if id_column is None or _counts(cells[id_column]) < _ORDERS_PER_CUSTOMER:
        return
    dated = next((column for column in cells.columns if column != id_column and _is_dated(cells[column])), None)
    if dated is None:
        return
    raise UsageError(
        f"{name} holds order lines: {cells.height:,} rows for {cells[id_column].n_unique():,} customers in "
        f"{id_column}, dated by {dated}; {'--label' if has_label else 'this model'} is for a table with one row per "
        "customer",
        hint="leave out --label: whether a customer of an order file churned is read from the orders"
        if has_label
        else "train a model of the orders: churnkit train ORDERS -o FILE",
    )


def _is_dated(column: pl.Series) -> bool:
    return column.dtype.is_temporal() or (column.dtype == pl.String and date_shares(column.head(1_000))[0] >= _MOSTLY)


def _ids(cells: pl.DataFrame, id_column: str | None) -> tuple[pl.Series, list[str]]:
    rows = pl.select(pl.format("row {}", pl.int_range(1, cells.height + 1))).to_series().alias("customer_id")
    if id_column is None:
        return rows, ["no column holds an id of its own for every customer: they are called by their row (--customer)"]
    ids, notes = read_ids(cells[id_column], "customer")
    nameless, repeated = ids.null_count(), ids.len() - ids.null_count() - ids.drop_nulls().n_unique()
    if nameless:
        notes.append(f"{nameless:,} rows have no id in {id_column}: they are called by their row")
    if repeated:
        notes.append(f"{repeated:,} rows repeat an id of {id_column}: each row is taken as a customer of its own")
    return ids.fill_null(rows).alias("customer_id"), notes


def _cents(column: pl.Series, decimal: str | None) -> pl.Series:
    values = parse_numbers(column, decimal).values.to_frame("amount")
    cents = values.select(to_hundredths(pl.col("amount")).clip(lower_bound=0))["amount"]
    if not cents.count():
        raise DataError(f"{column.name} holds no amount", hint="name a column of numbers: --amount COLUMN")
    return cents
