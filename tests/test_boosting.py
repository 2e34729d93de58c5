"""Boosted trees: the bits of scikit-learn without scikit-learn, and no crafted array gets past the door."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import churnkit.errors
from churnkit.errors import DataError, ModelFileError
from churnkit.models.boosting import boosting_estimator, fit_boosting, plain_trees
from churnkit.models.trees import MOST_TREES, Trees

FloatArray = NDArray[np.float64]
N_FEATURES = 6
FREE = np.zeros(N_FEATURES)


def world(rows: int = 3000, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Six columns with ties, missing values, one that is constant and one without any value."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, N_FEATURES))
    X[:, 1] = np.round(X[:, 1])
    log_odds = 1.5 * X[:, 0] + X[:, 1] * X[:, 2] - 0.3
    X[rng.random((rows, N_FEATURES)) < 0.1] = np.nan
    X[:, 4] = 3.0
    X[:, 5] = np.nan
    log_odds += np.isnan(X[:, 3])
    return X, (rng.logistic(size=rows) < log_odds).astype(float)


@pytest.fixture(scope="module")
def trees() -> Trees:
    return fit_boosting(*world(), monotone=FREE, seed=0)


def test_the_log_odds_are_those_of_scikit_learn_to_the_bit(trees: Trees) -> None:
    X, y = world()
    estimator = boosting_estimator(X, y, monotone=FREE, seed=0)
    assert trees.n_trees == 120
    unseen = world(20_000, seed=1)[0]
    unseen[:50, 0], unseen[50:100, 1] = np.inf, -np.inf
    thresholds = np.unique(trees.threshold[~trees.is_leaf & (trees.feature == 0)])
    unseen[100 : 100 + len(thresholds), 0] = thresholds  # on the edge
    finite = ~np.isinf(unseen).any(axis=1)
    assert (trees.log_odds(unseen)[finite] == estimator.decision_function(unseen[finite])).all()
    assert np.isfinite(trees.log_odds(unseen)).all()


def test_a_row_gets_the_same_bits_alone_and_among_others(trees: Trees) -> None:
    X = world(9000, seed=2)[0]
    together = trees.log_odds(X)
    assert [trees.log_odds(X[[row]])[0] for row in (0, 8191, 8192, 8999)] == together[[0, 8191, 8192, 8999]].tolist()
    assert len(trees.log_odds(X[:0])) == 0


def test_the_forecast_follows_the_world(trees: Trees) -> None:
    X, y = world(5000, seed=3)
    probability = 1 / (1 + np.exp(-trees.log_odds(X)))
    assert probability.mean() == pytest.approx(y.mean(), abs=0.03)
    ranked = y[np.argsort(probability)]
    assert ranked[-500:].mean() - ranked[:500].mean() > 0.7


@given(st.integers(0, 2**31), st.floats(0.01, 3))
@settings(max_examples=20, deadline=None)
def test_monotone_columns_only_push_one_way(monotone_trees: Trees, seed: int, step: float) -> None:
    X = world(200, seed=seed)[0]
    more = X.copy()
    more[:, 0] += step
    assert (monotone_trees.log_odds(more) >= monotone_trees.log_odds(X)).all()


@pytest.fixture(scope="module")
def monotone_trees() -> Trees:
    return fit_boosting(*world(), monotone=[1, 0, 0, 0, 0, 0], seed=0, rounds=40)


def test_weights_change_the_fit() -> None:
    X, y = world()
    weighted = fit_boosting(X, y, monotone=FREE, seed=0, rounds=20, sample_weight=np.where(y == 1, 5.0, 1.0))
    assert (weighted.log_odds(X) > fit_boosting(X, y, monotone=FREE, seed=0, rounds=20).log_odds(X)).all()


def test_a_handful_of_rows_gives_the_base_rate() -> None:
    y = np.repeat([1.0, 0.0], [3, 1])
    trees = fit_boosting(np.zeros((4, 2)), y, monotone=[0, 0], seed=0)
    assert trees.log_odds(np.ones((1, 2)))[0] == pytest.approx(np.log(3), rel=1e-9)


def test_one_kind_of_outcome_is_refused() -> None:
    X, y = world(50)
    for outcomes in (np.zeros(50), np.ones(50)):
        with pytest.raises(DataError, match="all 50 outcomes are the same"):
            fit_boosting(X, outcomes, monotone=FREE, seed=0)
    with pytest.raises(DataError, match="no outcome"):
        fit_boosting(X[:0], y[:0], monotone=FREE, seed=0)


def test_infinities_and_strange_outcomes_are_a_bug_of_the_caller() -> None:
    X, y = world(50)
    with pytest.raises(ValueError, match="infinities"):
        fit_boosting(np.where(X > 1, np.inf, X), y, monotone=FREE, seed=0)
    with pytest.raises(ValueError, match="other than 0 and 1"):
        fit_boosting(X, y + 1, monotone=FREE, seed=0)
    with pytest.raises(ValueError, match="do not fit"):
        fit_boosting(X, y[:-1], monotone=FREE, seed=0)
    with pytest.raises(ValueError, match="2 to 9 leaves"):
        fit_boosting(X, y, monotone=FREE, seed=0, leaves=31)
    with pytest.raises(ValueError, match="the trees look at column"):
        fit_boosting(*world(), monotone=FREE, seed=0, rounds=5).log_odds(X[:, :1])


def test_a_scikit_learn_that_keeps_its_trees_otherwise_is_named() -> None:
    class Stranger:
        _predictors = ()

    with pytest.raises(RuntimeError, match=r"scikit-learn .* unknown way"):
        plain_trees(Stranger())


def test_arrays_give_the_same_trees_back(trees: Trees) -> None:
    again = Trees.from_arrays(trees.to_arrays(), N_FEATURES)
    X = world(500, seed=4)[0]
    assert (again.log_odds(X) == trees.log_odds(X)).all()
    assert {array.dtype.str for array in trees.to_arrays().values()} <= {"<f8", "<i8", "<i4", "|b1"}


def _set(**changes: tuple[int, float]) -> Any:
    def change(arrays: dict[str, NDArray[Any]]) -> None:
        for name, (place, value) in changes.items():
            arrays[name][place] = value

    return change


@pytest.mark.parametrize("change", [
    _set(left=(0, 2**31 - 5)), _set(left=(0, 0)), _set(left=(0, -1)), _set(right=(0, 2**31 - 1)),
    _set(feature=(0, 999)), _set(feature=(0, -1)), _set(value=(0, np.nan)), _set(value=(3, np.inf)),
    _set(threshold=(0, np.nan)), _set(threshold=(0, -np.inf)), _set(baseline=(0, np.nan)),
    _set(offsets=(0, 1)), _set(offsets=(1, 0)), _set(offsets=(1, -5)), _set(offsets=(-1, 10**12)),
    _set(offsets=(5, 2**62)),
    _set(is_leaf=(0, True)), _set(is_leaf=(14, False)), _set(count=(0, 0)), _set(count=(1, -(2**62))),
    _set(count=(0, 2**62)), _set(count=(2, 1)),
    lambda arrays: arrays["right"].__setitem__(0, arrays["left"][0]),
    lambda arrays: arrays.pop("value"), lambda arrays: arrays.update(other=np.zeros(1)),
    lambda arrays: arrays.update(value=arrays["value"][:-1]), lambda arrays: arrays.update(baseline=np.zeros(2)),
    lambda arrays: arrays.update(left=arrays["left"].astype(float)), lambda arrays: arrays.update(value=arrays["left"]),
    lambda arrays: arrays.update(offsets=np.array([0])), lambda arrays: arrays.update(offsets=np.zeros(0, dtype=int)),
    lambda arrays: arrays.update({name: array[:, None] for name, array in arrays.items()}),
    lambda arrays: arrays.update(is_leaf=arrays["is_leaf"].astype(int)),
])  # fmt: skip
def test_crafted_arrays_are_refused(trees: Trees, change: Any) -> None:
    arrays = trees.to_arrays()
    change(arrays)
    with pytest.raises(ModelFileError):
        Trees.from_arrays(arrays, N_FEATURES)


def test_too_large_trees_too_many_trees_and_too_few_columns_are_refused(trees: Trees) -> None:
    with pytest.raises(ModelFileError, match="more than 8 splits"):
        replace(trees, offsets=trees.offsets[[0, 2, -1]]).validate(N_FEATURES)
    leaf = {"value": 0.0, "feature": 0, "threshold": 0.0, "left": 0, "right": 0, "count": 1}
    many: Any = {name: np.repeat(value, MOST_TREES + 1) for name, value in leaf.items()}
    true = np.ones(MOST_TREES + 1, dtype=bool)
    stumps = Trees(**many, missing_left=true, is_leaf=true, offsets=np.arange(MOST_TREES + 2), baseline=0.0)
    with pytest.raises(ModelFileError, match="do not cover"):
        stumps.validate(1)
    with pytest.raises(ModelFileError, match="beyond its 1"):
        trees.validate(1)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_arrays_that_are_let_in_predict_finite_numbers(trees: Trees, data: st.DataObject) -> None:
    arrays = trees.to_arrays()
    name = data.draw(st.sampled_from(sorted(arrays)))
    place = data.draw(st.integers(0, len(arrays[name]) - 1))
    number = st.floats(width=64) if arrays[name].dtype.kind == "f" else st.integers(-(2**31), 2**31 - 1)
    arrays[name][place] = data.draw(st.one_of(st.integers(0, 16), number))
    try:
        let_in = Trees.from_arrays(arrays, N_FEATURES)
    except ModelFileError:
        return
    assert np.isfinite(let_in.log_odds(world(100, seed=5)[0])).all()


def test_the_bits_depend_neither_on_threads_nor_does_predicting_import_scikit_learn(tmp_path: Path) -> None:
    np.savez(tmp_path / "world.npz", X=world()[0], y=world()[1])
    code = (
        "import sys, hashlib, numpy as np; from churnkit.models.trees import Trees; import churnkit.models.treeshap;"
        "import churnkit.models.logistic, churnkit.models.boosting; assert 'sklearn' not in sys.modules;"
        "from churnkit.models.boosting import fit_boosting; w = np.load(sys.argv[1]);"
        "t = fit_boosting(w['X'], w['y'], monotone=np.zeros(6), seed=0, rounds=30);"
        "assert 'sklearn' in sys.modules;"
        "print(hashlib.sha256(t.log_odds(w['X']).tobytes()).hexdigest())"
    )
    source = str(Path(churnkit.errors.__file__).parents[1])
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "world.npz")],
            env={"PYTHONPATH": source, "OMP_NUM_THREADS": threads, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1
