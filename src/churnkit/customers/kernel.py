"""The one room of packing tricks: order lines in, exact integers per customer out.

Contract: a function here gets *all* lines of the customers it is given and treats every customer alone. A whole file,
hash partitions of it and the tasks of a cluster therefore give the same rows. Everything is an integer (days, seconds,
cents, thousandths), because integer sums do not depend on the order of addition and float sums do. Nothing visible
depends on row order, on the order key or on the codes of a Categorical.

Three choices make it fast: one packed integer as sort key instead of a multi-column sort; plain shifts with boundary
tests over the sorted rows instead of window operators; `when/then` instead of `filter` inside one `group_by`.
"""

from dataclasses import dataclass

import polars as pl
from polars import col, when

from churnkit.orders.attributes import AttributeTable

DAY_SECONDS = 86_400
EVENING_SECONDS = 18 * 3_600
WINDOWS_DAYS = (30, 90, 180, 360, 365)
TREND_DAYS = 180

LINES_SCHEMA = pl.Schema(
    {
        "customer_id": pl.Categorical(),
        "order_key": pl.Int64(),
        "ordered_at": pl.Datetime("us"),
        "amount_cents": pl.Int64(),
        "quantity_milli": pl.Int64(),
        "product": pl.Categorical(),
        "market": pl.Categorical(),
    }
)


@dataclass(frozen=True, slots=True)
class OrderBook:
    """The orders of a file, grouped and sorted once: any number of snapshots can be cut from it.

    No order straddles a cutoff and every marker looks back only, so cutting the book is the same as cutting the lines.

    Attributes:
        orders: One row per order or refund (see `group_orders`).
        products: One row per customer and product, with the day of the first purchase (see `first_purchases`).
        attributes: What else is known of the customers.
    """

    orders: pl.DataFrame
    products: pl.DataFrame
    attributes: tuple[AttributeTable, ...] = ()


def group_orders(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Lines to orders and refunds, sorted by customer, orders before refunds, then time, then amount.

    An order is the lines with one (customer, order key, day). Net below 0 is a refund. Without an amount every order
    counts, and `cents` is null.

    Returns:
        `customer_id second day cents units_milli lines side is_order first new_day gap_days`: `side` tells the orders
        of one customer from the refunds and from other customers; `first` marks the first order, `new_day` the first
        order of a day; `gap_days` is the gap to the order day before, on the rows of `new_day` only.
    """
    second = col("ordered_at").dt.epoch("s")
    grouped = (
        lines.select("customer_id", "order_key", "amount_cents", "quantity_milli", second=second)
        .group_by("customer_id", "order_key", day=col("second") // DAY_SECONDS)
        .agg(
            col("second").min(),
            *_sum_or_null("cents", col("amount_cents")),
            *_sum_or_null("units_milli", col("quantity_milli")),
            pl.len().cast(pl.Int64).alias("lines"),
        )
    )
    is_order = (col("cents") >= 0).fill_null(True)
    side = col("customer_id").to_physical().cast(pl.Int64) * 2 + (~is_order).cast(pl.Int64)
    return (
        grouped.with_columns(_null_where_none("cents"), _null_where_none("units_milli"))
        .with_columns(is_order=is_order)
        .select("customer_id", "second", "day", "cents", "units_milli", "lines", "is_order", side=side)
        .sort(_packed_order())
        .with_columns(*_markers())
    )


def first_purchases(lines: pl.LazyFrame) -> pl.LazyFrame:
    """The day on which each customer first bought each product: `customer_id day`, one row per product.

    A line with a negative amount is a return and buys nothing; lines without a product are left out.
    """
    bought = col("product").is_not_null() & (col("amount_cents") >= 0).fill_null(True)
    return (
        lines.filter(bought)
        .group_by("customer_id", "product")
        .agg((col("ordered_at").min().dt.epoch("s") // DAY_SECONDS).alias("day"))
        .select("customer_id", "day")
    )


def customer_facts(orders: pl.LazyFrame, products: pl.LazyFrame, cutoff_day: int) -> pl.LazyFrame:
    """All that the features need, as exact integers: one row per customer with an order before the cutoff.

    Args:
        orders: From `group_orders`, in its order.
        products: From `first_purchases`.
        cutoff_day: The cutoff in days since 1970-01-01; rows on or after it are not seen.

    Returns:
        Unsorted rows of `customer_id`, `last_day` and counts, sums and ages (days before the cutoff).
    """
    past = (
        orders.filter(col("day") < cutoff_day)
        .with_columns(
            age=cutoff_day - col("day"),
            last=col("is_order") & (col("side") != col("side").shift(-1)).fill_null(True),
        )
        .group_by("customer_id")
        .agg(*_counts(), *_gaps(), *_money(), *_basket(), col("cents").count().alias("n_priced"))
        .filter(col("n_orders") > 0)
    )
    distinct = (
        products.filter(col("day") < cutoff_day)
        .group_by("customer_id")
        .agg(
            pl.len().cast(pl.Int64).alias("n_products"),
            _count(col("day") >= cutoff_day - TREND_DAYS).alias("n_new_products"),
        )
    )
    money = [name for name in past.collect_schema().names() if "cents" in name]
    return past.join(distinct, on="customer_id", how="left").with_columns(
        when(col("n_priced") > 0).then(col(name)).alias(name) for name in money
    )


def window_sums(orders: pl.LazyFrame, from_day: int, to_day: int) -> pl.LazyFrame:
    """Orders and net cents per customer in the days `[from_day, to_day)`: `customer_id n_orders net_cents`."""
    return (
        orders.filter(col("day").is_between(from_day, to_day, closed="left"))
        .group_by("customer_id")
        .agg(_count(col("is_order")).alias("n_orders"), *_sum_or_null("net_cents", col("cents")))
        .select("customer_id", "n_orders", _null_where_none("net_cents"))
    )


def _packed_order() -> pl.Expr:
    """One integer that sorts by side (33 bits), second (36 bits with its sign), cents (58 bits with its sign).

    The amount decides between two orders of one second: it is content, so neither row order nor ids can show through.
    """
    return (col("side").cast(pl.Int128) * 2**36 + col("second")) * 2**58 + col("cents").fill_null(0)


def _markers() -> list[pl.Expr]:
    """Columns that look at the row before; they hold for every cutoff because no marker looks ahead."""
    is_order, same = col("is_order"), (col("side") == col("side").shift(1)).fill_null(False)
    step = col("day") - col("day").shift(1)
    new_day = is_order & (~same | (step > 0))
    return [
        (is_order & ~same).alias("first"),
        new_day.alias("new_day"),
        when(new_day & same).then(step).alias("gap_days"),
    ]


def _counts() -> list[pl.Expr]:
    is_order, age = col("is_order"), col("age")
    time_of_day = col("second") - col("day") * DAY_SECONDS
    weekend = (col("day") + 3) % 7 >= 5  # day 0, 1970-01-01, was a Thursday
    return [
        _count(is_order).alias("n_orders"),
        _count(~is_order).alias("n_refunds"),
        _count(col("new_day")).alias("n_order_days"),
        when(is_order).then("day").max().alias("last_day"),
        when(is_order).then("age").min().alias("last_age"),
        when(is_order).then("age").max().alias("first_age"),
        when(~is_order).then("age").min().alias("refund_age"),
        _count(is_order & weekend).alias("n_weekend"),
        _count(is_order & (time_of_day >= EVENING_SECONDS)).alias("n_evening"),
        _count(is_order & (time_of_day > 0)).alias("n_timed"),
        *(_count(is_order & (age <= days)).alias(f"n_orders_{days}") for days in WINDOWS_DAYS),
    ]


def _gaps() -> list[pl.Expr]:
    """The last gap is the gap of the last day that has one: the greatest of (day, gap) packed into one integer."""
    gap = col("gap_days")
    return [
        (gap * gap).sum().alias("gap_squares"),
        gap.max().alias("gap_max"),
        ((col("day") * 2**24 + gap).max() % 2**24).alias("gap_last"),
    ]


def _money() -> list[pl.Expr]:
    cents, is_order, age = col("cents"), col("is_order"), col("age")
    order_cents = when(is_order).then(cents)
    return [
        cents.sum().alias("net_cents"),
        *(when(age <= days).then(cents).sum().alias(f"net_cents_{days}") for days in WINDOWS_DAYS),
        order_cents.sum().alias("order_cents"),
        when(is_order & (age <= TREND_DAYS)).then(cents).sum().alias("order_cents_recent"),
        (order_cents.cast(pl.Int128) * order_cents).sum().alias("order_cents_squares"),
        order_cents.min().alias("order_cents_min"),
        order_cents.max().alias("order_cents_max"),
        when(col("first")).then(cents).max().alias("first_cents"),
        when(col("last")).then(cents).max().alias("last_cents"),
        when(~is_order).then(-cents).sum().alias("refund_cents"),
    ]


def _basket() -> list[pl.Expr]:
    return [
        when(col("is_order")).then("lines").sum().alias("n_lines"),
        when(col("is_order")).then("units_milli").sum().alias("units_milli"),
        when(col("is_order")).then("units_milli").count().alias("n_counted"),
    ]


def _count(flag: pl.Expr) -> pl.Expr:
    """How often a flag is set, signed: differences of unsigned counts would wrap around."""
    return flag.sum().cast(pl.Int64)


def _sum_or_null(name: str, value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    return value.sum().alias(name), value.count().alias(f"{name}_known")


def _null_where_none(name: str) -> pl.Expr:
    """The sum of no known value is unknown, not 0."""
    return when(col(f"{name}_known") > 0).then(col(name)).alias(name)
