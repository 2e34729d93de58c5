"""How sure the advice of a horizon is: what other customers of this kind, and earlier cutoffs, would have advised."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from churnkit.customers.returns import (
    FEWEST_SEEN,
    TYPICAL_SHARE,
    Days,
    Flags,
    WindowAdvice,
    days_to_return,
    horizon_for,
    longest_watched_days,
)
from churnkit.customers.snapshot import Orders, customer_silences

RESAMPLES = 200
EARLIER = 3
_GROUPS = 500  # customers are drawn in random groups; where they are fewer, every one is a group
_INTERVAL = (0.05, 0.95)

Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EarlierAdvice:
    """What an earlier cutoff would have advised."""

    cutoff: date
    horizon_days: int
    typical_gap_days: int | None


@dataclass(frozen=True, slots=True)
class Stability:
    """How stable the advised horizon is.

    Attributes:
        resamples: How often the customers were drawn anew; 0 where too few returns were seen to tell.
        horizons: How many of the resamples advise each horizon, by its days.
        typical_gap_low_days: Lower end of the typical gap's 90 % interval; None without resamples.
        typical_gap_high_days: Upper end of it.
        earlier: The advice one, two and three horizons earlier, as far as the history could have advised it.
        sentence: All of this in words; empty where there is nothing to say.
    """

    resamples: int
    horizons: Mapping[int, int]
    typical_gap_low_days: int | None
    typical_gap_high_days: int | None
    earlier: tuple[EarlierAdvice, ...]
    sentence: str


def advice_stability(
    orders: Orders, advice: WindowAdvice, *, cutoff: date, resamples: int = RESAMPLES, seed: int = 0
) -> Stability:
    """Recomputes the advised horizon on resampled customers and at earlier cutoffs.

    The customers are drawn with replacement, in 500 random groups where there are more of them: then only counts of
    silences by their length are added up, and a file of any size costs the same.

    Args:
        orders: Clean order lines or an order book, those of the advice.
        advice: From `advise_windows` at the same cutoff.
        cutoff: The first day that is not seen.
        resamples: How often to draw.
        seed: Of the draws; the same seed gives the same answer, whatever the ids and the order of the rows.
    """
    seen = customer_silences(orders, cutoff=cutoff)
    age, lasted, returned = (seen[name].to_numpy() for name in ("age_days", "silent_days", "returned"))
    drawn = resamples if advice.returns >= FEWEST_SEEN else 0
    gaps: list[int | None] = []
    if drawn:
        counts = _counts_by_group(lasted, returned, longest_watched_days(advice.history_days), seed)
        gaps = resampled_gaps(counts, drawn, seed)
    horizons = Counter(horizon_for(gap, advice.history_days) for gap in gaps)
    told = np.array([gap for gap in gaps if gap is not None], dtype=np.int64)
    low, high = (int(end) for end in np.quantile(told, _INTERVAL, method="nearest")) if told.size else (None, None)
    earlier = _earlier(age, lasted, advice, cutoff) if advice.returns else ()
    return Stability(
        resamples=drawn,
        horizons=dict(sorted(horizons.items())),
        typical_gap_low_days=low,
        typical_gap_high_days=high,
        earlier=earlier,
        sentence=_sentence(advice.advised_horizon_days, drawn, horizons, (low, high), earlier),
    )


class GroupCounts(NamedTuple):
    """Silences of each group of customers by the day on which they ended or were last seen, up to the last column.

    Silences that were longer than was waited for stand in the last column, as not ended.
    """

    ended: Counts
    seen: Counts


def resampled_gaps(counts: GroupCounts, resamples: int, seed: int) -> list[int | None]:
    """The typical gap of each resample of the groups; None where nobody came back in it.

    As `days_to_return` has it, for all resamples at once. The counts are whole numbers far below 2 ** 53, so that
    the products are exact and no bit depends on the order of addition.
    """
    groups = len(counts.seen)
    draws = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    ended, seen = draws @ counts.ended, draws @ counts.seen
    at_risk = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1]
    came_back = 1.0 - np.cumprod(1.0 - ended / np.maximum(at_risk, 1.0), axis=1)[:, :-1]
    last = came_back[:, -1]
    days = np.argmax(came_back >= TYPICAL_SHARE * last[:, None] - 1e-12, axis=1)
    return [int(day) if returns > 0 else None for day, returns in zip(days, last, strict=True)]


def _counts_by_group(lasted: Days, returned: Flags, longest: int, seed: int) -> GroupCounts:
    """Counts of silences of random groups of customers.

    Customers are put in the order of a number made of their silences before they are dealt out: their ids and their
    order in the file must not show.
    """
    last = ~returned
    customer: Days = np.cumsum(last) - last
    customers = int(last.sum())
    groups = min(customers, _GROUPS)
    rank = np.empty(customers, dtype=np.int64)
    rank[np.argsort(_content(lasted, returned, customer, customers), kind="stable")] = np.arange(customers)
    group = (np.random.default_rng(seed).permutation(customers) % groups)[rank][customer]
    columns = longest + 2
    place = group * columns + np.minimum(lasted, longest + 1)
    ended = np.bincount(place[returned & (lasted <= longest)], minlength=groups * columns)
    seen = np.bincount(place, minlength=groups * columns)
    return GroupCounts(*(count.reshape(groups, columns).astype(np.float64) for count in (ended, seen)))


def _content(lasted: Days, returned: Flags, customer: Days, customers: int) -> npt.NDArray[np.uint64]:
    """One number for each customer, the same for the same silences: a sum of hashes (splitmix64)."""
    mixed = (lasted * 2 + returned).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    total = np.zeros(customers, dtype=np.uint64)
    np.add.at(total, customer, mixed ^ (mixed >> np.uint64(31)))
    return total


def _earlier(age: Days, lasted: Days, advice: WindowAdvice, cutoff: date) -> tuple[EarlierAdvice, ...]:
    """The advice at cutoffs whole horizons before, while the history would still have allowed this horizon.

    Who orders on the day of an earlier cutoff or after it was still silent then.
    """
    horizon, found = advice.advised_horizon_days, []
    for back in range(1, EARLIER + 1):
        days = back * horizon
        history = advice.history_days - days
        if history < 3 * horizon:
            break
        begun = age > days
        watched, until_now = age[begun] - days, lasted[begun]
        typical = days_to_return(
            np.minimum(until_now, watched), until_now < watched, TYPICAL_SHARE, longest_watched_days(history)
        )
        found.append(EarlierAdvice(cutoff - timedelta(days=days), horizon_for(typical, history), typical))
    return tuple(found)


def _sentence(
    horizon: int,
    resamples: int,
    horizons: Mapping[int, int],
    gap: tuple[int | None, int | None],
    earlier: tuple[EarlierAdvice, ...],
) -> str:
    if not resamples:
        return ""
    same = sum(then.horizon_days == horizon for then in earlier)
    agreeing = horizons.get(horizon, 0)
    told = f"{'All' if agreeing == resamples else f'{agreeing} of'} {resamples} resamples of the customers"
    past = "the last horizon" if len(earlier) == 1 else f"the last {len(earlier)} horizons"
    if same:
        told += f" and {past if same == len(earlier) else f'{same} of {past}'}"
    told += f" advise {horizon} days too"
    if earlier and not same:
        told += f", but not {past}"
    days = f"{gap[0]} to {gap[1]}" if gap[0] != gap[1] else f"{gap[0]}"
    return f"{told}; the typical gap is {days} days in 90 % of the resamples."
