"""One cutoff of the backtest: what every model said of the customers, what they then did, and the figures of both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import outcomes, snapshot
from churnkit.evaluate.ceiling import ceiling_log_odds
from churnkit.evaluate.coverage import interval_coverage
from churnkit.evaluate.curves import parts_of_list
from churnkit.evaluate.metrics import (
    auc,
    average_precision,
    brier,
    calibration_error,
    calibration_floor,
    captured_at,
    captured_money_at,
    lift_at,
    log_loss,
)
from churnkit.evaluate.profit import Costs, expected_max_profit, expected_profit, max_profit, profit_if_contacted
from churnkit.models.blend import log_odds_of, probability_of
from churnkit.models.boosting import fit_boosting
from churnkit.models.logistic import fit_logistic
from churnkit.predict.attributes import Attributes
from churnkit.predict.check import fit_and_check
from churnkit.predict.fitting import Frame, directions, rate_for_everybody, spline_columns, told_at
from churnkit.predict.guards import seen_month_days, unseen_share
from churnkit.predict.interval import spread_after, widened
from churnkit.predict.peers import peers_at
from churnkit.predict.scoring import spend_if_retained
from churnkit.predict.stack import content_of, feature_matrix, model_features

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

OURS, BASE_RATE, CEILING = "churnkit", "base_rate", "ceiling"
ROOM = 0.01  # share of the base rate's log loss; where the ceiling is not even so far below it, nothing can be reached


@dataclass(frozen=True, slots=True)
class Sample:
    """The customers of one population at one cutoff.

    Attributes:
        cutoff: The cutoff.
        population: `all` or `active`.
        customers: Their ids.
        churned: 1.0 where there was no order within the horizon.
        spend: Spend if retained, within one horizon.
        probabilities: P(no order within the horizon) by each model.
        silence_days: N of the best rule "no order for N days", where one was found.
        intervals: The ends of the 90 % intervals of these probabilities, by the models that have any.
    """

    cutoff: date
    population: str
    customers: pl.Series
    churned: FloatArray
    spend: FloatArray
    probabilities: Mapping[str, FloatArray]
    silence_days: int | None
    intervals: Mapping[str, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @property
    def lost(self) -> FloatArray:
        """The money lost with each customer."""
        return self.churned * self.spend

    def money_at_risk(self, model: str) -> FloatArray:
        """The money expected to be lost with each customer, by which a list for a campaign is ranked."""
        return self.probabilities[model] * self.spend

    def value(self, costs: Costs) -> FloatArray:
        """What each customer is worth if kept."""
        return self.spend if costs.value is None else np.full_like(self.spend, costs.value)

    def profits(self, model: str, costs: Costs) -> FloatArray:
        """What each customer would have earned: 0 for those whose expected profit is not above 0."""
        contacted = expected_profit(self.probabilities[model], self.value(costs), costs) > 0
        return np.where(contacted, profit_if_contacted(self.churned, self.value(costs), costs), 0.0)


def judge_at(book: OrderBook, frame: Frame, *, has_amounts: bool, seed: int, jobs: int) -> tuple[Sample, ...]:
    """Fit everybody at a cutoff with nothing but its past, and bring the outcomes beside it.

    Returns:
        The sample of all known customers, and that of the active ones where there are any.
    """
    fit, check = fit_and_check(book, frame, seed=seed, jobs=jobs)
    after = outcomes(book, cutoff=frame.cutoff, horizon_days=frame.horizon_days)["churned"]
    rows = snapshot(book, cutoff=frame.cutoff).with_columns(
        after.cast(pl.Float64).alias("_churned"),
        spend_if_retained(book, cutoff=frame.cutoff, horizon_days=frame.horizon_days, has_amounts=has_amounts),
    )
    rows = rows.sort(*content_of(book), "_churned", "spend_if_retained")  # by content, as the fits: ids do not matter
    X = feature_matrix(rows, model_features(), fit.money_unit, fit.attributes)
    churned = rows["_churned"].to_numpy()
    forecast, disagreement = told_at(fit, book, rows, frame)
    if check is not None and not check.has_signal:  # as `train` would answer
        rate = rate_for_everybody(fit, rows.height)
        forecast, disagreement = np.full(rows.height, log_odds_of(np.array(rate))), np.zeros(rows.height)
    unseen = unseen_share(seen_month_days(book, frame.cutoff), frame.cutoff, frame.horizon_days)
    low, high = widened(spread_after(check, rows.height), unseen).interval(forecast, disagreement)
    peers = peers_at(book, frame, rows)
    found = {OURS: probability_of(forecast), **peers.probabilities}
    ceiling = _ceiling(X, churned, forecast, fit.attributes, seed=seed, jobs=jobs)
    if ceiling is not None:
        found[CEILING] = probability_of(ceiling)
    spend = rows["spend_if_retained"].to_numpy()
    active = rows["recency_days"].to_numpy() <= frame.activity_window_days
    return tuple(
        Sample(
            frame.cutoff,
            population,
            rows["customer_id"].filter(pl.Series(chosen)),
            churned[chosen],
            spend[chosen],
            {model: p[chosen] for model, p in found.items()}
            | {BASE_RATE: np.full(int(chosen.sum()), peers.base_rates[population])},
            peers.silence_days,
            {OURS: (low[chosen], high[chosen])},
        )
        for population, chosen in (("all", np.ones_like(active)), ("active", active))
        if chosen.any()
    )


def _ceiling(
    X: FloatArray, churned: FloatArray, forecast: FloatArray, attributes: Attributes, *, seed: int, jobs: int
) -> FloatArray | None:
    up, curved = directions(model_features(), attributes), spline_columns(model_features(), attributes)
    return ceiling_log_odds(
        X,
        churned,
        forecast,
        [
            lambda X, y: fit_boosting(X, y, monotone=up, seed=seed).log_odds,
            lambda X, y: fit_logistic(X, y, spline_columns=curved, seed=seed).log_odds,
        ],
        seed=seed,
        jobs=jobs,
    )


def figures(sample: Sample, costs: Costs | None) -> Iterator[dict[str, Any]]:
    """The row of every model (`terms.BACKTEST`)."""
    losses = {model: log_loss(sample.churned, p) for model, p in sample.probabilities.items()}
    for model, p in sample.probabilities.items():
        y = sample.churned
        yield {
            "cutoff": sample.cutoff,
            "population": sample.population,
            "model": model,
            "auc": auc(y, p),
            "log_loss": losses[model],
            "brier": brier(y, p),
            "calibration_error": calibration_error(y, p),
            "lift_10": lift_at(y, p),
            "captured_10": captured_at(y, p),
            "customers": len(y),
            "base_rate": float(y.mean()),
            "calibration_floor": calibration_floor(p),
            "average_precision": average_precision(y, p),
            "captured_money_10": captured_money_at(y, sample.money_at_risk(model), sample.spend),
            "reached": reached(losses[BASE_RATE], losses[model], losses.get(CEILING)),
            **(_covered(sample, model) if model in sample.intervals else {}),
            **(_earned(sample, model, costs) if costs else {}),
        }


def reached(base: float, loss: float, ceiling: float | None) -> float | None:
    """How far a log loss has come from the base rate's to the ceiling's; None where there is no way to go."""
    if ceiling is None or base - ceiling < ROOM * base:
        return None
    return (base - loss) / (base - ceiling)


def _covered(sample: Sample, model: str) -> dict[str, Any]:
    low, high = sample.intervals[model]
    found = interval_coverage(sample.churned, sample.probabilities[model], low, high)
    return {
        "interval_width": float((high - low).mean()),
        "interval_coverage": found.share if found.groups else None,
        "interval_groups": found.groups,
    }


def _earned(sample: Sample, model: str, costs: Costs) -> dict[str, Any]:
    y, p, value = sample.churned, sample.probabilities[model], sample.value(costs)
    return {
        "contacted": int((expected_profit(p, value, costs) > 0).sum()),
        "profit": float(sample.profits(model, costs).sum()),
        "max_profit": max_profit(y, p, value, costs),
        "expected_max_profit": expected_max_profit(y, p, value, costs),
    }


def deciles(sample: Sample) -> Iterator[dict[str, Any]]:
    """The tenths of every model's list (`terms.DECILES`): by probability, and for the money by money at risk."""
    rate, left, lost = float(sample.churned.mean()), sample.churned.sum(), sample.lost.sum()
    for model, p in sample.probabilities.items():
        by_money = parts_of_list(sample.money_at_risk(model), sample.lost)
        caught = money = 0.0
        for number, part in enumerate(parts_of_list(p, p, sample.churned)):
            risk, churned = part.sums
            caught, money = caught + churned, money + by_money[number].sums[0]
            if not part.customers:
                continue
            yield {
                "cutoff": sample.cutoff,
                "population": sample.population,
                "model": model,
                "decile": number + 1,
                "customers": part.customers,
                "churn_probability": risk / part.customers,
                "churn_rate": churned / part.customers,
                "lift": churned / part.customers / rate if rate else None,
                "captured": min(caught / left, 1.0) if left else None,
                "money_lost": by_money[number].sums[0],
                "captured_money": min(money / lost, 1.0) if lost else None,
            }
