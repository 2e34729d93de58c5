"""After how many silent days is a customer gone: return probabilities, and the windows that they advise."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from churnkit import windows
from churnkit.customers.snapshot import Orders, at_least_one_day, order_book, silences
from churnkit.errors import ShortHistoryError

TYPICAL_SHARE = 0.8
GONE_BELOW = 0.1
FEWEST_SEEN = 30  # below this, a share is noise
USUAL_GAP_DAYS = 90

Days = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WindowAdvice:
    """Which horizon and activity window fit these orders, and why.

    Attributes:
        horizon_days: The horizon: given, or advised from the typical gap.
        advised_horizon_days: The horizon that the typical gap advises, even where another was given.
        activity_window_days: The activity window: given, or two horizons.
        history_days: Days from the first order day to the cutoff.
        returns: How many times a customer came back on a later day.
        median_gap_days: Days within which half of those who come back do so; None where nobody came back.
        typical_gap_days: The same for 80 % of them.
        gone_after_days: Silent days from which fewer than 10 % come back; None where the history does not show it.
        curve: Return probability by days silent (`terms.WINDOW`).
        reliable: Whether the history is long enough to trust the advice.
        sentences: All of this in words.
    """

    horizon_days: int
    advised_horizon_days: int
    activity_window_days: int
    history_days: int
    returns: int
    median_gap_days: int | None
    typical_gap_days: int | None
    gone_after_days: int | None
    curve: pl.DataFrame = field(repr=False, compare=False)
    reliable: bool
    sentences: tuple[str, ...]


def still_silent(silent_days: Days, returned: Flags) -> npt.NDArray[np.float64]:
    """Kaplan-Meier: P(silent for more than t days), for t = 0, 1, ... up to the longest silence seen.

    A silence that the cutoff ended counts as long as it was seen, not as if it had lasted for ever.

    Args:
        silent_days: How long each silence was seen, at least 1.
        returned: Whether an order ended it.

    Example:
        >>> still_silent(np.array([1, 2, 2, 3]), np.array([True, True, False, False])).round(3).tolist()
        [1.0, 0.75, 0.5, 0.5]
    """
    size = int(silent_days.max(initial=0)) + 1
    ended = np.bincount(silent_days[returned], minlength=size)
    at_risk = np.cumsum(np.bincount(silent_days, minlength=size)[::-1])[::-1]
    return np.cumprod(1.0 - ended / np.maximum(at_risk, 1), dtype=np.float64)


def days_to_return(silent_days: Days, returned: Flags, share: float, within_days: int) -> int | None:
    """The days in which a share of those who come back `within_days` do so (Kaplan-Meier); None where nobody does.

    The limit keeps the answer from resting on the few silences that were watched for longer.

    Example:
        >>> days_to_return(np.array([1, 2, 3, 4, 9]), np.array([True] * 4 + [False]), 0.5, within_days=9)
        2
    """
    came_back = 1.0 - still_silent(silent_days, returned)[: within_days + 1]
    if came_back.size == 0 or came_back[-1] <= 0.0:
        return None
    return int(np.argmax(came_back >= share * came_back[-1] - 1e-12))


def return_probability(orders: Orders, *, cutoff: date, horizon_days: int, silent_days: Sequence[int]) -> pl.DataFrame:
    """How many of those silent for s days order within the next horizon, for every s of a grid.

    Every silence that reached s days counts once, at that moment, if the whole horizon after it lies before the cutoff.

    Args:
        orders: Clean order lines or an order book.
        cutoff: The first day that is not seen.
        horizon_days: How long to wait for the return.
        silent_days: The grid, in days.

    Returns:
        `silent_days customers returned return_probability` (`terms.WINDOW`), without the days that were never reached.
    """
    at_least_one_day(horizon_days, "horizon_days")
    seen = silences(orders, cutoff=cutoff)
    age, lasted = seen["age_days"].to_numpy(), seen["silent_days"].to_numpy()
    rows = []
    for days in silent_days:
        reached = (lasted >= days) & (age >= days + horizon_days)
        customers, returned = int(reached.sum()), int((reached & (lasted < days + horizon_days)).sum())
        if customers:
            rows.append((days, customers, returned, returned / customers))
    return pl.DataFrame(
        rows,
        schema={
            "silent_days": pl.Int64,
            "customers": pl.Int64,
            "returned": pl.Int64,
            "return_probability": pl.Float64,
        },
        orient="row",
    )


def advise_windows(
    orders: Orders, *, cutoff: date, horizon_days: int | None = None, activity_window_days: int | None = None
) -> WindowAdvice:
    """The horizon and the activity window for these orders, with the return curve behind them.

    The horizon is the usual one nearest to the days in which 80 % of those who come back do so, at most a third of the
    history; the activity window is two horizons.

    Args:
        orders: Clean order lines or an order book.
        cutoff: The first day that is not seen.
        horizon_days: Take this horizon instead.
        activity_window_days: Take this activity window instead.

    Raises:
        ShortHistoryError: If there is no order before the cutoff.
    """
    book = order_book(orders)
    seen = silences(book, cutoff=cutoff)
    if seen.is_empty():
        raise ShortHistoryError(f"there is no order before {cutoff}", hint="choose a later --cutoff")
    lasted, returned = seen["silent_days"].to_numpy(), seen["returned"].to_numpy()
    history, returns = int(seen["age_days"].to_numpy().max()), int(returned.sum())
    longest = longest_watched_days(history)
    typical = days_to_return(lasted, returned, TYPICAL_SHARE, longest)
    advised = horizon_for(typical, history)
    horizon, window = _windows(advised if horizon_days is None else horizon_days, activity_window_days)
    step = max(horizon // 3, 1)
    grid = sorted({*range(step, 2 * window + 1, step), horizon, window})
    curve = return_probability(book, cutoff=cutoff, horizon_days=horizon, silent_days=grid)
    told = curve.filter(pl.col("customers") >= FEWEST_SEEN)
    gone, doubts = _gone_after_days(told), _doubts(history, returns)
    return WindowAdvice(
        horizon_days=horizon,
        advised_horizon_days=advised,
        activity_window_days=window,
        history_days=history,
        returns=returns,
        median_gap_days=days_to_return(lasted, returned, 0.5, longest),
        typical_gap_days=typical,
        gone_after_days=gone,
        curve=curve,
        reliable=not doubts,
        sentences=(*_about_gap(typical, returns, longest), *_about_silence(told, horizon, window, gone), *doubts),
    )


def longest_watched_days(history_days: int) -> int:
    """For how long returns are waited for: the activity window of the longest horizon, a third of the history.

    Example:
        >>> longest_watched_days(540)
        360
    """
    return max(windows.ACTIVITY_HORIZONS * history_days // 3, 1)


def horizon_for(typical_gap_days: int | None, history_days: int) -> int:
    """The horizon that a typical gap advises; a usual gap stands in where nobody came back.

    Example:
        >>> horizon_for(110, 700), horizon_for(None, 700)
        (90, 90)
    """
    gap = USUAL_GAP_DAYS if typical_gap_days is None else typical_gap_days
    return windows.nearest_horizon_days(gap, history_days)


def _windows(horizon: int, window: int | None) -> tuple[int, int]:
    """The horizon and the activity window, both at least one day; the latter as given, or two horizons."""
    if window is None:
        window = windows.activity_window_days(horizon)
    return at_least_one_day(horizon, "horizon_days"), at_least_one_day(window, "activity_window_days")


def _gone_after_days(curve: pl.DataFrame) -> int | None:
    """The first silent days of the grid from which the return probability stays below `GONE_BELOW`."""
    gone: int | None = None
    for days, probability in curve.select("silent_days", "return_probability").reverse().iter_rows():
        if probability >= GONE_BELOW:
            break
        gone = days
    return gone


def _about_gap(typical: int | None, returns: int, longest: int) -> list[str]:
    if typical is None:
        return [f"Nobody came back within {longest} days." if returns else "Nobody came back on a later day."]
    return [f"{TYPICAL_SHARE:.0%} of those who come back do so within {typical} days.".replace("%", " %")]


def _about_silence(curve: pl.DataFrame, horizon: int, window: int, gone: int | None) -> list[str]:
    known = dict(curve.select("silent_days", "return_probability").iter_rows())
    told = [
        f"{100 * known[days]:.0f} % of those silent for {days} days still come back within {horizon} days."
        if days in known
        else f"Too few were silent for {days} days to say how many return."
        for days in sorted({horizon, window})
    ]
    if gone is not None:
        told.append(f"From {gone} silent days on, fewer than {100 * GONE_BELOW:.0f} % come back.")
    return told


def _doubts(history: int, returns: int) -> list[str]:
    doubts, needed = [], 3 * windows.HORIZONS_DAYS[0]
    if history < needed:
        doubts.append(f"Not reliable: the history covers only {history} of the {needed} days needed.")
    if returns < FEWEST_SEEN:
        doubts.append(f"Not reliable: only {returns} of the {FEWEST_SEEN} returns needed were seen.")
    return doubts
