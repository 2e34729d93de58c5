"""Reasons: additive, at most three, and in words that agree with the numbers."""

from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from churnkit.act.ranking import score
from churnkit.customers.snapshot import default_cutoff, order_book, snapshot
from churnkit.predict.model import ChurnModel
from churnkit.predict.pushes import FAMILIES, family_pushes
from churnkit.predict.reasons import MOST_REASONS, families_told, statement, tells_why_up, usual_values
from churnkit.predict.scoring import model_habit
from churnkit.predict.stack import feature_matrix
from churnkit.predict.training import train
from worlds import lines_of, shop

CUTOFF = date(2024, 1, 1)


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(500, 480, seed=21)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders, horizon_days=60)


def a_customer(**changed: object) -> dict[str, object]:
    """A customer with ten orders, whom nothing is special about."""
    return {
        "recency_days": 61,
        "frequency": 10,
        "n_order_days": 10,
        "active_days": 207,
        "tenure_days": 268,
        "mean_gap_days": 23.0,
        "orders_last_90_days": 2,
        "orders_last_180_days": 5,
        "orders_last_365_days": 10,
        "spend_trend_180_days": -0.2,
        "orders_trend_180_days": 0.0,
        "mean_order": 20.0,
        "n_products": 4,
        "units_per_order": 2.0,
        "n_refunds": 0,
        "days_since_refund": None,
    } | changed


USUAL = {"mean_order": 20.0, "n_products": 4.0, "units_per_order": 2.0, "n_order_days": 3.0}


@pytest.mark.parametrize(
    ("family", "rising", "changed", "words"),
    [
        ("silence", True, {}, "buys every 23 days, silent for 61"),
        ("silence", False, {"recency_days": 1}, "buys every 23 days, last order 1 day ago"),
        ("silence", True, {"frequency": 1, "n_order_days": 1}, "one order only, 61 days ago"),
        ("silence", True, {"frequency": 2, "n_order_days": 1}, "2 orders on one day only, 61 days ago"),
        (
            "silence",
            True,
            {"frequency": 2, "n_order_days": 2, "active_days": 40, "mean_gap_days": 40.0},
            "came back once, after 40 days; silent for 61",
        ),
        ("frequency", False, {}, "10 orders in 9 months"),
        ("frequency", True, {"frequency": 2, "n_order_days": 2}, "only 2 orders in 9 months"),
        ("frequency", True, {"frequency": 1, "n_order_days": 1}, ""),
        ("recent", True, {"orders_last_90_days": 0}, "no order in the last 90 days"),
        ("recent", True, {"orders_last_90_days": 0, "orders_last_180_days": 0}, "no order in the last 180 days"),
        ("recent", True, {}, "only 2 orders in the last 90 days"),
        ("trend", True, {}, "spends a third less since July"),
        ("trend", False, {"spend_trend_180_days": 1 / 3}, "spends twice as much since July"),
        ("trend", False, {"spend_trend_180_days": -0.2}, ""),
        ("spend", True, {"mean_order": 10.0}, "small orders (10.00, usual is 20.00)"),
        ("spend", False, {"mean_order": 1234.5}, "large orders (1,234.50, usual is 20.00)"),
        ("spend", True, {"mean_order": 19.0}, ""),
        ("spend", True, {"mean_order": 1234.5}, ""),
        ("basket", True, {"n_products": 1}, "only 1 different product, usual is 4"),
        ("refunds", True, {"n_refunds": 2, "days_since_refund": 12}, "2 refunds, the last 12 days ago"),
        ("refunds", True, {}, ""),
    ],
)
def test_a_family_says_it_in_the_customers_own_numbers(
    family: str, rising: bool, changed: dict[str, object], words: str
) -> None:
    assert statement(family, a_customer(**changed), USUAL, CUTOFF, rising=rising) == words


def test_the_pushes_add_up_to_the_log_odds(orders: pl.DataFrame, model: ChurnModel) -> None:
    customers = snapshot(orders, cutoff=default_cutoff(orders))
    X = feature_matrix(customers, model.features, model.money_unit)
    habit = model_habit(order_book(orders), customers, model, default_cutoff(orders))
    rest = model.blend.log_odds(X, habit) - family_pushes(model, customers, habit).sum(axis=1)
    assert np.ptp(rest) < 1e-9  # what is left is the same for everybody: the average


def test_pushes_are_counted_from_the_average_active_customer(orders: pl.DataFrame, model: ChurnModel) -> None:
    customers = snapshot(orders, cutoff=model.cutoff).filter(pl.col("recency_days") <= model.activity_window_days)
    habit = model_habit(order_book(orders), customers, model, model.cutoff)
    assert np.abs(family_pushes(model, customers, habit).mean(axis=0)).max() < 1e-6
    lapsed = snapshot(orders, cutoff=model.cutoff).filter(pl.col("recency_days") > 2 * model.activity_window_days)
    pushes = family_pushes(model, lapsed, model_habit(order_book(orders), lapsed, model, model.cutoff))
    assert (pushes.sum(axis=1) > 0).all()


def test_longer_silence_pushes_harder(orders: pl.DataFrame, model: ChurnModel) -> None:
    cutoff = default_cutoff(orders)
    begin = datetime.combine(cutoff, time()) - timedelta(days=300)
    regular: list[tuple[str, datetime, int | None]] = [("r", begin + timedelta(days=10 * n), 2000) for n in range(30)]
    stopped: list[tuple[str, datetime, int | None]] = [("s", when, cents) for _, when, cents in regular[:20]]
    book = order_book(pl.concat([orders, lines_of(regular + stopped)]))
    customers = snapshot(book, cutoff=cutoff).filter(pl.col("customer_id").is_in(["r", "s"]))
    pushes = family_pushes(model, customers, model_habit(book, customers, model, cutoff))
    buying_on, stopped_buying = pushes[:, FAMILIES.index("silence")]
    assert buying_on < 0 < stopped_buying


def test_everybody_gets_one_to_three_reasons(orders: pl.DataFrame, model: ChurnModel) -> None:
    lengths = score(orders, model, population="all")["reasons"].list.len()
    assert lengths.is_between(1, MOST_REASONS).all()
    assert lengths.n_unique() > 1


def test_a_reason_never_calls_large_what_is_small(orders: pl.DataFrame) -> None:
    cutoff = default_cutoff(orders)
    known = snapshot(orders, cutoff=cutoff)
    usual = usual_values(known)
    for row in known.iter_rows(named=True):
        for rising, word in ((True, "small"), (False, "large")):
            told = statement("spend", row, usual, cutoff, rising=rising)
            fits = row["mean_order"] < usual["mean_order"] if rising else row["mean_order"] > usual["mean_order"]
            assert not told or (word in told and fits)


def test_a_small_push_up_is_no_reason_where_much_pushes_down() -> None:
    assert tells_why_up(np.array([0.4, 0.1, -0.3]))
    assert tells_why_up(np.array([0.4, -0.7]))
    assert not tells_why_up(np.array([0.1, -0.7]))
    assert not tells_why_up(np.array([0.01, -0.001]))


def drawn_again(orders: pl.DataFrame, seed: int) -> pl.DataFrame:
    """As many customers, drawn with replacement; each draw is a customer of its own."""
    ids = orders["customer_id"].cast(pl.String).unique().sort()
    draws = ids.gather(np.random.default_rng(seed).integers(len(ids), size=len(ids)))
    named = pl.DataFrame({"id": draws, "draw": [f"d{n}" for n in range(len(draws))]})
    lines = orders.with_columns(id=pl.col("customer_id").cast(pl.String)).join(named, on="id")
    return lines.with_columns(customer_id=pl.col("draw").cast(pl.Categorical())).drop("id", "draw")


def test_with_other_customers_to_learn_from_the_first_reason_stays(orders: pl.DataFrame, model: ChurnModel) -> None:
    cutoff, book = default_cutoff(orders), order_book(orders)
    again = train(drawn_again(orders, 1), cutoff=cutoff, horizon_days=60)
    known = snapshot(book, cutoff=cutoff)
    active = known.filter(pl.col("recency_days") <= model.activity_window_days)
    first, second = (
        [
            families[0]
            for families in families_told(each, active, model_habit(book, active, each, cutoff), known, cutoff)
        ]
        for each in (model, again)
    )
    assert np.mean([a == b for a, b in zip(first, second, strict=True)]) >= 0.8
