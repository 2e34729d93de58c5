"""Spend: net amounts by window, and the size of an order. All null where the file has no amount."""

import polars as pl
from polars import col

from churnkit.customers.features.registry import feature, money, ratio, spread


@feature("spend", "money", -1)
def spend_last_30_days() -> pl.Expr:
    """Net amount of the last 30 days. Null where the file has no amount."""
    return money(col("net_cents_30"))


@feature("spend", "money", -1)
def spend_last_90_days() -> pl.Expr:
    """Net amount of the last 90 days. Null where the file has no amount."""
    return money(col("net_cents_90"))


@feature("spend", "money", -1)
def spend_last_180_days() -> pl.Expr:
    """Net amount of the last 180 days. Null where the file has no amount."""
    return money(col("net_cents_180"))


@feature("spend", "money", -1)
def spend_last_365_days() -> pl.Expr:
    """Net amount of the last 365 days. Null where the file has no amount."""
    return money(col("net_cents_365"))


@feature("spend", "money")
def mean_order() -> pl.Expr:
    """Mean net amount of an order. Null where the file has no amount."""
    return money(ratio(col("order_cents"), col("n_orders")))


@feature("spend", "money")
def std_order() -> pl.Expr:
    """Standard deviation of the amounts of the orders. Null where there are fewer than two orders or no amounts."""
    return money(spread(col("n_orders"), col("order_cents"), col("order_cents_squares")))


@feature("spend", "money")
def min_order() -> pl.Expr:
    """Smallest order. Null where the file has no amount."""
    return money(col("order_cents_min"))


@feature("spend", "money")
def max_order() -> pl.Expr:
    """Largest order. Null where the file has no amount."""
    return money(col("order_cents_max"))


@feature("spend", "money")
def first_order_amount() -> pl.Expr:
    """Amount of the first order (of two in one second, the smaller). Null where the file has no amount."""
    return money(col("first_cents"))


@feature("spend", "money")
def last_order_amount() -> pl.Expr:
    """Amount of the last order (of two in one second, the larger). Null where the file has no amount."""
    return money(col("last_cents"))


@feature("spend", "number")
def last_order_over_mean_order() -> pl.Expr:
    """Last order over mean order. Null where all orders are worth nothing or the file has no amount."""
    return ratio(col("last_cents") * col("n_orders"), col("order_cents"))
