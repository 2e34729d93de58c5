"""When the next order is due, as a range of days: the own rhythm, drawn towards that of the shop."""

import numpy as np
import polars as pl

from churnkit.models.blend import Habit
from churnkit.models.erlang_gaps import LONGEST_GAP, gap_quantile
from churnkit.models.seasonal import Season
from churnkit.predict.model import ChurnModel
from churnkit.predict.valuation import FloatArray, erlang_of


def with_next_order_range(customers: pl.DataFrame, habit: Habit, model: ChurnModel) -> pl.DataFrame:
    """The days between which the next order falls in 80 % of such rhythms, counted from the last order.

    Args:
        customers: Rows of `score_customers`.
        habit: Their habits, in the same order, on the clock of the model.
        model: The model, for the gaps of its Erlang mixture, its season and its levels.

    Returns:
        The rows with `next_order_from` and `next_order_to` beside `next_order_on`, which lies between them; all three
        may lie in the past, and all three are null after a single order day.
    """
    erlang, returned = erlang_of(model.blend.btyd), customers["next_order_on"].is_not_null()
    known = customers.select("customer_id", "last_order_on", "next_order_on").filter(returned)
    if erlang is None or known.is_empty():
        empty = pl.lit(None, pl.Date)
        return customers.with_columns(next_order_from=empty, next_order_to=empty)
    seen = [part[returned.to_numpy()] for part in (habit.x, habit.t_x, habit.log_gaps)]
    low, high = (gap_quantile(erlang, level, *seen) for level in model.valuation.gap_levels)
    last = known["last_order_on"].to_physical().cast(pl.Int64).to_numpy()
    ranges = known.with_columns(
        _on(np.ceil(_calendar_days(model.season, last, low))).alias("next_order_from"),
        _on(np.floor(_calendar_days(model.season, last, high))).alias("next_order_to"),
    ).select(
        "customer_id",
        pl.min_horizontal("next_order_from", "next_order_on"),
        pl.max_horizontal("next_order_to", "next_order_on"),
    )
    return customers.join(ranges, on="customer_id", how="left", maintain_order="left")


def _calendar_days(season: Season, last: np.ndarray[tuple[int], np.dtype[np.int64]], gap: FloatArray) -> FloatArray:
    """The day, since 1970-01-01, on which so much time has passed on the clock since the last order."""
    gap = np.minimum(gap, LONGEST_GAP)
    if not season.weight:
        return np.asarray(last + gap)
    days = np.arange(int(last.min()), int(last.max()) + int(2 * gap.max()) + 400)
    clock = season.clock(days)
    return np.interp(season.clock(last) + gap, clock, days.astype(np.float64))


def _on(days: FloatArray) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)
