"""The backtest: how good this would have been at earlier cutoffs, beside the rules and models people use instead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.returns import advise_windows
from churnkit.customers.snapshot import Orders, default_cutoff, first_order_on, order_book, outcomes, snapshot
from churnkit.errors import ShortHistoryError, UsageError
from churnkit.evaluate.metrics import auc, brier, calibration_error, captured_at, lift_at, log_loss
from churnkit.predict.fitting import Fit, Frame, fit_at
from churnkit.predict.peers import peer_probabilities
from churnkit.predict.stack import feature_matrix, habit_of, model_features
from churnkit.terms import BACKTEST, percent
from churnkit.windows import has_history

FloatArray: TypeAlias = NDArray[np.float64]
Progress: TypeAlias = Callable[[str], None]

OURS, BASE_RATE = "churnkit", "base_rate"
CUTOFFS = 3
CLOSE = 0.005  # a difference in log loss below this share decides nothing


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came out.

    Attributes:
        rows: One row per cutoff, population and model (`terms.BACKTEST`), latest cutoff first.
        horizon_days: The horizon.
        activity_window_days: The activity window.
        verdict: Which model or rule to use, in a sentence.
        notes: What a reader must know.
    """

    rows: pl.DataFrame
    horizon_days: int
    activity_window_days: int
    verdict: str
    notes: tuple[str, ...]


def backtest(
    orders: Orders,
    *,
    cutoffs: int = CUTOFFS,
    cutoff: date | None = None,
    horizon_days: int | None = None,
    activity_window_days: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Backtest:
    """Train and judge at earlier cutoffs, one horizon apart, each with nothing but its own past.

    Args:
        orders: Clean order lines.
        cutoffs: How many earlier cutoffs to judge at, as far as the history reaches.
        cutoff: First day not seen by anybody; the day after the last order where not given.
        horizon_days: Days in which silence means churn; found from the data where not given.
        activity_window_days: Two horizons where not given.
        seed: Seed of the fits.
        jobs: Fits that run at the same time; the result does not depend on it.
        progress: Called with the name of each phase as it begins.

    Raises:
        ShortHistoryError: The history does not reach back far enough for even one cutoff.
    """
    if cutoffs < 1:
        raise UsageError(
            f"cutoffs is {cutoffs}; a backtest needs at least one", hint="give --cutoffs a number from 1 up"
        )
    book = order_book(orders)
    end = cutoff or default_cutoff(book)
    advice = advise_windows(book, cutoff=end, horizon_days=horizon_days, activity_window_days=activity_window_days)
    last = Frame(end, advice.horizon_days, advice.activity_window_days)
    frames = [frame for frame in _earlier(last, cutoffs) if _reaches(book, frame)]
    if not frames:
        raise ShortHistoryError(
            f"cannot tell yet: the history begins on {first_order_on(book)}, too late to hold back a horizon of "
            f"{last.horizon_days} days before {end} and learn from the rest",
            hint="take a longer history or a shorter --horizon",
        )
    parts = []
    for frame in frames:
        if progress is not None:
            progress(f"judging at {frame.cutoff}")
        parts += list(_judged(book, frame, fit_at(book, frame, seed=seed, jobs=jobs)))
    rows = pl.DataFrame(parts, schema=_SCHEMA, orient="row")
    return Backtest(
        rows, last.horizon_days, last.activity_window_days, _verdict(rows), _notes(len(frames), cutoffs, book)
    )


_SCHEMA = {
    term.name: {"date": pl.Date, "text": pl.String, "integer": pl.Int64}.get(term.kind, pl.Float64) for term in BACKTEST
}


def _earlier(last: Frame, cutoffs: int) -> list[Frame]:
    step = timedelta(days=last.horizon_days)
    return [replace(last, cutoff=last.cutoff - (k + 1) * step) for k in range(cutoffs)]


def _reaches(book: OrderBook, frame: Frame) -> bool:
    """Whether somebody had come back before the frame's cutoff, at least one horizon after the first order."""
    if not has_history(frame.cutoff, frame.horizon_days, first_order_on(book)):
        return False
    return int((snapshot(book, cutoff=frame.cutoff)["n_order_days"] > 1).sum()) > 0


def _judged(book: OrderBook, frame: Frame, fit: Fit) -> Iterator[tuple[object, ...]]:
    """The rows of one cutoff."""
    customers = snapshot(book, cutoff=frame.cutoff)
    after = outcomes(book, cutoff=frame.cutoff, horizon_days=frame.horizon_days)
    y = after["churned"].cast(pl.Float64).to_numpy()
    X, habit = feature_matrix(customers, model_features(), fit.money_unit), habit_of(customers)
    found = {OURS: fit.blend.probability(X, habit, frame.horizon_days)}
    found |= peer_probabilities(book, frame, fit, customers)
    active = customers["recency_days"].to_numpy() <= frame.activity_window_days
    for population, chosen in (("all", np.ones_like(active)), ("active", active)):
        if not chosen.any():
            continue
        for model, p in found.items():
            yield (frame.cutoff, population, model, *_figures(y[chosen], p[chosen]))


def _figures(y: FloatArray, p: FloatArray) -> tuple[float | int | None, ...]:
    both = 0 < y.sum() < len(y)
    ranked = (lift_at(y, p), captured_at(y, p)) if y.sum() else (None, None)
    area = auc(y, p) if both else None
    return area, log_loss(y, p), brier(y, p), calibration_error(y, p), *ranked, len(y), float(y.mean())


def _verdict(rows: pl.DataFrame) -> str:
    """Ours against the strongest of the others: by log loss on the active, each over the cutoffs it was at."""
    judged = rows.filter(pl.col("population") == "active")
    judged = rows if judged.is_empty() else judged
    ours = judged.filter(pl.col("model") == OURS)
    duels = judged.filter(pl.col("model") != OURS).join(ours, on=["cutoff", "population"], suffix="_ours")
    name, gain, caught, caught_ours = (
        duels.sort("model", "cutoff")
        .group_by("model", maintain_order=True)
        .agg(
            gain=(1.0 - pl.col("log_loss_ours") / pl.col("log_loss")).mean(),
            caught=pl.col("captured_10").mean(),
            caught_ours=pl.col("captured_10_ours").mean(),
        )
        .sort("gain", "model")
        .row(0)
    )
    name = name.replace("_", " ")
    if name == "base rate" and gain < CLOSE:
        return "Cannot tell customers apart here: nothing beats the base rate. Treat everybody alike."
    if gain < -CLOSE:
        return f"Use {name}: its log loss is {100 * -gain:.1f} % below the model's."
    if gain < CLOSE:
        return (
            f"The model and {name} are equally good here (log loss within {100 * CLOSE:.1f} %): take the simpler one."
        )
    return (
        f"Use the model: its log loss is {100 * gain:.1f} % below the best alternative ({name}); its top tenth catches "
        f"{percent(caught_ours)} of those who leave, against {percent(caught)}."
    )


def _notes(judged: int, wanted: int, book: OrderBook) -> tuple[str, ...]:
    if judged == wanted:
        return ()
    return (f"The history, from {first_order_on(book)}, reaches for {judged} of {wanted} cutoffs.",)
