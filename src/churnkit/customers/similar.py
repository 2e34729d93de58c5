"""What became of customers who once looked like this one.

Customers as they were one horizon ago, or at more of such earlier cutoffs where few were known, with what they did in
the horizon after it, which is over by now. Near means near in five features, each on a log scale and in units of its
spread: how long silent, how many orders, how long known, how long silent in own gaps, how much spent.
"""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import col

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import EPOCH, first_order_on, outcomes, snapshot
from churnkit.windows import has_history

FloatArray: TypeAlias = NDArray[np.float64]

MOST_SIMILAR, MOST_SHARE = 100, 0.1  # beyond a tenth of all, similar would mean nothing
FEWEST_SIMILAR = 20
ENOUGH_KNOWN, MOST_CUTOFFS = 1_000, 6
NOBODY_SIMILAR = "Too few customers were known one horizon ago to say what became of similar ones."
_COUNTS = ("", "one", "two", "three", "four", "five", "six")
_DIGITS = 9  # of a distance: what is equal but for rounding is equally near


@dataclass(frozen=True, slots=True)
class Similar:
    """What became of the most similar customers.

    Attributes:
        cutoffs: When they looked like this, latest first.
        horizon_days: For how long they were watched from there.
        customers: How many they are: the nearest, and all who are as near as the last of them.
        left: How many of them did not order within the horizon.
        median_return_days: Days until the next order of the others; None where there are none.
        median_spend: What the others spent net within the horizon; None where there are none, or no amounts.
    """

    cutoffs: tuple[date, ...]
    horizon_days: int
    customers: int
    left: int
    median_return_days: float | None
    median_spend: float | None

    @property
    def churn_rate(self) -> float:
        """Left over customers."""
        return self.left / self.customers

    def figures(self) -> dict[str, object]:
        """The same as plain values, for JSON; the horizon stands in the head."""
        found = {name: value for name, value in asdict(self).items() if name != "horizon_days"}
        return found | {"churn_rate": self.churn_rate}

    def sentence(self) -> str:
        """The same in words."""
        when = "One horizon" if len(self.cutoffs) == 1 else f"One to {_COUNTS[len(self.cutoffs)]} horizons"
        told = (
            f"{when} ago {self.customers} other customers looked most like this one: {self.left} of them left within "
            f"{self.horizon_days} days"
        )
        if self.median_return_days is None:
            return f"{told}."
        spent = "" if self.median_spend is None else f" and spent {self.median_spend:,.2f}"
        medians = "median" if self.median_spend is None else "medians"
        return f"{told}; the others came back after {self.median_return_days:.0f} days{spent} ({medians})."


@dataclass(frozen=True, slots=True)
class Earlier:
    """The customers of earlier cutoffs, to find similar ones among.

    Attributes:
        cutoffs: The cutoffs, latest first.
        horizon_days: The horizon after each.
        rows: `customer_id left next_order_days spend`, one row per customer and cutoff.
        places: Where each row lies: (rows, features), in units of the spread.
        money_unit: What amounts were divided by, so that another currency gives the same neighbours.
        middle: What was taken off before.
        spread: What was divided by.
    """

    cutoffs: tuple[date, ...]
    horizon_days: int
    rows: pl.DataFrame
    places: FloatArray
    money_unit: float
    middle: FloatArray
    spread: FloatArray

    def similar_to(self, customer: pl.DataFrame) -> Similar | None:
        """What became of those most like a customer; None where too few were known.

        Args:
            customer: One row of the customer table, at a cutoff one horizon or more after those here.
        """
        other = (self.rows["customer_id"] != customer["customer_id"][0]).to_numpy()
        wanted = min(MOST_SIMILAR, int(other.sum() * MOST_SHARE))
        if wanted < FEWEST_SIMILAR:
            return None
        place = (_coordinates(customer, self.money_unit) - self.middle) / self.spread
        distance = np.round(((self.places[other] - place) ** 2).sum(axis=1), _DIGITS)
        near = distance <= np.partition(distance, wanted - 1)[wanted - 1]  # ties all the way: no id, no order decides
        chosen = self.rows.filter(pl.Series(other)).filter(pl.Series(near))
        back = chosen.filter(~col("left"))
        days, spend = (back[name].drop_nulls().cast(pl.Float64).median() for name in ("next_order_days", "spend"))
        return Similar(
            cutoffs=self.cutoffs,
            horizon_days=self.horizon_days,
            customers=chosen.height,
            left=chosen.height - back.height,
            median_return_days=float(days) if isinstance(days, float) else None,
            median_spend=round(float(spend), 2) if isinstance(spend, float) else None,
        )


def earlier_customers(book: OrderBook, *, cutoff: date, horizon_days: int) -> Earlier | None:
    """The customers known one horizon before a cutoff, with what they did until it; earlier ones where these are few.

    Args:
        book: The orders; what is on or after the cutoff is not seen.
        cutoff: The cutoff.
        horizon_days: Length of the horizon.

    Returns:
        None where there is not a horizon of history one horizon ago.
    """
    parts: list[pl.DataFrame] = []
    cutoffs: list[date] = []
    for number in range(1, MOST_CUTOFFS + 1):
        earlier = cutoff - timedelta(days=number * horizon_days)
        known = sum(part.height for part in parts)
        if known >= ENOUGH_KNOWN or not has_history(earlier, horizon_days, first_order_on(book)):
            break
        cutoffs.append(earlier)
        parts.append(_with_fate(book, earlier, horizon_days))
    if not parts:
        return None
    rows = pl.concat(parts)
    median = rows["mean_order"].median()
    money_unit = float(median) if isinstance(median, float) and median > 0 else 1.0
    coordinates = _coordinates(rows, money_unit)
    ordered = np.sort(coordinates, axis=0)  # sums over sorted values: the order of the customers changes no bit
    middle = ordered.sum(axis=0) / len(ordered)
    spread = np.sqrt(np.sort((ordered - middle) ** 2, axis=0).sum(axis=0) / len(ordered))
    spread = np.where(spread > 0, spread, 1.0)
    return Earlier(tuple(cutoffs), horizon_days, rows, (coordinates - middle) / spread, money_unit, middle, spread)


def _with_fate(book: OrderBook, cutoff: date, horizon_days: int) -> pl.DataFrame:
    """The customer table at a cutoff, with `left next_order_days spend` of the horizon after it."""
    after = outcomes(book, cutoff=cutoff, horizon_days=horizon_days)
    day = (cutoff - EPOCH).days
    next_orders = (
        book.orders.lazy()
        .filter(col("is_order") & col("day").is_between(day, day + horizon_days, closed="left"))
        .group_by(col("customer_id").cast(pl.String))
        .agg(next_order_days=col("day").min() - day)
        .collect()
    )
    return (
        snapshot(book, cutoff=cutoff)
        .with_columns(left=after["churned"], spend=after["spend"])
        .join(next_orders, on="customer_id", how="left", maintain_order="left")
    )


def _coordinates(customers: pl.DataFrame, money_unit: float) -> FloatArray:
    """The features that nearness is measured by; the last says whether there is a rhythm at all."""
    spend, rhythm = col("monetary").fill_null(0.0) / money_unit, col("recency_over_mean_gap")
    found = customers.select(
        col("recency_days").cast(pl.Float64).log1p(),
        col("frequency").cast(pl.Float64).log1p(),
        col("tenure_days").cast(pl.Float64).log1p().alias("tenure"),
        rhythm.log1p().fill_null(0.0).alias("rhythm"),
        (spend.sign() * spend.abs().log1p()).alias("spent"),
        rhythm.is_null().cast(pl.Float64).alias("no_rhythm"),
    )
    return found.to_numpy()
