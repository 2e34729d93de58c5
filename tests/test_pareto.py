"""The Pareto/NBD against published figures, adaptive integration, another implementation, and a simulated world."""

import importlib
import itertools
import json
import math
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import gammaln

from churnkit.errors import ModelFileError, ShortHistoryError
from churnkit.models.pareto import ParetoNBD, fit_pareto_nbd

FloatArray = NDArray[np.float64]
History = tuple[FloatArray, FloatArray, FloatArray]

CDNOW = ParetoNBD(r=0.5533, alpha=10.578, s=0.6062, beta=11.669)


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
    return customers["x"].cast(pl.Float64).to_numpy(), customers["t_x"].to_numpy(), customers["T"].to_numpy()


def simulated(model: ParetoNBD, customers: int, horizon: float, seed: int) -> tuple[History, FloatArray]:
    """Histories of up to 600 days drawn from the model, and the orders of the horizon after them."""
    rng = np.random.default_rng(seed)
    T = rng.uniform(30, 600, customers)
    rate = rng.gamma(model.r, 1 / model.alpha, customers)
    leaves = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, customers))
    x, t_x, later, now = (np.zeros(customers) for _ in range(4))
    going = np.ones(customers, dtype=bool)
    while going.any():
        now = now + rng.exponential(1 / rate)
        going &= (now < leaves) & (now <= T + horizon)
        seen = going & (now <= T)
        x[seen] += 1
        t_x[seen] = now[seen]
        later[going & ~seen] += 1
    return (x, t_x, T), later


def integrated(model: ParetoNBD, x: float, t_x: float, T: float) -> float:
    """The log likelihood by adaptive quadrature, piece by piece."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta

    def gone(t: float) -> float:
        log = -(r + x) * math.log((alpha + t) / (alpha + t_x)) + s * math.log(beta / (beta + t))
        return s * math.exp(log) / (beta + t)

    places = [t_x, *(t_x + (T - t_x) * np.logspace(-12, 0, 40))]
    area = sum(quad(gone, low, high, epsabs=0, epsrel=1e-11)[0] for low, high in itertools.pairwise(places))
    alive = ((alpha + T) / (alpha + t_x)) ** -(r + x) * (beta / (beta + T)) ** s
    base = gammaln(r + x) - gammaln(r) + r * math.log(alpha) - (r + x) * math.log(alpha + t_x)
    return float(base + math.log(area + alive))


def test_the_published_fit_of_cdnow_is_reproduced(real_data: Path) -> None:
    history = cdnow_weeks(real_data, date(1997, 9, 30))
    model = fit_pareto_nbd(*history)
    found = (model.r, model.alpha, model.s, model.beta)
    assert found == pytest.approx((0.553, 10.580, 0.606, 11.656), rel=2e-3)
    assert round(model.log_likelihood(*history).sum(), 2) == -9594.98
    assert not model.at_bound


def test_orders_of_the_hold_out_correlate_as_published(real_data: Path) -> None:
    history = cdnow_weeks(real_data, date(1997, 9, 30))
    later = cdnow_weeks(real_data, date(1998, 6, 30))[0] - history[0]
    expected = fit_pareto_nbd(*history).expected_orders(*history, 39)
    assert round(float(np.corrcoef(expected, later)[0, 1]), 3) == 0.630


def test_days_and_weeks_give_the_same_model(real_data: Path) -> None:
    x, t_x, T = cdnow_weeks(real_data, date(1997, 9, 30))
    weeks, days = fit_pareto_nbd(x, t_x, T), fit_pareto_nbd(x, t_x * 7, T * 7)
    found = (days.r, days.alpha / 7, days.s, days.beta / 7)
    assert found == pytest.approx((weeks.r, weeks.alpha, weeks.s, weeks.beta), rel=1e-5)


@pytest.mark.parametrize("model", [
    CDNOW,
    ParetoNBD(r=5.0, alpha=300.0, s=0.05, beta=1e4),
    ParetoNBD(r=0.5, alpha=1e3, s=0.5, beta=1e-2),
    ParetoNBD(r=0.5, alpha=1e-2, s=0.5, beta=1e3),
    ParetoNBD(r=0.3, alpha=1.0, s=900.0, beta=3e3),
    ParetoNBD(r=50.0, alpha=1e4, s=50.0, beta=1e4),
])  # fmt: skip
def test_forty_nodes_are_as_good_as_adaptive_integration(model: ParetoNBD) -> None:
    histories = [(0, 0, 300), (0, 0, 1), (1, 1, 1000), (30, 100, 300), (500, 900, 1000), (3000, 1, 30), (3, 0.01, 2000)]
    ours = model.log_likelihood(*np.array(histories, dtype=np.float64).T)
    assert ours == pytest.approx([integrated(model, *history) for history in histories], abs=1e-6, rel=1e-9)


def test_an_independent_implementation_agrees() -> None:
    pytest.importorskip("lifetimes", reason="lifetimes is an oracle for development only")
    (x, t_x, T), _ = simulated(CDNOW, 300, 26, seed=2)
    t_x, T = t_x / 7, T / 7
    keep = x < 40  # theirs overflows beyond
    x, t_x, T = x[keep], t_x[keep], T[keep]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = importlib.import_module("lifetimes").ParetoNBDFitter()
        theirs.params_ = {"r": CDNOW.r, "alpha": CDNOW.alpha, "s": CDNOW.s, "beta": CDNOW.beta}
        alive = np.asarray(theirs.conditional_probability_alive(x, t_x, T))
        expected = np.asarray(theirs.conditional_expected_number_of_purchases_up_to_time(26, x, t_x, T))
        silent = np.asarray(theirs.conditional_probability_of_n_purchases_up_to_time(0, 26, x, t_x, T))
    assert CDNOW.alive_probability(x, t_x, T) == pytest.approx(alive, abs=1e-9)
    assert CDNOW.expected_orders(x, t_x, T, 26) == pytest.approx(expected, rel=1e-6)
    assert CDNOW.no_order_probability(x, t_x, T, 26) == pytest.approx(silent, abs=1e-6)


def test_a_simulated_world_gives_its_parameters_and_its_future_back() -> None:
    truth = ParetoNBD(r=0.6, alpha=40.0, s=0.7, beta=150.0)
    history, later = simulated(truth, 30_000, 90, seed=1)
    model = fit_pareto_nbd(*history)
    found, true = (np.array([m.r, m.alpha, m.s, m.beta]) for m in (model, truth))
    assert found == pytest.approx(true, rel=0.15)
    assert model.log_likelihood(*history).sum() >= truth.log_likelihood(*history).sum()
    silent = truth.no_order_probability(*history, 90)
    assert model.no_order_probability(*history, 90) == pytest.approx(silent, abs=0.02)
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.0)):
        group = (silent >= low) & (silent < high)
        assert (later[group] == 0).mean() == pytest.approx(silent[group].mean(), abs=0.02)
    assert model.expected_orders(*history, 90).sum() == pytest.approx(later.sum(), rel=0.04)


@given(
    x=st.integers(0, 3000),
    active=st.floats(0, 2000),
    silent=st.floats(0, 2000),
    horizon=st.floats(0.5, 3000),
    s=st.floats(1e-3, 50) | st.just(1.0),
)
@settings(max_examples=30, deadline=None)
def test_every_history_gets_sane_numbers(x: int, active: float, silent: float, horizon: float, s: float) -> None:
    model = ParetoNBD(r=0.5, alpha=30.0, s=s, beta=90.0)
    history = ([x], [active], [active + silent])
    alive = model.alive_probability(*history)[0]
    shorter, longer = (model.no_order_probability(*history, days)[0] for days in (horizon, 2 * horizon))
    ratio = np.exp(
        model.log_likelihood([x], [active], [active + silent + horizon])[0] - model.log_likelihood(*history)[0]
    )
    assert shorter == pytest.approx(ratio, rel=1e-6)
    assert 0 <= alive <= 1
    assert 1 - alive - 1e-9 <= longer <= shorter + 1e-12 <= 1 + 1e-12
    orders = model.expected_orders(*history, horizon)[0]
    assert 1 - shorter - 1e-9 <= orders <= alive * (0.5 + x) * horizon / (30 + active + silent) * (1 + 1e-9)


def test_weights_count_as_repeated_customers_and_row_order_changes_no_bit() -> None:
    (x, t_x, T), _ = simulated(CDNOW, 2000, 30, seed=4)
    repeat = np.random.default_rng(5).integers(0, 4, len(x))
    weighted = fit_pareto_nbd(x, t_x, T, weights=repeat)
    repeated = fit_pareto_nbd(*(np.repeat(values, repeat) for values in (x, t_x, T)))
    assert weighted.to_manifest() == pytest.approx(repeated.to_manifest(), rel=1e-4)
    shuffled = np.random.default_rng(6).permutation(len(x))
    assert fit_pareto_nbd(x[shuffled], t_x[shuffled], T[shuffled]) == fit_pareto_nbd(x, t_x, T)


def test_data_that_do_not_pin_the_parameters_down_are_said() -> None:
    T = np.arange(1.0, 400)
    nobody_returns = fit_pareto_nbd(np.zeros_like(T), np.zeros_like(T), T)
    assert nobody_returns.at_bound
    assert (nobody_returns.no_order_probability([0], [0], [100], 90) > 0.95).all()
    with pytest.raises(ShortHistoryError, match="no customers"):
        fit_pareto_nbd([], [], [])


def test_a_manifest_gives_the_same_model_back() -> None:
    assert ParetoNBD.from_manifest(json.loads(json.dumps(CDNOW.to_manifest()))) == CDNOW


@pytest.mark.parametrize("change", [{"r": 0}, {"s": -1.0}, {"beta": float("nan")}, {"s": True}, {"extra": 1.0}])
def test_a_crafted_manifest_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        ParetoNBD.from_manifest({**CDNOW.to_manifest(), **change})


@pytest.mark.parametrize("low_or_high", [1e-9, 1e9])
@pytest.mark.parametrize("name", ["r", "alpha", "s", "beta"])
def test_whatever_a_manifest_may_hold_gives_finite_numbers(name: str, low_or_high: float) -> None:
    history = ([0, 1, 5000], [0, 3000, 1], [3000, 3000, 3000])
    extreme = ParetoNBD.from_manifest({**CDNOW.to_manifest(), name: low_or_high})
    for answer in (
        extreme.alive_probability(*history),
        extreme.no_order_probability(*history, 90),
        extreme.expected_orders(*history, 90),
    ):
        assert np.isfinite(answer).all()
