"""The five columns that the field has always used; they come first in the customer table."""

import polars as pl
from polars import col

from churnkit.customers.features.registry import feature, money


@feature("silence", "days", +1)
def recency_days() -> pl.Expr:
    """Days from the last order to the cutoff."""
    return col("last_age")


@feature("frequency", "days")
def tenure_days() -> pl.Expr:
    """Days from the first order to the cutoff."""
    return col("first_age")


@feature("frequency", "days")
def active_days() -> pl.Expr:
    """Days from the first order to the last: tenure minus recency."""
    return col("first_age") - col("last_age")


@feature("frequency", "integer", -1)
def frequency() -> pl.Expr:
    """Number of orders."""
    return col("n_orders")


@feature("spend", "money", -1)
def monetary() -> pl.Expr:
    """Net amount of all orders and refunds. Null where the file has no amount."""
    return money(col("net_cents"))
