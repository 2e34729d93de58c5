"""The kernel's contract: exact integers, the same on every engine, in every partition and for any number of threads."""

import os
import subprocess
import sys
from datetime import date, timedelta
from typing import Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnkit.customers.kernel import customer_facts, first_purchases, group_orders, window_sums
from churnkit.customers.snapshot import snapshot
from hand_lines import Line, at, lines_of, orders_of

CUTOFF_DAY = (date(2024, 7, 1) - date(1970, 1, 1)).days

DIGEST = """
import random
from datetime import date, datetime, timedelta
from hashlib import sha256
import polars as pl
from churnkit.customers.snapshot import snapshot
rng = random.Random(7)
n = 60_000
lines = pl.DataFrame({
    "customer_id": [str(int(9_000 * rng.random() ** 2)) for _ in range(n)],
    "order_key": [rng.randrange(4) for _ in range(n)],
    "ordered_at": [datetime(2023, 1, 1) + timedelta(minutes=rng.randrange(700_000)) for _ in range(n)],
    "amount_cents": [rng.randrange(-3_000, 90_000) for _ in range(n)],
    "quantity_milli": [rng.randrange(9_000) for _ in range(n)],
    "product": [str(rng.randrange(500)) for _ in range(n)],
}).with_columns(market=None)
customers = snapshot(lines, cutoff=date(2024, 3, 1))
assert pl.thread_pool_size() == int(__import__("os").environ["POLARS_MAX_THREADS"])
print(customers.height, sha256(customers.write_csv().encode()).hexdigest())
"""


def many_lines() -> pl.DataFrame:
    """A few thousand lines with ties, refunds, gaps and unknown parts, by arithmetic."""
    start = at("2023-01-01")
    rows: list[Line] = [
        (
            f"c{i * i % 211}",
            i % 3,
            start + timedelta(hours=(i * 7_919) % 13_000),
            (i * 104_729) % 70_001 - 9_000,
            None if i % 5 == 0 else i % 9 * 500,
            None if i % 7 == 0 else f"p{i * i % 31}",
        )
        for i in range(4_000)
    ]
    return lines_of(rows)


def facts(
    lines: pl.DataFrame, engine: Literal["in-memory", "streaming"] = "in-memory", cutoff_day: int = CUTOFF_DAY
) -> pl.DataFrame:
    lazy = lines.lazy()
    found = customer_facts(group_orders(lazy), first_purchases(lazy), cutoff_day)
    return found.with_columns(pl.col("customer_id").cast(pl.String)).sort("customer_id").collect(engine=engine)


def test_the_facts_are_integers_only() -> None:
    schema = facts(many_lines()).drop("customer_id").schema
    assert set(schema.values()) <= {pl.Int64(), pl.Int128(), pl.UInt32()}


def test_both_engines_give_identical_facts() -> None:
    lines = many_lines()
    assert_frame_equal(facts(lines, "in-memory"), facts(lines, "streaming"), check_exact=True)


def test_partitions_of_the_customers_give_the_rows_of_the_whole() -> None:
    lines = many_lines()
    part = pl.col("customer_id").cast(pl.String).str.slice(1).cast(pl.Int64) % 3
    parts = pl.concat([facts(lines.filter(part == k)) for k in range(3)])
    assert_frame_equal(parts.sort("customer_id"), facts(lines), check_exact=True)


def test_the_number_of_threads_does_not_show() -> None:
    def run(threads: int) -> str:
        environment = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    assert run(1) == run(2)


def test_lines_of_one_customer_key_and_day_are_one_order_and_another_day_is_another() -> None:
    lines = lines_of(
        [
            ("a", 1, at("2024-01-01 10:00"), 500, 1000, "x"),
            ("a", 1, at("2024-01-01 09:00"), 700, None, "y"),
            ("a", 1, at("2024-01-02 09:00"), 100, 1000, "x"),
            ("b", 1, at("2024-01-01 09:00"), 900, 1000, "x"),
        ]
    )
    orders = group_orders(lines.lazy()).collect()
    assert orders.select("customer_id", "cents", "units_milli", "lines").rows() == [
        ("a", 1_200, 1_000, 2),
        ("a", 100, 1_000, 1),
        ("b", 900, 1_000, 1),
    ]
    first = orders.row(0, named=True)
    assert first["second"] - first["day"] * 86_400 == 9 * 3_600


@pytest.mark.parametrize(("cents", "is_order"), [(-1, False), (0, True), (1, True), (None, True)])
def test_an_order_is_a_refund_only_below_nothing(cents: int | None, is_order: bool) -> None:
    orders = group_orders(orders_of([("a", "2024-01-01", cents)]).lazy()).collect()
    assert orders["is_order"].to_list() == [is_order]


def test_gaps_are_days_between_order_days_and_refunds_do_not_end_them() -> None:
    lines = orders_of(
        [
            ("a", "2024-01-01 23:00", 100),
            ("a", "2024-01-05 01:00", -50),
            ("a", "2024-01-11 02:00", 100),
            ("a", "2024-01-11 22:00", 100),
            ("a", "2024-02-10 00:00", 100),
        ]
    )
    orders = group_orders(lines.lazy()).filter(pl.col("is_order")).collect()
    assert orders["gap_days"].to_list() == [None, 10, None, 30]
    assert orders["first"].to_list() == [True, False, False, False]
    assert facts(lines).select("gap_max", "gap_last", "gap_squares", "n_order_days").row(0) == (30, 30, 1_000, 3)


def test_the_last_gap_is_the_last_and_not_the_longest() -> None:
    lines = orders_of([("a", "2024-01-01", 1), ("a", "2024-03-01", 1), ("a", "2024-03-04", 1)])
    assert facts(lines).select("gap_max", "gap_last").row(0) == (60, 3)


def test_days_before_1970_and_large_amounts_are_counted_like_any_other() -> None:
    lines = orders_of([("a", "1969-12-27 20:00", 10**13), ("a", "1969-12-30 08:00", 3 * 10**13)])
    row = facts(lines, cutoff_day=5).row(0, named=True)
    assert (row["last_age"], row["first_age"], row["gap_last"]) == (7, 10, 3)
    assert (row["n_weekend"], row["n_evening"]) == (1, 1)  # 1969-12-27 was a Saturday
    assert row["order_cents_squares"] == 10**27
    assert (row["first_cents"], row["last_cents"]) == (10**13, 3 * 10**13)


def test_orders_of_one_second_are_told_apart_by_amount_whatever_their_keys() -> None:
    moment = at("2024-01-01 12:00")
    for keys in ((1, 2), (2, 1)):
        lines = lines_of([("a", key, moment, cents, None, None) for key, cents in zip(keys, (300, 900), strict=True)])
        assert facts(lines).select("first_cents", "last_cents").row(0) == (300, 900)


def test_a_product_counts_from_its_first_purchase_and_a_return_buys_nothing() -> None:
    lines = lines_of(
        [
            ("a", 1, at("2024-01-02"), 100, None, "x"),
            ("a", 2, at("2024-01-01"), 100, None, "x"),
            ("a", 3, at("2024-01-03"), -100, None, "y"),
            ("a", 4, at("2024-01-03"), 100, None, None),
            ("b", 5, at("2024-01-03"), 100, None, "x"),
        ]
    )
    bought = first_purchases(lines.lazy()).collect()
    day = (date(2024, 1, 1) - date(1970, 1, 1)).days
    assert sorted(bought.rows()) == [("a", day), ("b", day + 2)]


def test_the_sum_of_unknown_amounts_is_unknown() -> None:
    lines = orders_of([("a", "2024-01-01", None), ("b", "2024-01-01", 5)])
    orders = group_orders(lines.lazy())
    day = CUTOFF_DAY
    assert sorted(window_sums(orders, day - 365, day).collect().rows()) == [("a", 1, None), ("b", 1, 5)]
    assert facts(lines).select("net_cents", "order_cents_max", "net_cents_30").rows() == [(None, None, None), (5, 5, 0)]


def test_money_is_divided_exactly_so_that_cents_read_as_they_were_written() -> None:
    cents = list(range(1, 3_000))
    customers = snapshot(orders_of([(f"{c:05d}", "2024-01-01", c) for c in cents]), cutoff=date(2024, 7, 1))
    assert customers["monetary"].to_list() == [c / 100 for c in cents]
