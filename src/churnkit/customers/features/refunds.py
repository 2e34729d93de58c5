"""Refunds: orders of net amount below 0."""

import polars as pl
from polars import col

from churnkit.customers.features.registry import feature, ratio


@feature("refunds", "integer")
def n_refunds() -> pl.Expr:
    """Number of refunds."""
    return col("n_refunds")


@feature("refunds", "share")
def refund_share() -> pl.Expr:
    """Refunded amount over ordered amount, at most 1.

    Null where all orders are worth nothing or the file has no amount.
    """
    return ratio(pl.min_horizontal(col("refund_cents"), col("order_cents")), col("order_cents"))


@feature("refunds", "days")
def days_since_refund() -> pl.Expr:
    """Days from the last refund to the cutoff. Null where there was no refund."""
    return col("refund_age")
