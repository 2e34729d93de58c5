"""What each choice of a horizon or an activity window costs: who is called gone too early, and how long one waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from churnkit import windows
from churnkit.customers.returns import Days, Flags, WindowAdvice, longest_watched_days, still_silent
from churnkit.customers.snapshot import Orders, customer_silences, daily_money, order_book

_WINDOWS_IN_HORIZONS = (1, 2, 3, 4)
_CUSTOMER = 2**24  # days that fit beside the number of a customer

_COSTS = {
    "advised": pl.Boolean,
    "taken": pl.Boolean,
    "active": pl.Int64,
    "base_rate": pl.Float64,
    "gone": pl.Int64,
    "returned": pl.Int64,
    "false_alarm_share": pl.Float64,
    "ever_returned_share": pl.Float64,
    "revenue_mistaken": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class WindowCosts:
    """What each choice costs.

    Attributes:
        horizons: One row a horizon that the history allows (`terms.HORIZON_CHOICES`).
        activity_windows: One row an activity window, with the horizon that was taken (`terms.ACTIVITY_CHOICES`).
    """

    horizons: pl.DataFrame
    activity_windows: pl.DataFrame


def weigh_windows(orders: Orders, advice: WindowAdvice, *, cutoff: date) -> WindowCosts:
    """What each horizon and each activity window would cost with these orders.

    Whoever has been silent for a horizon is called gone; who then orders within the next horizon was called gone by
    mistake. Every silence that lasted so long counts once, if the whole horizon after it lies before the cutoff. The
    share who come back at all, as far as the history shows it, falls with the horizon. The base rate is that of the
    last closed horizon, among those who were active when it began. An activity window is weighed in the same way:
    silent for the window, back within the horizon.

    Args:
        orders: Clean order lines or an order book, those of the advice.
        advice: From `advise_windows` at the same cutoff.
        cutoff: The first day that is not seen.
    """
    seen = _watched(orders, cutoff, longest_watched_days(advice.history_days))
    allowed = {days for days in windows.HORIZONS_DAYS if 3 * days <= advice.history_days}
    horizons = sorted({*allowed, advice.advised_horizon_days, advice.horizon_days})
    horizon = advice.horizon_days
    usual = windows.activity_window_days(horizon)
    spans = {k * horizon for k in _WINDOWS_IN_HORIZONS if (k + 1) * horizon <= advice.history_days}
    activity = sorted({*spans, usual, advice.activity_window_days})
    return WindowCosts(
        _table(
            "horizon_days",
            [
                (
                    days,
                    days == advice.advised_horizon_days,
                    days == horizon,
                    *_cost(seen, days, days, windows.activity_window_days(days)),
                )
                for days in horizons
            ],
        ).with_columns(days_to_know=2 * pl.col("horizon_days")),
        _table(
            "activity_window_days",
            [
                (days, days == usual, days == advice.activity_window_days, *_cost(seen, days, horizon, days))
                for days in activity
            ],
        ),
    )


class _Watched(NamedTuple):
    """Every silence, the curve of all, and what was spent by customer and day; None where the file has no amount."""

    customer: Days
    age: Days
    lasted: Days
    returned: Flags
    still_silent: npt.NDArray[np.float64]
    money: "_Money | None"


class _Money(NamedTuple):
    """The sum of the cents up to each place, and the places: customer and day in one number, rising."""

    place: Days
    cents: Days

    def between(self, customer: Days, oldest: Days, newest: Days) -> int:
        """Cents that these customers spent from an age, in days before the cutoff, down to another."""
        begin = np.searchsorted(self.place, customer * _CUSTOMER + newest)
        end = np.searchsorted(self.place, customer * _CUSTOMER + oldest, side="right")
        return int((self.cents[end] - self.cents[begin]).sum())


def _watched(orders: Orders, cutoff: date, longest: int) -> _Watched:
    book = order_book(orders)
    silent, spent = customer_silences(book, cutoff=cutoff), daily_money(book, cutoff=cutoff)
    money = None
    if spent.height:
        place = spent["customer"].to_numpy() * _CUSTOMER + spent["age_days"].to_numpy()
        money = _Money(place, np.concatenate(([0], np.cumsum(spent["cents"].to_numpy()))))
    customer, age, lasted, returned = (silent[name].to_numpy() for name in silent.columns)
    return _Watched(customer, age, lasted, returned, still_silent(lasted, returned)[: longest + 1], money)


def _cost(seen: _Watched, silent_days: int, horizon_days: int, window_days: int) -> tuple[object, ...]:
    """The columns of `_COSTS` from `active` on."""
    active_now = ~seen.returned & (seen.age <= window_days)
    recency = seen.age - horizon_days  # one horizon ago
    active_then = (recency > 0) & (recency <= window_days) & (seen.lasted >= recency)
    gone = (seen.lasted >= silent_days) & (seen.age >= silent_days + horizon_days)
    back = gone & (seen.lasted < silent_days + horizon_days)
    n_gone, n_back = int(gone.sum()), int(back.sum())
    mistaken = None
    if seen.money is not None:
        oldest = seen.age[back] - silent_days
        mistaken = seen.money.between(seen.customer[back], oldest, oldest - horizon_days + 1) / 100
    return (
        int(active_now.sum()),
        _share(int((active_then & ~seen.returned).sum()), int(active_then.sum())),
        n_gone,
        n_back,
        _share(n_back, n_gone),
        _ever_returned(seen.still_silent, silent_days, horizon_days),
        mistaken,
    )


def _ever_returned(still: npt.NDArray[np.float64], silent_days: int, horizon_days: int) -> float | None:
    """The share of those silent for so long who come back by the end of the curve, if it shows another horizon."""
    if silent_days + horizon_days > len(still) or still[silent_days - 1] <= 0:
        return None
    return 1.0 - float(still[-1] / still[silent_days - 1])


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _table(name: str, rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: pl.Int64, **_COSTS}, orient="row")
