"""Curves, paired differences and the ceiling: the parts of the backtest that know nothing of orders."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from churnkit.evaluate.ceiling import FEWEST_OF_A_KIND, Rule, ceiling_log_odds
from churnkit.evaluate.curves import at_shares, cumulated, parts_of_list, reliability
from churnkit.evaluate.metrics import calibration_error, captured_at, lift_at, log_loss
from churnkit.evaluate.paired import mean_difference, total_difference

FloatArray = NDArray[np.float64]


def outcomes(seed: int, count: int = 1_003) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(2.0, 3.0, count)
    return (rng.random(count) < p).astype(float), p


def sigmoid(log_odds: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def test_the_first_tenth_is_that_of_the_metrics() -> None:
    for digits in (6, 1):
        y, p = outcomes(1)
        p = p.round(digits)
        top = parts_of_list(p, y)[0]
        assert top.sums[0] / top.customers / y.mean() == pytest.approx(lift_at(y, p))
        assert top.sums[0] / y.sum() == pytest.approx(captured_at(y, p))


def test_the_parts_of_a_list_hold_everybody_once() -> None:
    y, p = outcomes(2)
    parts = parts_of_list(p, y, p, parts=7)
    assert sum(part.customers for part in parts) == len(y)
    assert sum(part.sums[0] for part in parts) == pytest.approx(y.sum())
    assert max(part.customers for part in parts) - min(part.customers for part in parts) <= 1
    assert [part.customers for part in parts_of_list([0.3, 0.1], [1, 0], parts=4)] == [0, 1, 0, 1]


def test_no_curve_depends_on_the_order_of_the_rows() -> None:
    y, p = outcomes(3)
    p = p.round(1)
    mixed = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_allclose(cumulated(p, y), cumulated(p[mixed], y[mixed]))
    assert at_shares(cumulated(p, y), np.array([0.0, 1.0])).tolist() == pytest.approx([0.0, y.sum()])


def test_the_bins_are_those_of_the_calibration_error_and_of_scikit_learn() -> None:
    y, p = outcomes(4, 1_000)
    bins = reliability(y, p)
    gap = sum(abs(part.probability - part.rate) * part.customers for part in bins) / len(y)
    assert gap == pytest.approx(calibration_error(y, p))
    rate, mean = calibration_curve(y, p, n_bins=10, strategy="quantile")
    assert [part.rate for part in bins] == pytest.approx(rate.tolist())
    assert [part.probability for part in bins] == pytest.approx(mean.tolist())


def test_the_interval_of_a_rate_holds_the_truth_nineteen_times_in_twenty() -> None:
    p = np.sort(np.random.default_rng(5).random(1_000))
    inside = []
    for seed in range(200):
        y = (np.random.default_rng(seed).random(1_000) < p).astype(float)
        inside += [part.low <= part.probability <= part.high for part in reliability(y, p)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_the_standard_error_is_that_of_many_repetitions() -> None:
    """Customers who lean the same way at every cutoff: taken as independent they would look far surer."""
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        own = rng.normal(0.2, 1.0, 400)
        differences = [own + rng.normal(0.0, 0.5, 400) for _ in range(3)]
        found.append(mean_difference([np.arange(400)] * 3, differences))
    spread = np.std([each.mean for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.12)
    assert {each.above for each in found} <= {0, 1, 2, 3}


def test_what_befalls_a_whole_cutoff_is_not_averaged_away() -> None:
    calm, storm = np.full(1_000, 0.1), np.full(1_000, -0.3)
    found = mean_difference([np.arange(1_000)] * 2, [calm, storm])
    assert found.mean == pytest.approx(-0.1)
    assert found.error == pytest.approx(0.2)
    assert found.above == 1
    assert total_difference([np.arange(1_000)] * 2, [calm, storm]).mean == pytest.approx(-100)


def fit_logistic(X: FloatArray, y: FloatArray) -> Rule:
    fitted = LogisticRegression().fit(X, y)
    return lambda rows: np.asarray(fitted.decision_function(rows))


def test_the_ceiling_finds_what_a_forecast_leaves() -> None:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(4_000, 3))
    truth = X @ [1.0, -0.5, 0.0] - 0.4
    y = (rng.random(4_000) < sigmoid(truth)).astype(float)
    stale = 0.5 * X[:, 0] + 0.6  # half of the first column, none of the second, and another level
    found = ceiling_log_odds(X, y, stale, [fit_logistic], seed=0)
    assert found is not None
    assert log_loss(y, sigmoid(found)) < log_loss(y, sigmoid(stale)) - 0.05
    assert log_loss(y, sigmoid(found)) == pytest.approx(log_loss(y, sigmoid(truth)), abs=0.003)


def test_the_ceiling_has_not_seen_the_customers_own_outcome() -> None:
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(2_000, 30)), (rng.random(2_000) < 0.5).astype(float)
    found = ceiling_log_odds(X, y, np.zeros(2_000), [fit_logistic], seed=0)
    assert found is not None
    assert log_loss(y, sigmoid(found)) > np.log(2) - 0.002, "there is nothing to find in noise"


def test_the_ceiling_is_the_same_whatever_the_jobs() -> None:
    y, p = outcomes(8)
    X = np.column_stack([p, p**2])
    one, two = (ceiling_log_odds(X, y, p, [fit_logistic, fit_logistic], seed=3, jobs=jobs) for jobs in (1, 2))
    assert one is not None
    np.testing.assert_array_equal(one, two)


def test_too_few_of_a_kind_give_no_ceiling() -> None:
    y = np.zeros(500)
    y[: FEWEST_OF_A_KIND - 1] = 1
    assert ceiling_log_odds(np.zeros((500, 1)), y, np.zeros(500), [fit_logistic], seed=0) is None
