"""Rows to learn from: customers as they were at earlier cutoffs, with what they did in the horizon after each.

Every outcome window is closed by the cutoff of the model, so no row knows anything that was not known then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.features import FEATURES
from churnkit.customers.kernel import OrderBook
from churnkit.customers.selection import fewer_customers
from churnkit.customers.snapshot import first_order_on, outcomes, snapshot
from churnkit.models.hazard import interval_ends, with_interval
from churnkit.models.level import carried_miss
from churnkit.predict.attributes import Attributes, attribute_matrix, known_columns, names_of
from churnkit.windows import has_history, training_cutoffs

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MOST_ROWS = 80_000  # CDNOW, October 1997, interval boosting: log loss .382 with these, .382 with all 328,000
MOST_CUSTOMERS = 25_000  # to choose them from, so that neither time nor memory grow with the customers


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Stacked rows: features and outcomes.

    Attributes:
        X: (rows, features), NaN where a feature is null; rows of intervals have the interval as last column.
        churned: (rows,), 1.0 where there was no order in the horizon, or in the interval.
        recency_days: (rows,), for the rule that people use instead.
        cutoffs: The cutoffs, latest first.
        base_rate: Share without an order at the latest of them.
        trend: The part of its change over one horizon that is expected again, in log odds.
        log_odds_offset: To be added to the log odds of a model of these rows, where those with an order were preferred.
    """

    X: FloatArray
    churned: FloatArray
    recency_days: FloatArray
    cutoffs: tuple[date, ...]
    base_rate: float
    trend: float = 0.0
    log_odds_offset: float = 0.0


class _Intervals(NamedTuple):
    """Rows of intervals: the place of the customer in a table, the number of the interval, and its outcome."""

    customer: IntArray
    number: IntArray
    churned: NDArray[np.bool_]


def training_book(book: OrderBook, cutoff: date) -> OrderBook:
    """The orders that training rows are made of: those of some customers where there are very many."""
    return fewer_customers(book, cutoff=cutoff, most=MOST_CUSTOMERS)


def horizon_rows(
    book: OrderBook,
    cutoff: date,
    horizon_days: int,
    features: Sequence[str],
    money_unit: float,
    attributes: Attributes = (),
) -> TrainingRows | None:
    """One row per customer and earlier cutoff, with the outcome of the whole horizon; None without a cutoff."""
    cutoffs, read = training_cutoffs(cutoff, horizon_days, first_order_on(book)), (*features, *names_of(attributes))
    parts = []
    for earlier in cutoffs:
        churned = outcomes(book, cutoff=earlier, horizon_days=horizon_days)["churned"].alias("_churned")
        parts.append(snapshot(book, cutoff=earlier).select(*read).with_columns(churned))
    if not parts:
        return None
    rates = {day: _share(part["_churned"]) for day, part in zip(cutoffs, parts, strict=True)}
    base_rate, before = rates[cutoffs[0]], rates.get(cutoffs[0] - timedelta(days=horizon_days))
    history = (cutoffs[0] - first_order_on(book)).days / horizon_days
    trend = 0.0 if before is None else carried_miss(before, base_rate, parts[0].height, history)
    rows = _by_content(parts, read)
    if rows.height > MOST_ROWS:
        rows = rows[_spaced(np.arange(rows.height), MOST_ROWS)]
    return TrainingRows(
        X=feature_matrix(rows, features, money_unit, attributes),
        churned=_floats(rows["_churned"]),
        recency_days=_floats(rows["recency_days"]),
        cutoffs=tuple(cutoffs),
        base_rate=base_rate,
        trend=trend,
    )


def interval_rows(
    book: OrderBook,
    cutoff: date,
    horizon_days: int,
    features: Sequence[str],
    money_unit: float,
    attributes: Attributes = (),
) -> TrainingRows | None:
    """One row per customer, earlier cutoff and interval not ended by an order before; None without a cutoff.

    Beside the cutoffs of `horizon_rows` stand those from which only the first intervals are over yet.
    """
    first, ends, read = first_order_on(book), interval_ends(horizon_days), (*features, *names_of(attributes))
    fresh = [cutoff - timedelta(days=end) for end in ends[:-1]]
    known = [earlier for earlier in fresh if has_history(earlier, horizon_days, first)]
    cutoffs = [*known, *training_cutoffs(cutoff, horizon_days, first)]
    parts = []
    for earlier in cutoffs:
        closed = [end for end in ends if earlier + timedelta(days=end) <= cutoff]
        silent = {f"_{end}": outcomes(book, cutoff=earlier, horizon_days=end)["churned"] for end in closed}
        unknown = {f"_{end}": pl.lit(None, pl.Boolean) for end in ends if end not in closed}
        parts.append(snapshot(book, cutoff=earlier).select(*read).with_columns(**silent, **unknown))
    if not parts:
        return None
    base_rate = _share(parts[0][f"_{ends[0]}"])
    customers = _by_content(parts, read)
    rows, offset = _intervals(customers, read, [f"_{end}" for end in ends]), 0.0
    if len(rows.churned) > MOST_ROWS:
        chosen, offset = _orders_first(rows.churned)
        rows = _Intervals(rows.customer[chosen], rows.number[chosen], rows.churned[chosen])
    customers = customers[rows.customer]
    X = feature_matrix(customers, features, money_unit, attributes)
    return TrainingRows(
        X=with_interval(X, rows.number.astype(np.float64)),
        churned=rows.churned.astype(np.float64),
        recency_days=_floats(customers["recency_days"]),
        cutoffs=tuple(cutoffs),
        base_rate=base_rate,
        log_odds_offset=offset,
    )


def _by_content(parts: Sequence[pl.DataFrame], features: Sequence[str]) -> pl.DataFrame:
    """The parts as one, sorted by what is in them, never by customer: other ids give the same model."""
    rest = [name for name in parts[-1].columns if name not in features]
    return pl.concat(parts).sort(*features, *rest)


def _intervals(customers: pl.DataFrame, features: Sequence[str], silent: Sequence[str]) -> _Intervals:
    """The intervals of customers who are sorted by their features, in the order of features, outcome and number."""
    differ = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in features)
    place = customers.select(differ.fill_null(True).cum_sum()).to_series().to_numpy()
    until = np.ones(customers.height, dtype=np.bool_)
    parts = []
    for number, name in enumerate(silent):
        here = np.flatnonzero(until & customers[name].is_not_null().to_numpy())
        quiet = customers[name].fill_null(False).to_numpy()
        parts.append(_Intervals(here, np.full(len(here), number), quiet[here]))
        until = quiet
    customer, number_of, churned = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((number_of, churned, place[customer]))
    return _Intervals(customer[order], number_of[order], churned[order])


def _orders_first(churned: NDArray[np.bool_]) -> tuple[IntArray, float]:
    """The rows with an order, which are few and tell most, and evenly spaced others.

    Source: King and Zeng (2001), Logistic regression in rare events data, Political Analysis 9(2), for the offset.
    """
    ordered, silent = np.flatnonzero(~churned), np.flatnonzero(churned)
    some = _spaced(ordered, min(len(ordered), MOST_ROWS // 2))
    rest = _spaced(silent, min(len(silent), MOST_ROWS - len(some)))
    offset = log(len(some) / len(ordered)) - log(len(rest) / len(silent)) if len(some) and len(rest) else 0.0
    return np.sort(np.concatenate([some, rest])), offset


def _floats(column: pl.Series) -> FloatArray:
    return column.cast(pl.Float64).to_numpy()


def _share(flags: pl.Series) -> float:
    return float(flags.sum()) / flags.len() if flags.len() else 0.0


def _spaced(rows: IntArray, count: int) -> IntArray:
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def model_features() -> tuple[str, ...]:
    """The columns of the customer table that the learned members read."""
    return tuple(feature.name for feature in FEATURES)


def content_of(book: OrderBook) -> tuple[str, ...]:
    """What is known of customers, to sort them by: the features, then the attributes."""
    return (*model_features(), *(column.name for column in known_columns(book)))


def feature_matrix(
    customers: pl.DataFrame, features: Sequence[str], money_unit: float, attributes: Attributes = ()
) -> FloatArray:
    """Features and attributes as a matrix, column by column in memory, NaN where null.

    Args:
        customers: The customer table.
        features: Its columns to take, in this order.
        money_unit: Amounts are counted in this many currency units, so that prices in cents or in thousands give the
            same model.
        attributes: What is read of the attributes; it comes last.
    """
    money = {feature.name for feature in FEATURES if feature.kind == "money"}
    value = {name: pl.col(name).cast(pl.Float64) / (money_unit if name in money else 1.0) for name in features}
    columns = customers.select(value[name].fill_null(float("nan")).alias(name) for name in features)
    X = np.asfortranarray(columns.to_numpy())
    return np.asfortranarray(np.hstack([X, attribute_matrix(customers, attributes)])) if attributes else X


def money_unit_of(customers: pl.DataFrame) -> float:
    """The median of the customers' mean orders; 1 where there are no amounts."""
    median = customers["mean_order"].median()
    return float(median) if isinstance(median, float) and median > 0 else 1.0
