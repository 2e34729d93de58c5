"""Do the intervals mean what they say? In shops whose truth is known, and at many cutoffs of real order files.

    python benchmarks/intervals.py [--customers 500 1500 4000] [--seeds 1 2 3]
    python benchmarks/intervals.py --orders orders.csv other.parquet [--horizons 30 60 90]

In a shop whose truth is known (worlds.py), coverage is the share of the customers whose true probability, given their
history, lies within their 90 % interval. All of an interval's errors may be common to a shop, so one shop alone says
little: look at the means. Of a real file only outcomes are known, and coverage is that of groups of customers
(`churnkit.evaluate.coverage`), beside what it would be with intervals of no length and of twice the length.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import churnkit as ck
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import default_cutoff, first_order_on, order_book, outcomes
from churnkit.evaluate.coverage import interval_coverage
from churnkit.models.blend import log_odds_of, probability_of
from churnkit.predict.scoring import score_customers
from worlds import WORLDS, World, few_customers

FloatArray = NDArray[np.float64]

HEAD = ("coverage", "of active", "width", "of active")
OUTCOMES = ("groups", "coverage", "if none", "if twice", "width") * 2  # of all customers, then of the active
STEPS = 2  # cutoffs within the length of a horizon


def known_truth(world: World) -> list[float]:
    """Coverage and mean width in a shop whose truth is known, each of all customers and of the active."""
    past = world.orders.filter(pl.col("ordered_at").dt.date() < world.cutoff)
    model = ck.train(past, cutoff=world.cutoff, horizon_days=world.horizon_days)
    scored = score_customers(past, model, cutoff=world.cutoff)
    if scored["customer_id"].cast(pl.String).to_list() != list(world.customer_id):
        raise RuntimeError("the scores are not of the customers of the world")
    _, low, high = _interval(scored)
    inside = (low <= world.oracle) & (world.oracle <= high)
    active = (scored["recency_days"] <= model.activity_window_days).to_numpy()
    both = (np.ones_like(active), active)
    return [*(float(inside[of].mean()) for of in both), *(float((high - low)[of].mean()) for of in both)]


def known_outcomes(book: OrderBook, cutoff: date, horizon_days: int) -> Iterator[list[float]]:
    """Of all customers and of the active: groups, their coverage, that with no length and twice the length, width."""
    model = ck.train(book, cutoff=cutoff, horizon_days=horizon_days)
    after = outcomes(book, cutoff=cutoff, horizon_days=horizon_days).select("customer_id", "churned")
    scored = score_customers(book, model, cutoff=cutoff).join(after, on="customer_id", maintain_order="left")
    churned = scored["churned"].to_numpy().astype(np.float64)
    active = (scored["recency_days"] <= model.activity_window_days).to_numpy()
    p, low, high = _interval(scored)
    for of in (np.ones_like(active), active):
        found = [
            interval_coverage(churned[of], p[of], _stretched(p[of], low[of], by), _stretched(p[of], high[of], by))
            for by in (1.0, 0.0, 2.0)
        ]
        yield [found[0].groups, *(coverage.share for coverage in found), float((high - low)[of].mean())]


def _interval(scored: pl.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    p, low, high = (scored[name].to_numpy() for name in ("churn_probability", "churn_low", "churn_high"))
    return p, low, high


def _stretched(p: FloatArray, end: FloatArray, by: float) -> FloatArray:
    """The end of an interval so many times as far away, in log odds."""
    middle = log_odds_of(p)
    return probability_of(middle + by * (log_odds_of(end) - middle))


def worlds(sizes: Sequence[int], seeds: Sequence[int]) -> None:
    """Prints the shops whose truth is known, each the mean over the seeds."""
    print(f"{'shop':15} {'customers':>9}", *(f"{name:>9}" for name in HEAD))
    found = []
    for make in WORLDS:
        for size in [500] if make is few_customers else sizes:
            each = [known_truth(make(seed, size)) for seed in seeds]
            found.append(np.mean(each, axis=0))
            print(f"{make(seeds[0], 10).name:15} {size:9}", *(f"{value:9.3f}" for value in found[-1]), flush=True)
    print(f"{'mean':15} {'':9}", *(f"{value:9.3f}" for value in np.mean(found, axis=0)))


def files(paths: Sequence[str], horizons: Sequence[int]) -> None:
    """Prints the real files: for each horizon as many cutoffs, half a horizon apart, as can be trained at."""
    print(f"{'file':28} {'days':>4} {'cutoffs':>7}", *(f"{name:>9}" for name in OUTCOMES))
    everything: list[list[list[float]]] = []
    for path in paths:
        book = order_book(ck.clean_orders(ck.read_orders(path))[0])
        for days in horizons:
            found = [list(known_outcomes(book, cutoff, days)) for cutoff in _cutoffs(book, days)]
            everything += found
            if found:
                print(f"{Path(path).name:28} {days:4} {len(found):7}", *_means(found), flush=True)
    print(f"{'all':28} {'':4} {len(everything):7}", *_means(everything))


def _cutoffs(book: OrderBook, days: int) -> list[date]:
    """Half a horizon apart, the last one with a whole horizon after it, the first with two horizons before it."""
    last, first = default_cutoff(book) - timedelta(days=days), first_order_on(book) + timedelta(days=2 * days)
    back = timedelta(days=days // STEPS)
    return [last - k * back for k in range((last - first) // back + 1)]


def _means(found: Sequence[list[list[float]]]) -> list[str]:
    """Groups in all; their coverage, each group counting alike; the mean width."""
    told = []
    for population in zip(*found, strict=True):
        groups, *shares, width = np.array(population).T
        told += [f"{groups.sum():9.0f}", *(f"{np.nansum(share * groups) / groups.sum():9.3f}" for share in shares)]
        told.append(f"{width.mean():9.3f}")
    return told


def main() -> None:
    """Prints one of the two tables."""
    parser = argparse.ArgumentParser(description="Do the 90 % intervals of churn probabilities mean what they say?")
    parser.add_argument("--customers", type=int, nargs="+", default=[500, 1_500, 4_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--orders", nargs="+", help="Real order files, instead of shops whose truth is known.")
    parser.add_argument("--horizons", type=int, nargs="+", default=[30, 60, 90])
    chosen = parser.parse_args()
    if chosen.orders:
        files(chosen.orders, chosen.horizons)
    else:
        worlds(chosen.customers, chosen.seeds)


if __name__ == "__main__":
    main()
