"""Fewer customers: chosen by what they did, whoever they are, whenever it was and in whatever currency."""

import random
from datetime import date, datetime, time, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnkit.customers.kernel import OrderBook
from churnkit.customers.selection import fewer_customers
from churnkit.customers.snapshot import first_order_on, order_book, snapshot
from churnkit.orders.attributes import clean_attributes
from worlds import START, lines_of, shop

CUTOFF = date(2023, 3, 1)
MOST = 120


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    products = pl.Series([f"p{n % 7}" for n in range(shop().height)]).cast(pl.Categorical())
    return shop().with_columns(product=products)


@pytest.fixture(scope="module")
def fewer(orders: pl.DataFrame) -> OrderBook:
    return chosen_of(orders)


def chosen_of(orders: pl.DataFrame, cutoff: date = CUTOFF) -> OrderBook:
    return fewer_customers(order_book(orders), cutoff=cutoff, most=MOST)


def customers_of(book: OrderBook, cutoff: date = CUTOFF) -> pl.DataFrame:
    """The customers by content: without their ids."""
    return snapshot(book, cutoff=cutoff).drop("customer_id", "last_order_on").sort(pl.all())


def test_where_there_are_no_more_than_enough_the_book_is_as_it_was(orders: pl.DataFrame) -> None:
    book = order_book(orders)
    assert fewer_customers(book, cutoff=CUTOFF, most=10_000) is book


def test_of_too_many_customers_as_many_as_asked_are_left_with_all_they_did(
    orders: pl.DataFrame, fewer: OrderBook
) -> None:
    found = snapshot(fewer, cutoff=CUTOFF)
    assert found.height == MOST
    assert_frame_equal(
        found, snapshot(orders, cutoff=CUTOFF).filter(pl.col("customer_id").is_in(found["customer_id"].implode()))
    )


def test_every_kind_keeps_its_share_and_the_history_begins_where_it_did(orders: pl.DataFrame, fewer: OrderBook) -> None:
    known, found = snapshot(orders, cutoff=CUTOFF), snapshot(fewer, cutoff=CUTOFF)
    assert first_order_on(fewer) == first_order_on(orders)
    for name in ("frequency", "tenure_days", "recency_days"):
        assert found[name].mean() == pytest.approx(known[name].mean(), rel=0.1)
    single = (known["frequency"] == 1).mean()
    assert (found["frequency"] == 1).mean() == pytest.approx(single, abs=0.05)


def test_neither_ids_nor_the_order_of_the_rows_choose(orders: pl.DataFrame, fewer: OrderBook) -> None:
    names = orders["customer_id"].cast(pl.String).unique().sort().to_list()
    others = list(names)
    random.Random(3).shuffle(others)
    other = pl.col("customer_id").cast(pl.String).replace_strict(dict(zip(names, others, strict=True)))
    renamed = orders.with_columns(other.cast(pl.Categorical())).sample(fraction=1.0, shuffle=True, seed=5)
    assert_frame_equal(customers_of(chosen_of(renamed)), customers_of(fewer))


def test_customers_who_buy_on_the_same_days_are_told_apart_by_content_alone() -> None:
    amounts = [(10, 20), (20, 10), (15, 15), (10, 20), (5, 25), (20, 10), (None, 30), (1, 29)]

    def rows(order: list[int]) -> list[tuple[str, datetime, int | None]]:
        return [
            (f"c{name:03d}", START + timedelta(days=20 * nth), cents)
            for name, place in enumerate(order)
            for nth, cents in enumerate(amounts[place % len(amounts)])
        ]

    places = list(range(400))
    straight = customers_of(chosen_of(lines_of(rows(places)), date(2022, 6, 1)), date(2022, 6, 1))
    random.Random(1).shuffle(places)
    mixed = customers_of(chosen_of(lines_of(rows(places)), date(2022, 6, 1)), date(2022, 6, 1))
    assert_frame_equal(straight, mixed)


def test_the_same_histories_years_later_or_in_cents_give_the_same_choice(
    orders: pl.DataFrame, fewer: OrderBook
) -> None:
    moved = orders.with_columns(pl.col("ordered_at") + timedelta(days=7 * 60), pl.col("amount_cents") * 100)
    later = chosen_of(moved, CUTOFF + timedelta(days=7 * 60))
    ids = snapshot(later, cutoff=CUTOFF + timedelta(days=7 * 60))["customer_id"]
    assert ids.equals(snapshot(fewer, cutoff=CUTOFF)["customer_id"])


def test_what_comes_on_or_after_the_cutoff_does_not_choose_and_is_not_handed_on(
    orders: pl.DataFrame, fewer: OrderBook
) -> None:
    past = orders.filter(pl.col("ordered_at") < datetime.combine(CUTOFF, time()))
    assert past.height < orders.height
    assert customers_of(chosen_of(past)).equals(customers_of(fewer))
    assert customers_of(fewer, date(2025, 1, 1)).height == MOST
    assert fewer.orders["day"].max() < (CUTOFF - date(1970, 1, 1)).days  # type: ignore[operator]


def test_customers_who_did_the_same_are_told_apart_by_what_else_is_known_not_by_their_ids() -> None:
    names = [f"c{n:04d}" for n in range(400)]
    others = dict(zip(names, random.Random(5).sample(names, len(names)), strict=True))
    orders = lines_of([(who, START, 1000) for who in names])
    plans = pl.DataFrame({"customer": names, "plan": [f"p{n % 7}" for n in range(400)]})
    known = []
    for called in ({name: name for name in names}, others):
        moved = orders.with_columns(pl.col("customer_id").cast(pl.String).replace_strict(called).cast(pl.Categorical()))
        table = clean_attributes(plans.with_columns(pl.col("customer").replace_strict(called)), moved)
        known.append(customers_of(fewer_customers(order_book(moved, table), cutoff=CUTOFF, most=100)))
    assert known[0].height == 100
    assert set(known[0]["plan"]) == {f"p{n}" for n in range(7)}
    assert_frame_equal(known[0], known[1])
