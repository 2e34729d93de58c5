"""Where a model comes from: library versions, and a fingerprint of the orders that names no customer."""

import hashlib
import json
from datetime import date
from importlib.metadata import version

import polars as pl

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import history

_LIBRARIES = ("churnkit", "polars", "numpy", "scikit-learn", "scipy")


def versions() -> dict[str, str]:
    """Versions of churnkit and of the libraries that a fit depends on."""
    return {name: version(name) for name in _LIBRARIES}


def fingerprint(book: OrderBook, cutoff: date) -> dict[str, object]:
    """Counts and sums of the orders before a cutoff, with a digest of them; the same whatever the row order.

    It tells whether two models saw the same orders. It says nothing of any one customer.
    """
    past = history(book, cutoff=cutoff).orders
    facts: dict[str, object] = {
        "orders": int(past["is_order"].sum()),
        "refunds": int((~past["is_order"]).sum()),
        "lines": int(past["lines"].sum()),
        "customers": past["customer_id"].n_unique(),
        "net_cents": int(past["cents"].sum()),
    }
    seconds = past.select(
        total=pl.col("second").cast(pl.Int128).sum(),
        weighted=(pl.col("second").cast(pl.Int128) * pl.col("cents").fill_null(1)).sum(),
    ).row(0)
    text = json.dumps([facts, [str(number) for number in seconds], cutoff.isoformat()], sort_keys=True)
    return facts | {"sha256": hashlib.sha256(text.encode()).hexdigest()}
