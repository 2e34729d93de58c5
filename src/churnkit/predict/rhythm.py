"""What the buy-till-you-die layer is told of each customer, on the clock of the season."""

from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import EPOCH, log_gaps, order_days
from churnkit.models.blend import Habit
from churnkit.models.seasonal import Season, fit_season

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


def season_of(book: OrderBook, customers: pl.DataFrame, cutoff: date) -> Season:
    """How busy each month is, from the orders before a cutoff; an even year where the history is too short to tell."""
    x, first, last = _days_of(customers, cutoff)
    seen = order_days(book, cutoff=cutoff)
    return fit_season(x, first, last, (cutoff - EPOCH).days, seen["day"].to_numpy(), seen["customers"].to_numpy())


def habit_of(book: OrderBook, customers: pl.DataFrame, *, cutoff: date, horizon_days: int, season: Season) -> Habit:
    """The habits of some customers.

    Args:
        book: The orders.
        customers: Rows of the customer table at the cutoff, in any order.
        cutoff: The first day that is not seen.
        horizon_days: Length of the horizon.
        season: Whose clock to measure time by.
    """
    x, first, last = _days_of(customers, cutoff)
    day = (cutoff - EPOCH).days
    t_x, T = season.habit(first, last, day)
    gaps = log_gaps(book, cutoff=cutoff, clock=season.clock if season.weight else None)
    of_customers = customers.select("customer_id").join(gaps, on="customer_id", how="left", maintain_order="left")
    return Habit(x, t_x, T, of_customers["log_gaps"].to_numpy(), season.horizon(day, horizon_days))


def spans_of(customers: pl.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`x`, `t_x` and `T` in calendar days, as published models take them."""
    x, t_x, T = (customers[name].cast(pl.Float64).to_numpy() for name in ("n_order_days", "active_days", "tenure_days"))
    return x - 1.0, t_x, T


def _days_of(customers: pl.DataFrame, cutoff: date) -> tuple[FloatArray, IntArray, IntArray]:
    """Repeat order days, and the days of the first and the last order since 1970-01-01."""
    day = (cutoff - EPOCH).days
    x = customers["n_order_days"].cast(pl.Float64).to_numpy() - 1.0
    first, last = (day - customers[name].cast(pl.Int64).to_numpy() for name in ("tenure_days", "recency_days"))
    return x, first, last
