"""Intervals of churn probabilities."""

import importlib.util
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from polars import col

from churnkit.act.ranking import rank_customers, score
from churnkit.models.blend import Habit, log_odds_of
from churnkit.models.spread import Spread
from churnkit.predict.check import Check
from churnkit.predict.interval import LEVEL, LEVEL_UNSEEN, spread_after, widened
from churnkit.predict.model import ChurnModel
from churnkit.predict.scoring import model_habit, score_customers
from churnkit.predict.stack import feature_matrix
from churnkit.predict.training import train
from churnkit.terms import RISK_HIGH, RISK_MEDIUM
from worlds import coin_toss_shop, shop


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(400, 480, seed=11)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders, horizon_days=60)


@pytest.fixture(scope="module")
def known_truth() -> ModuleType:
    """The shops whose truth is known, from the benchmarks."""
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "worlds.py"
    spec = importlib.util.spec_from_file_location("worlds_of_known_truth", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_probability_lies_within_its_interval_and_nothing_is_certain(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    low, p, high = (
        score(orders, model, population="all")[name].to_numpy()
        for name in ("churn_low", "churn_probability", "churn_high")
    )
    assert (low > 0).all()
    assert (high < 1).all()
    assert (low < p).all()
    assert (p < high).all()


def test_the_members_lie_apart_by_the_weighted_deviation_of_their_log_odds(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    scored, blend = score_customers(orders, model), model.blend
    X, habit = feature_matrix(scored, model.features, model.money_unit), _habit(orders, scored, model)
    log_odds, apart = blend.told(X, habit)
    members = [*log_odds_of(blend.btyd.each_no_order_probability(*habit)).T]
    members += [member.log_odds(X) for member in blend.learned.values()]
    weights = [*blend.weights[:-1], *[blend.weights[-1] / 4] * 4]
    mean = np.average(members, axis=0, weights=weights)
    assert np.allclose(log_odds, mean + blend.shift, atol=1e-12)
    assert np.allclose(apart**2, np.average((members - mean) ** 2, axis=0, weights=weights), atol=1e-12)


def test_the_interval_holds_nine_of_ten_where_the_spread_is_true() -> None:
    rng = np.random.default_rng(3)
    apart = rng.gamma(1.0, 0.3, 40_000)
    log_odds = rng.normal(0.0, 2.0, 40_000)
    truth = log_odds + rng.normal(0.0, np.sqrt(0.2**2 + (0.7 * apart) ** 2 + (0.1 * log_odds) ** 2))
    low, high = (log_odds_of(end) for end in Spread(0.2, 0.7, 0.1).interval(log_odds, apart))
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.9, abs=0.006)
    assert (truth < low).mean() == pytest.approx(0.05, abs=0.005)


def test_a_check_that_missed_the_level_widens_the_intervals_and_none_widens_them_more() -> None:
    good, bad = (spread_after(checked(error), 100_000).level for error in (0.0, 0.3))
    assert good < LEVEL
    assert good < bad < 0.3
    assert spread_after(None, 100_000).level > bad
    assert spread_after(checked(0.04, chance=0.05), 100_000).level == good, "chance alone misses the level by as much"
    assert spread_after(checked(0.0), 200).level > good, "fewer customers tell less"


def test_a_season_that_was_never_seen_widens_the_intervals(orders: pl.DataFrame, model: ChurnModel) -> None:
    unseen = replace(model, month_days=(0,) * 12)
    seen = replace(model, month_days=(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
    narrow, wide = (
        score_customers(orders, of).select(width=col("churn_high") - col("churn_low")) for of in (seen, unseen)
    )
    assert (wide["width"] > narrow["width"]).all()
    assert score_customers(orders, seen)["churn_probability"].equals(
        score_customers(orders, unseen)["churn_probability"]
    )
    assert widened(Spread(0.3, 0.6, 0.1), 0.0) == Spread(0.3, 0.6, 0.1)
    assert widened(Spread(0.3, 0.6, 0.1), 0.5).level == pytest.approx(np.hypot(0.3, LEVEL_UNSEEN / 2))


def test_where_truth_is_known_the_intervals_hold_most_of_it_and_are_not_idle(known_truth: ModuleType) -> None:
    inside, width = [], []
    for seed in (1, 2):
        world = known_truth.mbg_nbd(seed, 700)
        past = world.orders.filter(pl.col("ordered_at").dt.date() < world.cutoff)
        model = train(past, cutoff=world.cutoff, horizon_days=world.horizon_days)
        scored = score_customers(past, model, cutoff=world.cutoff)
        low, high = scored["churn_low"].to_numpy(), scored["churn_high"].to_numpy()
        inside.append(((low <= world.oracle) & (world.oracle <= high)).mean())
        width.append((high - low).mean())
    assert np.mean(inside) > 0.75
    assert np.mean(width) < 0.15


def test_without_signal_everybody_has_the_interval_of_the_base_rate() -> None:
    orders = coin_toss_shop()
    scored = score_customers(orders, train(orders, horizon_days=30))
    assert scored.select("churn_low", "churn_probability", "churn_high").n_unique() == 1
    low, p, high = scored.select("churn_low", "churn_probability", "churn_high").row(0)
    assert 0 < low < p < high < 1
    assert low < 0.5 < high, "a coin"


def test_whom_nothing_can_be_said_of_is_counted_and_told(orders: pl.DataFrame, model: ChurnModel) -> None:
    blind = replace(model, spread=Spread(3.0, 0.0, 0.0))
    ranked = rank_customers(orders, blind)
    unclear = ranked.rows.filter((pl.col("churn_low") < RISK_MEDIUM) & (pl.col("churn_high") >= RISK_HIGH)).height
    assert ranked.summary["cannot_tell"] == unclear > 0
    assert any(note.startswith(f"Cannot tell yet for {unclear:,} of ") for note in ranked.notes)
    sure = rank_customers(orders, replace(model, spread=Spread(0.0, 0.0, 0.0)))
    assert sure.summary["cannot_tell"] == 0
    assert not any(note.startswith("Cannot tell") for note in sure.notes)


def _habit(orders: pl.DataFrame, scored: pl.DataFrame, model: ChurnModel) -> Habit:
    return model_habit(orders, scored, model, model.cutoff)


def checked(level_error: float, chance: float = 0.0) -> Check:
    """A check that missed the level by so much."""
    return Check(
        cutoff=date(2023, 1, 1),
        horizon_days=60,
        population="active",
        customers=500,
        base_rate=0.4,
        auc=0.7,
        log_loss=0.6,
        brier=0.2,
        calibration_error=0.02,
        base_rate_log_loss=0.67,
        has_signal=True,
        rule=None,
        weights=(1.0,),
        foretold=0.5,
        came=0.5,
        carried_miss=0.0,
        level_error=level_error,
        level_chance=chance,
    )
