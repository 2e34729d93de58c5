"""The honest check: how good the same way of training would have been one horizon ago.

The model is trained as if the cutoff were one horizon earlier, and judged on the horizon that then followed, which it
has not seen. Beside it stand the base rate and the rule that people use instead: no order for N days.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import first_order_on, outcomes, snapshot
from churnkit.evaluate.baselines import best_silence_days
from churnkit.evaluate.metrics import auc, brier, calibration_error, log_loss
from churnkit.models.blend import log_odds_of
from churnkit.models.level import carried_miss, level_shift
from churnkit.models.weighing import fit_weights
from churnkit.predict.fitting import (
    Fit,
    Frame,
    anchor_strength_at,
    fit_at,
    history_horizons,
    members_log_odds,
    reweighed,
)
from churnkit.predict.stack import content_of
from churnkit.terms import percent
from churnkit.windows import has_history

FloatArray: TypeAlias = NDArray[np.float64]

FEWEST_JUDGED = 20
_ROUNDING = 1e-9
CHANCE = 1.0  # standard errors of the gain: less tells nobody apart
WORTH_SAYING = 0.1  # log odds


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule "no order for N days" on the same customers, and the model with as many customers flagged.

    Attributes:
        silence_days: N, the best at the cutoffs that the model learned from.
        flagged: How many customers the rule takes for lost.
        precision: Share of them that left.
        model_precision: Share that left of as many customers with the highest churn probability.
        auc: Area under the curve of the days silent.
    """

    silence_days: int
    flagged: int
    precision: float
    model_precision: float
    auc: float

    def sentence(self) -> str:
        """How much better than the rule the model is."""
        return (
            f'The rule "no order for {self.silence_days} days" flags {self.flagged:,} of them and is right for '
            f"{percent(self.precision)}; the {self.flagged:,} with the highest churn probability: "
            f"{percent(self.model_precision)}."
        )


@dataclass(frozen=True, slots=True)
class Check:
    """What came out one horizon ago, for the customers active then.

    Attributes:
        cutoff: The earlier cutoff.
        horizon_days: The horizon that was held back.
        population: `active`, or `all` where too few were active to judge by.
        customers: How many were judged.
        base_rate: Share of them that left.
        auc: Area under the ROC curve.
        log_loss: Mean log loss of the probabilities.
        brier: Mean squared error of the probabilities.
        calibration_error: Mean gap between probability and rate over ten bins of equal size.
        base_rate_log_loss: Log loss of the rate known before, given to everybody.
        has_signal: Whether the probabilities of all known customers told them apart (`tells_apart`).
        rule: The rule that people use instead; None where nothing was there to choose N by.
        weights: The weights of the members that these outcomes tell, as in `Blend`.
        foretold: Share of all known customers that the buy-till-you-die models expected to leave.
        came: Share of them that left.
        carried_miss: The part of that miss, in log odds, by which the forecast of today is moved.
        level_error: What was missing in the log odds of everybody for the mean probability to be the rate.
        level_chance: Its standard error by chance.
    """

    cutoff: date
    horizon_days: int
    population: str
    customers: int
    base_rate: float
    auc: float
    log_loss: float
    brier: float
    calibration_error: float
    base_rate_log_loss: float
    has_signal: bool
    rule: Rule | None
    weights: tuple[float, ...]
    foretold: float
    came: float
    carried_miss: float
    level_error: float
    level_chance: float

    def figures(self) -> dict[str, object]:
        """The check as plain values, for the model file and for JSON."""
        return asdict(self) | {"cutoff": self.cutoff.isoformat(), "weights": list(self.weights)}

    def sentences(self) -> tuple[str, ...]:
        """The check in words."""
        who = "customers" if self.population == "all" else "active customers"
        told = (
            f"Checked on the {self.horizon_days} days from {self.cutoff}, unseen in training: "
            f"{percent(self.base_rate)} of {self.customers:,} {who} left; "
            f"AUC {self.auc:.2f}, calibration error {self.calibration_error:.3f}."
        )
        said = [told]
        if self.rule is not None:
            said.append(self.rule.sentence())
        if abs(self.carried_miss) >= WORTH_SAYING:
            said.append(
                f"Habits are changing: one horizon ago {percent(self.foretold)} of all were expected to leave and "
                f"{percent(self.came)} did; part of that difference is carried over to this forecast."
            )
        return tuple(said)


def fit_and_check(book: OrderBook, frame: Frame, *, seed: int, jobs: int = 1) -> tuple[Fit, Check | None]:
    """Check one horizon ago, then fit at the frame with the weights that the check told.

    Args:
        book: The orders; what is on or after the frame's cutoff is not seen.
        frame: Cutoff, horizon and activity window.
        seed: Seed of the fits.
        jobs: Fits that run at the same time.
    """
    check = check_out_of_time(book, frame, lambda earlier: fit_at(book, earlier, seed=seed, jobs=jobs))
    if check is None:
        return fit_at(book, frame, seed=seed, jobs=jobs), None
    return fit_at(book, frame, weights=check.weights, miss=check.carried_miss, seed=seed, jobs=jobs), check


def check_out_of_time(book: OrderBook, frame: Frame, fit_at: Callable[[Frame], Fit]) -> Check | None:
    """Train one horizon earlier and judge on the horizon that followed.

    Args:
        book: The orders.
        frame: Cutoff, horizon and activity window of the model to be checked.
        fit_at: How the model is fitted at a frame.

    Returns:
        The check; None where there is no history one horizon ago, too few customers, or only one outcome among them.
    """
    earlier = replace(frame, cutoff=frame.cutoff - timedelta(days=frame.horizon_days))
    if not has_history(earlier.cutoff, frame.horizon_days, first_order_on(book)):
        return None
    after = outcomes(book, cutoff=earlier.cutoff, horizon_days=frame.horizon_days)["churned"]
    # by content, not by customer: means over the rows then have the same last bit under other ids
    customers = snapshot(book, cutoff=earlier.cutoff).with_columns(after).sort(*content_of(book), "churned")
    if int((customers["n_order_days"] > 1).sum()) < FEWEST_JUDGED:
        return None
    churned = customers["churned"].to_numpy()
    recency = customers["recency_days"].to_numpy().astype(np.float64)
    chosen, population = recency <= frame.activity_window_days, "active"
    if not _judgeable(churned[chosen]):
        chosen, population = np.ones(len(churned), dtype=np.bool_), "all"
    if not _judgeable(churned[chosen]):
        return None
    fit = fit_at(earlier)
    members = members_log_odds(fit, book, customers, earlier)
    strength = anchor_strength_at(book, earlier)
    weights, everybody = _cross_weighed(fit, members, churned.astype(np.float64), strength)
    p, y = everybody[chosen], churned[chosen].astype(np.float64)
    return Check(
        cutoff=earlier.cutoff,
        horizon_days=frame.horizon_days,
        population=population,
        customers=len(y),
        base_rate=float(y.mean()),
        auc=auc(y, p),
        log_loss=log_loss(y, p),
        brier=brier(y, p),
        calibration_error=calibration_error(y, p),
        base_rate_log_loss=log_loss(y, np.full(len(y), _known_rate(fit, frame))),
        has_signal=tells_apart(churned.astype(np.float64), everybody),
        rule=_rule(fit, recency[chosen], y, p, frame),
        weights=tuple(float(weight) for weight in weights),
        foretold=fit.forecast_mean,
        came=float(churned.mean()),
        carried_miss=carried_miss(
            fit.forecast_mean, float(churned.mean()), len(churned), history_horizons(book, earlier)
        ),
        level_error=level_shift(log_odds_of(p), float(y.mean()), 1.0),
        level_chance=1.0 / math.sqrt(float((p * (1 - p)).sum())),
    )


def _cross_weighed(
    fit: Fit, members: FloatArray, churned: FloatArray, strength: float
) -> tuple[FloatArray, FloatArray]:
    """The weights that the outcomes tell, and probabilities of which none saw the customer's own outcome.

    Each half of the customers is foretold with the weights that the other half tells.
    """
    start = np.array(fit.blend.weights)
    half = np.arange(len(churned)) % 2 == 0
    p = np.empty(len(churned))
    for judged in (half, ~half):
        weights = fit_weights(members[~judged], churned[~judged], start)
        p[judged] = reweighed(fit, members, weights, strength)[judged]
    return fit_weights(members, churned, start), p


def _judgeable(churned: NDArray[np.bool_]) -> bool:
    return len(churned) >= FEWEST_JUDGED and 0 < int(churned.sum()) < len(churned)


def tells_apart(churned: FloatArray, p: FloatArray) -> bool:
    """Whether probabilities foretold who left better than one for everybody, by more than chance.

    Both are brought to the level that came: it may beat a base rate of yesterday, or lose to it, and tell nobody apart.

    Args:
        churned: 1.0 where there was no order.
        p: P(no order) of the same customers, told before.
    """
    rate = float(churned.mean())
    log_odds = log_odds_of(p)
    told = _losses(churned, log_odds + level_shift(log_odds, rate, 1.0))
    gain = _losses(churned, log_odds_of(np.full_like(p, rate))) - told
    return float(gain.mean()) > CHANCE * float(gain.std()) / math.sqrt(len(gain)) + _ROUNDING


def _losses(churned: FloatArray, log_odds: FloatArray) -> FloatArray:
    return np.asarray(np.logaddexp(0.0, (1.0 - 2.0 * churned) * log_odds))


def _known_rate(fit: Fit, frame: Frame) -> float:
    """The rate of the judged kind of customer that was known at the earlier cutoff."""
    if fit.rows is None:
        return fit.forecast_mean
    active = fit.rows.recency_days <= frame.activity_window_days
    return float(fit.rows.churned[active].mean()) if active.any() else fit.rows.base_rate


def _rule(fit: Fit, recency: FloatArray, y: FloatArray, p: FloatArray, frame: Frame) -> Rule | None:
    if fit.rows is None:
        return None
    active = fit.rows.recency_days <= frame.activity_window_days
    days = best_silence_days(fit.rows.recency_days[active], fit.rows.churned[active])
    flagged = recency >= days
    count = int(flagged.sum())
    if not 0 < count < len(y):
        return None
    top = np.argsort(-p, kind="stable")[:count]
    return Rule(days, count, float(y[flagged].mean()), float(y[top].mean()), auc(y, recency))
