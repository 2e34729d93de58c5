"""Silence: how long the customer has been quiet, measured against the customer's own rhythm."""

import polars as pl
from polars import col

from churnkit.customers.features.core import active_days, recency_days, tenure_days
from churnkit.customers.features.gaps import mean_gap_days, std_gap_days
from churnkit.customers.features.registry import feature, ratio


@feature("silence", "number", +1)
def recency_over_mean_gap() -> pl.Expr:
    """Recency over the customer's own mean gap. Null where there is only one order day."""
    return ratio(recency_days() * (col("n_order_days") - 1), active_days())


@feature("silence", "number", +1)
def recency_over_max_gap() -> pl.Expr:
    """Recency over the customer's own longest gap. Null where there is only one order day."""
    return ratio(recency_days(), col("gap_max"))


@feature("silence", "number", +1)
def silence_in_deviations() -> pl.Expr:
    """Recency minus the mean gap, in standard deviations of the gaps (one day at least).

    Null where there are fewer than three order days.
    """
    excess = recency_days() - mean_gap_days()
    return excess / std_gap_days().clip(lower_bound=1.0)


@feature("silence", "share", +1)
def recency_share_of_tenure() -> pl.Expr:
    """Recency over tenure: 1 after a single order day."""
    return ratio(recency_days(), tenure_days())
