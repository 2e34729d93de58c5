"""One fit at one cutoff: the members on earlier cutoffs, blended and anchored."""

from dataclasses import dataclass, replace
from datetime import date

from churnkit.customers.features import FEATURES
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import first_order_on, snapshot
from churnkit.models.blend import Blend, anchored_shift, btyd_weight, probability_of
from churnkit.models.boosting import fit_boosting
from churnkit.models.btyd import fit_mbgnbd
from churnkit.models.logistic import SplineLogistic, fit_logistic
from churnkit.models.trees import Trees
from churnkit.predict.stack import TrainingRows, feature_matrix, habit_of, model_features, money_unit_of, stack
from churnkit.windows import training_cutoffs

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
    rows = training_rows(book, frame, features, money_unit)
    if rows is None or not _enough_rows(rows):
        return Fit(alone, rows, money_unit, float(btyd_log_odds.mean()), forecast_mean)
    trees, logistic = _fit_learned(rows, features, seed=seed, jobs=jobs)
    blend = Blend(btyd, trees, logistic, btyd_weight(customers.height))
    raw = blend.log_odds(feature_matrix(customers, features, money_unit), habit, frame.horizon_days)
    shifted = replace(blend, shift=anchored_shift(raw, forecast_mean))
    return Fit(shifted, rows, money_unit, float(btyd_log_odds.mean()), forecast_mean)


def training_rows(book: OrderBook, frame: Frame, features: tuple[str, ...], money_unit: float) -> TrainingRows | None:
    """The rows of all cutoffs whose outcome windows are closed by the frame's cutoff; None where there is none."""
    cutoffs = training_cutoffs(frame.cutoff, frame.horizon_days, first_order_on(book))
    return stack(book, cutoffs, frame.horizon_days, features, money_unit)


def directions(features: tuple[str, ...]) -> list[int]:
    """Per feature, which way it may move the churn probability."""
    direction = {feature.name: feature.direction for feature in FEATURES}
    return [direction[name] for name in features]


def spline_columns(features: tuple[str, ...]) -> list[int]:
    """Where the features stand that the logistic regression bends."""
    return [features.index(name) for name in SPLINE_FEATURES]


def _fit_learned(
    rows: TrainingRows, features: tuple[str, ...], *, seed: int, jobs: int
) -> tuple[Trees, SplineLogistic]:
    from joblib import Parallel, delayed

    fits = (
        delayed(fit_boosting)(rows.X, rows.churned, monotone=directions(features), seed=seed),
        delayed(fit_logistic)(rows.X, rows.churned, spline_columns=spline_columns(features), seed=seed),
    )
    trees, logistic = Parallel(n_jobs=min(jobs, len(fits)), prefer="threads")(fits)
    return trees, logistic


def _enough_rows(rows: TrainingRows) -> bool:
    left = int(rows.churned.sum())
    return len(rows.churned) >= FEWEST_ROWS and min(left, len(rows.churned) - left) >= FEWEST_OF_A_KIND
