"""The rhythm of one customer: the gaps between order days, and the silence now against them."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median

import polars as pl
from polars import col

FEWEST_GAPS = 4  # to say where half of them lie


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of a customer, in days.

    Attributes:
        mean_gap_days: Their mean; None, as all but the silence, where there is one order day only.
        median_gap_days: Their median: the usual gap.
        max_gap_days: The longest.
        usual_gap_from_days: The first of the middle half of them; None where there are fewer than four.
        usual_gap_to_days: The last of the middle half.
        silent_days: Days since the last order.
        silent_gaps: The silence in usual gaps.
    """

    mean_gap_days: float | None
    median_gap_days: float | None
    max_gap_days: int | None
    usual_gap_from_days: int | None
    usual_gap_to_days: int | None
    silent_days: int
    silent_gaps: float | None

    def sentence(self) -> str:
        """The rhythm in words."""
        silent = f"silent for {_days(self.silent_days)} now"
        if self.mean_gap_days is None or self.median_gap_days is None:
            return f"One order day only, so no rhythm yet; {silent}."
        against = f"{silent}, {self.silent_gaps:.1f} usual gaps"
        if self.usual_gap_from_days is None:
            return f"Buys every {self.mean_gap_days:.0f} days, the longest gap {self.max_gap_days}; {against}."
        return (
            f"Buys every {self.mean_gap_days:.0f} days in the mean and {self.median_gap_days:.0f} in the median; half "
            f"of the gaps are {self.usual_gap_from_days} to {self.usual_gap_to_days} days, the longest "
            f"{self.max_gap_days}; {against}."
        )


def gaps_of(history: pl.DataFrame, *, cutoff: date) -> Gaps:
    """The rhythm of a customer with at least one order.

    Args:
        history: Their orders and refunds (`history_of`).
        cutoff: The first day that is not seen.

    Example:
        >>> days = [date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 31)]
        >>> rhythm = gaps_of(pl.DataFrame({"ordered_on": days, "refund": [False] * 3}), cutoff=date(2024, 3, 1))
        >>> rhythm.mean_gap_days, rhythm.silent_gaps
        (15.0, 2.0)
    """
    days = history.filter(~col("refund"))["ordered_on"].unique().sort().to_list()
    gaps = sorted((after - before).days for before, after in pairwise(days))
    silent = (cutoff - days[-1]).days
    if not gaps:
        return Gaps(None, None, None, None, None, silent, None)
    quarter = (len(gaps) - 1) // 4
    enough = len(gaps) >= FEWEST_GAPS
    return Gaps(
        mean_gap_days=sum(gaps) / len(gaps),
        median_gap_days=float(median(gaps)),
        max_gap_days=gaps[-1],
        usual_gap_from_days=gaps[quarter] if enough else None,
        usual_gap_to_days=gaps[-1 - quarter] if enough else None,
        silent_days=silent,
        silent_gaps=silent / median(gaps),
    )


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
