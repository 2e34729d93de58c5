"""Recent windows: what happened in the last days before the cutoff."""

import polars as pl
from polars import col

from churnkit.customers.features.registry import feature, ratio


@feature("recent", "integer", -1)
def orders_last_30_days() -> pl.Expr:
    """Orders in the last 30 days."""
    return col("n_orders_30")


@feature("recent", "integer", -1)
def orders_last_90_days() -> pl.Expr:
    """Orders in the last 90 days."""
    return col("n_orders_90")


@feature("recent", "integer", -1)
def orders_last_180_days() -> pl.Expr:
    """Orders in the last 180 days."""
    return col("n_orders_180")


@feature("recent", "integer", -1)
def orders_last_365_days() -> pl.Expr:
    """Orders in the last 365 days."""
    return col("n_orders_365")


@feature("recent", "share", -1)
def order_share_last_90_days() -> pl.Expr:
    """Share of all orders that lie in the last 90 days."""
    return ratio(col("n_orders_90"), col("n_orders"))


@feature("recent", "share", -1)
def order_share_last_180_days() -> pl.Expr:
    """Share of all orders that lie in the last 180 days."""
    return ratio(col("n_orders_180"), col("n_orders"))
