"""The peers of the backtest: what people use instead of a model, each fitted on the same earlier cutoffs.

A rule or score that gives no probability gets one by a logistic regression on it, so that all are judged alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.segments import rfm_scores
from churnkit.customers.snapshot import first_order_on, outcomes, snapshot
from churnkit.evaluate.baselines import best_silence_days, fit_rfm_logistic, score_curve
from churnkit.models.blend import probability_of
from churnkit.models.btyd import fit_bgnbd, fit_mbgnbd
from churnkit.models.pareto import fit_pareto_nbd
from churnkit.predict.fitting import Frame
from churnkit.predict.rhythm import spans_of
from churnkit.windows import training_cutoffs

FloatArray: TypeAlias = NDArray[np.float64]

RFM = ("recency_days", "frequency", "monetary", "tenure_days")


@dataclass(frozen=True, slots=True)
class Peers:
    """What the peers say of the customers of one cutoff.

    Attributes:
        probabilities: P(no order within the horizon) by each peer. The buy-till-you-die models are always there, the
            others where there are outcomes at earlier cutoffs to fit them on.
        base_rates: The rate known before, of `all` and of the `active` customers.
        silence_days: N of the best rule "no order for N days" for the active customers, where it could be found.
    """

    probabilities: dict[str, FloatArray]
    base_rates: dict[str, float]
    silence_days: int | None


def peers_at(book: OrderBook, frame: Frame, customers: pl.DataFrame) -> Peers:
    """Fit every peer with nothing but the past of the frame's cutoff, and ask it about its customers."""
    habit = spans_of(customers)
    found = {
        "bgnbd": fit_bgnbd(*habit).no_order_probability(*habit, frame.horizon_days),
        "mbgnbd": fit_mbgnbd(*habit).no_order_probability(*habit, frame.horizon_days),
        "pareto_nbd": fit_pareto_nbd(*habit).no_order_probability(*habit, frame.horizon_days),
    }
    past, left = _past(book, frame)
    if len(np.unique(np.concatenate([*left, []]))) < 2:
        return Peers(found, _rates(found["mbgnbd"], _recency(customers), frame), None)
    churned, silence = np.concatenate(left), np.concatenate([_recency(part) for part in past])
    found["inactivity_rule"] = _by_score(silence, churned, _recency(customers))
    found["rfm_score"] = _by_score(_rfm_score(past), churned, _rfm_score([customers]))
    found["rfm_logistic"] = fit_rfm_logistic(np.vstack([_rfm(part) for part in past]), churned)(_rfm(customers))
    active = silence <= frame.activity_window_days
    days = best_silence_days(silence[active], churned[active]) if active.any() else None
    return Peers(found, _rates(left[0], _recency(past[0]), frame), days)


def _past(book: OrderBook, frame: Frame) -> tuple[list[pl.DataFrame], list[FloatArray]]:
    """The customers of earlier cutoffs, latest first, and which of them left."""
    cutoffs = training_cutoffs(frame.cutoff, frame.horizon_days, first_order_on(book))
    left = [outcomes(book, cutoff=cutoff, horizon_days=frame.horizon_days)["churned"] for cutoff in cutoffs]
    return [snapshot(book, cutoff=cutoff) for cutoff in cutoffs], [each.cast(pl.Float64).to_numpy() for each in left]


def _rates(churned: FloatArray, recency: FloatArray, frame: Frame) -> dict[str, float]:
    active = recency <= frame.activity_window_days
    everybody = float(churned.mean())
    return {"all": everybody, "active": float(churned[active].mean()) if active.any() else everybody}


def _by_score(past: FloatArray, churned: FloatArray, now: FloatArray) -> FloatArray:
    intercept, slope = score_curve(past, churned)
    return probability_of(intercept + slope * now)


def _recency(customers: pl.DataFrame) -> FloatArray:
    return customers["recency_days"].cast(pl.Float64).to_numpy()


def _rfm_score(parts: Sequence[pl.DataFrame]) -> FloatArray:
    """Sum of the RFM scores, 2 to 15; each cutoff is scored for itself."""
    sums = [
        rfm_scores(part).select(pl.sum_horizontal("r_score", "f_score", "m_score").cast(pl.Float64)).to_series()
        for part in parts
    ]
    return pl.concat(sums).to_numpy()


def _rfm(customers: pl.DataFrame) -> FloatArray:
    return customers.select(pl.col(RFM).cast(pl.Float64).fill_null(0.0)).to_numpy()
