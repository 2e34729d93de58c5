"""Clean order lines written by hand, for the tests of the customers."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl

Line = tuple[str, int, datetime, int | None, int | None, str | None]


def at(text: str) -> datetime:
    """The moment of an ISO text: `2024-01-31` or `2024-01-31 23:59:59`."""
    return datetime.fromisoformat(text)


def lines_of(rows: Sequence[Line]) -> pl.DataFrame:
    """Rows of customer, order key, moment, cents, thousandths of units and product, as `clean_orders` gives them."""
    return pl.DataFrame(
        rows,
        schema={
            "customer_id": pl.String,
            "order_key": pl.Int64,
            "ordered_at": pl.Datetime("us"),
            "amount_cents": pl.Int64,
            "quantity_milli": pl.Int64,
            "product": pl.String,
        },
        orient="row",
    ).with_columns(
        pl.col("customer_id", "product").cast(pl.Categorical),
        market=pl.lit(None, dtype=pl.Categorical),
    )


def orders_of(rows: Iterable[tuple[str, str, int | None]]) -> pl.DataFrame:
    """Rows of customer, ISO moment and cents: one line an order, each order with a key of its own."""
    return lines_of([(who, key, at(when), cents, None, None) for key, (who, when, cents) in enumerate(rows, start=1)])
