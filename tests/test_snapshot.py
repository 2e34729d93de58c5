"""Snapshots and outcomes: what is a row, what is refused, and that a book is the same as its lines."""

from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnkit.customers.features import FEATURES
from churnkit.customers.snapshot import (
    default_cutoff,
    first_order_on,
    history,
    history_of,
    order_book,
    outcomes,
    silences,
    snapshot,
    spend_within,
)
from churnkit.errors import MissingColumnError, ShortHistoryError, UsageError
from hand_lines import orders_of

LINES = orders_of(
    [
        ("10", "2024-01-05", 1_000),
        ("9", "2024-01-01", 2_000),
        ("9", "2024-02-01", -500),
        ("9", "2024-03-01", 1_000),
        ("009", "2024-01-31", 300),
        ("z", "2024-02-20", -300),
    ]
)


def test_customers_are_sorted_as_text_and_their_ids_keep_their_zeros() -> None:
    customers = snapshot(LINES, cutoff=date(2024, 6, 1))
    assert customers["customer_id"].to_list() == ["009", "10", "9"]
    assert customers.schema["customer_id"] == pl.String


def test_the_columns_come_in_the_documented_order() -> None:
    columns = snapshot(LINES, cutoff=date(2024, 6, 1)).columns
    assert columns[:7] == [
        "customer_id", "last_order_on", "recency_days", "tenure_days", "active_days", "frequency", "monetary",
    ]  # fmt: skip
    assert columns[2:] == [feature.name for feature in FEATURES]


def test_a_book_gives_the_same_answers_as_its_lines_at_every_cutoff() -> None:
    book = order_book(LINES)
    assert order_book(book) is book
    for cutoff in (date(2024, 1, 2), date(2024, 2, 1), date(2024, 2, 21), date(2024, 4, 1)):
        seen = LINES.filter(pl.col("ordered_at") < cutoff)
        assert_frame_equal(snapshot(book, cutoff=cutoff), snapshot(seen, cutoff=cutoff), check_exact=True)
        for horizon in (1, 31, 90):
            expected = outcomes(LINES, cutoff=cutoff, horizon_days=horizon)
            assert_frame_equal(outcomes(book, cutoff=cutoff, horizon_days=horizon), expected, check_exact=True)


def test_outcomes_and_spend_have_the_rows_of_the_snapshot() -> None:
    for cutoff in (date(2024, 1, 3), date(2024, 2, 1), date(2024, 6, 1)):
        known = snapshot(LINES, cutoff=cutoff)["customer_id"].to_list()
        assert outcomes(LINES, cutoff=cutoff, horizon_days=30)["customer_id"].to_list() == known
        assert spend_within(LINES, cutoff=cutoff, days=30)["customer_id"].to_list() == known


def test_a_refund_in_the_horizon_is_no_return() -> None:
    seen = outcomes(LINES, cutoff=date(2024, 2, 1), horizon_days=29)
    assert seen.rows() == [("009", True, 0.0), ("10", True, 0.0), ("9", True, -5.0)]
    assert outcomes(LINES, cutoff=date(2024, 2, 1), horizon_days=30).row(2) == ("9", False, 5.0)


def test_without_amounts_every_order_counts_and_money_is_null() -> None:
    lines = orders_of([("a", "2024-01-01", None), ("a", "2024-01-09", None), ("b", "2024-01-02", None)])
    customers = snapshot(lines, cutoff=date(2024, 1, 5))
    assert customers.select("customer_id", "frequency", "monetary").rows() == [("a", 1, None), ("b", 1, None)]
    assert outcomes(lines, cutoff=date(2024, 1, 5), horizon_days=7).rows() == [("a", False, None), ("b", True, None)]
    assert spend_within(lines, cutoff=date(2024, 1, 5), days=4).rows() == [("a", 1, None), ("b", 1, None)]


def test_nobody_is_known_before_the_first_order() -> None:
    customers = snapshot(LINES, cutoff=date(2024, 1, 1))
    assert customers.shape == (0, 2 + len(FEATURES))
    assert outcomes(LINES, cutoff=date(2024, 1, 1), horizon_days=9).is_empty()
    assert silences(LINES, cutoff=date(2024, 1, 1)).is_empty()


def test_a_file_without_lines_has_customers_of_nobody_and_no_cutoff() -> None:
    empty = LINES.clear()
    assert snapshot(empty, cutoff=date(2024, 1, 1)).is_empty()
    for orders in (empty, order_book(empty)):
        with pytest.raises(ShortHistoryError, match="no order lines"):
            default_cutoff(orders)


def test_the_first_day_and_the_default_cutoff_frame_the_lines() -> None:
    for orders in (LINES, order_book(LINES)):
        assert first_order_on(orders) == date(2024, 1, 1)
        assert default_cutoff(orders) == date(2024, 3, 2)


def test_the_history_is_the_book_without_the_cutoff_and_what_follows() -> None:
    for cutoff in (date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 1), date(2024, 6, 1)):
        seen = order_book(LINES.filter(pl.col("ordered_at") < cutoff))
        assert_frame_equal(history(LINES, cutoff=cutoff).orders, seen.orders, check_exact=True)
        assert_frame_equal(history(LINES, cutoff=cutoff).products, seen.products, check_row_order=False)


def test_the_history_of_one_customer_is_in_the_order_of_time_with_refunds_in_place() -> None:
    told = history_of(LINES, customer_id="9", cutoff=date(2024, 3, 2))
    assert told.columns == ["ordered_on", "amount", "lines", "refund"]
    assert told.rows() == [
        (date(2024, 1, 1), 20.0, 1, False),
        (date(2024, 2, 1), -5.0, 1, True),
        (date(2024, 3, 1), 10.0, 1, False),
    ]
    assert history_of(LINES, customer_id="9", cutoff=date(2024, 3, 1)).rows() == told.rows()[:2]
    assert history_of(LINES, customer_id="nobody", cutoff=date(2024, 3, 1)).is_empty()


def test_silences_end_with_the_next_order_day_or_with_the_cutoff() -> None:
    found = silences(LINES, cutoff=date(2024, 3, 11))
    assert sorted(found.rows()) == [(10, 10, False), (40, 40, False), (66, 66, False), (70, 60, True)]


def test_ids_and_products_may_be_plain_text() -> None:
    plain = LINES.with_columns(pl.col("customer_id", "product", "market").cast(pl.String))
    at = date(2024, 6, 1)
    assert_frame_equal(snapshot(plain, cutoff=at), snapshot(LINES, cutoff=at), check_exact=True)


def test_a_frame_that_is_not_clean_order_lines_is_refused_with_the_column_that_is_missing() -> None:
    with pytest.raises(MissingColumnError, match="amount_cents") as caught:
        snapshot(LINES.drop("amount_cents"), cutoff=date(2024, 6, 1))
    assert "clean_orders" in caught.value.hint


@pytest.mark.parametrize("days", [0, -30])
def test_a_window_of_no_days_is_refused(days: int) -> None:
    with pytest.raises(UsageError, match=str(days)):
        outcomes(LINES, cutoff=date(2024, 2, 1), horizon_days=days)
    with pytest.raises(UsageError, match=str(days)):
        spend_within(LINES, cutoff=date(2024, 2, 1), days=days)


def test_spend_of_adjoining_windows_adds_up() -> None:
    cutoff = date(2024, 3, 15)
    late, whole = spend_within(LINES, cutoff=cutoff, days=30), spend_within(LINES, cutoff=cutoff, days=400)
    early = spend_within(LINES, cutoff=cutoff - timedelta(days=30), days=370)
    assert (late["orders"] + early["orders"]).to_list() == whole["orders"].to_list()
    assert (late["spend"] + early["spend"]).to_list() == whole["spend"].to_list()
