"""The backtest and the explanation of one customer."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnkit.customers.snapshot import history_of
from churnkit.errors import DataError, ShortHistoryError, UsageError
from churnkit.evaluate.baselines import best_silence_days, score_curve
from churnkit.evaluate.profit import Costs
from churnkit.orders.clean import clean_orders
from churnkit.orders.read import read_orders
from churnkit.predict.backtest import Backtest, backtest
from churnkit.predict.explain import explain
from churnkit.predict.judging import BASE_RATE, CEILING, OURS
from churnkit.predict.scoring import score_customers
from churnkit.predict.training import train
from churnkit.terms import BACKTEST
from worlds import coin_toss_shop, shop

COSTS = Costs(contact=0.5, offer=2.0)
END = date(2023, 5, 1)
PEERS = {"inactivity_rule", "rfm_score", "rfm_logistic", "bgnbd", "mbgnbd", "pareto_nbd"}


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(500, 540, seed=41)


@pytest.fixture(scope="module")
def judged(orders: pl.DataFrame) -> Backtest:
    return backtest(orders, cutoff=END, cutoffs=2, horizon_days=60, costs=COSTS)


def test_the_cutoffs_are_one_horizon_apart_and_the_last_outcome_is_closed(judged: Backtest) -> None:
    cutoffs = judged.rows["cutoff"].unique(maintain_order=True).to_list()
    assert cutoffs == [END - timedelta(days=60 * k) for k in (1, 2)] == list(judged.judged_at)
    assert judged.rows.columns == [term.name for term in BACKTEST]


def test_every_model_is_judged_on_the_same_customers(judged: Backtest) -> None:
    groups = judged.rows.group_by("cutoff", "population").agg(
        pl.col("customers").n_unique(), pl.col("base_rate").n_unique(), pl.col("model").n_unique().alias("models")
    )
    assert groups["customers"].to_list() == groups["base_rate"].to_list() == [1] * groups.height
    assert groups["models"].max() == 3 + len(PEERS)
    assert set(judged.rows["model"]) == {OURS, BASE_RATE, CEILING} | PEERS


def test_our_intervals_are_judged_and_nobody_else_has_any(judged: Backtest) -> None:
    ours = judged.rows.filter(model=OURS, population="all")
    assert ours["interval_groups"].min() >= 2  # type: ignore[operator]
    assert ours["interval_coverage"].is_between(0.0, 1.0).all()
    assert ours["interval_width"].is_between(0.01, 0.5).all()
    others = judged.rows.filter(pl.col("model") != OURS).select(
        "interval_groups", "interval_coverage", "interval_width"
    )
    assert others.null_count().row(0) == (others.height,) * 3
    active = judged.rows.filter(model=OURS, population="active")
    covered = round((active["interval_coverage"] * active["interval_groups"]).sum())
    told = next(note for note in judged.notes if note.startswith("The rate lay where"))
    assert f" {covered} of {active['interval_groups'].sum()} groups " in told


def test_in_a_buy_till_you_die_world_the_model_beats_the_rules(judged: Backtest) -> None:
    mean = dict(
        judged.rows.filter(pl.col("population") == "all").group_by("model").agg(pl.col("log_loss").mean()).iter_rows()
    )
    assert mean[OURS] < min(mean["inactivity_rule"], mean["rfm_score"], mean["rfm_logistic"], mean["base_rate"])


def test_what_comes_after_the_end_changes_nothing_and_neither_do_jobs_or_rows(
    orders: pl.DataFrame, judged: Backtest
) -> None:
    past = orders.filter(pl.col("ordered_at").dt.date() < END).sample(fraction=1.0, shuffle=True, seed=1)
    other = backtest(past, cutoff=END, cutoffs=2, horizon_days=60, costs=COSTS, jobs=2)
    assert other.rows.equals(judged.rows)
    assert other.deciles.equals(judged.deciles)
    assert other.curves.equals(judged.curves)
    assert other.summary == judged.summary


def test_the_means_are_those_of_the_population_asked_about(judged: Backtest) -> None:
    assert (judged.means["model"][0], judged.means["model"][-1]) == (OURS, CEILING)
    assert judged.means["log_loss"][1:-1].is_sorted()
    ours = judged.means.row(by_predicate=pl.col("model") == OURS, named=True)
    for figure in ("auc", "calibration_floor", "captured_money_10", "profit", "expected_max_profit"):
        assert ours[figure] == pytest.approx(judged.rows.filter(population="active", model=OURS)[figure].mean())
    loss, reached = (dict(judged.means.select("model", name).iter_rows()) for name in ("log_loss", "reached"))
    assert (reached[BASE_RATE], reached[CEILING]) == (0.0, 1.0)
    assert reached[OURS] == (loss[BASE_RATE] - loss[OURS]) / (loss[BASE_RATE] - loss[CEILING])
    assert judged.summary["reached"] == pytest.approx(reached[OURS])


def test_the_deciles_add_up_to_the_rows(judged: Backtest) -> None:
    key = ["cutoff", "population", "model"]
    tenths = judged.deciles.group_by(key).agg(
        pl.col("customers").sum(),
        pl.col("captured", "captured_money").max(),
        base_rate=(pl.col("churn_rate") * pl.col("customers")).sum() / pl.col("customers").sum(),
    )
    both = tenths.join(judged.rows, on=key, suffix="_row")
    assert both.height == judged.rows.height
    assert (both["customers"] == both["customers_row"]).all()
    first = judged.deciles.filter(decile=1).join(judged.rows, on=key)
    pairs = [
        (both["base_rate"], both["base_rate_row"]),
        (both["captured"], both["captured_money"]),
        (first["lift"], first["lift_10"]),
        (first["captured"], first["captured_10"]),
        (first["captured_money"], first["captured_money_10"]),
    ]
    assert [(one - other).abs().max() for one, other in pairs] == pytest.approx([0.0] * len(pairs), abs=1e-9)


def test_no_decision_earns_more_than_the_best_one_in_hindsight(judged: Backtest) -> None:
    assert (judged.rows["profit"] <= judged.rows["max_profit"] + 1e-6).all()
    assert (judged.rows["max_profit"] <= judged.rows["expected_max_profit"] + 1e-6).all()
    assert (judged.rows["contacted"] <= judged.rows["customers"]).all()
    best = judged.curves.filter(model=OURS)["profit"].max()
    assert best == pytest.approx(judged.means["max_profit"][0], rel=0.05)


def test_without_amounts_the_worth_of_a_customer_has_to_be_said() -> None:
    silent = shop(200, 200, seed=4, amounts=False)
    with pytest.raises(UsageError, match="no amounts") as caught:
        backtest(silent, horizon_days=60, costs=COSTS)
    assert "--value" in caught.value.hint
    told = backtest(silent, horizon_days=60, cutoffs=1, costs=replace(COSTS, value=40.0), population="all")
    assert told.summary["population"] == "all"
    assert told.rows["profit"].null_count() == 0


def test_a_coin_toss_is_called_one() -> None:
    told = backtest(coin_toss_shop(), horizon_days=30, cutoffs=2)
    assert told.verdict.startswith("Cannot tell customers apart")
    assert told.summary["use"] == BASE_RATE
    assert told.summary["reached"] is None or told.summary["reached"] < 0.5


def test_on_real_data_the_model_comes_close_to_the_ceiling_and_not_above(real_data: Path) -> None:
    sample, _ = clean_orders(read_orders([real_data / "cdnow_sample.parquet"]), columns={"customer": "master_id"})
    told = backtest(sample, cutoffs=1, horizon_days=90, population="all")
    loss = dict(told.means.select("model", "log_loss").iter_rows())
    assert loss[CEILING] < loss[OURS] < loss[BASE_RATE]
    assert told.summary["reached"] > 0.85


def test_a_history_that_reaches_for_fewer_cutoffs_says_so() -> None:
    told = backtest(shop(300, 200, seed=4), cutoffs=5, horizon_days=60)
    assert told.rows["cutoff"].n_unique() == 2
    assert told.guards["short_history"] == "The history, from 2022-01-01, reaches for 2 of 5 cutoffs."
    assert told.notes[0] == told.guards["short_history"]


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
