"""Training: the frame in time, the guards, and what the model says of itself."""

import random
from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from churnkit.customers.snapshot import default_cutoff, order_book, outcomes
from churnkit.errors import ShortHistoryError
from churnkit.evaluate.metrics import auc, log_loss
from churnkit.predict.check import check_out_of_time
from churnkit.predict.fitting import Frame, fit_at
from churnkit.predict.model import ChurnModel
from churnkit.predict.model_file import model_bytes
from churnkit.predict.scoring import score_customers
from churnkit.predict.stack import horizon_rows, interval_rows, model_features
from churnkit.predict.training import train
from worlds import START, coin_toss_shop, lines_of, shop


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop()


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders)


def test_a_trained_model_beats_the_base_rate_on_a_future_that_it_never_saw() -> None:
    orders = shop(1200, 720, seed=5)
    cutoff = date(2023, 6, 1)
    past = orders.filter(pl.col("ordered_at") < pl.lit(datetime(2023, 6, 1)))
    model = train(past, cutoff=cutoff, horizon_days=90)
    left = outcomes(orders, cutoff=cutoff, horizon_days=90)["churned"].to_numpy().astype(float)
    p = score_customers(past, model, cutoff=cutoff)["churn_probability"].to_numpy()
    constant = np.full(len(left), left.mean())
    assert model.kind == "blend"
    assert log_loss(left, p) < 0.9 * log_loss(left, constant)
    assert auc(left, p) > 0.75


def test_every_training_outcome_window_is_closed_by_the_cutoff(orders: pl.DataFrame) -> None:
    frame = Frame(date(2023, 3, 1), 60, 120)
    rows = horizon_rows(order_book(orders), frame.cutoff, frame.horizon_days, model_features(), 1.0)
    assert rows is not None
    assert rows.cutoffs
    assert all(cutoff + timedelta(days=60) <= frame.cutoff for cutoff in rows.cutoffs)


def test_the_rows_of_intervals_are_fresher_and_as_closed(orders: pl.DataFrame) -> None:
    cutoff = date(2023, 3, 1)
    past = orders.filter(pl.col("ordered_at").dt.date() < cutoff)
    rows = interval_rows(order_book(orders), cutoff, 60, model_features(), 1.0)
    of_past = interval_rows(order_book(past), cutoff, 60, model_features(), 1.0)
    assert rows is not None
    assert of_past is not None
    assert rows.cutoffs[0] == cutoff - timedelta(days=20)
    assert np.array_equal(rows.X, of_past.X, equal_nan=True)
    assert np.array_equal(rows.churned, of_past.churned)


def test_orders_on_or_after_the_cutoff_do_not_change_the_model(orders: pl.DataFrame) -> None:
    cutoff = date(2023, 3, 1)
    past = orders.filter(pl.col("ordered_at") < pl.lit(datetime(2023, 3, 1)))
    assert model_bytes(train(orders, cutoff=cutoff)) == model_bytes(train(past, cutoff=cutoff))


def test_the_check_is_blind_to_the_horizon_it_is_judged_on() -> None:
    orders = shop(500, 540, seed=9)
    frame = Frame(default_cutoff(orders), 60, 120)
    seen: list[Frame] = []

    def spy(earlier: Frame):  # type: ignore[no-untyped-def]
        seen.append(earlier)
        return fit_at(order_book(orders), earlier, seed=0)

    check = check_out_of_time(order_book(orders), frame, spy)
    assert check is not None
    assert [earlier.cutoff for earlier in seen] == [frame.cutoff - timedelta(days=60)] == [check.cutoff]


def test_row_order_changes_no_byte_of_the_model(orders: pl.DataFrame, model: ChurnModel) -> None:
    assert model_bytes(train(orders.sample(fraction=1.0, shuffle=True, seed=4))) == model_bytes(model)


def test_other_customer_ids_change_no_byte_of_the_model(orders: pl.DataFrame, model: ChurnModel) -> None:
    names = orders["customer_id"].cast(pl.String).unique().sort().to_list()
    other = list(names)
    random.Random(7).shuffle(other)
    renamed = orders.with_columns(
        pl.col("customer_id")
        .cast(pl.String)
        .replace_strict(dict(zip(names, other, strict=True)))
        .cast(pl.Categorical())
    )
    assert model_bytes(train(renamed)) == model_bytes(model)


def test_weeks_later_the_same_orders_give_the_same_scores() -> None:
    """Below 13 months, where no season is believed; above, a December is not a June."""
    orders = shop(300, 380, seed=12)
    later = orders.with_columns(pl.col("ordered_at") + timedelta(days=70))
    moved = score_customers(later, train(later))
    assert moved["churn_probability"].equals(score_customers(orders, train(orders))["churn_probability"])


def test_the_number_of_jobs_changes_no_byte_of_the_model(orders: pl.DataFrame, model: ChurnModel) -> None:
    assert model_bytes(train(orders, jobs=2)) == model_bytes(model)


def test_the_model_says_how_it_was_checked_and_against_which_rule(model: ChurnModel) -> None:
    figures = model.figures
    assert figures["auc"] > 0.5
    assert figures["log_loss"] < figures["base_rate_log_loss"]
    assert figures["rule"]["silence_days"] > 0
    told = " ".join(model.notes)
    assert "unseen in training" in told
    assert f'"no order for {figures["rule"]["silence_days"]} days"' in told


def test_without_signal_everybody_gets_the_base_rate_and_it_is_said() -> None:
    orders = coin_toss_shop()
    model = train(orders, horizon_days=30)
    assert model.kind == "base-rate"
    assert model.guards["no_signal"].startswith("No signal")
    assert model.guards["no_signal"] in model.notes
    scored = score_customers(orders, model)
    assert scored["churn_probability"].n_unique() == 1
    assert scored["churn_probability"][0] == pytest.approx(0.5, abs=0.1)


def test_a_short_history_is_scored_by_the_buy_till_you_die_layer_and_said_to_be_unchecked() -> None:
    model = train(shop(80, 27, seed=2))
    assert model.kind == "buy-till-you-die"
    assert model.figures == {}
    assert "Too little history" in model.guards["short_history"]
    assert "Not checked" in model.guards["short_history"]
    assert model.guards["short_history"] in model.notes


@pytest.mark.parametrize(
    "rows",
    [
        [("a", START, 500)],
        [(f"c{n}", START + timedelta(days=n), 500) for n in range(100)],
        [("a", START + timedelta(days=n), 500) for n in range(100)],
    ],
    ids=["one order", "nobody came back", "one customer"],
)
def test_too_little_to_tell_is_said_with_what_is_needed(rows: list[tuple[str, datetime, int | None]]) -> None:
    with pytest.raises(ShortHistoryError, match="cannot tell yet"):
        train(lines_of(rows))


def test_where_nobody_left_the_answer_is_low_and_no_crash() -> None:
    rows: list[tuple[str, datetime, int | None]] = [
        (f"c{n}", START + timedelta(days=10 * k + n % 10), 900) for n in range(60) for k in range(30)
    ]
    orders = lines_of(rows)
    model = train(orders, horizon_days=30)
    assert model.kind != "blend"
    assert score_customers(orders, model)["churn_probability"].max() < 0.5  # type: ignore[operator]


def test_where_everybody_left_the_answer_is_high_and_no_crash() -> None:
    rows: list[tuple[str, datetime, int | None]] = [
        (f"c{n}", START + timedelta(days=5 * k), 900) for n in range(60) for k in range(4)
    ]
    rows.append(("late", START + timedelta(days=400), 900))
    orders = lines_of(rows)
    model = train(orders, horizon_days=60)
    scored = score_customers(orders, model).filter(pl.col("customer_id") != "late")
    assert scored["churn_probability"].min() > 0.8  # type: ignore[operator]


def test_a_file_without_amounts_trains_and_counts_in_orders() -> None:
    orders = shop(300, 400, seed=6, amounts=False)
    model = train(orders)
    scored = score_customers(orders, model)
    assert not model.has_amounts
    assert scored["monetary"].null_count() == scored.height
    assert scored["spend_if_retained"].null_count() == 0


def test_fifty_customers_get_an_answer() -> None:
    orders = shop(50, 400, seed=8)
    model = train(orders)
    p = score_customers(orders, model)["churn_probability"].to_numpy()
    assert Counter(np.isfinite(p)) == Counter({True: len(p)})
    assert ((p > 0) & (p < 1)).all()
