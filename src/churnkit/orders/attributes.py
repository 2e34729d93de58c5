"""Attribute tables: what else is known of customers (country, plan, answers to a survey), from a foreign file.

A dated row says what was known from its day on; a table without dates says what is taken as known always.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl
from polars import col

from churnkit.errors import DataError, UsageError
from churnkit.orders.attribute_columns import customer_column, date_column, why_no_match
from churnkit.orders.cells import CellKind, kind_of, numbers_of, words_of
from churnkit.orders.columns import column_names, resolve
from churnkit.orders.dates import Dates, parse_dates
from churnkit.orders.ids import read_ids
from churnkit.orders.lines import RawLines
from churnkit.terms import percent

PREFIX: Final = "attribute_"  # of a column whose own name means something else here
KEYS: Final = ("customer_id", "known_at")
_UNUSABLE: Final[dict[CellKind, str]] = {"date": "a date", "other": "neither a number nor a text"}
_WHOLE: Final = 2.0**53
_MOST_NAMED = 6
_OTHER_FLAG = re.compile(r" \(--[a-z-]+\)")  # of the orders, which do not speak of attributes


@dataclass(frozen=True, slots=True)
class AttributeTable:
    """What else is known of customers, clean.

    Attributes:
        name: What the user calls the table.
        rows: `customer_id known_at`, then the attributes under their names: numbers as Int64 or Float64, categories as
            String, null where nothing is known. Only customers of the orders; sorted, so that the order in the file
            changes nothing.
        dated: Whether a row counts from a day on (`known_at`) only; otherwise `known_at` is null, and there is one
            row a customer.
        notes: What was assumed, as sentences.
    """

    name: str
    rows: pl.DataFrame
    dated: bool
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the attributes."""
        return tuple(self.rows.columns[len(KEYS) :])


def clean_attributes(
    lines: Any,
    orders: pl.DataFrame,
    *,
    customer: str | None = None,
    date: str | None = None,
    ignore: Sequence[str] = (),
    date_format: str | None = None,
    tz: str = "UTC",
    orders_column: str = "customer_id",
) -> AttributeTable:
    """Take a table of attributes apart, and keep what it says of the customers of some orders.

    Args:
        lines: What `read_orders` gave for the file, or any frame.
        orders: Clean order lines; ids are the same where their texts are.
        customer: The column of ids; found by its name, and by how many of its ids are customers of the orders.
        date: The column that says from when on a row counts; found by its name and content. A table without one has
            one row a customer.
        ignore: Columns that are not to be used.
        date_format: How dates are written, where the table alone does not tell.
        tz: The zone that days are counted in.
        orders_column: What the customer is called in the file of the orders, for messages.

    Raises:
        MissingColumnError: A column that was named is not there, or none holds the customers of the orders.
        DataError: The table is empty, holds nothing beside ids, or has several rows for a customer and no date.

    Example:
        >>> orders = pl.DataFrame({"customer_id": ["a", "a", "b"]})
        >>> table = pl.DataFrame({"id": ["a", "a"], "answered": ["2024-05-01", "2024-03-01"], "nps": [9, 3]})
        >>> clean_attributes(table, orders).rows.select("customer_id", "nps").rows()
        [('a', 3), ('a', 9)]
    """
    raw = lines if isinstance(lines, RawLines) else RawLines.from_frame(lines, "the attribute table")
    cells, named = _read(raw, {"customer": customer, "date": date}, ignore)
    known = orders["customer_id"].unique().cast(pl.String).drop_nulls()
    id_column = named.get("customer") or customer_column(cells, known, raw.name)
    ids, id_notes = read_ids(cells[id_column], "customer")
    if not ids.is_in(known.implode()).any():
        raise DataError(
            f"no {id_column} of {raw.name} is a {orders_column} of the orders",
            hint=why_no_match(ids, known) or "ids are compared as text; name the column: --attributes-customer COLUMN",
        )
    cells = cells.drop(id_column)
    date_name = named.get("date") or date_column(cells, repeated=ids.drop_nulls().is_duplicated().any())
    dates = None if date_name is None else _dates(cells[date_name], raw, date_format, tz)
    kept, skipped = _typed(cells if date_name is None else cells.drop(date_name), raw.name)
    rows = pl.DataFrame([ids.alias(KEYS[0]), _moments(dates, ids.len()), *kept])
    rows = rows.filter(col("customer_id").is_in(known.implode()))
    if dates is None:
        _refuse_several(rows.unique(), raw.name, id_column)
    table = rows.filter(col("known_at").is_not_null()) if dates else rows
    dateless = rows.height - table.height
    assumed = (*raw.notes, *id_notes, *(dates.notes if dates else ()))
    notes = (
        *(f"{raw.name}: {_OTHER_FLAG.sub('', note)}" for note in assumed),
        *_notes(raw.name, table, known.len(), id_column, date_name),
        *([f"{raw.name}: {dateless:,} rows without a date are left out"] if dateless else []),
        *([f"{raw.name}: left out {', '.join(skipped)}"] if skipped else []),
    )
    return AttributeTable(raw.name, table.unique().sort(pl.all()), dates is not None, notes)


def clean_all(
    tables: Sequence[RawLines],
    orders: pl.DataFrame,
    *,
    customer: str | None = None,
    date: str | None = None,
    ignore: Sequence[str] = (),
    **how: Any,
) -> tuple[AttributeTable, ...]:
    """`clean_attributes` for several tables: a column that was named is looked for in those that have it.

    Raises:
        MissingColumnError: None of the tables has a column that was named.
    """
    every = [column_names(table) for table in tables]
    ignore = [_original(name, [each for names in every for each in names]) for name in ignore]
    for role, name in (("attributes-customer", customer), ("attributes-date", date), *(("ignore", n) for n in ignore)):
        if name is not None and not any(name in names for names in every):
            resolve(name, column_names(tables[0]), role, tables[0])
    return tuple(
        clean_attributes(
            table,
            orders,
            customer=customer if len(tables) == 1 or customer in names else None,
            date=date if len(tables) == 1 or date in names else None,
            ignore=[name for name in ignore if len(tables) == 1 or name in names],
            **how,
        )
        for table, names in zip(tables, every, strict=True)
    )


def _read(raw: RawLines, given: Mapping[str, str | None], ignore: Sequence[str]) -> tuple[pl.DataFrame, dict[str, str]]:
    """The cells under safe names, without what is ignored, and the columns that were named, by role."""
    names = column_names(raw)
    cells = raw.collect()
    cells.columns = _safe(names if raw.header else [f"column {name}" for name in names])
    called = dict(zip(names, cells.columns, strict=True))
    named = {
        role: called[resolve(text, names, f"attributes-{role}", raw)]
        for role, text in given.items()
        if text is not None
    }
    left_out = {called[resolve(_original(name, names), names, "ignore", raw)] for name in ignore} - set(named.values())
    if not cells.height:
        raise DataError(f"{raw.name} is empty", hint="give a table with one row per customer, or with dated rows")
    return cells.drop(left_out), named


def _original(name: str, names: Sequence[str]) -> str:
    """The column in the file that is called otherwise here (`_safe`), because its name means something else."""
    bare = name.removeprefix(PREFIX)
    return bare if name not in names and bare in names else name


def _moments(dates: Dates | None, height: int) -> pl.Series:
    nothing = pl.repeat(None, height, dtype=pl.Datetime("us"), eager=True)
    return (nothing if dates is None else dates.values.cast(pl.Datetime("us"))).alias("known_at")


def _dates(column: pl.Series, raw: RawLines, date_format: str | None, tz: str) -> Dates:
    """The dates by themselves; where that fails, by the format that is known from elsewhere."""
    try:
        return parse_dates(column, tz=tz, place=raw.place)
    except DataError as error:
        if date_format is not None:
            plain = date_format.removesuffix(" with a time")
            with suppress(DataError, UsageError):
                dates = parse_dates(column, date_format=plain, tz=tz, place=raw.place)
                return replace(dates, notes=(f"{column.name} is read like the dates of the orders: {plain}",))
        raise type(error)(f"{raw.name}: {error}", hint="--date-format, or another column: --attributes-date") from error


def _typed(cells: pl.DataFrame, name: str) -> tuple[list[pl.Series], list[str]]:
    """The attributes, in the order of their names, and which columns are left out, with the reason."""
    kept: list[pl.Series] = []
    skipped: list[str] = []
    safe = dict(zip(cells.columns, _safe(cells.columns, KEYS), strict=True))
    for column in sorted(cells.columns):
        series = cells[column]
        kind = kind_of(series)
        if kind in _UNUSABLE:
            skipped.append(f"{column} ({_UNUSABLE[kind]})")
        else:
            kept.append((_numbers(series) if kind == "number" else words_of(series)).alias(safe[column]))
    if not kept:
        why = f": left out {', '.join(skipped)}" if skipped else ""
        raise DataError(f"{name} holds nothing beside the customers{why}", hint="give numbers or categories too")
    return kept, skipped


def _numbers(cells: pl.Series) -> pl.Series:
    """As whole numbers where all are."""
    values = pl.Series(numbers_of(cells)).fill_nan(None)
    whole = bool(((values == values.round()) & (values.abs() < _WHOLE)).all())
    return values.cast(pl.Int64) if whole else values


def _safe(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Names that stand for one column each: Polars takes `*` and `^...$` for many."""
    safe = list(taken)
    for name in names:
        while name in safe or not name.strip() or name == "*" or (name[0] == "^" and name[-1] == "$"):
            name = f"{PREFIX}{name}"
        safe.append(name)
    return safe[len(taken) :]


def _refuse_several(table: pl.DataFrame, name: str, id_column: str) -> None:
    several = int(table["customer_id"].is_duplicated().sum())
    if several:
        customers = table.filter(col("customer_id").is_duplicated())["customer_id"].n_unique()
        raise DataError(
            f"{name} has several rows for {customers:,} of the {id_column}, and no date that tells which is the latest",
            hint="name the date from which a row counts (--attributes-date COLUMN), or leave one row per customer",
        )


def _notes(name: str, table: pl.DataFrame, customers: int, id_column: str, date: str | None) -> list[str]:
    names = table.columns[len(KEYS) :]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    matched = table["customer_id"].n_unique()
    told = (
        f"{name} tells {', '.join(names[:_MOST_NAMED])}{more} of {matched:,} of {customers:,} customers "
        f"({percent(matched / customers)}), matched by {id_column} (--attributes-customer)"
    )
    if date is not None:
        return [f"{told}; a row counts from its {date} on (--attributes-date)"]
    leak = (
        f"{name} has no dates: what it says is taken as known always, even if it was written after the fact "
        "(--attributes-date, --ignore)"
    )
    return [told, leak]
