"""Date arithmetic: cutoffs, horizons and activity windows. All windows are half open, `[start, end)`, in whole days.

A *cutoff* is the first day that is not seen. The *horizon* after it is where the outcome is read.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import log

HORIZONS_DAYS = (14, 30, 60, 90, 180, 365)
ACTIVITY_HORIZONS = 2
TRAINING_CUTOFFS = 6
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def nearest_horizon_days(typical_gap_days: float, history_days: int) -> int:
    """The usual horizon nearest to a typical gap on a log scale, at most a third of the history.

    Args:
        typical_gap_days: The gap that the horizon should cover.
        history_days: Days from the first order to the cutoff.

    Returns:
        One of `HORIZONS_DAYS`; the smallest of them where the history is shorter than three of it.

    Example:
        >>> nearest_horizon_days(110, 700), nearest_horizon_days(110, 200), nearest_horizon_days(110, 20)
        (90, 60, 14)
    """
    fitting = [days for days in HORIZONS_DAYS if 3 * days <= history_days] or [HORIZONS_DAYS[0]]
    return min(fitting, key=lambda days: abs(log(days) - log(max(typical_gap_days, 1.0))))


def activity_window_days(horizon_days: int) -> int:
    """The default activity window: two horizons.

    Example:
        >>> activity_window_days(90)
        180
    """
    return ACTIVITY_HORIZONS * horizon_days


def training_cutoffs(
    cutoff: date, horizon_days: int, first_order_on: date, most: int = TRAINING_CUTOFFS
) -> Sequence[date]:
    """Earlier cutoffs whose outcome windows are closed by `cutoff`, latest first.

    The k-th is `cutoff - horizon - k * max(7, horizon / 3)`; none lies within one horizon of the first order, where
    hardly any history would be left to learn from.

    Example:
        >>> [str(day) for day in training_cutoffs(date(2024, 1, 1), 90, date(2023, 5, 1))]
        ['2023-10-03', '2023-09-03', '2023-08-04']
    """
    step = max(7, horizon_days // 3)
    days = (cutoff - timedelta(days=horizon_days + k * step) for k in range(most))
    return [day for day in days if has_history(day, horizon_days, first_order_on)]


def has_history(cutoff: date, horizon_days: int, first_order_on: date) -> bool:
    """Whether at least one horizon lies between the first order and a cutoff: less is too little to judge by.

    Example:
        >>> has_history(date(2024, 4, 1), 90, date(2024, 1, 1)), has_history(date(2024, 3, 1), 90, date(2024, 1, 1))
        (True, False)
    """
    return cutoff >= first_order_on + timedelta(days=horizon_days)
