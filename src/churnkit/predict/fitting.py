"""One fit at one cutoff: the members on earlier cutoffs, blended and anchored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from churnkit.customers.features import FEATURES
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import first_order_on, snapshot
from churnkit.models.blend import (
    Blend,
    Habit,
    Learned,
    log_odds_of,
    probability_of,
    starting_weights,
)
from churnkit.models.boosting import fit_boosting
from churnkit.models.btyd_average import fit_average
from churnkit.models.hazard import hazard_of, moved
from churnkit.models.level import anchor_strength, level_shift
from churnkit.models.logistic import SplineLogistic, fit_logistic
from churnkit.models.seasonal import Season
from churnkit.models.trees import Trees
from churnkit.predict.attributes import Attributes, bent, choose_attributes, width_of
from churnkit.predict.rhythm import habit_of, season_of
from churnkit.predict.stack import (
    FloatArray,
    TrainingRows,
    content_of,
    feature_matrix,
    horizon_rows,
    interval_rows,
    model_features,
    money_unit_of,
    training_book,
)

RATE_WORTH = 250  # customers
FEWEST_ROWS, FEWEST_OF_A_KIND = 200, 20  # training rows in all, and of those who left and who stayed
SPLINE_FEATURES = (
    "recency_days",
    "tenure_days",
    "frequency",
    "n_order_days",
    "recency_over_mean_gap",
    "recency_share_of_tenure",
    "monetary",
)


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a prediction in time: what is history, and where the outcome is read."""

    cutoff: date
    horizon_days: int
    activity_window_days: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A blend at a cutoff, with what is needed to judge and to explain it.

    Attributes:
        blend: The members, weighed and anchored.
        season: The clock of the layer.
        rows: What the learned members saw of whole horizons; None where the history is too short for any.
        money_unit: The amount that the learned members count money in.
        btyd_mean_log_odds: Mean of what the layer adds to the log odds.
        forecast_mean: Mean probability by the models of the layer, to which the level of the blend is anchored.
        miss: What is carried over of the layer's miss one horizon ago.
        attributes: What the learned members read beside the features.
    """

    blend: Blend
    season: Season
    rows: TrainingRows | None
    money_unit: float
    btyd_mean_log_odds: float
    forecast_mean: float
    miss: float
    attributes: Attributes = ()


def fit_at(
    book: OrderBook,
    frame: Frame,
    *,
    weights: Sequence[float] | None = None,
    miss: float = 0.0,
    seed: int,
    jobs: int = 1,
) -> Fit:
    """Fit the members on cutoffs whose outcome windows are closed by the frame's cutoff, and blend them there.

    Args:
        book: The orders.
        frame: Where and for how long.
        weights: Weights of the members as in `Blend`, where outcomes have told them; else by the number of customers.
        miss: What is carried over of the layer's miss one horizon ago (`models.level.carried_miss`).
        seed: Seed of the fits.
        jobs: Fits that run at the same time.
    """
    features = model_features()
    # by content, not by customer: sums over the rows then have the same last bit under other ids
    customers = snapshot(book, cutoff=frame.cutoff).sort(content_of(book))
    attributes, _ = choose_attributes(book, customers)
    season = season_of(book, customers, frame.cutoff)
    habit = habit_of(book, customers, cutoff=frame.cutoff, horizon_days=frame.horizon_days, season=season)
    money_unit = money_unit_of(customers)
    btyd = fit_average(*habit[:-1])
    each = btyd.each_no_order_probability(*habit)
    forecast_mean = float(each.mean())  # evenly: who explains the past best need not foretell the level best
    at = (training_book(book, frame.cutoff), frame.cutoff, frame.horizon_days, features, money_unit, attributes)
    rows = horizon_rows(*at)
    learned = _fit_learned(rows, interval_rows(*at), features, attributes, seed=seed, jobs=jobs)
    if learned:
        if weights is None or not weights[-1]:  # the learned members could not be judged yet
            layer = btyd.weights if weights is None else weights[:-1]
            weights = starting_weights(layer, customers.height, learned=True)
        blend = Blend(btyd, tuple(weights), learned)
        X = feature_matrix(customers, features, money_unit, attributes)
        raw = blend.log_odds_beside(blend.weighed(each), X)
        blend = replace(blend, shift=level_shift(raw, forecast_mean, anchor_strength_at(book, frame), miss))
    else:
        blend = Blend(btyd, starting_weights(btyd.weights, customers.height, learned=False))
    return Fit(blend, season, rows, money_unit, float(blend.weighed(each).mean()), forecast_mean, miss, attributes)


def rate_for_everybody(fit: Fit, customers: int) -> float:
    """The one probability to give to everybody where nothing tells them apart.

    The rate of the last outcomes is one horizon old, and as those who are gone pile up among the known, it rises. The
    layer, with the miss that is carried over, foretells by how much; half of it is believed at most, and half of that
    where it saw `RATE_WORTH` customers. The miss does not move the rate itself, which came and missed nothing; but
    where it fell a lot over the last horizon, as in a shop whose customers order ever more often, it will fall on.
    """
    if fit.rows is None:
        return fit.forecast_mean
    forecast = float(probability_of(log_odds_of(np.array(fit.forecast_mean)) + fit.miss))
    rise = max(forecast - fit.rows.base_rate, 0.0) / 2
    rate = fit.rows.base_rate + customers / (customers + RATE_WORTH) * rise
    return float(probability_of(log_odds_of(np.array(rate)) + min(fit.rows.trend, 0.0)))


def reweighed(fit: Fit, members: FloatArray, weights: FloatArray, strength: float) -> FloatArray:
    """P(no order within the horizon) had the members these weights, anchored as before.

    Args:
        fit: The fit whose members they are.
        members: Their log odds (`Blend.members_log_odds`).
        weights: The weights to try.
        strength: How far the mean moves towards the forecast of the layer.
    """
    blended = np.where(np.isnan(members), 0.0, members) @ weights
    return probability_of(blended + level_shift(blended, fit.forecast_mean, strength))


def anchor_strength_at(book: OrderBook, frame: Frame) -> float:
    """How far the mean forecast moves towards that of the layer, by the horizons of history."""
    return anchor_strength(history_horizons(book, frame))


def history_horizons(book: OrderBook, frame: Frame) -> float:
    """How many horizons lie between the first order and the cutoff."""
    return (frame.cutoff - first_order_on(book)).days / frame.horizon_days


def told_at(fit: Fit, book: OrderBook, customers: pl.DataFrame, frame: Frame) -> tuple[FloatArray, FloatArray]:
    """What a fit says (`Blend.told`) of rows of the customer table at the frame's cutoff."""
    return fit.blend.told(*_known(fit, book, customers, frame))


def members_log_odds(fit: Fit, book: OrderBook, customers: pl.DataFrame, frame: Frame) -> FloatArray:
    """The same by each member of the fit alone (`Blend.members_log_odds`)."""
    return fit.blend.members_log_odds(*_known(fit, book, customers, frame))


def _known(fit: Fit, book: OrderBook, customers: pl.DataFrame, frame: Frame) -> tuple[FloatArray, Habit]:
    X = feature_matrix(customers, model_features(), fit.money_unit, fit.attributes)
    at = (book, customers)
    return X, habit_of(*at, cutoff=frame.cutoff, horizon_days=frame.horizon_days, season=fit.season)


def directions(features: tuple[str, ...], attributes: Attributes = ()) -> list[int]:
    """Per column of the matrix, which way it may move the churn probability: an attribute both ways."""
    direction = {feature.name: feature.direction for feature in FEATURES}
    return [*(direction[name] for name in features), *[0] * width_of(attributes)]


def spline_columns(features: tuple[str, ...], attributes: Attributes = ()) -> list[int]:
    """Where the columns of the matrix stand that the logistic regression bends."""
    return [*(features.index(name) for name in SPLINE_FEATURES), *(len(features) + at for at in bent(attributes))]


def _fit_learned(
    rows: TrainingRows | None,
    intervals: TrainingRows | None,
    features: tuple[str, ...],
    attributes: Attributes,
    *,
    seed: int,
    jobs: int,
) -> dict[str, Learned]:
    """The members that there are rows enough for, by name."""
    from joblib import Parallel, delayed

    up, curved = directions(features, attributes), spline_columns(features, attributes)
    fits = {}
    if rows is not None and _enough_rows(rows):
        fits["boosting"] = delayed(fit_boosting)(rows.X, rows.churned, monotone=up, seed=seed)
        fits["logistic"] = delayed(fit_logistic)(rows.X, rows.churned, spline_columns=curved, seed=seed)
    if intervals is not None and _enough_rows(intervals):
        X, y, last = intervals.X, intervals.churned, len(up)
        fits["hazard_boosting"] = delayed(fit_boosting)(X, y, monotone=[*up, 0], seed=seed)
        fits["hazard_logistic"] = delayed(fit_logistic)(X, y, spline_columns=[*curved, last], seed=seed)
    found: dict[str, Trees | SplineLogistic] = dict(
        zip(fits, Parallel(n_jobs=jobs, prefer="threads")(fits.values()), strict=True)
    )
    if intervals is None:
        return {**found}
    return {
        name: hazard_of(moved(member, intervals.log_odds_offset), intervals.X) if name.startswith("hazard") else member
        for name, member in found.items()
    }


def _enough_rows(rows: TrainingRows) -> bool:
    left = int(rows.churned.sum())
    return len(rows.churned) >= FEWEST_ROWS and min(left, len(rows.churned) - left) >= FEWEST_OF_A_KIND
