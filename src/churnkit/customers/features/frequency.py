"""Frequency: how often the customer orders."""

import polars as pl
from polars import col

from churnkit.customers.features.core import frequency, tenure_days
from churnkit.customers.features.registry import feature, ratio

MONTH_DAYS = 30


@feature("frequency", "integer", -1)
def n_order_days() -> pl.Expr:
    """Number of days with an order."""
    return col("n_order_days")


@feature("frequency", "number", -1)
def orders_per_30_days() -> pl.Expr:
    """Orders per 30 days of tenure; a shorter tenure counts as 30 days."""
    return ratio(frequency() * MONTH_DAYS, pl.max_horizontal(tenure_days(), MONTH_DAYS))
