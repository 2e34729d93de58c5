"""Trend: the last days against the days before them."""

import polars as pl
from polars import col, when

from churnkit.customers.features.core import tenure_days
from churnkit.customers.features.registry import change, feature, ratio


@feature("trend", "number", -1)
def orders_trend_180_days() -> pl.Expr:
    """Orders in the last 180 days against the 180 days before: -1 none now, 0 as many, 1 none before.

    Null where the first order is at most 180 days old, or there was no order in either.
    """
    return when(tenure_days() > 180).then(change(col("n_orders_180"), col("n_orders_360") - col("n_orders_180")))


@feature("trend", "number", -1)
def spend_trend_180_days() -> pl.Expr:
    """Net spend in the last 180 days against the 180 days before: -1 none now, 0 as much, 1 none before.

    Null where the first order is at most 180 days old, or nothing was spent in either, or the file has no amount.
    """
    before = col("net_cents_360") - col("net_cents_180")
    return when(tenure_days() > 180).then(change(col("net_cents_180"), before))


@feature("trend", "number")
def mean_order_trend_180_days() -> pl.Expr:
    """Mean order of the last 180 days over the mean order before.

    Null where either has no order, the orders before were worth nothing, or the file has no amount.
    """
    recent = ratio(col("order_cents_recent"), col("n_orders_180"))
    earlier = ratio(col("order_cents") - col("order_cents_recent"), col("n_orders") - col("n_orders_180"))
    return ratio(recent, earlier)
