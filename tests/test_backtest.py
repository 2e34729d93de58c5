"""The backtest and the explanation of one customer."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from churnkit.customers.snapshot import default_cutoff, history_of
from churnkit.errors import DataError, ShortHistoryError, UsageError
from churnkit.evaluate.baselines import best_silence_days, score_curve
from churnkit.predict.backtest import OURS, Backtest, backtest
from churnkit.predict.explain import explain
from churnkit.predict.scoring import score_customers
from churnkit.predict.training import train
from churnkit.terms import BACKTEST
from worlds import coin_toss_shop, shop


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(700, 600, seed=41)


@pytest.fixture(scope="module")
def judged(orders: pl.DataFrame) -> Backtest:
    return backtest(orders, horizon_days=60)


def test_the_cutoffs_are_one_horizon_apart_and_the_last_outcome_is_closed(
    orders: pl.DataFrame, judged: Backtest
) -> None:
    end = default_cutoff(orders)
    cutoffs = judged.rows["cutoff"].unique(maintain_order=True).to_list()
    assert cutoffs == [end - timedelta(days=60 * k) for k in (1, 2, 3)]
    assert judged.rows.columns == [term.name for term in BACKTEST]


def test_every_model_is_judged_on_the_same_customers(judged: Backtest) -> None:
    groups = judged.rows.group_by("cutoff", "population").agg(
        pl.col("customers").n_unique(), pl.col("base_rate").n_unique(), pl.col("model").n_unique().alias("models")
    )
    assert groups["customers"].to_list() == groups["base_rate"].to_list() == [1] * groups.height
    assert groups["models"].max() == 7


def test_in_a_buy_till_you_die_world_the_model_beats_the_rules(judged: Backtest) -> None:
    mean = dict(
        judged.rows.filter(pl.col("population") == "all").group_by("model").agg(pl.col("log_loss").mean()).iter_rows()
    )
    assert mean[OURS] < min(mean["inactivity_rule"], mean["rfm_score"], mean["rfm_logistic"], mean["base_rate"])


def test_what_comes_after_the_end_changes_nothing(orders: pl.DataFrame) -> None:
    end = date(2023, 3, 1)
    past = orders.filter(pl.col("ordered_at").dt.date() < end)
    whole = backtest(orders, cutoff=end, cutoffs=1, horizon_days=60)
    assert whole.rows.equals(backtest(past, cutoff=end, cutoffs=1, horizon_days=60).rows)


def test_a_coin_toss_is_called_one() -> None:
    assert backtest(coin_toss_shop(), horizon_days=30).verdict.startswith("Cannot tell customers apart")


def test_a_history_that_reaches_for_fewer_cutoffs_says_so() -> None:
    told = backtest(shop(300, 200, seed=4), cutoffs=5, horizon_days=60)
    assert told.rows["cutoff"].n_unique() == 2
    assert told.notes == ("The history, from 2022-01-01, reaches for 2 of 5 cutoffs.",)


def test_a_history_too_short_for_one_cutoff_is_refused() -> None:
    with pytest.raises(ShortHistoryError, match="cannot tell yet"):
        backtest(shop(200, 100, seed=4), horizon_days=60)


def test_no_cutoff_is_no_backtest(orders: pl.DataFrame) -> None:
    with pytest.raises(UsageError, match="at least one"):
        backtest(orders, cutoffs=0)


def test_the_best_silence_maximises_hits_less_false_alarms() -> None:
    rng = np.random.default_rng(0)
    days = rng.integers(1, 100, 300).astype(float)
    left = (rng.random(300) < days / 120).astype(float)

    def youden(n: int) -> float:
        flagged = days >= n
        return float(flagged[left == 1].mean() - flagged[left == 0].mean())

    assert youden(best_silence_days(days, left)) == max(youden(n) for n in range(1, 101))


def test_a_score_becomes_a_calibrated_probability() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=20_000)
    left = (rng.random(20_000) < 1 / (1 + np.exp(-(0.3 + 0.8 * score)))).astype(float)
    intercept, slope = score_curve(score, left)
    assert intercept == pytest.approx(0.3, abs=0.05)
    assert slope == pytest.approx(0.8, abs=0.05)


def test_an_explanation_holds_the_customers_own_history(orders: pl.DataFrame) -> None:
    model = train(orders, horizon_days=60)
    found = explain(orders, model, ["c00007", "c00001", "c00007"])
    assert [customer["customer_id"] for customer in found.customers] == ["c00007", "c00001"]
    first = found.customers[0]
    history = history_of(orders, customer_id="c00007", cutoff=found.cutoff)
    assert first["orders"] == history.to_dicts()
    assert len(first["orders"]) == first["frequency"]
    scored = score_customers(orders, model).filter(pl.col("customer_id") == "c00007")
    assert first["churn_probability"] == scored["churn_probability"][0]
    rows = found.rows.filter(pl.col("customer_id") == "c00007")
    assert rows["push"].abs().is_sorted(descending=True)
    assert (rows["points"] * rows["push"] >= 0).all()


def test_an_unknown_customer_is_refused_with_the_nearest_names(orders: pl.DataFrame) -> None:
    model = train(orders, horizon_days=60)
    with pytest.raises(DataError, match="c0000x") as caught:
        explain(orders, model, ["c0000x"])
    assert "did you mean" in caught.value.hint
