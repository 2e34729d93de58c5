"""Scoring: every known customer at a cutoff, with churn probability, what is at stake, and the own rhythm."""

from datetime import date

import numpy as np
import polars as pl
from polars import col, when

from churnkit.customers.attributes import Attributes
from churnkit.customers.segments import segment_customers
from churnkit.customers.snapshot import Orders, default_cutoff, order_book, snapshot, spend_within
from churnkit.errors import DataError, ModelFileError, ShortHistoryError
from churnkit.models.blend import Habit, log_odds_of, probability_of
from churnkit.predict.attributes import lacking, told_of
from churnkit.predict.guards import unseen_share
from churnkit.predict.interval import widened
from churnkit.predict.model import ChurnModel
from churnkit.predict.rhythm import habit_of
from churnkit.predict.stack import FloatArray, feature_matrix
from churnkit.terms import RISK_HIGH, RISK_MEDIUM
from churnkit.windows import ACTIVITY_HORIZONS


def score_customers(
    orders: Orders, model: ChurnModel, *, cutoff: date | None = None, attributes: Attributes | None = None
) -> pl.DataFrame:
    """Score everybody known at a cutoff.

    Args:
        orders: Clean order lines; what is on or after the cutoff is not seen.
        model: A trained model; its horizon is the horizon of the scores.
        cutoff: First day not seen; the day after the last order where not given.
        attributes: What else is known of the customers, where the model was trained with it.

    Returns:
        The customer table (`snapshot`) with `churn_probability churn_low churn_high alive_probability spend_if_retained
        value_at_risk risk segment next_order_on` beside it, sorted by `customer_id`.

    Raises:
        ShortHistoryError: There is no order before the cutoff.
        DataError: The model was trained with amounts, and the orders have none, or the other way round; or it was
            trained with attributes that are not given.
    """
    book = order_book(orders, attributes)
    cutoff = cutoff or default_cutoff(book)
    customers = snapshot(book, cutoff=cutoff)
    _check_fit(customers, model, cutoff)
    habit = model_habit(book, customers, model, cutoff)
    stake = spend_if_retained(book, cutoff=cutoff, horizon_days=model.horizon_days, has_amounts=model.has_amounts)
    p, disagreement = _told(model, customers, habit)
    return (
        customers.with_columns(
            segment_customers(customers)["segment"],
            *_interval_columns(model, p, disagreement, cutoff),
            pl.Series("alive_probability", model.blend.alive_probability(habit, p)),
            stake,
        )
        .with_columns(
            value_at_risk=col("churn_probability") * col("alive_probability") * col("spend_if_retained"),
            risk=when(col("churn_probability") >= RISK_HIGH)
            .then(pl.lit("high"))
            .when(col("churn_probability") >= RISK_MEDIUM)
            .then(pl.lit("medium"))
            .otherwise(pl.lit("low")),
            next_order_on=_next_order_on(),
        )
        .sort("customer_id")
    )


def churn_probabilities(model: ChurnModel, customers: pl.DataFrame, habit: Habit) -> FloatArray:
    """P(no order within the horizon) for rows of the customer table and their habits."""
    return _told(model, customers, habit)[0]


def _interval_columns(
    model: ChurnModel, probability: FloatArray, disagreement: FloatArray, cutoff: date
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The probabilities, and the ends of their intervals."""
    unseen = unseen_share(model.month_days, cutoff, model.horizon_days)
    low, high = widened(model.spread, unseen).interval(log_odds_of(probability), disagreement)
    return (
        pl.Series("churn_probability", probability),
        pl.Series("churn_low", np.minimum(low, probability)),
        pl.Series("churn_high", np.maximum(high, probability)),
    )


def _told(model: ChurnModel, customers: pl.DataFrame, habit: Habit) -> tuple[FloatArray, FloatArray]:
    """The probabilities, and how far the members lie apart."""
    if model.kind == "base-rate":
        return np.full(customers.height, model.base_rate), np.zeros(customers.height)
    X = feature_matrix(customers, model.features, model.money_unit, model.attributes)
    log_odds, disagreement = model.blend.told(X, habit)
    return probability_of(log_odds), disagreement


def model_habit(book: Orders, customers: pl.DataFrame, model: ChurnModel, cutoff: date) -> Habit:
    """The habits of rows of the customer table, on the clock of the model."""
    return habit_of(order_book(book), customers, cutoff=cutoff, horizon_days=model.horizon_days, season=model.season)


def spend_if_retained(book: Orders, *, cutoff: date, horizon_days: int, has_amounts: bool) -> pl.Series:
    """Net spend of the last two horizons, per horizon, not below 0; orders where there is no amount.

    One value per customer known at the cutoff, in the order of `snapshot`.
    """
    recent = spend_within(book, cutoff=cutoff, days=ACTIVITY_HORIZONS * horizon_days)
    pace = recent["spend"] if has_amounts else recent["orders"].cast(pl.Float64)
    return (pace.clip(lower_bound=0.0) / ACTIVITY_HORIZONS).alias("spend_if_retained")


def _next_order_on() -> pl.Expr:
    """The last order plus the customer's mean gap, rounded; null after a single order day."""
    gap = col("mean_gap_days").round(0).cast(pl.Int64)
    return col("last_order_on") + pl.duration(days=gap)


def _check_fit(customers: pl.DataFrame, model: ChurnModel, cutoff: date) -> None:
    if customers.is_empty():
        raise ShortHistoryError(f"there is no order before {cutoff}", hint="choose a later --cutoff")
    missing = [name for name in model.features if name not in customers.columns]
    if missing:
        raise ModelFileError(
            f"the model reads a feature that this churnkit does not build: {missing[0]}", hint="train the model again"
        )
    without = lacking(model.attributes, customers)
    if without:
        raise DataError(
            f"the model was trained with the attributes {', '.join(told_of(model.attributes))}, and there is no "
            f"{without[0]} now",
            hint="name the file that holds it: --attributes FILE; or train a model without: churnkit train",
        )
    has_amounts = customers["monetary"].null_count() < customers.height
    if has_amounts != model.has_amounts:
        with_them, without = ("orders", "model") if has_amounts else ("model", "orders")
        raise DataError(
            f"the {with_them} had amounts and the {without} had none: the scores would mean something else",
            hint="name the column with --amount, or train the model again on these orders",
        )
