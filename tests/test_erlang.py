"""The mixture of Erlang shapes against the MBG/NBD, a series, numerical slopes, and simulated regular buyers."""

import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import gammaln

from churnkit.customers.snapshot import log_gaps
from churnkit.errors import ModelFileError, ShortHistoryError
from churnkit.models import erlang
from churnkit.models.btyd import MBGNBD, fit_mbgnbd
from churnkit.models.erlang import SHAPES, ErlangMixture, fit_erlang_mixture
from churnkit.models.histories import fitting_histories
from worlds import START, lines_of

FloatArray = NDArray[np.float64]
History = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

TRUTH = ErlangMixture((1, 4, 9), (0.3, 0.4, 0.3), r=1.2, alpha=(60.0, 40.0, 40.0), a=0.8, b=4.0)


def simulated(
    model: ErlangMixture, customers: int, horizon: float, seed: int
) -> tuple[History, FloatArray, NDArray[np.int64]]:
    """Histories of up to 600 days drawn from the mixture, the orders of the horizon, and the shape of each customer."""
    rng = np.random.default_rng(seed)
    T = rng.uniform(30, 600, customers)
    of = rng.choice(len(model.shapes), customers, p=model.shares)
    k = np.array(model.shapes)[of]
    rate = rng.gamma(model.r, 1 / np.array(model.alpha)[of]) * k
    dropout = rng.beta(model.a, model.b, customers)
    x, t_x, later, now, logs = (np.zeros(customers) for _ in range(5))
    alive = rng.random(customers) > dropout
    while alive.any():
        gap = rng.gamma(k, 1 / rate)
        now = now + gap
        seen, held_out = alive & (now <= T), alive & (now > T) & (now <= T + horizon)
        x[seen] += 1
        t_x[seen] = now[seen]
        logs[seen] += np.log(gap[seen])
        later[held_out] += 1
        alive = (seen | held_out) & (rng.random(customers) > dropout)
    return (x, t_x, T, logs), later, k


def expected_by_series(
    model: ErlangMixture, k: int, alpha: float, x: int, t_x: float, T: float, horizon: float
) -> float:
    """Expected orders of an alive customer: number of events in the horizon, one by one."""
    n, many = model.r + k * x, 6000
    j = np.arange(k)
    log_waiting = gammaln(n + j) - gammaln(j + 1) + j * np.log((T - t_x) / (alpha / k + T) + 1e-300)
    waiting = np.exp(log_waiting - log_waiting.max())
    events, orders = np.arange(many), np.arange(many // k + 9)
    share = horizon / (alpha / k + T + horizon)
    b, total = model.b + x + 1, model.a + model.b + x + 1
    goes_on = np.concatenate(([0.0], np.cumsum(np.cumprod(np.concatenate(([1.0], (b + orders) / (total + orders)))))))
    answer = 0.0
    for stage in range(k):
        size = n + stage
        log_count = gammaln(size + events) - gammaln(size) - gammaln(events + 1) + size * np.log1p(-share)
        count = np.exp(log_count + events * np.log(share))
        answer += waiting[stage] * (count * goes_on[(events + stage) // k]).sum()
    return float(answer / waiting.sum())


def test_with_the_shape_one_alone_it_is_the_mbg_nbd() -> None:
    (x, t_x, T, logs), _, _ = simulated(TRUTH, 300, 30, seed=1)
    ours, theirs = ErlangMixture((1,), (1.0,), 0.6, (40.0,), 0.8, 2.5), MBGNBD(0.6, 40.0, 0.8, 2.5)
    assert ours.log_likelihood(x, t_x, T, logs) == pytest.approx(theirs.log_likelihood(x, t_x, T), rel=1e-12)
    assert ours.alive_probability(x, t_x, T, logs) == pytest.approx(theirs.alive_probability(x, t_x, T), rel=1e-12)
    assert ours.no_order_probability(x, t_x, T, logs, 90) == pytest.approx(
        theirs.no_order_probability(x, t_x, T, 90), rel=1e-12
    )
    assert ours.expected_orders(x, t_x, T, logs, 90) == pytest.approx(theirs.expected_orders(x, t_x, T, 90), rel=1e-6)


def test_the_slopes_of_the_likelihood_and_of_the_prior_are_those_of_differences() -> None:
    (x, t_x, T, logs), _, _ = simulated(TRUTH, 300, 30, seed=2)
    seen = fitting_histories(x, t_x, T, None, logs)
    of_gaps = np.array([erlang._log_of_gaps(k, seen.x, seen.log_gaps) for k in SHAPES])
    at = np.random.default_rng(3).uniform(0.3, 2.0, 2 * len(SHAPES) + 3)
    for function in (lambda p: erlang._mean_log_likelihood(p, seen, of_gaps), erlang._log_prior):
        steps = 1e-6 * np.eye(len(at))
        differences = [(function(at + step)[0] - function(at - step)[0]) / 2e-6 for step in steps]
        assert function(at)[1] == pytest.approx(differences, abs=1e-6)


@pytest.mark.parametrize("k", SHAPES)
@pytest.mark.parametrize("history", [(0, 0.0, 100.0), (3, 90.0, 100.0), (40, 380.0, 400.0), (2, 5.0, 300.0)])
def test_expected_orders_are_those_of_a_series(k: int, history: tuple[int, float, float]) -> None:
    model = ErlangMixture((k,), (1.0,), r=1.1, alpha=(40.0,), a=0.8, b=2.5)
    x, t_x, T = history
    logs = [x * np.log(max(t_x, 1.0) / max(x, 1))]
    orders = model.expected_orders([x], [t_x], [T], logs, 90) / model.alive_probability([x], [t_x], [T], logs)
    assert orders == pytest.approx(expected_by_series(model, k, 40.0, x, t_x, T, 90), rel=1e-6)


def test_regular_buyers_give_their_parameters_and_their_future_back() -> None:
    history, later, k = simulated(TRUTH, 8_000, 60, seed=4)
    model = fit_erlang_mixture(*history)
    mean_rate = sum(share * model.r / alpha for share, alpha in zip(model.shares, model.alpha, strict=True))
    assert mean_rate == pytest.approx(0.3 * 1.2 / 60 + 0.7 * 1.2 / 40, rel=0.06)
    assert model.a / (model.a + model.b) == pytest.approx(TRUTH.a / (TRUTH.a + TRUTH.b), rel=0.1)
    regular = sum(share for shape, share in zip(model.shapes, model.shares, strict=True) if shape >= 3)
    assert regular == pytest.approx(0.7, abs=0.08)
    silent = TRUTH.no_order_probability(*history, 60)
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.01)):
        group = (silent >= low) & (silent < high)
        assert (later[group] == 0).mean() == pytest.approx(silent[group].mean(), abs=0.02)
    assert model.no_order_probability(*history, 60) == pytest.approx(silent, abs=0.12)
    assert model.expected_orders(*history, 60).sum() == pytest.approx(later.sum(), rel=0.04)
    often = history[0] >= 6
    likely = np.array(model.shapes)[model.shape_probabilities(*history).argmax(axis=0)]
    assert likely[often & (k == 9)].mean() > 5 > 2 > likely[often & (k == 1)].mean()


def test_the_regret_of_regular_buyers_is_small_and_that_of_random_ones_too() -> None:
    """Expected log loss under the true probabilities, between their own and that of their mean."""
    random = ErlangMixture((1,), (1.0,), 0.8, (50.0,), 0.8, 2.5)
    for truth, most, of_mbg in ((TRUTH, 0.005, 0.1), (random, 0.005, 0.0)):
        history, _, _ = simulated(truth, 2_500, 60, seed=5)
        true = truth.no_order_probability(*history, 60)

        def loss(p: FloatArray | float, true: FloatArray = true) -> float:
            p = np.clip(p, 1e-9, 1 - 1e-9)
            return -float((true * np.log(p) + (1 - true) * np.log1p(-p)).mean())

        model, mbg = fit_erlang_mixture(*history), fit_mbgnbd(*history[:3])
        ours, theirs = model.no_order_probability(*history, 60), mbg.no_order_probability(*history[:3], 60)
        base, least = loss(float(true.mean())), loss(true)
        assert (loss(ours) - least) / (base - least) < most
        assert (loss(theirs) - least) / (base - least) > of_mbg


@given(
    x=st.integers(0, 1000),
    active=st.floats(0.01, 2000),
    silent=st.floats(0, 2000),
    horizon=st.floats(0.5, 3000),
    uneven=st.floats(0, 5),
)
@settings(max_examples=30, deadline=None)
def test_every_history_gets_sane_numbers(x: int, active: float, silent: float, horizon: float, uneven: float) -> None:
    t_x = active if x else 0.0
    history = ([x], [t_x], [t_x + silent], [x * (np.log(active / max(x, 1)) - uneven)])
    alive = TRUTH.alive_probability(*history)[0]
    shorter, longer = (TRUTH.no_order_probability(*history, days)[0] for days in (horizon, 2 * horizon))
    orders = TRUTH.expected_orders(*history, horizon)[0]
    assert TRUTH.shape_probabilities(*history).sum() == pytest.approx(1)
    assert 0 <= alive <= 1 + 1e-12
    assert 1 - alive - 1e-9 <= longer <= shorter + 1e-12 <= 1 + 1e-12
    assert orders >= 1 - shorter - 1e-6
    later = (*history[:2], [t_x + silent + horizon], history[3])
    ratio = np.exp(TRUTH.log_likelihood(*later)[0] - TRUTH.log_likelihood(*history)[0])
    assert shorter == pytest.approx(ratio, rel=1e-6)


def test_row_order_changes_no_bit_and_days_and_weeks_give_the_same_probabilities() -> None:
    (x, t_x, T, logs), _, _ = simulated(TRUTH, 500, 30, seed=6)
    model = fit_erlang_mixture(x, t_x, T, logs)
    shuffled = np.random.default_rng(7).permutation(len(x))
    assert fit_erlang_mixture(x[shuffled], t_x[shuffled], T[shuffled], logs[shuffled]) == model
    weeks = (x, t_x / 7, T / 7, logs - x * np.log(7))
    in_weeks = fit_erlang_mixture(*weeks).no_order_probability(*weeks, 60 / 7)
    assert in_weeks == pytest.approx(model.no_order_probability(x, t_x, T, logs, 60), abs=1e-3)


def test_evenly_spaced_histories_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    history, _, _ = simulated(TRUTH, 6000, 30, seed=8)
    whole = fit_erlang_mixture(*history)
    monkeypatch.setattr(erlang, "_MOST_HISTORIES", 3000)
    thin = fit_erlang_mixture(*history)
    assert thin != whole
    difference = thin.no_order_probability(*history, 60) - whole.no_order_probability(*history, 60)
    assert np.abs(difference).mean() < 0.004


def test_a_handful_of_customers_and_those_who_never_return_are_no_trouble() -> None:
    T = np.arange(1.0, 60)
    nobody_returns = fit_erlang_mixture(np.zeros_like(T), np.zeros_like(T), T, np.zeros_like(T))
    assert (nobody_returns.no_order_probability([0], [0], [50], [0], 90) > 0.9).all()
    one = fit_erlang_mixture([3], [60], [80], [3 * np.log(20)])
    assert np.isfinite(one.no_order_probability([3], [60], [80], [3 * np.log(20)], 90)).all()
    with pytest.raises(ShortHistoryError, match="no customers"):
        fit_erlang_mixture([], [], [], [])


def test_the_gaps_of_the_orders_are_summed_in_logs() -> None:
    days = {"ann": (0, 0, 10, 40, 300), "bob": (5,)}
    rows: list[tuple[str, datetime, int | None]] = [
        (who, START + timedelta(days=day), 100) for who, when in days.items() for day in when
    ]
    rows.append(("ann", START + timedelta(days=20), -100))  # a refund is no order
    sums = log_gaps(lines_of(rows), cutoff=(START + timedelta(days=200)).date())
    assert sums["customer_id"].to_list() == ["ann", "bob"]
    assert sums["log_gaps"].to_list() == pytest.approx([np.log(10) + np.log(30), 0.0], abs=1e-5)


@pytest.mark.parametrize("sums", [[np.nan], [1.0, 2.0], [0.5]])
def test_impossible_gaps_are_a_bug_of_the_caller(sums: list[float]) -> None:
    with pytest.raises(ValueError, match="log_gaps"):
        TRUTH.alive_probability([0], [0], [10], sums)


def test_a_manifest_gives_the_same_model_back() -> None:
    assert ErlangMixture.from_manifest(json.loads(json.dumps(TRUTH.to_manifest()))) == TRUTH


@pytest.mark.parametrize("change", [
    {"shapes": [1, 4]}, {"shapes": [0, 4, 9]}, {"shapes": [1.0, 4, 9]}, {"shapes": [1, 4, 10**6]}, {"shapes": []},
    {"shares": [0.5, 0.4, 0.3]}, {"shares": [1.4, -0.7, 0.3]}, {"shares": "abc"}, {"alpha": [1, 2]},
    {"alpha": [1, 2, float("nan")]}, {"r": [1.0]}, {"a": 0}, {"b": True}, {"at_bound": 1}, {"extra": 1.0},
])  # fmt: skip
def test_a_crafted_manifest_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        ErlangMixture.from_manifest({**TRUTH.to_manifest(), **change})


@pytest.mark.parametrize("low_or_high", [1e-9, 1e9])
@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_whatever_a_manifest_may_hold_gives_finite_numbers(name: str, low_or_high: float) -> None:
    history = ([0, 1, 2000], [0, 3000, 1], [3000, 3000, 3000], [0, 8, -15_000])
    value: object = [low_or_high] * 3 if name == "alpha" else low_or_high
    extreme = ErlangMixture.from_manifest({**TRUTH.to_manifest(), name: value})
    for answer in (
        extreme.alive_probability(*history),
        extreme.no_order_probability(*history, 90),
        extreme.expected_orders(*history, 90),
    ):
        assert np.isfinite(answer).all()
