"""Do reasons hold? Under another sample of customers, against exact Shapley values, and what they cost.

    python benchmarks/reasons.py [ORDERS...] [--refits 2] [--customers 10000]

For every order file (a world of `worlds.py` where none is given):

stable     A model is trained, and again on customers drawn with replacement; both explain the same active customers.
           Share with the same family in the first reason, and with the same family pushing hardest either way.
exact      For the boosted trees: share of customers whose hardest pushing family by grouped path-dependent TreeSHAP is
           that by the definition, with the seven families as players: all sets of them, where an unknown family is
           drawn from the training rows (interventional). Shown for the trees of the horizon, for those of intervals,
           where the number of the interval is one more player, and for the whole blend, which is what reasons tell.
CPU s      Seconds of one core for the reasons of 100,000 customers, without scoring.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import factorial

import numpy as np
import polars as pl
from numpy.typing import NDArray

import churnkit as ck
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import default_cutoff, order_book, snapshot
from churnkit.models.hazard import Hazard, with_interval
from churnkit.models.trees import Trees
from churnkit.models.treeshap import grouped_shap
from churnkit.predict.model import ChurnModel
from churnkit.predict.pushes import FAMILIES, family_pushes, groups_of
from churnkit.predict.reasons import families_told, reasons_for
from churnkit.predict.scoring import model_habit
from churnkit.predict.stack import feature_matrix, horizon_rows, interval_rows, training_book
from worlds import mbg_nbd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PLAYED, BACKGROUND = 400, 200  # customers, and training rows, of the exact values


def drawn_again(orders: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The orders of as many customers, drawn with replacement; each draw is a customer of its own."""
    rng = np.random.default_rng(seed)
    ids = orders["customer_id"].cast(pl.String).unique().sort()
    draws = ids.gather(rng.integers(len(ids), size=len(ids)))
    named = pl.DataFrame({"_id": draws, "_draw": np.arange(len(draws)).astype(str)})
    lines = orders.with_columns(_id=pl.col("customer_id").cast(pl.String)).join(named, on="_id")
    return lines.with_columns(customer_id=pl.col("_draw").cast(pl.Categorical())).drop("_id", "_draw")


def listed(book: OrderBook, model: ChurnModel) -> pl.DataFrame:
    """The active customers, whom `score` lists."""
    return snapshot(book, cutoff=model.cutoff).filter(pl.col("recency_days") <= model.activity_window_days)


def tops(model: ChurnModel, book: OrderBook, customers: pl.DataFrame) -> tuple[list[str], IntArray]:
    """Per customer the family of the first reason, and the one that pushes hardest either way."""
    habit = model_habit(book, customers, model, model.cutoff)
    known = snapshot(book, cutoff=model.cutoff)
    told = [families[0] for families in families_told(model, customers, habit, known, model.cutoff)]
    return told, np.abs(family_pushes(model, customers, habit)).argmax(axis=1)


def stability(orders: pl.DataFrame, model: ChurnModel, refits: int) -> tuple[float, float]:
    """Shares of the active customers whose top families are the same after a refit."""
    book = order_book(orders)
    customers = listed(book, model)
    told, hardest = tops(model, book, customers)
    windows = {"horizon_days": model.horizon_days, "activity_window_days": model.activity_window_days}
    shares = []
    for seed in range(refits):
        again = ck.train(drawn_again(orders, seed), cutoff=model.cutoff, **windows)
        told_again, hardest_again = tops(again, book, customers)
        shares.append(
            (np.mean([a == b for a, b in zip(told, told_again, strict=True)]), (hardest == hardest_again).mean())
        )
    first, either = np.mean(shares, axis=0)
    return float(first), float(either)


def exact_values(trees: Trees, X: FloatArray, background: FloatArray, groups: IntArray, players: int) -> FloatArray:
    """Shapley values of groups of columns by the definition: (rows, groups).

    A set of groups is worth the mean log odds over the background with these groups as in the row. Which way a split
    sends a row is one bit of the pattern of its tree; so a row of which some columns are those of another row has some
    bits of the one pattern and the rest of the other.
    """
    own, other = (np.hstack([patterns for _, patterns in trees.patterns(rows)]) for rows in (X, background))
    values = trees.value[trees.offsets[:-1, None] + trees.leaf_of_pattern]
    bits = np.zeros((trees.n_trees, players), dtype=np.uint8)
    for node in np.flatnonzero(~trees.is_leaf):
        bits[trees.tree_of[node], groups[trees.feature[node]]] |= np.uint8(1 << trees.bit_of[node])
    worth = {s: np.zeros(len(X)) for k in range(players + 1) for s in combinations(range(players), k)}
    for tree in range(trees.n_trees):
        seen: dict[int, FloatArray] = {}
        for known in worth:
            mask = int(np.bitwise_or.reduce(bits[tree, list(known)])) if known else 0
            if mask not in seen:
                mixed = (own[tree] & mask)[:, None] | (other[tree] & (255 - mask))
                seen[mask] = values[tree].take(mixed).mean(axis=1)
            worth[known] += seen[mask]
    found = np.zeros((len(X), players))
    for known in worth:
        for group in set(range(players)) - set(known):
            weight = factorial(len(known)) * factorial(players - 1 - len(known)) / factorial(players)
            found[:, group] += weight * (worth[tuple(sorted((*known, group)))] - worth[known])
    return found


def agreements(orders: pl.DataFrame, model: ChurnModel) -> Iterator[float]:
    """Shares of customers on whose top family the shortcut and the definition agree.

    By the trees of the horizon, by those of intervals, and by the whole blend, of which only the trees need a shortcut.
    """
    rng = np.random.default_rng(0)
    frame = (model.cutoff, model.horizon_days, model.features, model.money_unit)
    book = order_book(orders)
    customers = listed(book, model)
    customers = customers[np.sort(rng.permutation(customers.height)[:PLAYED])]
    X = feature_matrix(customers, model.features, model.money_unit)
    whole = family_pushes(model, customers, model_habit(book, customers, model, model.cutoff))
    defined = whole.copy()
    rows_of = {"boosting": horizon_rows, "hazard_boosting": interval_rows}
    for name, rows in rows_of.items():
        training = rows(training_book(book, model.cutoff), *frame).X
        background = training[np.sort(rng.permutation(len(training))[:BACKGROUND])]
        quick, exact = both_ways(model.blend.learned[name], X, background, groups_of(model.features))
        yield agreement(quick, exact)
        # either way against the mean of these customers, as the reasons are
        defined += model.blend.learned_weight * ((exact - exact.mean(axis=0)) - (quick - quick.mean(axis=0)))
    yield agreement(whole, defined)


def both_ways(
    member: Trees | Hazard, X: FloatArray, background: FloatArray, groups: IntArray
) -> tuple[FloatArray, FloatArray]:
    """What the families add to the log odds of a boosted member, by the shortcut and by the definition."""
    families = len(FAMILIES)
    if isinstance(member, Trees):
        return grouped_shap(member, X, groups, families)[0], exact_values(member, X, background, groups, families)
    players = np.append(groups, families)  # the number of the interval is one more
    quick, exact = (np.zeros((len(X), families)) for _ in range(2))
    for interval, slope in enumerate(member.slopes(X)):
        at = with_interval(X, interval)
        quick += slope[:, None] * grouped_shap(member.step, at, players, families + 1)[0][:, :families]
        exact += slope[:, None] * exact_values(member.step, at, background, players, families + 1)[:, :families]
    return quick, exact


def agreement(one: FloatArray, other: FloatArray) -> float:
    """Share of rows with the same column furthest from 0."""
    return float((np.abs(one).argmax(axis=1) == np.abs(other).argmax(axis=1)).mean())


def cpu_seconds(orders: pl.DataFrame, model: ChurnModel) -> float:
    """For the reasons of 100,000 customers."""
    book = order_book(orders)
    known = snapshot(book, cutoff=model.cutoff)
    many = pl.concat([known] * -(-100_000 // known.height)).head(100_000)
    habit = model_habit(book, many, model, model.cutoff)
    begun = time.process_time()
    reasons_for(model, many, habit, known, model.cutoff)
    return time.process_time() - begun


def only(orders: pl.DataFrame, customers: int) -> pl.DataFrame:
    """The orders of at most so many customers."""
    ids = orders["customer_id"].cast(pl.String).unique().sort()
    some = ids.gather(np.sort(np.random.default_rng(0).permutation(len(ids))[:customers]))
    return orders.filter(pl.col("customer_id").cast(pl.String).is_in(some.implode()))


def row(name: str, cells: Sequence[str]) -> str:
    """A line of the table."""
    return f"{name:24.24}" + "".join(f"{cell:>12}" for cell in cells)


def main() -> None:
    """Prints the table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("orders", nargs="*", help="order files that churnkit can read")
    ask.add_argument("--refits", type=int, default=2)
    ask.add_argument("--customers", type=int, default=10_000, help="at most")
    given = ask.parse_args()
    files = {path.rsplit("/", 1)[-1]: ck.clean_orders(ck.read_orders(path))[0] for path in given.orders}
    files = files or {"MBG/NBD": mbg_nbd(1).orders}
    print(row("", ["customers", "stable", "either way", "exact", "intervals", "whole", "CPU s"]))
    for name, orders in files.items():
        some = only(orders, given.customers)
        model = ck.train(some, cutoff=default_cutoff(some))
        told, either = stability(some, model, given.refits)
        shares = [f"{share:.3f}" for share in (told, either, *agreements(some, model))]
        customers = listed(order_book(some), model).height
        print(row(name, [f"{customers:,}", *shares, f"{cpu_seconds(some, model):.1f}"]), flush=True)


if __name__ == "__main__":
    main()
