"""Rows to learn from: customers as they were at earlier cutoffs, with what they did in the horizon after each.

Every outcome window is closed by the cutoff of the model, so no row knows anything that was not known then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.features import FEATURES
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import first_order_on, outcomes, snapshot
from churnkit.models.hazard import interval_ends, with_interval
from churnkit.windows import has_history, training_cutoffs

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MOST_ROWS = 80_000  # CDNOW, October 1997, interval boosting: log loss .382 with these, .382 with all 328,000
MOST_STACKED = 600_000  # rows to choose from, so that memory does not grow with the customers


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Stacked rows: features and outcomes.

    Attributes:
        X: (rows, features), NaN where a feature is null; rows of intervals have the interval as last column.
        churned: (rows,), 1.0 where there was no order in the horizon, or in the interval.
        recency_days: (rows,), for the rule that people use instead.
        cutoffs: The cutoffs, latest first.
        base_rate: Share without an order at the latest of them.
        log_odds_offset: To be added to the log odds of a model of these rows, where those with an order were preferred.
    """

    X: FloatArray
    churned: FloatArray
    recency_days: FloatArray
    cutoffs: tuple[date, ...]
    base_rate: float
    log_odds_offset: float = 0.0


def horizon_rows(
    book: OrderBook, cutoff: date, horizon_days: int, features: Sequence[str], money_unit: float
) -> TrainingRows | None:
    """One row per customer and earlier cutoff, with the outcome of the whole horizon; None without a cutoff."""
    cutoffs = training_cutoffs(cutoff, horizon_days, first_order_on(book))
    parts = []
    for earlier in cutoffs:
        churned = outcomes(book, cutoff=earlier, horizon_days=horizon_days)["churned"].alias("_churned")
        customers = snapshot(book, cutoff=earlier).select(*features).with_columns(churned)
        parts.append(_thinned(customers, MOST_STACKED // len(cutoffs)))
    return _stacked(parts, features, money_unit, cutoffs, _evenly) if parts else None


def interval_rows(
    book: OrderBook, cutoff: date, horizon_days: int, features: Sequence[str], money_unit: float
) -> TrainingRows | None:
    """One row per customer, earlier cutoff and interval not ended by an order before; None without a cutoff.

    Beside the cutoffs of `horizon_rows` stand those from which only the first intervals are over yet.
    """
    first, ends = first_order_on(book), interval_ends(horizon_days)
    fresh = [cutoff - timedelta(days=end) for end in ends[:-1]]
    known = [earlier for earlier in fresh if has_history(earlier, horizon_days, first)]
    cutoffs = [*known, *training_cutoffs(cutoff, horizon_days, first)]
    parts = []
    for earlier in cutoffs:
        closed = [end for end in ends if earlier + timedelta(days=end) <= cutoff]
        silent = {f"_{end}": outcomes(book, cutoff=earlier, horizon_days=end)["churned"] for end in closed}
        customers = snapshot(book, cutoff=earlier).select(*features).with_columns(**silent)
        customers = _thinned(customers, MOST_STACKED // (len(cutoffs) * len(ends)))
        until = pl.lit(True)
        for interval, name in enumerate(silent):
            outcome = (pl.col(name).alias("_churned"), pl.lit(float(interval)).alias("_interval"))
            parts.append(customers.filter(until).select(*features, *outcome))
            until = pl.col(name)
    return _stacked(parts, features, money_unit, cutoffs, _orders_first) if parts else None


def _stacked(
    parts: Sequence[pl.DataFrame],
    features: Sequence[str],
    money_unit: float,
    cutoffs: Sequence[date],
    choose: Callable[[pl.Series], tuple[IntArray, float]],
) -> TrainingRows:
    """The parts as one, or the rows of them that `choose` takes where there are more than `MOST_ROWS`.

    Rows are sorted by what is in them, never by customer: the same customers under other ids give the same model.
    """
    latest = parts[0]["_churned"]
    rows = pl.concat(parts).sort(pl.all())
    offset = 0.0
    if rows.height > MOST_ROWS:
        chosen, offset = choose(rows["_churned"])
        rows = rows[chosen]
    X = feature_matrix(rows, features, money_unit)
    return TrainingRows(
        X=with_interval(X, rows["_interval"].to_numpy()) if "_interval" in rows.columns else X,
        churned=rows["_churned"].cast(pl.Float64).to_numpy(),
        recency_days=rows["recency_days"].cast(pl.Float64).to_numpy(),
        cutoffs=tuple(cutoffs),
        base_rate=float(latest.sum()) / latest.len() if latest.len() else 0.0,
        log_odds_offset=offset,
    )


def _thinned(customers: pl.DataFrame, most: int) -> pl.DataFrame:
    """Evenly spaced customers, by what is known of them, where there are more than `most`."""
    if customers.height <= most:
        return customers
    return customers.sort(pl.all())[_spaced(np.arange(customers.height), most)]


def _evenly(churned: pl.Series) -> tuple[IntArray, float]:
    """Evenly spaced rows of a sorted table: every kind of customer in proportion."""
    return _spaced(np.arange(churned.len()), MOST_ROWS), 0.0


def _orders_first(churned: pl.Series) -> tuple[IntArray, float]:
    """The rows with an order, which are few and tell most, and evenly spaced others.

    Source: King and Zeng (2001), Logistic regression in rare events data, Political Analysis 9(2), for the offset.
    """
    ordered, silent = (flag.arg_true().to_numpy().astype(np.int64) for flag in (~churned, churned))
    some = _spaced(ordered, min(len(ordered), MOST_ROWS // 2))
    rest = _spaced(silent, min(len(silent), MOST_ROWS - len(some)))
    offset = log(len(some) / len(ordered)) - log(len(rest) / len(silent)) if len(some) and len(rest) else 0.0
    return np.sort(np.concatenate([some, rest])), offset


def _spaced(rows: IntArray, count: int) -> IntArray:
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


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
