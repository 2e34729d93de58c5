"""Laws of the customer table, for any orders that hypothesis can think of."""

import random
from datetime import date, timedelta

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from churnkit.customers.features import FEATURES
from churnkit.customers.segments import rfm_scores, segment_customers
from churnkit.customers.snapshot import order_book, outcomes, snapshot, spend_within
from hand_lines import Line, at, lines_of

START = at("2023-01-02")
CUTOFF = date(2023, 8, 1)
MONEY = [feature.name for feature in FEATURES if feature.kind == "money"]

_few = settings(max_examples=30, deadline=None)


@st.composite
def order_lines(draw: st.DrawFn) -> list[Line]:
    """Few customers and few moments, so that ties, refunds, orders of nothing and several lines an order are common."""
    priced, counted = draw(st.booleans()), draw(st.booleans())
    line = st.tuples(
        st.sampled_from(["7", "007", "ann", "=bob", "çelik"]),
        st.integers(0, 3),
        st.builds(
            lambda day, second: START + timedelta(days=day, seconds=second),
            st.integers(0, 400) | st.sampled_from([0, 1, 7, 210, 211]),
            st.sampled_from([0, 0, 1, 64_800, 86_399]),
        ),
        st.integers(-500, 2_000) | st.sampled_from([0, 100, -100]) if priced else st.none(),
        st.integers(-2_000, 9_000) if counted else st.none(),
        st.sampled_from(["tea", "jam", None]),
    )
    return draw(st.lists(line, min_size=1, max_size=60))


def table(rows: list[Line], cutoff: date = CUTOFF) -> pl.DataFrame:
    return snapshot(lines_of(rows), cutoff=cutoff)


def same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    assert_frame_equal(left, right, check_exact=True)


@_few
@given(order_lines(), order_lines())
def test_what_is_on_or_after_the_cutoff_changes_nothing(rows: list[Line], others: list[Line]) -> None:
    past = [row for row in rows if row[2].date() < CUTOFF]
    future = [row for row in others if row[2].date() >= CUTOFF]
    same(table(past + future), table(past))
    same(segment_customers(table(past + future)), segment_customers(table(past)))


@_few
@given(order_lines(), st.randoms(use_true_random=False))
def test_row_order_changes_nothing(rows: list[Line], rng: random.Random) -> None:
    mixed = list(rows)
    rng.shuffle(mixed)
    same(table(mixed), table(rows))
    same(
        outcomes(lines_of(mixed), cutoff=CUTOFF, horizon_days=90),
        outcomes(lines_of(rows), cutoff=CUTOFF, horizon_days=90),
    )


@_few
@given(order_lines())
def test_other_ids_change_nothing_but_ids(rows: list[Line]) -> None:
    renamed = {"7": "zoe", "007": "0", "ann": "ben", "=bob": "amy", "çelik": "y"}
    products = {"tea": "z", "jam": "a", None: None}
    other = [(renamed[who], 9 - key, at, cents, n, products[what]) for who, key, at, cents, n, what in rows]
    expected = table(rows).with_columns(pl.col("customer_id").replace_strict(renamed, return_dtype=pl.String))
    same(table(other), expected.sort("customer_id"))


@_few
@given(order_lines(), st.integers(-700, 700))
def test_whole_weeks_change_nothing_but_dates(rows: list[Line], weeks: int) -> None:
    later = timedelta(weeks=weeks)
    moved = [(who, key, at + later, cents, n, what) for who, key, at, cents, n, what in rows]
    expected = table(rows).with_columns(pl.col("last_order_on") + later)
    same(table(moved, CUTOFF + later), expected)


@_few
@given(order_lines(), st.integers(2, 1_000))
def test_another_currency_scales_money_and_nothing_else(rows: list[Line], factor: int) -> None:
    dearer = [(who, key, at, cents and cents * factor, n, what) for who, key, at, cents, n, what in rows]
    customers, scaled = table(rows), table(dearer)
    assert_frame_equal(scaled, customers.with_columns(pl.col(MONEY) * factor), check_exact=False, rel_tol=1e-9)
    same(rfm_scores(scaled), rfm_scores(customers))


@_few
@given(order_lines())
def test_recency_and_active_days_make_up_tenure(rows: list[Line]) -> None:
    customers = table(rows)
    assert (customers["recency_days"] + customers["active_days"]).to_list() == customers["tenure_days"].to_list()
    assert customers.filter(
        (pl.col("recency_days") < 1)
        | (pl.col("frequency") < pl.col("n_order_days"))
        | (pl.col("last_order_on") + pl.duration(days="recency_days") != CUTOFF)
        | (pl.col("orders_last_30_days") > pl.col("orders_last_90_days"))
        | (pl.col("max_gap_days") < pl.col("mean_gap_days") - 1e-9)
        | (pl.col("max_order") < pl.col("min_order"))
    ).is_empty()


@_few
@given(order_lines())
def test_shares_lie_between_nothing_and_all_and_no_number_is_nan_or_infinite(rows: list[Line]) -> None:
    customers = table(rows)
    shares = customers.select(feature.name for feature in FEATURES if feature.kind == "share")
    assert shares.select(pl.all().is_between(0, 1).all(ignore_nulls=True)).row(0) == (True,) * shares.width
    assert customers.select(cs.float().is_finite().all()).row(0) == (True,) * customers.select(cs.float()).width


@_few
@given(order_lines())
def test_a_customer_alone_has_the_row_that_the_customer_has_among_others(rows: list[Line]) -> None:
    whole = table(rows)
    for who in whole["customer_id"]:
        same(table([row for row in rows if row[0] == who]), whole.filter(pl.col("customer_id") == who))


@_few
@given(order_lines(), st.integers(1, 120))
def test_the_outcome_is_the_window_before_the_end_of_the_horizon(rows: list[Line], horizon: int) -> None:
    book = order_book(lines_of(rows))
    seen = outcomes(book, cutoff=CUTOFF, horizon_days=horizon)
    later = spend_within(book, cutoff=CUTOFF + timedelta(days=horizon), days=horizon)
    joined = seen.join(later, on="customer_id", how="left", suffix="_later")
    assert joined.filter(pl.col("churned") != (pl.col("orders") == 0)).is_empty()
    assert joined["spend"].to_list() == joined["spend_later"].to_list()


@pytest.mark.parametrize("name", ["recency_days", "monetary"])
def test_the_laws_have_something_to_hold_for(name: str) -> None:
    rows: list[Line] = [("ann", 1, START, 100, None, None), ("ann", 2, START + timedelta(days=9), 200, None, None)]
    assert table(rows)[name].null_count() == 0
    assert table(rows).height == 1
