"""The only place where time is cut: customers as they were at a cutoff, and what they did afterwards.

History is every day before the cutoff, the horizon is `[cutoff, cutoff + horizon_days)`. All functions take the clean
order lines, or an `OrderBook` made of them once with `order_book`; the answers are the same.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import col

from churnkit.customers.attributes import Attributes, attribute_columns, checked_tables, cut, with_attributes
from churnkit.customers.features import FEATURES
from churnkit.customers.features.registry import money
from churnkit.customers.kernel import (
    LINES_SCHEMA,
    OrderBook,
    customer_facts,
    first_purchases,
    group_orders,
    window_sums,
)
from churnkit.errors import MissingColumnError, ShortHistoryError, UsageError
from churnkit.terms import Term

Orders: TypeAlias = pl.DataFrame | OrderBook
Clock: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.float64]]

EPOCH = date(1970, 1, 1)
ENGINE: Literal["streaming"] = "streaming"  # the answers are those of the other engine, sooner

_IDENTITY = (
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term("last_order_on", "date", "Day of the last order before the cutoff."),
)


def order_book(orders: Orders, attributes: Attributes | None = None) -> OrderBook:
    """Group lines to orders once, so that several snapshots cost little more than one.

    Args:
        orders: Clean order lines (`terms.ORDERS`), or a book already made, which is returned as it is.
        attributes: What else is known of the customers (`churnkit.clean_attributes`), instead of what a book has.

    Raises:
        MissingColumnError: If a column of the clean order lines is not there.
        DataError: Two columns of the attributes would bear one name.
    """
    tables = () if attributes is None else checked_tables(attributes)
    if isinstance(orders, OrderBook):
        return orders if attributes is None else replace(orders, attributes=tables)
    missing = [name for name in LINES_SCHEMA if name not in orders.columns]
    if missing:
        raise MissingColumnError(
            f"the order lines have no column {missing[0]}", hint="make them with churnkit.clean_orders(...)"
        )
    lines = orders.lazy().select(col(name).cast(dtype) for name, dtype in LINES_SCHEMA.items())
    grouped, products = pl.collect_all([group_orders(lines), first_purchases(lines)], engine=ENGINE)
    return OrderBook(grouped, products, tables)


def history(orders: Orders, *, cutoff: date) -> OrderBook:
    """The order book as it was at a cutoff: without what is on or after it."""
    book, before = order_book(orders), col("day") < _day(cutoff)
    return OrderBook(book.orders.filter(before), book.products.filter(before), cut(book.attributes, cutoff=cutoff))


def history_of(orders: Orders, *, customer_id: str, cutoff: date) -> pl.DataFrame:
    """The orders and refunds of one customer before a cutoff, oldest first.

    Returns:
        `ordered_on amount lines refund`, one row per order or refund; `amount` is null where the file has none, and
        `refund` is true where the net amount is below 0. No rows for a customer who is not in the history.
    """
    return (
        history(orders, cutoff=cutoff)
        .orders.lazy()
        .filter(col("customer_id").cast(pl.String) == customer_id)
        .sort("second", "cents", "lines")
        .select(ordered_on=_on(col("day")), amount=money(col("cents")), lines="lines", refund=~col("is_order"))
        .collect(engine=ENGINE)
    )


def snapshot(orders: Orders, *, cutoff: date, attributes: Attributes | None = None) -> pl.DataFrame:
    """The customer table at a cutoff: one row per customer with at least one order before it.

    Args:
        orders: Clean order lines or an order book; what is on or after the cutoff is not seen.
        cutoff: The first day that is not seen.
        attributes: What else is known of the customers (`churnkit.clean_attributes`); answers dated on or after the
            cutoff are not seen.

    Returns:
        `customer_id last_order_on`, then the features in their documented order (`snapshot_terms`), then the columns
        of the attributes, sorted by `customer_id`. Money is in currency units, null where the file has no amount.

    Example:
        >>> from datetime import datetime
        >>> lines = pl.DataFrame(
        ...     [("ann", 1, datetime(2024, 1, 1), 1000), ("ann", 2, datetime(2024, 1, 11), 3000)],
        ...     schema=["customer_id", "order_key", "ordered_at", "amount_cents"], orient="row",
        ... ).with_columns(quantity_milli=None, product=None, market=None)
        >>> snapshot(lines, cutoff=date(2024, 1, 31)).row(0)[:7]
        ('ann', datetime.date(2024, 1, 11), 20, 30, 10, 2, 40.0)
    """
    book = order_book(orders, attributes)
    facts = customer_facts(book.orders.lazy(), book.products.lazy(), _day(cutoff))
    customers = (
        facts.select(
            col("customer_id").cast(pl.String),
            _on(col("last_day")).alias("last_order_on"),
            *(feature() for feature in FEATURES),
        )
        .sort("customer_id")
        .collect(engine=ENGINE)
    )
    return with_attributes(customers, book.attributes, cutoff=cutoff)


def snapshot_terms(attributes: Attributes = ()) -> tuple[Term, ...]:
    """The glossary of the customer table, in the order of its columns."""
    added = (column.term for column in attribute_columns(checked_tables(attributes)))
    return (*_IDENTITY, *(feature.term for feature in FEATURES), *added)


def outcomes(orders: Orders, *, cutoff: date, horizon_days: int) -> pl.DataFrame:
    """What the customers known at a cutoff did within the horizon after it.

    Args:
        orders: Clean order lines or an order book that reach to the end of the horizon.
        cutoff: The first day of the horizon.
        horizon_days: Its length.

    Returns:
        `customer_id churned spend`, the rows of `snapshot` at the same cutoff in the same order: `churned` is true
        where there was no order, `spend` is the net amount within the horizon, null where the file has no amount.
    """
    found = _within(orders, cutoff, cutoff, cutoff + timedelta(days=at_least_one_day(horizon_days, "horizon_days")))
    return found.select("customer_id", churned=col("orders") == 0, spend="spend")


def spend_within(orders: Orders, *, cutoff: date, days: int) -> pl.DataFrame:
    """Orders and net spend in the last days before a cutoff, for every customer known at it.

    Returns:
        `customer_id orders spend`, in the order of `snapshot`; `spend` is null where the file has no amount.
    """
    return _within(orders, cutoff, cutoff - timedelta(days=at_least_one_day(days, "days")), cutoff)


def log_gaps(orders: Orders, *, cutoff: date, clock: Clock | None = None) -> pl.DataFrame:
    """How even the rhythm of each customer is: the sum of the natural logs of the gaps between their order days.

    Among gaps that make up the same span it is greatest where all are equal. Every log is rounded to a millionth before
    it is added up, so that the sum does not depend on the order of addition.

    Args:
        orders: Clean order lines or an order book.
        cutoff: The first day that is not seen.
        clock: Time at the beginning of days since 1970-01-01, where gaps are not to be measured in days.

    Returns:
        `customer_id log_gaps`, in the order of `snapshot`; 0 where there is one order day only.
    """
    days = (
        order_book(orders)
        .orders.lazy()
        .filter(col("new_day") & (col("day") < _day(cutoff)))
        .select("customer_id", "day", "gap_days")
        .collect(engine=ENGINE)
    )
    gap = days["gap_days"].cast(pl.Float64)
    if clock is not None:
        day, before = days["day"].to_numpy(), (days["day"] - days["gap_days"].fill_null(0)).to_numpy()
        gap = pl.Series(clock(day) - clock(before)).set(days["gap_days"].is_null(), None)
    unit = 2**20
    return (
        days.lazy()
        .with_columns((gap.log() * unit).round().cast(pl.Int64).alias("log"))
        .group_by("customer_id")
        .agg(col("log").sum())
        .select(col("customer_id").cast(pl.String), log_gaps=col("log") / unit)
        .sort("customer_id")
        .collect(engine=ENGINE)
    )


def order_days(orders: Orders, *, cutoff: date) -> pl.DataFrame:
    """How many customers ordered on each day before a cutoff: `day customers`, days since 1970-01-01, sorted."""
    return (
        order_book(orders)
        .orders.lazy()
        .filter(col("new_day") & (col("day") < _day(cutoff)))
        .group_by("day")
        .agg(pl.len().cast(pl.Int64).alias("customers"))
        .sort("day")
        .collect(engine=ENGINE)
    )


def silences(orders: Orders, *, cutoff: date) -> pl.DataFrame:
    """Every silence before a cutoff: from an order day to the next one, or to the cutoff where none came.

    Returns:
        `age_days silent_days returned`, one row per customer and order day, sorted: how long before the cutoff the
        silence began, how long it lasted, and whether an order ended it.
    """
    return _silences(orders, cutoff).drop("customer").sort(pl.all()).collect(engine=ENGINE)


def customer_silences(orders: Orders, *, cutoff: date) -> pl.DataFrame:
    """The same silences by customer: those of one stand together, oldest first, and the last one has not ended.

    Returns:
        `customer age_days silent_days returned`; `customer` is a number that has no meaning of its own.
    """
    return _silences(orders, cutoff).collect(engine=ENGINE)


def _silences(orders: Orders, cutoff: date) -> pl.LazyFrame:
    same = (col("side") == col("side").shift(-1)).fill_null(False)
    return (
        order_book(orders)
        .orders.lazy()
        .filter(col("new_day") & (col("day") < _day(cutoff)))
        .select(
            customer=col("customer_id").to_physical().cast(pl.Int64),
            age_days=_day(cutoff) - col("day"),
            silent_days=pl.when(same).then(col("day").shift(-1)).otherwise(_day(cutoff)) - col("day"),
            returned=same,
        )
    )


def daily_money(orders: Orders, *, cutoff: date) -> pl.DataFrame:
    """What every customer spent net on each day before a cutoff, refunds taken off.

    Returns:
        `customer age_days cents`, sorted; `customer` as in `customer_silences`. No rows where the file has no amount.
    """
    return (
        order_book(orders)
        .orders.lazy()
        .filter(col("cents").is_not_null() & (col("day") < _day(cutoff)))
        .group_by(customer=col("customer_id").to_physical().cast(pl.Int64), age_days=_day(cutoff) - col("day"))
        .agg(col("cents").sum())
        .sort("customer", "age_days")
        .collect(engine=ENGINE)
    )


def default_cutoff(orders: Orders) -> date:
    """The day after the last order line; never the wall clock.

    Raises:
        ShortHistoryError: If there are no order lines.
    """
    return _date(_first_and_last_day(orders)[1]) + timedelta(days=1)


def first_order_on(orders: Orders) -> date:
    """The day of the first order line.

    Raises:
        ShortHistoryError: If there are no order lines.
    """
    return _date(_first_and_last_day(orders)[0])


def at_least_one_day(days: int, name: str) -> int:
    """The days, or a usage error that names the window."""
    if days < 1:
        raise UsageError(f"{name} is {days}; a window has at least one day", hint=f"give {name} a number from 1 up")
    return days


def _within(orders: Orders, cutoff: date, start: date, end: date) -> pl.DataFrame:
    """`customer_id orders spend` in `[start, end)` for the customers known at the cutoff."""
    book = order_book(orders)
    lazy = book.orders.lazy()
    known = (
        lazy.filter(col("is_order") & (col("day") < _day(cutoff)))
        .group_by("customer_id")
        .agg(has_amount=col("cents").count() > 0)
    )
    return (
        known.join(window_sums(lazy, _day(start), _day(end)), on="customer_id", how="left")
        .select(
            col("customer_id").cast(pl.String),
            col("n_orders").fill_null(0).alias("orders"),
            pl.when("has_amount").then(money(col("net_cents").fill_null(0))).alias("spend"),
        )
        .sort("customer_id")
        .collect(engine=ENGINE)
    )


def _first_and_last_day(orders: Orders) -> tuple[int, int]:
    if isinstance(orders, OrderBook):
        days = orders.orders.select(first=col("day").min(), last=col("day").max())
    else:
        day = col("ordered_at").dt.date().to_physical().cast(pl.Int64)
        days = orders.select(first=day.min(), last=day.max())
    first, last = days.row(0)
    if first is None:
        raise ShortHistoryError("there are no order lines", hint="see what was dropped and why: churnkit check")
    return first, last


def _day(on: date) -> int:
    return (on - EPOCH).days


def _on(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Int32).cast(pl.Date)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)
