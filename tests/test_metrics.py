"""The metrics against scikit-learn's, against brute force where it has none, and with ties."""

import math
from collections.abc import Callable
from itertools import pairwise, permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from churnkit.evaluate.metrics import (
    auc,
    average_precision,
    brier,
    calibration_error,
    calibration_floor,
    captured_at,
    captured_money_at,
    lift_at,
    log_loss,
)

FloatArray = NDArray[np.float64]
Metric = Callable[..., float]
ROWS = st.lists(st.tuples(st.booleans(), st.integers(1, 19)), min_size=2, max_size=60)


def columns(rows: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    y, twentieths = zip(*rows, strict=True)
    return np.array(y, dtype=float), np.array(twentieths) / 20


@given(ROWS)
@settings(max_examples=80, deadline=None)
def test_ties_and_all_metrics_agree_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    from sklearn import metrics

    y, p = columns(rows)
    assert log_loss(y, p) == pytest.approx(metrics.log_loss(y, p, labels=[0, 1]), rel=1e-12)
    assert brier(y, p) == pytest.approx(metrics.brier_score_loss(y, p, pos_label=1, labels=[0, 1]), rel=1e-12)
    if 0 < y.sum() < len(y):
        assert auc(y, p) == pytest.approx(metrics.roc_auc_score(y, p), rel=1e-12)
    if y.any():
        assert average_precision(y, p) == pytest.approx(metrics.average_precision_score(y, p), rel=1e-12)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_no_metric_depends_on_the_order_of_the_rows(rows: list[tuple[bool, int]], random: Random) -> None:
    shuffled = random.sample(rows, len(rows))
    for metric in (auc, average_precision, log_loss, brier, calibration_error, lift_at, captured_at):
        assert metric(*columns(shuffled)) == pytest.approx(metric(*columns(rows)), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 1.0])
def test_the_top_of_a_list_with_ties_is_the_mean_over_all_ways_to_break_them(share: float) -> None:
    y, p, money = np.array([1, 0, 1, 1, 0.0]), np.array([0.5, 0.5, 0.9, 0.5, 0.1]), np.array([7, 100, 1, 2, 50.0])
    n_top = int(share * len(y))
    orders = [order for order in permutations(range(5)) if all(p[a] >= p[b] for a, b in pairwise(order))]
    tops = [list(order[:n_top]) for order in orders]
    assert lift_at(y, p, share) == pytest.approx(np.mean([y[top].mean() / y.mean() for top in tops]))
    assert captured_at(y, p, share) == pytest.approx(np.mean([y[top].sum() / y.sum() for top in tops]))
    lost = y * money
    assert captured_money_at(y, p, money, share) == pytest.approx(
        np.mean([lost[top].sum() / lost.sum() for top in tops])
    )


def test_the_top_is_never_empty() -> None:
    assert captured_at([1, 0, 1], [0.9, 0.5, 0.1], share=0.1) == 0.5


def test_the_calibration_error_of_a_true_forecast_is_small_and_of_a_shifted_one_is_the_shift() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.2, 0.8, 50_000)
    y = rng.random(50_000) < p
    assert calibration_error(y, p) < 0.01
    assert calibration_error(y, p - 0.15) == pytest.approx(0.15, abs=0.01)


def test_equal_forecasts_have_the_calibration_error_of_the_base_rate() -> None:
    y = np.repeat([1.0, 0.0], [30, 70])
    assert calibration_error(y, np.full(100, 0.4)) == pytest.approx(0.1)


def test_one_certain_error_costs_no_more_than_the_clip() -> None:
    assert log_loss([1], [0.0]) == pytest.approx(-math.log(1e-5))
    assert log_loss([0], [1.0]) == pytest.approx(-math.log(1e-5))


@pytest.mark.parametrize("metric", [auc, average_precision, lift_at, captured_at])
def test_what_is_not_defined_is_nan(metric: Metric) -> None:
    assert math.isnan(metric([0, 0], [0.1, 0.2]))
    assert math.isnan(auc([1, 1], [0.1, 0.2]))
    assert math.isnan(captured_money_at([1, 0], [0.5, 0.1], [0, 5]))


@pytest.mark.parametrize("metric", [auc, average_precision, log_loss, brier, calibration_error, lift_at, captured_at])
def test_outcomes_other_than_0_and_1_and_missing_scores_are_a_bug_of_the_caller(metric: Metric) -> None:
    for y, p in (([0, 2], [0.1, 0.2]), ([0, 1], [0.1, np.nan]), ([0, 1], [0.1])):
        with pytest.raises(ValueError, match="y "):
            metric(y, p)
    with pytest.raises(ValueError, match="share"):
        lift_at([0, 1], [0.1, 0.2], share=0)


def drawn_calibration_error(p: FloatArray, draws: int = 400) -> tuple[float, float]:
    """Mean calibration error of outcomes drawn from the probabilities themselves, and its standard error."""
    rng = np.random.default_rng(0)
    found = [calibration_error((rng.random(len(p)) < p).astype(float), p) for _ in range(draws)]
    return float(np.mean(found)), float(np.std(found) / np.sqrt(draws))


@pytest.mark.parametrize(
    "p",
    [
        np.random.default_rng(1).beta(2.0, 3.0, 2_000),
        np.random.default_rng(2).beta(2.0, 3.0, 500).round(1),
        np.random.default_rng(3).beta(0.3, 6.0, 250),
        np.full(777, 0.3),
    ],
    ids=["spread", "tied", "mostly near 0", "all the same"],
)
def test_the_noise_floor_is_the_calibration_error_of_true_probabilities(p: FloatArray) -> None:
    drawn, error = drawn_calibration_error(p)
    assert calibration_floor(p) == pytest.approx(drawn, rel=0.05, abs=3 * error)


def test_the_noise_floor_of_nobody_is_undefined_and_of_certainties_nothing() -> None:
    assert np.isnan(calibration_floor([]))
    assert calibration_floor([0.0, 1.0, 1.0]) == 0.0
