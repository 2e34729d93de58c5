"""Gaps: the days between one order day and the next, the customer's rhythm."""

import polars as pl
from polars import col

from churnkit.customers.features.core import active_days
from churnkit.customers.features.registry import feature, ratio, spread


@feature("gaps", "number")
def mean_gap_days() -> pl.Expr:
    """Mean days between one order day and the next. Null where there is only one order day."""
    return ratio(active_days(), col("n_order_days") - 1)


@feature("gaps", "number")
def std_gap_days() -> pl.Expr:
    """Standard deviation of the gaps. Null where there are fewer than three order days."""
    return spread(col("n_order_days") - 1, active_days(), col("gap_squares"))


@feature("gaps", "days")
def max_gap_days() -> pl.Expr:
    """Longest gap. Null where there is only one order day."""
    return col("gap_max")


@feature("gaps", "days")
def last_gap_days() -> pl.Expr:
    """Gap before the last order day. Null where there is only one order day."""
    return col("gap_last")


@feature("gaps", "number")
def gap_variation() -> pl.Expr:
    """Standard deviation of the gaps over their mean: 0 for a clockwork customer, about 1 for a random one.

    Null where there are fewer than three order days.
    """
    return std_gap_days() / mean_gap_days()


@feature("gaps", "number", +1)
def last_gap_over_mean_gap() -> pl.Expr:
    """Last gap over mean gap. Null where there is only one order day."""
    return ratio(col("gap_last") * (col("n_order_days") - 1), active_days())
