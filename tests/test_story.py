"""Ten customers whose every number can be verified on paper. The cutoff is Monday 2024-07-01; 2024 is a leap year."""

from datetime import date
from math import sqrt
from typing import Any

import polars as pl
import pytest

from churnkit.customers.segments import segment_customers
from churnkit.customers.snapshot import default_cutoff, outcomes, snapshot, spend_within
from hand_lines import Line, at, lines_of

CUTOFF = date(2024, 7, 1)


LINES: list[Line] = [
    # 00017 ordered once, 182 days before the cutoff (31 + 29 + 31 + 30 + 31 + 30).
    ("00017", 1, at("2024-01-01"), 4000, 2000, "tea"),
    # ann orders every Sunday, the last time 8 days ago; in the horizon she comes on its last day but one.
    ("ann", 2, at("2024-06-02"), 1000, 1000, "tea"),
    ("ann", 3, at("2024-06-09"), 1000, 1000, "tea"),
    ("ann", 4, at("2024-06-16"), 1000, 1000, "tea"),
    ("ann", 5, at("2024-06-23"), 1000, 1000, "tea"),
    ("ann", 6, at("2024-07-30"), 1000, 1000, "tea"),
    # bob waits 10 days, then 30; his next order is one day after a horizon of 30 days.
    ("bob", 7, at("2024-05-01"), 1000, 1000, "tea"),
    ("bob", 8, at("2024-05-11"), 2000, 1000, "tea"),
    ("bob", 9, at("2024-06-10"), 6000, 1000, "tea"),
    ("bob", 10, at("2024-07-31"), 1000, 1000, "tea"),
    # cy sends 30.00 back under the same order number ten days later, and the rest in the horizon.
    ("cy", 11, at("2024-06-01"), 10000, 1000, "tea"),
    ("cy", 11, at("2024-06-11"), -3000, -1000, "tea"),
    ("cy", 11, at("2024-07-02"), -7000, -1000, "tea"),
    # dot sends all back on the same day: an order of 0.00, not a refund.
    ("dot", 12, at("2024-06-21"), 5000, 1000, "jam"),
    ("dot", 12, at("2024-06-21"), -5000, -1000, "jam"),
    # eve orders twice on one day, in the morning and in the evening.
    ("eve", 13, at("2024-06-20 09:00"), 1500, 1000, "tea"),
    ("eve", 14, at("2024-06-20 19:30"), 2500, 1000, "tea"),
    # fay only ever sent something back; gus begins on the cutoff: neither is known.
    ("fay", 15, at("2024-06-01"), -100, -1000, "tea"),
    ("gus", 16, at("2024-07-01"), 100, 1000, "tea"),
    # hal orders in the last second before the cutoff and in the first after it.
    ("hal", 17, at("2024-06-30 23:59:59"), 700, 1000, "tea"),
    ("hal", 18, at("2024-07-01"), 1200, 1000, "tea"),
    # ida places two orders in one second; the amount decides which is the first.
    ("ida", 20, at("2024-06-01 12:00"), 800, 1000, "tea"),
    ("ida", 19, at("2024-06-01 12:00"), 500, 1000, "tea"),
    # joe fades: 335, 304 and 122 days ago.
    ("joe", 21, at("2023-08-01"), 10000, 1000, "tea"),
    ("joe", 22, at("2023-09-01"), 10000, 1000, "tea"),
    ("joe", 23, at("2024-03-01"), 5000, 1000, "tea"),
    # kim buys four lines of three products; pie is new in the last 180 days.
    ("kim", 24, at("2023-11-01"), 1000, 1000, "tea"),
    ("kim", 24, at("2023-11-01"), 1000, 2000, "jam"),
    ("kim", 25, at("2024-06-15"), 1000, 3000, "tea"),
    ("kim", 25, at("2024-06-15"), 1000, 4000, "pie"),
]

STORY: dict[str, dict[str, Any]] = {
    "00017": {
        "last_order_on": date(2024, 1, 1), "recency_days": 182, "tenure_days": 182, "active_days": 0, "frequency": 1,
        "monetary": 40.0, "recency_over_mean_gap": None, "recency_share_of_tenure": 1.0, "mean_gap_days": None,
        "last_gap_days": None, "orders_last_180_days": 0, "orders_last_365_days": 1, "orders_trend_180_days": -1.0,
        "spend_trend_180_days": -1.0, "mean_order_trend_180_days": None, "std_order": None, "units_per_order": 2.0,
        "new_product_share_180_days": 0.0, "evening_share": None, "weekend_share": 0.0, "refund_share": 0.0,
        "orders_per_30_days": 30 / 182,
    },
    "ann": {
        "recency_days": 8, "tenure_days": 29, "active_days": 21, "frequency": 4, "n_order_days": 4, "monetary": 40.0,
        "mean_gap_days": 7.0, "std_gap_days": 0.0, "max_gap_days": 7, "last_gap_days": 7, "gap_variation": 0.0,
        "last_gap_over_mean_gap": 1.0, "recency_over_mean_gap": 8 / 7, "recency_over_max_gap": 8 / 7,
        "silence_in_deviations": 1.0, "orders_per_30_days": 4.0, "weekend_share": 1.0, "orders_trend_180_days": None,
        "new_product_share_180_days": 1.0, "orders_last_30_days": 4, "spend_last_30_days": 40.0,
    },
    "bob": {
        "recency_days": 21, "tenure_days": 61, "active_days": 40, "mean_gap_days": 20.0, "std_gap_days": sqrt(200),
        "max_gap_days": 30, "last_gap_days": 30, "gap_variation": sqrt(200) / 20, "last_gap_over_mean_gap": 1.5,
        "recency_over_mean_gap": 1.05, "recency_over_max_gap": 0.7, "silence_in_deviations": 1 / sqrt(200),
        "mean_order": 30.0, "std_order": sqrt(700), "min_order": 10.0, "max_order": 60.0, "first_order_amount": 10.0,
        "last_order_amount": 60.0, "last_order_over_mean_order": 2.0, "orders_last_30_days": 1,
        "orders_last_90_days": 3, "spend_last_30_days": 60.0, "order_share_last_90_days": 1.0, "n_products": 1,
        "products_per_order": 1 / 3,
    },
    "cy": {
        "recency_days": 30, "frequency": 1, "monetary": 70.0, "mean_order": 100.0, "n_refunds": 1, "refund_share": 0.3,
        "days_since_refund": 20, "spend_last_30_days": 70.0, "orders_last_30_days": 1, "n_products": 1,
        "lines_per_order": 1.0, "units_per_order": 1.0,
    },
    "dot": {
        "frequency": 1, "monetary": 0.0, "mean_order": 0.0, "last_order_over_mean_order": None, "refund_share": None,
        "n_refunds": 0, "lines_per_order": 2.0, "units_per_order": 0.0, "n_products": 1, "spend_trend_180_days": None,
    },
    "eve": {
        "frequency": 2, "n_order_days": 1, "active_days": 0, "mean_gap_days": None, "evening_share": 0.5,
        "weekend_share": 0.0, "mean_order": 20.0, "std_order": sqrt(50), "first_order_amount": 15.0,
        "last_order_amount": 25.0, "last_order_over_mean_order": 1.25, "days_since_refund": None,
    },
    "hal": {"recency_days": 1, "frequency": 1, "monetary": 7.0, "evening_share": 1.0, "weekend_share": 1.0},
    "ida": {"frequency": 2, "n_order_days": 1, "first_order_amount": 5.0, "last_order_amount": 8.0},
    "joe": {
        "recency_days": 122, "tenure_days": 335, "active_days": 213, "mean_gap_days": 106.5, "max_gap_days": 182,
        "last_gap_days": 182, "std_gap_days": sqrt(2 * 75.5**2), "orders_trend_180_days": -1 / 3,
        "spend_trend_180_days": -0.6, "mean_order_trend_180_days": 0.5, "order_share_last_180_days": 1 / 3,
        "order_share_last_90_days": 0.0, "spend_last_180_days": 50.0, "spend_last_365_days": 250.0,
        "spend_last_90_days": 0.0,
    },
    "kim": {
        "frequency": 2, "monetary": 40.0, "n_products": 3, "products_per_order": 1.5,
        "new_product_share_180_days": 1 / 3, "lines_per_order": 2.0, "units_per_order": 5.0, "mean_order": 20.0,
        "orders_trend_180_days": 0.0, "weekend_share": 0.5,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def customers() -> pl.DataFrame:
    return snapshot(lines_of(LINES), cutoff=CUTOFF)


def test_the_customers_with_an_order_before_the_cutoff_are_known(customers: pl.DataFrame) -> None:
    assert customers["customer_id"].to_list() == list(STORY)


@pytest.mark.parametrize("who", STORY)
def test_every_number_of_the_story_is_as_on_paper(customers: pl.DataFrame, who: str) -> None:
    told = customers.row(by_predicate=pl.col("customer_id") == who, named=True)
    for name, expected in STORY[who].items():
        wanted = pytest.approx(expected, rel=1e-12, abs=1e-12) if isinstance(expected, float) else expected
        assert told[name] == wanted, name


def test_every_column_is_told_somewhere_in_the_story(customers: pl.DataFrame) -> None:
    told = {name for row in STORY.values() for name in row}
    assert set(customers.columns) - told == {"customer_id"}


def test_the_outcome_is_read_from_the_cutoff_to_the_day_before_the_horizon_ends() -> None:
    seen = outcomes(lines_of(LINES), cutoff=CUTOFF, horizon_days=30)
    assert seen.filter(~pl.col("churned")).select("customer_id", "spend").rows() == [("ann", 10.0), ("hal", 12.0)]
    lost = seen.filter(pl.col("churned"))
    assert dict(lost.select("customer_id", "spend").iter_rows())["cy"] == -70.0
    assert lost.filter(pl.col("customer_id") != "cy")["spend"].unique().to_list() == [0.0]


def test_a_longer_horizon_sees_the_order_on_the_next_day() -> None:
    seen = outcomes(lines_of(LINES), cutoff=CUTOFF, horizon_days=31)
    assert seen.filter(~pl.col("churned"))["customer_id"].to_list() == ["ann", "bob", "hal"]


def test_spend_of_the_last_days_is_net_of_refunds() -> None:
    spent = spend_within(lines_of(LINES), cutoff=CUTOFF, days=30)
    assert {who: (n, money) for who, n, money in spend_rows(spent)} == {
        "00017": (0, 0.0), "ann": (4, 40.0), "bob": (1, 60.0), "cy": (1, 70.0), "dot": (1, 0.0), "eve": (2, 40.0),
        "hal": (1, 7.0), "ida": (2, 13.0), "joe": (0, 0.0), "kim": (1, 20.0),
    }  # fmt: skip


def spend_rows(spent: pl.DataFrame) -> list[tuple[str, int, float]]:
    return spent.select("customer_id", "orders", "spend").rows()


def test_the_default_cutoff_is_the_day_after_the_last_line() -> None:
    assert default_cutoff(lines_of(LINES)) == date(2024, 8, 1)


def test_the_scores_of_the_story_follow_its_ranks(customers: pl.DataFrame) -> None:
    """Ten customers: places 1-2 score 1, 3-4 score 2, and so on; ties share their mean place.

    By recency, worst first: 00017 182, joe 122, then cy and ida 30 (places 3 and 4), bob 21, kim 16, eve 11, dot 10,
    ann 8, hal 1. By frequency: 00017, cy, dot, hal 1 (mean place 2.5), eve, ida, kim 2 (mean place 6), bob, joe 3
    (mean place 8.5), ann 4.
    """
    rows = segment_customers(customers).select("customer_id", "r_score", "f_score", "segment").rows()
    assert rows == [
        ("00017", 1, 1, "Lost"),
        ("ann", 5, 5, "Champions"),
        ("bob", 3, 4, "Loyal"),
        ("cy", 2, 1, "Hibernating"),
        ("dot", 4, 1, "Promising"),
        ("eve", 4, 3, "Potential loyalists"),
        ("hal", 5, 1, "New"),
        ("ida", 2, 3, "At risk"),
        ("joe", 1, 4, "At risk"),
        ("kim", 3, 3, "Needs attention"),
    ]
