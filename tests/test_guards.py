"""The guards: each fires where it should, is silent where it should be, and says the same in JSON and in the notes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnkit.act.ranking import rank_customers
from churnkit.cli.about import GUARDS
from churnkit.customers.snapshot import order_book, snapshot
from churnkit.models.seasonal import Season
from churnkit.orders.clean import clean_orders
from churnkit.orders.read import read_orders
from churnkit.predict.explain import explain
from churnkit.predict.fitting import Frame
from churnkit.predict.guards import NAMES, guards_at, seen_month_days, sentences, standing_guards
from churnkit.predict.model import ChurnModel
from churnkit.predict.model_file import model_bytes
from churnkit.predict.profile import changes, profile_of
from churnkit.predict.rhythm import season_of
from churnkit.predict.saved import load_model
from churnkit.predict.scoring import score_customers
from churnkit.predict.training import train
from worlds import START, coin_toss_shop, lines_of, shop

CUTOFF, HORIZON = date(2023, 1, 1), timedelta(days=60)


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(600, 540, seed=31)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders, cutoff=CUTOFF, horizon_days=HORIZON.days)


def drift(orders: pl.DataFrame, model: ChurnModel, cutoff: date) -> str | None:
    return guards_at(model, score_customers(orders, model, cutoff=cutoff), cutoff)["drift"]


def before(day: date) -> pl.Expr:
    return pl.col("ordered_at") < datetime.combine(day, time())


def half_of_the_customers() -> pl.Expr:
    return pl.col("customer_id").cast(pl.String).str.slice(-1).is_in(list("02468"))


def test_the_same_file_right_after_training_is_no_drift(orders: pl.DataFrame, model: ChurnModel) -> None:
    loaded = load_model(model_bytes(model))
    assert isinstance(loaded, ChurnModel)
    assert drift(orders, loaded, CUTOFF) is None
    assert not {"drift", "stale", "sees_the_future"} & set(
        rank_customers(orders, loaded, cutoff=CUTOFF).guards.values()
    )


def moved(then: pl.DataFrame, now: pl.DataFrame, day: date, later: date, horizon_days: int) -> list[str]:
    """What moved between two cutoffs, without a model: the probability is the same for everybody."""
    frame = Frame(day, horizon_days, 2 * horizon_days)
    known = snapshot(then, cutoff=day).with_columns(churn_probability=pl.lit(0.5))
    season = season_of(order_book(then), known, day)
    profile = profile_of(order_book(then), frame, season, known)
    assert profile is not None
    known = snapshot(now, cutoff=later).with_columns(churn_probability=pl.lit(0.5))
    return [change.words for change in changes(profile, frame, season, known, later)]


@pytest.mark.parametrize("seed", [1, 5, 9, 31])
def test_the_growth_of_one_horizon_is_no_drift(seed: int) -> None:
    orders = shop(500, 480, seed=seed)
    for days in (7, 30, 60):
        assert moved(orders, orders, CUTOFF, CUTOFF + timedelta(days=days), 60) == []


def test_a_month_after_a_busy_december_is_no_drift_by_the_clock_of_the_season() -> None:
    rng = np.random.default_rng(2)
    speed = {12: 4.0, 1: 0.5, 2: 0.5}
    rows: list[tuple[str, datetime, int | None]] = [
        (f"c{n}", START + timedelta(days=day), 900)
        for n in range(500)
        for day in range(int(rng.integers(0, 300)), 800)
        if rng.random() < 0.01 * speed.get((START + timedelta(days=day)).month, 1.0)
    ]
    orders = lines_of(rows)
    day, later = date(2024, 1, 1), date(2024, 1, 31)
    assert moved(orders, orders, day, later, 30) == []
    frame, known = Frame(day, 30, 60), snapshot(orders, cutoff=day).with_columns(churn_probability=pl.lit(0.5))
    even = profile_of(order_book(orders), frame, Season(), known)
    assert even is not None
    known = snapshot(orders, cutoff=later).with_columns(churn_probability=pl.lit(0.5))
    assert changes(even, frame, Season(), known, later), "without the clock it would be one"


Broken = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda orders: orders.with_columns(pl.col("amount_cents") * 100), "amount of an order"),
        (lambda orders: orders.with_columns(pl.col("amount_cents") // 2), "amount of an order"),
        (lambda orders: orders.filter(~half_of_the_customers() | before(CUTOFF)), "days since the last order"),
        (lambda orders: orders.filter(before(CUTOFF + HORIZON / 2)), "days since the last order"),
        (
            lambda orders: orders.with_columns(pl.col("ordered_at") - timedelta(days=364)).filter(
                before(CUTOFF + HORIZON - timedelta(days=364))
            ),
            "active customers among those known",
        ),
    ],
    ids=["cents for euros", "another currency", "half without recent orders", "ends early", "a year off"],
)
def test_a_broken_file_is_a_drift_and_what_moved_is_named(
    orders: pl.DataFrame, model: ChurnModel, broken: Broken, told: str
) -> None:
    sentence = drift(broken(orders), model, CUTOFF + HORIZON)
    assert sentence is not None
    assert told in sentence.lower()
    assert "train again" in sentence


def test_another_shop_is_a_drift(model: ChurnModel) -> None:
    rows: list[tuple[str, datetime, int | None]] = [
        (f"x{n}", datetime(2022, 1, 1) + timedelta(days=5 * k + n % 5), 900_00) for n in range(200) for k in range(84)
    ]
    sentence = drift(lines_of(rows), model, CUTOFF + HORIZON)
    assert sentence is not None
    assert sentence.count("then,") >= 2


def test_drift_is_said_in_the_numbers_of_then_and_now(orders: pl.DataFrame, model: ChurnModel) -> None:
    assert model.profile is not None
    amounts = model.profile.tenths["mean_order"]
    then = amounts.edges[[share >= 0.5 for share in amounts.below].index(True)]
    dear = orders.with_columns(pl.col("amount_cents") * 100)
    assert f"Amount of an order: {then:,.2f} then, " in str(drift(dear, model, CUTOFF))


def test_too_few_active_customers_are_no_profile_and_no_drift() -> None:
    few = shop(25, 400, seed=8)
    model = train(few)
    assert model.profile is None
    assert drift(few.with_columns(pl.col("amount_cents") * 100), model, model.cutoff) is None


def test_cdnow_and_online_retail_grow_by_one_horizon_without_drift_and_break_with_one(real_data: Path) -> None:
    for file, days in (
        ("cdnow_sample.parquet", [date(1997, 7, 1), date(1997, 10, 1), date(1998, 1, 1), date(1998, 4, 1)]),
        ("online_retail.parquet", [date(2011, 6, 12), date(2011, 9, 10)]),
    ):
        orders, _ = clean_orders(read_orders([str(real_data / file)]))
        for day in days:
            later = day + timedelta(days=90)
            assert moved(orders, orders, day, day, 90) == []
            assert moved(orders, orders, day, later, 90) == []
            dear = orders.with_columns(pl.col("amount_cents") * 100)
            assert moved(orders, dear, day, later, 90)[0].startswith("amount of an order")
        short = orders.filter(before(later - timedelta(days=45)))
        assert moved(orders, short, day, later, 90)[0].startswith("days since the last order")


def test_a_horizon_in_months_that_the_history_lacks_is_said_with_their_names() -> None:
    ten_months = shop(200, 300, seed=4)  # 2022-01-01 .. 2022-10-27
    model = train(ten_months, cutoff=date(2022, 10, 27), horizon_days=60)
    told = standing_guards(model, model.cutoff)["season_never_seen"]
    assert told is not None
    assert told.startswith("The history has never seen November and December, which")
    assert "January" not in told
    assert told in model.notes


def test_a_month_seen_in_part_is_said_with_its_days(model: ChurnModel) -> None:
    seen = replace(model, month_days=(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 9, 0))
    told = standing_guards(seen, date(2022, 11, 10))["season_never_seen"]
    assert str(told).startswith("The history has never seen December and seen only 9 days of November, which")


def test_a_year_of_history_has_seen_every_season(model: ChurnModel) -> None:
    assert min(model.month_days) >= 28
    for days in range(0, 360, 30):
        assert standing_guards(model, CUTOFF + timedelta(days=days))["season_never_seen"] is None


def test_the_days_seen_of_a_month_are_those_of_its_fullest_year() -> None:
    days = [date(2022, 1, 20), date(2022, 2, 3), date(2022, 4, 1), date(2023, 1, 10)]
    rows: list[tuple[str, datetime, int | None]] = [("a", datetime.combine(day, time()), 500) for day in days]
    seen = seen_month_days(order_book(lines_of(rows)), date(2023, 1, 16))
    assert seen == (15, 28, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0)  # a month without an order was not seen


def test_without_signal_the_guard_is_the_note() -> None:
    orders = coin_toss_shop()
    ranked = rank_customers(orders, train(orders, horizon_days=30))
    assert str(ranked.guards["no_signal"]).startswith("No signal")
    assert ranked.guards["no_signal"] in ranked.notes


def test_a_fit_that_ran_away_is_said() -> None:
    """Nobody leaves here, and everybody orders every ten days: no spread of rates, no dropout."""
    rows: list[tuple[str, datetime, int | None]] = [
        (f"c{n}", START + timedelta(days=10 * k + n % 10), 900) for n in range(60) for k in range(30)
    ]
    orders = lines_of(rows)
    model = train(orders, horizon_days=30)
    assert "ended on a bound" in str(rank_customers(orders, model).guards["at_bound"])
    assert sum(member.at_bound for member in model.blend.btyd.members) >= 2


def test_a_model_older_than_its_horizon_and_one_of_the_future_are_guards(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    late, early = CUTOFF + timedelta(days=61), CUTOFF - timedelta(days=1)
    assert "trained 61 days before" in str(standing_guards(model, late)["stale"])
    assert standing_guards(model, CUTOFF + HORIZON)["stale"] is None
    assert "has seen what it predicts" in str(standing_guards(model, early)["sees_the_future"])


def test_every_guard_has_its_key_and_its_sentence_stands_once_in_the_notes(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    dear = orders.with_columns(pl.col("amount_cents") * 100)
    ranked = rank_customers(dear, model, cutoff=CUTOFF + timedelta(days=70))
    assert tuple(ranked.guards) == NAMES == tuple(term.name for term in GUARDS.of)
    assert ranked.guards["drift"]
    assert ranked.guards["stale"]
    for sentence in sentences(ranked.guards):
        assert ranked.notes.count(sentence) == 1
    one = str(ranked.rows["customer_id"][0])
    assert explain(dear, model, [one], cutoff=CUTOFF + timedelta(days=70)).guards == ranked.guards
