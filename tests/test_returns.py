"""The return curve on paper, and the windows that it advises for real and for very small files."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnkit.customers.returns import advise_windows, days_to_return, return_probability, still_silent
from churnkit.errors import ShortHistoryError, UsageError
from churnkit.terms import WINDOW
from hand_lines import Line, at, lines_of, orders_of


def test_kaplan_meier_is_as_in_the_textbook() -> None:
    """Remission times of the 6-MP group of Freireich et al. (1963), the standard example."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    ended = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    silent = still_silent(np.array(weeks), np.array(ended, dtype=bool))
    published = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    assert {week: round(float(silent[week]), 4) for week in published} == published
    assert silent[0] == 1.0
    assert silent[35] == silent[23]


def test_without_censoring_the_curve_is_the_share_that_lasted_longer() -> None:
    days = np.array([1, 2, 2, 5, 9])
    silent = still_silent(days, np.ones(5, dtype=bool))
    assert silent.round(12).tolist() == [round(float((days > t).mean()), 12) for t in range(10)]


def test_the_days_to_return_are_a_quantile_among_those_who_return() -> None:
    days, ended = np.arange(1, 11), np.array([True] * 5 + [False] * 5)
    assert days_to_return(days, ended, 0.8, within_days=10) == 4
    assert days_to_return(days, ended, 1.0, within_days=10) == 5
    assert days_to_return(days, ended, 1.0, within_days=2) == 2
    assert days_to_return(days, ~np.ones(10, dtype=bool), 0.8, within_days=10) is None


ORDERS = orders_of(
    [
        ("a", "2024-01-01", 1),  # back after 10 days
        ("a", "2024-01-11", 1),  # then silent for 80 days up to the cutoff
        ("b", "2024-01-01", 1),  # back after 40 days
        ("b", "2024-02-10", 1),  # then silent for 50 days
        ("c", "2024-03-11", 1),  # silent for 20 days
    ]
)
CUTOFF = date(2024, 3, 31)


def test_those_silent_for_so_long_count_once_if_the_whole_horizon_was_seen() -> None:
    curve = return_probability(ORDERS, cutoff=CUTOFF, horizon_days=20, silent_days=[5, 10, 11, 21, 30, 31, 40, 41, 70])
    assert curve.rows() == [
        (5, 4, 1, 0.25),  # c reached 5 days, but only 15 days were seen after them
        (10, 4, 1, 0.25),  # a's order on the tenth silent day lies within the horizon that begins there
        (11, 3, 0, 0.0),
        (21, 3, 1, 1 / 3),
        (30, 3, 1, 1 / 3),  # exactly 20 days were seen after b's thirtieth silent day
        (31, 2, 1, 0.5),
        (40, 2, 1, 0.5),
        (41, 1, 0, 0.0),
    ]
    assert curve.columns == [term.name for term in WINDOW]


def test_a_silence_never_reached_gives_an_empty_curve() -> None:
    assert return_probability(ORDERS, cutoff=CUTOFF, horizon_days=20, silent_days=[900]).is_empty()


def test_a_horizon_of_no_days_is_refused() -> None:
    with pytest.raises(UsageError, match="horizon_days is 0"):
        return_probability(ORDERS, cutoff=CUTOFF, horizon_days=0, silent_days=[5])
    with pytest.raises(UsageError, match="horizon_days is 0"):
        advise_windows(ORDERS, cutoff=CUTOFF, horizon_days=0)
    with pytest.raises(UsageError, match="activity_window_days is -1"):
        advise_windows(ORDERS, cutoff=CUTOFF, activity_window_days=-1)


def weekly(customers: int, weeks: int) -> list[Line]:
    start = at("2023-01-01")
    return [
        (f"c{c}", week, start + timedelta(days=7 * week), 100, None, None)
        for c in range(customers)
        for week in range(weeks)
    ]


def test_weekly_customers_get_the_shortest_horizon_and_all_of_them_return() -> None:
    advice = advise_windows(lines_of(weekly(20, 30)), cutoff=date(2023, 7, 30))
    assert (advice.typical_gap_days, advice.median_gap_days) == (7, 7)
    assert (advice.horizon_days, advice.activity_window_days, advice.reliable) == (14, 28, True)
    # 18 days must be seen after an order: of 30 orders in 210 days, the 28 up to day 192.
    assert advice.curve.row(0) == (4, 20 * 28, 20 * 28, 1.0)
    assert advice.sentences[0] == "80 % of those who come back do so within 7 days."


def test_given_windows_are_taken_as_they_are() -> None:
    orders = lines_of(weekly(20, 30))
    advice = advise_windows(orders, cutoff=date(2023, 7, 30), horizon_days=21, activity_window_days=50)
    assert (advice.horizon_days, advice.activity_window_days) == (21, 50)
    assert advise_windows(orders, cutoff=date(2023, 7, 30), horizon_days=21).activity_window_days == 42


def test_customers_who_stay_away_are_told_gone() -> None:
    regulars = weekly(30, 40)
    visitors: list[Line] = [(f"v{v}", 1, at("2023-01-01") + timedelta(days=v), 100, None, None) for v in range(60)]
    advice = advise_windows(lines_of(regulars + visitors), cutoff=date(2023, 10, 8))
    assert advice.gone_after_days == 8
    assert "0 % of those silent for 28 days still come back within 14 days." in advice.sentences
    assert "From 8 silent days on, fewer than 10 % come back." in advice.sentences


def test_one_order_of_one_customer_gets_an_honest_answer() -> None:
    advice = advise_windows(orders_of([("a", "2024-01-01", 1)]), cutoff=date(2024, 1, 2))
    assert (advice.horizon_days, advice.typical_gap_days, advice.returns, advice.reliable) == (14, None, 0, False)
    assert advice.curve.is_empty()
    assert "Nobody came back on a later day." in advice.sentences
    assert "Not reliable: only 0 of the 30 returns needed were seen." in advice.sentences
    assert "Not reliable: the history covers only 1 of the 42 days needed." in advice.sentences


def test_a_share_of_a_few_is_not_put_into_words() -> None:
    few = advise_windows(lines_of(weekly(29, 1)), cutoff=date(2023, 9, 1))
    assert few.curve["customers"].unique().to_list() == [29]
    assert few.gone_after_days is None
    assert f"Too few were silent for {few.horizon_days} days to say how many return." in few.sentences
    assert not any("come back within" in sentence for sentence in few.sentences)
    enough = advise_windows(lines_of(weekly(30, 1)), cutoff=date(2023, 9, 1))
    assert enough.gone_after_days == enough.curve["silent_days"].min()
    assert "0 % of those silent for 60 days still come back within 60 days." in enough.sentences


def test_no_order_before_the_cutoff_is_an_error_that_says_so() -> None:
    with pytest.raises(ShortHistoryError, match="no order before 2024-01-01"):
        advise_windows(ORDERS, cutoff=date(2024, 1, 1))


def test_returns_that_took_longer_than_is_watched_are_not_denied() -> None:
    orders = orders_of([("a", "2024-01-01", 1), ("a", "2024-02-01", 1)])
    advice = advise_windows(orders, cutoff=date(2024, 2, 2))
    assert (advice.returns, advice.typical_gap_days) == (1, None)
    assert advice.sentences[0] == "Nobody came back within 21 days."


def test_a_return_on_the_same_day_is_no_return() -> None:
    orders = orders_of([("a", "2024-01-01 09:00", 1), ("a", "2024-01-01 18:00", 1)])
    assert advise_windows(orders, cutoff=date(2024, 2, 1)).returns == 0


@pytest.mark.parametrize("cutoff", [date(1997, 10, 1), date(1998, 1, 1), date(1998, 4, 1), date(1998, 7, 1)])
def test_cdnow_is_advised_ninety_days(real_data: Path, cutoff: date) -> None:
    lines = pl.read_parquet(real_data / "cdnow_master.parquet").select(
        pl.col("customer_id").cast(pl.String),
        pl.lit(0, dtype=pl.Int64).alias("order_key"),
        pl.col("date").cast(pl.Datetime("us")).alias("ordered_at"),
        (pl.col("dollar_value") * 100).round().cast(pl.Int64).alias("amount_cents"),
        *(pl.lit(None, dtype=pl.Int64).alias(name) for name in ("quantity_milli", "product", "market")),
    )
    advice = advise_windows(lines.with_columns(pl.col("product", "market").cast(pl.String)), cutoff=cutoff)
    assert (advice.horizon_days, advice.activity_window_days, advice.reliable) == (90, 180, True)
    falling = advice.curve["return_probability"].to_list()
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize(("cutoff", "horizon"), [(date(2011, 9, 10), 90), (date(2011, 12, 10), 90)])
def test_online_retail_is_advised_ninety_days(real_data: Path, cutoff: date, horizon: int) -> None:
    raw = pl.read_parquet(real_data / "online_retail.parquet").filter(pl.col("CustomerID").is_not_null())
    lines = raw.select(
        pl.col("CustomerID").cast(pl.String).alias("customer_id"),
        pl.col("InvoiceNo").rank("dense").cast(pl.Int64).alias("order_key"),
        pl.col("InvoiceDate").cast(pl.Datetime("us")).alias("ordered_at"),
        (pl.col("Quantity") * pl.col("UnitPrice") * 100).round().cast(pl.Int64).alias("amount_cents"),
        *(pl.lit(None, dtype=dtype).alias(name) for name, dtype in _UNKNOWN.items()),
    )
    assert advise_windows(lines, cutoff=cutoff).horizon_days == horizon


_UNKNOWN = {"quantity_milli": pl.Int64, "product": pl.String, "market": pl.String}
