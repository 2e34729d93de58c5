"""Fewer customers where there are more than a fit needs: evenly chosen by what they did, never by who they are.

A model of a few dozen parameters or a few hundred leaves is as good with some ten thousand customers as with a million.
The choice is a function of the histories before the cutoff: neither the ids nor the order of the rows show through, the
same histories moved in time or counted in another currency give the same choice, and every kind of customer keeps its
share.
"""

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import col

from churnkit.customers.kernel import DAY_SECONDS, OrderBook
from churnkit.customers.snapshot import EPOCH, history
from churnkit.orders.attributes import AttributeTable

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: multiplying by it spreads the bits
_NOTHING = -(2**62)  # stands for null
_KEPT_BITS = 40  # of each digest: a million of them still add up without overflow


def fewer_customers(book: OrderBook, *, cutoff: date, most: int) -> OrderBook:
    """The history of at most so many customers: evenly spaced by first order, number of orders, times and amounts.

    The customer with the earliest order is always among them, so that the history begins where it did.

    Args:
        book: The orders.
        cutoff: The first day that is not seen.
        most: How many customers are enough.

    Returns:
        The book as it is where there are no more customers than that, else what some did before the cutoff.
    """
    past = history(book, cutoff=cutoff)
    if past.orders["customer_id"].n_unique() <= most:
        return book
    by_content = _contents(past, (cutoff - EPOCH).days)["code"].to_numpy()
    places = np.linspace(0, len(by_content) - 1, most).round().astype(np.int64)
    chosen = np.zeros(int(by_content.max()) + 1, dtype=np.bool_)
    chosen[by_content[places]] = True
    return OrderBook(_of(past.orders, chosen), _of(past.products, chosen), past.attributes)


def _of(rows: pl.DataFrame, chosen: NDArray[np.bool_]) -> pl.DataFrame:
    codes = rows["customer_id"].to_physical().to_numpy()
    return rows.filter(pl.Series(chosen[codes]))


def _contents(past: OrderBook, cutoff_day: int) -> pl.DataFrame:
    """The codes of the customers, sorted by all that is known of them."""
    age = pl.Series(cutoff_day * DAY_SECONDS - past.orders["second"].to_numpy())
    times = _digest(age, past.orders["units_milli"], past.orders["lines"])
    by_orders = (
        past.orders.lazy()
        .with_columns(times=times, amounts=_digest(age, past.orders["cents"]))
        .group_by(code=col("customer_id").to_physical())
        .agg(
            col("day").min(),
            pl.len().alias("orders"),
            col("times").sum(),
            col("cents").sum(),
            col("cents").max().alias("most_cents"),
            col("amounts").sum(),
        )
    )
    bought = pl.Series(cutoff_day - past.products["day"].to_numpy())
    by_products = (
        past.products.lazy()
        .with_columns(products=_digest(bought))
        .group_by(code=col("customer_id").to_physical())
        .agg(col("products").sum())
    )
    known = by_orders.join(by_products, on="code", how="left")
    for place, table in enumerate(past.attributes):
        told = _told(past, table, cutoff_day).rename({"told": f"told_{place}"})
        known = known.join(told.lazy(), on="code", how="left")
    told_of = [f"told_{place}" for place in range(len(past.attributes))]
    return known.sort("day", "orders", "times", "cents", "most_cents", "products", "amounts", *told_of).collect()


def _told(past: OrderBook, table: AttributeTable, cutoff_day: int) -> pl.DataFrame:
    """A digest of all that a table of attributes says of each customer: those who did the same may differ in it."""
    codes = past.orders.select(customer_id=col("customer_id").cast(pl.String), code=col("customer_id").to_physical())
    said = pl.struct(table.columns).hash(seed=0).reinterpret(signed=True)
    rows = table.rows.select("customer_id", said=said, age=cutoff_day * DAY_SECONDS - col("known_at").dt.epoch("s"))
    digest = _digest(rows["age"], rows["said"])
    sums = rows.with_columns(told=digest).group_by("customer_id").agg(col("told").sum())
    return codes.unique().join(sums, on="customer_id").select("code", "told")


def _digest(*columns: pl.Series) -> pl.Series:
    """Whole numbers that are equal where the columns are, and as good as never where they are not."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ column.fill_null(_NOTHING).to_numpy().astype(np.int64).view(np.uint64)) * _ODD
        mixed ^= mixed >> np.uint64(29)
    return pl.Series((mixed * _ODD >> np.uint64(64 - _KEPT_BITS)).astype(np.int64))
