"""One fit at one cutoff: the members on earlier cutoffs, blended and anchored."""

from dataclasses import dataclass, replace
from datetime import date

from churnkit.customers.features import FEATURES
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import first_order_on, snapshot
from churnkit.models.blend import Blend, Learned, anchor_strength, anchored_shift, btyd_weight, probability_of
from churnkit.models.boosting import fit_boosting
from churnkit.models.btyd import fit_mbgnbd
from churnkit.models.hazard import hazard_of
from churnkit.models.logistic import SplineLogistic, fit_logistic
from churnkit.models.trees import Trees
from churnkit.predict.stack import (
    TrainingRows,
    feature_matrix,
    habit_of,
    horizon_rows,
    interval_rows,
    model_features,
    money_unit_of,
)

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
    """A blend at a cutoff, with what is needed to judge and to explain it."""

    blend: Blend
    rows: TrainingRows | None
    money_unit: float
    btyd_mean_log_odds: float
    forecast_mean: float


def fit_at(book: OrderBook, frame: Frame, *, seed: int, jobs: int = 1) -> Fit:
    """Fit the members on cutoffs whose outcome windows are closed by the frame's cutoff, and blend them there."""
    features = model_features()
    # by content, not by customer: sums over the rows then have the same last bit under other ids
    customers = snapshot(book, cutoff=frame.cutoff).sort(features)
    habit = habit_of(customers)
    money_unit = money_unit_of(customers)
    btyd = fit_mbgnbd(*habit)
    alone = Blend(btyd)
    btyd_log_odds = alone.btyd_log_odds(habit, frame.horizon_days)
    forecast_mean = float(probability_of(btyd_log_odds).mean())
    at = (book, frame.cutoff, frame.horizon_days, features, money_unit)
    rows = horizon_rows(*at)
    learned = _fit_learned(rows, interval_rows(*at), features, seed=seed, jobs=jobs)
    if learned:
        blend = Blend(btyd, learned, btyd_weight(customers.height))
        raw = blend.log_odds(feature_matrix(customers, features, money_unit), habit, frame.horizon_days)
        strength = anchor_strength((frame.cutoff - first_order_on(book)).days / frame.horizon_days)
        blend = replace(blend, shift=anchored_shift(raw, forecast_mean, strength))
    else:
        blend = alone
    return Fit(blend, rows, money_unit, float(btyd_log_odds.mean()), forecast_mean)


def directions(features: tuple[str, ...]) -> list[int]:
    """Per feature, which way it may move the churn probability."""
    direction = {feature.name: feature.direction for feature in FEATURES}
    return [direction[name] for name in features]


def spline_columns(features: tuple[str, ...]) -> list[int]:
    """Where the features stand that the logistic regression bends."""
    return [features.index(name) for name in SPLINE_FEATURES]


def _fit_learned(
    rows: TrainingRows | None, intervals: TrainingRows | None, features: tuple[str, ...], *, seed: int, jobs: int
) -> dict[str, Learned]:
    """The members that there are rows enough for, by name."""
    from joblib import Parallel, delayed

    up, bent = directions(features), spline_columns(features)
    fits = {}
    if rows is not None and _enough_rows(rows):
        fits["boosting"] = delayed(fit_boosting)(rows.X, rows.churned, monotone=up, seed=seed)
        fits["logistic"] = delayed(fit_logistic)(rows.X, rows.churned, spline_columns=bent, seed=seed)
    if intervals is not None and _enough_rows(intervals):
        X, y, weight, last = intervals.X, intervals.churned, intervals.weight, len(features)
        fits["hazard_boosting"] = delayed(fit_boosting)(X, y, monotone=[*up, 0], sample_weight=weight, seed=seed)
        bent = [*bent, last]
        fits["hazard_logistic"] = delayed(fit_logistic)(X, y, spline_columns=bent, sample_weight=weight, seed=seed)
    found: dict[str, Trees | SplineLogistic] = dict(
        zip(fits, Parallel(n_jobs=jobs, prefer="threads")(fits.values()), strict=True)
    )
    if intervals is None:
        return {**found}
    return {
        name: hazard_of(member, intervals.X) if name.startswith("hazard") else member for name, member in found.items()
    }


def _enough_rows(rows: TrainingRows) -> bool:
    left = int(rows.churned.sum())
    return len(rows.churned) >= FEWEST_ROWS and min(left, len(rows.churned) - left) >= FEWEST_OF_A_KIND
