"""The spline logistic regression: what it learns, what it makes of strange rows, and that its parts add up."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import churnkit.errors
from churnkit.errors import DataError, ModelFileError
from churnkit.models.logistic import HINGE, LINEAR, MISSING, SplineLogistic, fit_logistic, logistic_estimator

FloatArray = NDArray[np.float64]
N_FEATURES = 5


def world(rows: int = 4000, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """A hump in column 0, a slope in column 1, missing values that mean something in column 2, two empty columns."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([
        rng.lognormal(3, 1, rows), rng.normal(0, 50, rows), rng.poisson(2, rows), np.full(rows, 7.0),
        np.full(rows, np.nan),
    ])  # fmt: skip
    log_odds = 2 - 2 * np.abs(np.log(X[:, 0]) - 3) + 0.02 * X[:, 1]
    missing = rng.random(rows) < 0.3
    X[missing, 2] = np.nan
    return X, (rng.logistic(size=rows) < log_odds + 1.5 * missing).astype(float)


@pytest.fixture(scope="module")
def regression() -> SplineLogistic:
    return fit_logistic(*world(), spline_columns=[0, 2], seed=0)


def loss(y: FloatArray, log_odds: FloatArray) -> float:
    return float(np.mean(np.logaddexp(0, np.where(y == 1, -log_odds, log_odds))))


def test_curves_beat_straight_lines_and_find_the_hump(regression: SplineLogistic) -> None:
    X, y = world(seed=1)
    straight = fit_logistic(*world(), spline_columns=[], seed=0)
    assert loss(y, regression.log_odds(X)) < loss(y, straight.log_odds(X)) - 0.05
    low, top, high = regression.log_odds(np.array([[np.exp(k), 0, 2, 7, np.nan] for k in (1.5, 3, 4.5)]))
    assert top > max(low, high) + 1


def test_the_forecast_is_right_on_average(regression: SplineLogistic) -> None:
    X, y = world(seed=2)
    assert (1 / (1 + np.exp(-regression.log_odds(X)))).mean() == pytest.approx(y.mean(), abs=0.03)


def test_terms_are_linear_missing_and_hinges_of_columns_that_vary(regression: SplineLogistic) -> None:
    kinds = {column: regression.term_kind[regression.term_column == column].tolist() for column in range(N_FEATURES)}
    assert kinds[0] == [LINEAR] + [HINGE] * 5
    assert kinds[1] == [LINEAR]
    assert kinds[2][:2] == [LINEAR, MISSING]
    assert HINGE in kinds[2]
    assert kinds[3] == kinds[4] == []


def test_a_giant_moves_no_forecast_beyond_what_was_learnt(regression: SplineLogistic) -> None:
    X, _ = world()
    row = np.array([[20.0, 10.0, 2.0, 7.0, np.nan]])
    for column in range(3):
        top = np.quantile(X[:, column], 0.995) if column < 2 else 100.0
        giant, large = row.copy(), row.copy()
        giant[0, column], large[0, column] = 1e300, top
        assert regression.log_odds(giant) == regression.log_odds(large)
    assert np.isfinite(regression.log_odds(np.array([[np.inf, -np.inf, 0, np.nan, 1e308]]))).all()


@given(st.integers(0, 2**31), st.lists(st.integers(0, 2), min_size=N_FEATURES, max_size=N_FEATURES))
@settings(max_examples=25, deadline=None)
def test_contributions_add_up_relative_to_the_mean(regression: SplineLogistic, seed: int, groups: list[int]) -> None:
    X = world(50, seed=seed)[0]
    parts, base = regression.contributions(X, groups, 3)
    assert parts.sum(axis=1) + base == pytest.approx(regression.log_odds(X), abs=1e-10)
    training, _ = regression.contributions(world()[0], groups, 3)
    assert training.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_a_row_gets_the_same_bits_alone_and_among_others(regression: SplineLogistic) -> None:
    X = world(1000, seed=3)[0]
    together = regression.log_odds(X)
    assert [regression.log_odds(X[[row]])[0] for row in (0, 7, 999)] == together[[0, 7, 999]].tolist()


def test_the_exported_pipeline_of_scikit_learn_agrees(regression: SplineLogistic) -> None:
    pipeline = logistic_estimator(*world(), spline_columns=[0, 2])
    X = world(500, seed=4)[0]
    assert pipeline.decision_function(X) == pytest.approx(regression.log_odds(X), abs=1e-10)


def test_the_penalty_is_that_of_scikit_learn_on_standardised_terms(regression: SplineLogistic) -> None:
    """The slope of the penalised loss is zero at the fit: C times the residuals on each term is its coefficient."""
    X, y = world()
    residual = y - 1 / (1 + np.exp(-regression.log_odds(X)))
    assert regression.design(X).mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert regression.design(X).std(axis=0) == pytest.approx(1, abs=1e-9)
    assert 0.02 * regression.design(X).T @ residual == pytest.approx(regression.term_coefficient, abs=1e-5)
    assert residual.sum() == pytest.approx(0, abs=1e-3)


def test_weights_count_as_repeated_rows() -> None:
    X, y = world(600)
    twice = np.arange(600) % 2
    terms = fit_logistic(X, y, spline_columns=[], seed=0, sample_weight=1 + twice)
    design, weight = terms.design(X), 1 + twice
    residual = weight * (y - 1 / (1 + np.exp(-terms.log_odds(X))))
    assert 0.02 * design.T @ residual == pytest.approx(terms.term_coefficient, abs=1e-5)


def test_columns_that_do_not_vary_give_the_base_rate() -> None:
    flat = fit_logistic(np.ones((4, 2)), [1, 1, 1, 0], spline_columns=[0], seed=0)
    assert flat.log_odds(np.zeros((1, 2)))[0] == pytest.approx(np.log(3))
    assert flat.contributions(np.zeros((1, 2)), [0, 1], 2)[0].tolist() == [[0.0, 0.0]]
    with pytest.raises(DataError, match="no column varies"):
        logistic_estimator(np.ones((4, 2)), [1, 1, 1, 0], spline_columns=[0])


def test_one_kind_of_outcome_is_refused_and_infinities_are_a_bug_of_the_caller() -> None:
    X, y = world(50)
    with pytest.raises(DataError, match="all 50 outcomes are the same"):
        fit_logistic(X, np.ones(50), spline_columns=[], seed=0)
    with pytest.raises(ValueError, match="infinities"):
        fit_logistic(np.where(X > 1, np.inf, X), y, spline_columns=[], seed=0)


def test_another_number_of_columns_is_a_bug_of_the_caller(regression: SplineLogistic) -> None:
    with pytest.raises(ValueError, match="knows 5 columns"):
        regression.log_odds(np.zeros((2, 4)))


def test_arrays_give_the_same_regression_back(regression: SplineLogistic) -> None:
    again = SplineLogistic.from_arrays(regression.to_arrays(), N_FEATURES)
    X = world(500, seed=5)[0]
    assert (again.log_odds(X) == regression.log_odds(X)).all()
    assert {array.dtype.str for array in regression.to_arrays().values()} <= {"<f8", "<i4", "|u1"}


def _set(name: str, value: float) -> Any:
    return lambda arrays: arrays[name].__setitem__(0, value)


@pytest.mark.parametrize("change", [
    _set("term_column", 999), _set("term_column", -1), _set("term_kind", 3), _set("term_scale", 0.0),
    _set("term_scale", -1.0), _set("term_coefficient", np.nan), _set("term_mean", np.inf), _set("intercept", np.nan),
    _set("low", 1e6), _set("fill", np.nan), _set("high", np.inf), _set("term_knot", np.nan),
    lambda arrays: arrays.pop("low"), lambda arrays: arrays.update(other=np.zeros(1)),
    lambda arrays: arrays.update(low=arrays["low"][:-1]), lambda arrays: arrays.update(term_knot=np.zeros(1)),
    lambda arrays: arrays.update(intercept=np.zeros(2)), lambda arrays: arrays.update(low=arrays["low"][:, None]),
    lambda arrays: arrays.update(term_column=arrays["term_column"].astype(float)),
])  # fmt: skip
def test_crafted_arrays_are_refused(regression: SplineLogistic, change: Any) -> None:
    arrays = regression.to_arrays()
    change(arrays)
    with pytest.raises(ModelFileError):
        SplineLogistic.from_arrays(arrays, N_FEATURES)


def test_the_bits_of_a_fit_do_not_depend_on_threads(tmp_path: Path) -> None:
    np.savez(tmp_path / "world.npz", X=world()[0], y=world()[1])
    code = (
        "import sys, json, numpy as np; from churnkit.models.logistic import fit_logistic; w = np.load(sys.argv[1]);"
        "print(json.dumps(fit_logistic(w['X'], w['y'], spline_columns=[0], seed=0).term_coefficient.tolist()))"
    )
    source = str(Path(churnkit.errors.__file__).parents[1])
    fits = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / "world.npz")],
                env={"PYTHONPATH": source, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PATH": ""},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for threads in ("1", "2")
    ]
    assert fits[0] == fits[1]
