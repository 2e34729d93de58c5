"""Signal or none: whether the history tells customers apart is found out, said, and acted upon."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from churnkit.customers.snapshot import default_cutoff, order_book, outcomes
from churnkit.evaluate.metrics import log_loss
from churnkit.predict.check import tells_apart
from churnkit.predict.model import ChurnModel
from churnkit.predict.scoring import score_customers
from churnkit.predict.stack import horizon_rows, model_features
from churnkit.predict.training import train
from worlds import START, coin_toss_shop, lines_of, shop

HORIZON_DAYS = 60


def outcomes_of(
    p: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (np.random.default_rng(seed).random(len(p)) < p).astype(np.float64)


def test_true_probabilities_tell_customers_apart_and_one_for_everybody_does_not() -> None:
    p = np.random.default_rng(1).uniform(0.2, 0.8, 2_000)
    churned = outcomes_of(p, 2)
    assert tells_apart(churned, p)
    assert not tells_apart(churned, np.full(2_000, 0.5))


def test_a_right_level_alone_tells_nobody_apart_and_a_wrong_one_hides_nothing() -> None:
    p = np.random.default_rng(3).uniform(0.2, 0.8, 2_000)
    noise = np.random.default_rng(4).permutation(p)
    assert not tells_apart(outcomes_of(p, 5), noise)
    assert tells_apart(outcomes_of(0.5 * p, 6), p)


def test_chance_is_seldom_taken_for_signal() -> None:
    found = 0
    for seed in range(200):
        p = np.random.default_rng(seed).uniform(0.3, 0.7, 300)
        found += tells_apart(outcomes_of(np.full(300, 0.5), 1_000 + seed), p)
    assert found <= 10


def dealt(how: str, seed: int) -> pl.DataFrame:
    """A shop whose orders are dealt out anew: their days (`shuffled`), or to anybody (`redealt`)."""
    rng = np.random.default_rng(seed)
    orders = shop(700, 540, seed=seed)
    if how == "redealt":
        ids = orders["customer_id"].unique().sort()
        return orders.with_columns(customer_id=ids.gather(rng.integers(len(ids), size=orders.height)))
    return orders.with_columns(ordered_at=orders["ordered_at"].gather(rng.permutation(orders.height)))


def judged(orders: pl.DataFrame) -> tuple[ChurnModel, float, float, float]:
    """A model of the past; its log loss after that, and those of the last rate known and of the rate that came."""
    cutoff: date = default_cutoff(orders) - timedelta(days=HORIZON_DAYS)
    past = orders.filter(pl.col("ordered_at").dt.date() < cutoff)
    model = train(past, cutoff=cutoff, horizon_days=HORIZON_DAYS)
    p = score_customers(past, model, cutoff=cutoff)["churn_probability"].to_numpy()

    def churned(of: pl.DataFrame, on: date) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return outcomes(of, cutoff=on, horizon_days=HORIZON_DAYS)["churned"].cast(pl.Float64).to_numpy()

    left, before = churned(orders, cutoff), churned(past, cutoff - timedelta(days=HORIZON_DAYS))
    known, itself = (log_loss(left, np.full(len(left), rate)) for rate in (before.mean(), left.mean()))
    return model, log_loss(left, p), known, itself


@pytest.mark.parametrize("seed", [1, 2])
def test_where_orders_went_to_anybody_the_answer_is_one_rate_it_is_said_and_it_is_no_worse(seed: int) -> None:
    model, ours, known, _ = judged(dealt("redealt", seed))
    assert model.kind == "base-rate"
    assert any(note.startswith("No signal") for note in model.notes)
    assert ours < 1.005 * known


def test_where_only_the_number_of_orders_is_left_it_is_used() -> None:
    model, ours, known, itself = judged(dealt("shuffled", 1))
    assert model.kind == "blend"
    assert not any(note.startswith("No signal") for note in model.notes)
    assert ours < 0.97 * min(known, itself)


def test_a_rate_that_fell_a_lot_is_expected_to_fall_on_and_one_that_stood_is_not() -> None:
    growing = horizon_rows(
        order_book(ever_more_orders()), START.date() + timedelta(days=540), 60, model_features(), 1.0
    )
    steady = horizon_rows(order_book(coin_toss_shop()), START.date() + timedelta(days=480), 60, model_features(), 1.0)
    assert growing is not None
    assert steady is not None
    assert growing.trend < -0.05
    assert abs(steady.trend) < 0.01


def ever_more_orders() -> pl.DataFrame:
    """Nobody leaves, and everybody orders by the toss of a coin that falls on order ever more often."""
    rng = np.random.default_rng(11)
    rows: list[tuple[str, datetime, int | None]] = []
    for n in range(1_500):
        days = np.flatnonzero(rng.random(720) < 0.001 + 0.06 * np.linspace(0, 1, 720) ** 3)
        rows += [(f"c{n:05d}", START + timedelta(days=int(day)), 1000) for day in days]
    return lines_of(rows)
