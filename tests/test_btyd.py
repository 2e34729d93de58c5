"""BG/NBD and MBG/NBD against published figures, another implementation, and worlds whose parameters are known."""

import importlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import churnkit.errors
from churnkit.errors import ModelFileError, ShortHistoryError
from churnkit.models.btyd import BGNBD, MBGNBD, BuyTillYouDie, fit_bgnbd, fit_mbgnbd

FloatArray = NDArray[np.float64]
History = tuple[FloatArray, FloatArray, FloatArray]

MODELS: list[BuyTillYouDie] = [
    BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),
    MBGNBD(r=1.5, alpha=20.0, a=1.0, b=1.0),
]


def cdnow_weeks(real_data: Path, until: date) -> History:
    orders = pl.read_parquet(real_data / "cdnow_sample.parquet").filter(pl.col("date") <= until)
    first, last = pl.col("date").min(), pl.col("date").max()
    customers = (
        orders.group_by("sample_id")
        .agg(
            x=pl.col("date").n_unique() - 1,
            t_x=(last - first).dt.total_days() / 7,
            T=(pl.lit(until) - first).dt.total_days() / 7,
        )
        .sort("sample_id")
    )
    return (customers["x"].cast(pl.Float64).to_numpy(), customers["t_x"].to_numpy(), customers["T"].to_numpy())


def simulated(model: BuyTillYouDie, customers: int, horizon: float, seed: int) -> tuple[History, FloatArray]:
    """Histories of up to 600 days drawn from a model, in whole days, and the orders of the horizon after them."""
    rng = np.random.default_rng(seed)
    T = np.floor(rng.uniform(30, 600, customers))
    rate = rng.gamma(model.r, 1 / model.alpha, customers)
    dropout = rng.beta(model.a, model.b, customers)
    x, t_x, later, now = (np.zeros(customers) for _ in range(4))
    alive = rng.random(customers) > dropout if isinstance(model, MBGNBD) else np.ones(customers, dtype=bool)
    while alive.any():
        now = now + rng.exponential(1 / rate)
        seen, held_out = alive & (now <= T), alive & (now > T) & (now <= T + horizon)
        x[seen] += 1
        t_x[seen] = now[seen]
        later[held_out] += 1
        alive = (seen | held_out) & (rng.random(customers) > dropout)
    return (x, np.floor(t_x), T), later


def test_the_published_fit_of_cdnow_is_reproduced_to_its_digits(real_data: Path) -> None:
    x, t_x, T = cdnow_weeks(real_data, date(1997, 9, 30))
    model = fit_bgnbd(x, t_x, T)
    assert len(x) == 2357
    assert [round(value, 3) for value in (model.r, model.alpha, model.a, model.b)] == [0.243, 4.414, 0.793, 2.426]
    assert round(model.log_likelihood(x, t_x, T).sum(), 2) == -9582.43
    assert not model.at_bound


def test_cdnow_orders_of_the_hold_out_are_foreseen(real_data: Path) -> None:
    history = cdnow_weeks(real_data, date(1997, 9, 30))
    later = cdnow_weeks(real_data, date(1998, 6, 30))[0] - history[0]
    for fit, orders, share in ((fit_bgnbd, 0.15, 0.03), (fit_mbgnbd, 0.2, 0.06)):  # Christmas lies in the hold-out
        model = fit(*history)
        assert model.expected_orders(*history, 39).sum() == pytest.approx(later.sum(), rel=orders)
        assert model.no_order_probability(*history, 39).mean() == pytest.approx((later == 0).mean(), abs=share)


def test_orders_of_the_hold_out_correlate_as_published(real_data: Path) -> None:
    history = cdnow_weeks(real_data, date(1997, 9, 30))
    later = cdnow_weeks(real_data, date(1998, 6, 30))[0] - history[0]
    expected = fit_bgnbd(*history).expected_orders(*history, 39)
    assert round(float(np.corrcoef(expected, later)[0, 1]), 3) == 0.626


def test_days_and_weeks_give_the_same_model(real_data: Path) -> None:
    x, t_x, T = cdnow_weeks(real_data, date(1997, 9, 30))
    weeks, days = fit_mbgnbd(x, t_x, T), fit_mbgnbd(x, t_x * 7, T * 7)
    assert (days.r, days.alpha / 7, days.a, days.b) == pytest.approx((weeks.r, weeks.alpha, weeks.a, weeks.b), rel=1e-5)


@pytest.mark.parametrize(("fit", "truth"), [
    (fit_mbgnbd, MBGNBD(r=0.6, alpha=40.0, a=0.8, b=2.5)),
    (fit_bgnbd, BGNBD(r=0.6, alpha=40.0, a=0.8, b=2.5)),
])  # fmt: skip
def test_a_simulated_world_gives_its_parameters_and_its_future_back(
    fit: Callable[..., BuyTillYouDie], truth: BuyTillYouDie
) -> None:
    history, later = simulated(truth, 60_000, 90, seed=1)
    model = fit(*history)
    found, true = (np.array([m.r, m.alpha, m.a, m.b]) for m in (model, truth))
    assert found == pytest.approx(true, rel=0.1)
    assert model.log_likelihood(*history).sum() >= truth.log_likelihood(*history).sum()
    silent = truth.no_order_probability(*history, 90)
    assert model.no_order_probability(*history, 90) == pytest.approx(silent, abs=0.01)
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.0)):
        group = (silent >= low) & (silent < high)
        assert (later[group] == 0).mean() == pytest.approx(silent[group].mean(), abs=0.02)
    assert model.expected_orders(*history, 90).sum() == pytest.approx(later.sum(), rel=0.04)


@pytest.mark.parametrize(("name", "ours"), [
    ("BetaGeoFitter", BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)),
    ("ModifiedBetaGeoFitter", MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614)),
])  # fmt: skip
def test_an_independent_implementation_agrees(name: str, ours: BuyTillYouDie) -> None:
    pytest.importorskip("lifetimes", reason="lifetimes is an oracle for development only")
    (x, t_x, T), _ = simulated(ours, 400, 26, seed=2)
    t_x, T = t_x / 7, T / 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(importlib.import_module("lifetimes"), name)()
        theirs.params_ = dict(zip(("r", "alpha", "a", "b"), (ours.r, ours.alpha, ours.a, ours.b), strict=True))
        alive = np.asarray(theirs.conditional_probability_alive(x, t_x, T))
        expected = np.asarray(theirs.conditional_expected_number_of_purchases_up_to_time(26, x, t_x, T))
        loss = theirs._negative_log_likelihood(
            np.log([ours.r, ours.alpha, ours.a, ours.b]), x, t_x, T, np.ones_like(x), 0
        )
    assert ours.alive_probability(x, t_x, T) == pytest.approx(alive, abs=1e-9)
    assert ours.expected_orders(x, t_x, T, 26) == pytest.approx(expected, rel=1e-6)
    assert ours.log_likelihood(x, t_x, T).mean() == pytest.approx(-loss, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_silence_is_a_ratio_of_likelihoods(model: BuyTillYouDie) -> None:
    (x, t_x, T), _ = simulated(model, 500, 30, seed=3)
    ratio = np.exp(model.log_likelihood(x, t_x, T + 30) - model.log_likelihood(x, t_x, T))
    assert model.no_order_probability(x, t_x, T, 30) == pytest.approx(ratio, rel=1e-9)


@given(
    x=st.integers(0, 3000),
    active=st.floats(0, 2000),
    silent=st.floats(0, 2000),
    horizon=st.floats(0.5, 3000),
    a=st.floats(1e-3, 50),
)
@settings(max_examples=60, deadline=None)
def test_every_history_gets_sane_numbers(x: int, active: float, silent: float, horizon: float, a: float) -> None:
    history = ([x], [active], [active + silent])
    for model in (MBGNBD(r=0.5, alpha=30.0, a=a, b=2.0), BGNBD(r=0.5, alpha=30.0, a=a, b=2.0)):
        alive = model.alive_probability(*history)[0]
        shorter, longer = (model.no_order_probability(*history, days)[0] for days in (horizon, 2 * horizon))
        orders = model.expected_orders(*history, horizon)[0]
        assert 0 <= alive <= 1
        assert 1 - alive - 1e-12 <= longer <= shorter <= 1
        assert orders >= 1 - shorter - 1e-9  # P(at least one) is at most the mean
        assert orders <= alive * (0.5 + x) * horizon / (30 + active + silent) * (1 + 1e-9)  # nobody drops out


def test_weights_count_as_repeated_customers_and_row_order_changes_no_bit() -> None:
    (x, t_x, T), _ = simulated(MODELS[1], 3000, 30, seed=4)
    repeat = np.random.default_rng(5).integers(0, 4, len(x))
    weighted = fit_mbgnbd(x, t_x, T, weights=repeat)
    repeated = fit_mbgnbd(*(np.repeat(values, repeat) for values in (x, t_x, T)))
    assert weighted.to_manifest() == pytest.approx(repeated.to_manifest(), rel=1e-6)
    shuffled = np.random.default_rng(6).permutation(len(x))
    weights = np.random.default_rng(7).random(len(x))
    again = fit_mbgnbd(x[shuffled], t_x[shuffled], T[shuffled], weights=weights[shuffled])
    assert again == fit_mbgnbd(x, t_x, T, weights=weights)


def test_data_that_do_not_pin_the_parameters_down_are_said() -> None:
    T = np.arange(1.0, 400)
    for fit in (fit_bgnbd, fit_mbgnbd):
        nobody_returns = fit(np.zeros_like(T), np.zeros_like(T), T)
        assert nobody_returns.at_bound
        assert (nobody_returns.no_order_probability([0], [0], [100], 90) > 0.95).all()
        one = fit([3], [60], [80])
        assert np.isfinite(list(one.to_manifest().values())).all()


def test_nobody_and_no_time_are_refused() -> None:
    with pytest.raises(ShortHistoryError, match="no customers"):
        fit_mbgnbd([], [], [])
    with pytest.raises(ShortHistoryError, match="no time has passed"):
        fit_mbgnbd([0, 0], [0, 0], [0, 0])


@pytest.mark.parametrize("history", [
    ([1.5], [1], [2]), ([-1], [1], [2]), ([1], [3], [2]), ([1], [-1], [2]),
    ([np.nan], [1], [2]), ([1], [1], [np.inf]), ([1, 2], [1], [2]),
])  # fmt: skip
def test_impossible_histories_are_a_bug_of_the_caller(history: tuple[list[float], ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        MODELS[0].alive_probability(*history)


def test_a_manifest_gives_the_same_model_back() -> None:
    for model in MODELS:
        assert type(model).from_manifest(json.loads(json.dumps(model.to_manifest()))) == model


@pytest.mark.parametrize("change", [
    {"r": 0}, {"r": -1.0}, {"r": 1e300}, {"a": 1e-300}, {"alpha": float("nan")},
    {"a": float("inf")}, {"b": "2"}, {"b": True}, {"b": None},
    {"at_bound": 1}, {"extra": 1.0},
])  # fmt: skip
def test_a_crafted_manifest_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        MBGNBD.from_manifest({**MODELS[1].to_manifest(), **change})


@pytest.mark.parametrize("low_or_high", [1e-9, 1e9])
@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_whatever_a_manifest_may_hold_gives_finite_numbers(name: str, low_or_high: float) -> None:
    history = ([0, 1, 5000], [0, 3000, 1], [3000, 3000, 3000])
    for model in MODELS:
        extreme = type(model).from_manifest({**model.to_manifest(), name: low_or_high})
        for answer in (
            extreme.alive_probability(*history),
            extreme.no_order_probability(*history, 90),
            extreme.expected_orders(*history, 90),
        ):
            assert np.isfinite(answer).all()


def test_predicting_needs_neither_scipy_nor_scikit_learn() -> None:
    code = (
        "import sys; from churnkit.models.btyd import MBGNBD; m = MBGNBD(0.5, 60.0, 0.8, 2.5); h = ([1], [5], [9]);"
        "m.no_order_probability(*h, 30); m.expected_orders(*h, 30); m.alive_probability(*h); m.log_likelihood(*h);"
        "print([name for name in ('scipy', 'sklearn') if name in sys.modules])"
    )
    path = {**os.environ, "PYTHONPATH": str(Path(churnkit.errors.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
