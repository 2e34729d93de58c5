"""Scores and the ranking, checked against their definitions."""

from datetime import date, timedelta

import polars as pl
import pytest

from churnkit.act.ranking import rank_customers, score
from churnkit.customers.snapshot import default_cutoff, order_book, spend_within
from churnkit.errors import DataError, ShortHistoryError, UsageError
from churnkit.predict.model import ChurnModel
from churnkit.predict.training import train
from churnkit.terms import RISK_HIGH, RISK_MEDIUM, SCORE
from worlds import shop


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(400, 480, seed=11)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders, horizon_days=60)


def test_value_at_risk_is_the_product_of_its_three_parts(orders: pl.DataFrame, model: ChurnModel) -> None:
    rows = score(orders, model, population="all")
    product = rows["churn_probability"] * rows["alive_probability"] * rows["spend_if_retained"]
    assert (product - rows["value_at_risk"]).abs().max() < 1e-9  # type: ignore[operator]


def test_spend_if_retained_is_half_the_net_spend_of_the_last_two_horizons(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    rows = score(orders, model, population="all").sort("customer_id")
    spend = spend_within(orders, cutoff=default_cutoff(orders), days=120)["spend"]
    assert rows["spend_if_retained"].to_list() == [max(amount, 0.0) / 2 for amount in spend]


@pytest.mark.parametrize(
    ("rank_by", "column"),
    [("stake", "value_at_risk"), ("risk", "churn_probability"), ("value", "spend_if_retained")],
)
def test_the_rank_is_a_sorted_permutation(orders: pl.DataFrame, model: ChurnModel, rank_by: str, column: str) -> None:
    rows = score(orders, model, rank_by=rank_by)  # type: ignore[arg-type]
    assert rows["rank"].to_list() == list(range(1, rows.height + 1))
    assert rows[column].is_sorted(descending=True)
    assert rows["customer_id"].n_unique() == rows.height


def test_the_columns_are_those_of_the_vocabulary(orders: pl.DataFrame, model: ChurnModel) -> None:
    assert score(orders, model).columns == [term.name for term in SCORE]


def test_active_means_a_last_order_within_the_activity_window(orders: pl.DataFrame, model: ChurnModel) -> None:
    active, everybody = score(orders, model), score(orders, model, population="all")
    assert active["recency_days"].max() <= model.activity_window_days  # type: ignore[operator]
    assert everybody.filter(pl.col("recency_days") <= model.activity_window_days).height == active.height
    assert everybody.height > active.height


def test_top_and_min_risk_cut_the_list_and_not_the_summary(orders: pl.DataFrame, model: ChurnModel) -> None:
    whole, few = rank_customers(orders, model), rank_customers(orders, model, top=5, min_risk=0.3)
    assert few.rows.height == 5
    assert few.rows["churn_probability"].min() >= 0.3  # type: ignore[operator]
    assert few.summary | {"listed": whole.rows.height} == whole.summary


def test_risk_is_named_by_the_published_limits(orders: pl.DataFrame, model: ChurnModel) -> None:
    for p, risk in score(orders, model, population="all").select("churn_probability", "risk").iter_rows():
        assert risk == ("high" if p >= RISK_HIGH else "medium" if p >= RISK_MEDIUM else "low")


def test_the_next_order_is_the_last_plus_the_own_mean_gap(orders: pl.DataFrame, model: ChurnModel) -> None:
    days = order_book(orders).orders.filter("new_day").sort("customer_id", "day")
    for row in score(orders, model, top=40).iter_rows(named=True):
        own = days.filter(pl.col("customer_id").cast(pl.String) == row["customer_id"])["day"].to_list()
        if len(own) == 1:
            assert row["next_order_on"] is None
        else:
            gap = (own[-1] - own[0]) / (len(own) - 1)
            assert abs((row["next_order_on"] - row["last_order_on"]).days - gap) <= 0.5


def test_amounts_in_cents_of_another_currency_scale_the_money_and_no_score(orders: pl.DataFrame) -> None:
    dear = orders.with_columns(pl.col("amount_cents") * 100)
    plain = score(orders, train(orders, horizon_days=60), population="all").sort("customer_id")
    scaled = score(dear, train(dear, horizon_days=60), population="all").sort("customer_id")
    assert (scaled["monetary"] / 100 - plain["monetary"]).abs().max() < 1e-6  # type: ignore[operator]
    assert scaled["segment"].equals(plain["segment"])
    difference = (scaled["churn_probability"] - plain["churn_probability"]).abs()
    assert difference.max() < 1e-9  # type: ignore[operator]


def test_a_cutoff_before_the_first_order_is_refused(orders: pl.DataFrame, model: ChurnModel) -> None:
    with pytest.raises(ShortHistoryError, match="no order before 2001-01-01"):
        score(orders, model, cutoff=date(2001, 1, 1))


def test_a_model_of_orders_with_amounts_refuses_orders_without(orders: pl.DataFrame, model: ChurnModel) -> None:
    with pytest.raises(DataError, match="amounts"):
        score(orders.with_columns(pl.lit(None, pl.Int64).alias("amount_cents")), model)


def test_an_unknown_ranking_is_refused(orders: pl.DataFrame, model: ChurnModel) -> None:
    with pytest.raises(UsageError, match="rank_by"):
        score(orders, model, rank_by="luck")  # type: ignore[arg-type]


def test_a_model_far_older_than_the_cutoff_is_said_to_be(orders: pl.DataFrame, model: ChurnModel) -> None:
    late = rank_customers(orders, model, cutoff=model.cutoff + timedelta(days=200))
    assert any("train it again" in note for note in late.notes)
    early = rank_customers(orders, model, cutoff=model.cutoff - timedelta(days=100))
    assert any("has seen what it predicts" in note for note in early.notes)


def test_a_customer_added_changes_no_score_of_the_others(orders: pl.DataFrame, model: ChurnModel) -> None:
    before = score(orders, model, population="all").sort("customer_id")
    guest = orders.head(1).with_columns(pl.lit("zz guest").cast(pl.Categorical()).alias("customer_id"))
    after = score(pl.concat([orders, guest]), model, population="all").sort("customer_id")
    same = after.filter(pl.col("customer_id") != "zz guest")
    assert same["churn_probability"].equals(before["churn_probability"])
    assert same["value_at_risk"].equals(before["value_at_risk"])
