"""Histories up to a cutoff beside what came after it, counted: all that the published models are fitted to."""

from datetime import date

import polars as pl
from polars import col

from churnkit.customers.snapshot import ENGINE, EPOCH, Orders, at_least_one_day, order_book


def holdout_histories(orders: Orders, *, cutoff: date, holdout_days: int) -> pl.DataFrame:
    """Every distinct history before a cutoff, with the order days of the holdout after it, and how many have it.

    Args:
        orders: Clean order lines or an order book that reach to the end of the holdout.
        cutoff: The first day of the holdout.
        holdout_days: Its length.

    Returns:
        `x active_days tenure_days later cents customers`, sorted by all of them. `x` counts the order days after the
        first, `later` those within the holdout, `cents` is the net amount of the orders of the `x` days: null where
        the file has no amount, 0 where there is no such day.

    Example:
        >>> from datetime import datetime
        >>> days = [("ann", 1, 1000), ("ann", 11, 3000), ("ann", 25, 700), ("bob", 1, 500), ("cyd", 1, 900)]
        >>> lines = pl.DataFrame(
        ...     [(who, 0, datetime(2024, 1, day), cents) for who, day, cents in days],
        ...     schema=["customer_id", "order_key", "ordered_at", "amount_cents"], orient="row",
        ... ).with_columns(quantity_milli=None, product=None, market=None)
        >>> holdout_histories(lines, cutoff=date(2024, 1, 21), holdout_days=30).rows()
        [(0, 0, 20, 0, 0, 2), (1, 10, 20, 1, 3000, 1)]
    """
    start = (cutoff - EPOCH).days
    end = start + at_least_one_day(holdout_days, "holdout_days")
    day, known = col("day"), col("first_day") < start
    seen = day < start
    repeated = seen & (day > col("first_day"))
    return (
        order_book(orders)
        .orders.lazy()
        .filter("is_order")
        .with_columns(first_day=day.min().over("customer_id"))
        .filter(known & (day < end))
        .group_by("customer_id")
        .agg(
            x=_count(col("new_day") & repeated),
            active_days=(pl.when(seen).then("day").max() - col("first_day").min()),
            tenure_days=start - col("first_day").min(),
            later=_count(col("new_day") & ~seen),
            cents=pl.when(col("cents").count() > 0).then(pl.when(repeated).then("cents").sum()),
        )
        .group_by("x", "active_days", "tenure_days", "later", "cents")
        .agg(customers=pl.len().cast(pl.Int64))
        .sort(pl.all(), nulls_last=True)
        .collect(engine=ENGINE)
    )


def _count(flag: pl.Expr) -> pl.Expr:
    return flag.sum().cast(pl.Int64)
