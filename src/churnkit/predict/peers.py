"""The peers of the backtest: what people use instead of a model, each fitted on the same earlier cutoffs.

A rule or score that gives no probability gets one by a logistic regression on it, so that all are judged alike.
"""

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.segments import rfm_scores
from churnkit.customers.snapshot import outcomes, snapshot
from churnkit.evaluate.baselines import fit_rfm_logistic, score_curve
from churnkit.models.blend import probability_of
from churnkit.models.btyd import fit_bgnbd
from churnkit.predict.fitting import Fit, Frame
from churnkit.predict.stack import habit_of

FloatArray: TypeAlias = NDArray[np.float64]

RFM = ("recency_days", "frequency", "monetary", "tenure_days")


def peer_probabilities(book: OrderBook, frame: Frame, fit: Fit, customers: pl.DataFrame) -> dict[str, FloatArray]:
    """P(no order within the horizon) by each peer, for the customers of the frame.

    Returns:
        `bgnbd` and `mbgnbd` always; `inactivity_rule`, `rfm_score`, `rfm_logistic` and `base_rate` where there are
        outcomes at earlier cutoffs to fit them on, else `base_rate` from the mean of `mbgnbd`.
    """
    habit = habit_of(customers)
    found = {
        "bgnbd": fit_bgnbd(*habit).no_order_probability(*habit, frame.horizon_days),
        "mbgnbd": fit.blend.btyd.no_order_probability(*habit, frame.horizon_days),
    }
    rows = fit.rows
    if rows is None or len(np.unique(rows.churned)) < 2:
        return found | {"base_rate": np.full(customers.height, fit.forecast_mean)}
    found["inactivity_rule"] = _by_score(
        rows.recency_days, rows.churned, customers["recency_days"].to_numpy().astype(np.float64)
    )
    past, left = _past(book, rows.cutoffs, frame.horizon_days)
    found["rfm_score"] = _by_score(_rfm_score(past), left, _rfm_score([customers]))
    learned = fit_rfm_logistic(np.vstack([_rfm(part) for part in past]), left)
    found["rfm_logistic"] = learned(_rfm(customers))
    return found | {"base_rate": np.full(customers.height, rows.base_rate)}


def _past(book: OrderBook, cutoffs: Sequence[date], horizon_days: int) -> tuple[list[pl.DataFrame], FloatArray]:
    past = [snapshot(book, cutoff=cutoff) for cutoff in cutoffs]
    left = [outcomes(book, cutoff=cutoff, horizon_days=horizon_days)["churned"] for cutoff in cutoffs]
    return past, pl.concat(left).cast(pl.Float64).to_numpy()


def _by_score(past: FloatArray, churned: FloatArray, now: FloatArray) -> FloatArray:
    intercept, slope = score_curve(past, churned)
    return probability_of(intercept + slope * now)


def _rfm_score(parts: Sequence[pl.DataFrame]) -> FloatArray:
    """Sum of the RFM scores, 2 to 15; each cutoff is scored for itself."""
    sums = [
        rfm_scores(part).select(pl.sum_horizontal("r_score", "f_score", "m_score").cast(pl.Float64)).to_series()
        for part in parts
    ]
    return pl.concat(sums).to_numpy()


def _rfm(customers: pl.DataFrame) -> FloatArray:
    return customers.select(pl.col(RFM).cast(pl.Float64).fill_null(0.0)).to_numpy()
