"""Shapley values of trees: against the definition, over all subsets, on small trees; and they add up."""

from collections.abc import Set as AbstractSet
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from churnkit.models.boosting import fit_boosting
from churnkit.models.trees import Trees
from churnkit.models.treeshap import grouped_shap

FloatArray = NDArray[np.float64]
N_FEATURES = 5


def rows(n: int, seed: int, columns: int = N_FEATURES) -> FloatArray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def fitted(leaves: int, rounds: int = 4) -> Trees:
    X = rows(4000, seed=0)
    z = np.nan_to_num(X)
    y = z[:, 0] * z[:, 1] + z[:, 2] - z[:, 3] * (z[:, 4] > 0) + 0.5 * np.isnan(X[:, 1]) > 0.2
    return fit_boosting(X, y, monotone=np.zeros(N_FEATURES), seed=0, rounds=rounds, leaves=leaves, rate=0.5)


def expectation(trees: Trees, tree: int, row: FloatArray, known: AbstractSet[int]) -> float:
    """Value of a tree where only some columns are known: the others follow the training rows both ways."""
    first = int(trees.offsets[tree])

    def below(node: int) -> float:
        at = first + node
        if trees.is_leaf[at]:
            return float(trees.value[at])
        left, right = int(trees.left[at]), int(trees.right[at])
        feature = int(trees.feature[at])
        if feature in known:
            missing = np.isnan(row[feature])
            goes_left = trees.missing_left[at] if missing else row[feature] <= trees.threshold[at]
            return below(left if goes_left else right)
        counts = trees.count[[first + left, first + right]]
        return float(np.average([below(left), below(right)], weights=counts))

    return below(0)


def shapley(trees: Trees, row: FloatArray) -> FloatArray:
    """The definition: marginal contributions over all subsets of the other columns."""
    n = len(row)
    result = np.zeros(n)
    for feature in range(n):
        others = [other for other in range(n) if other != feature]
        for size in range(n):
            weight = factorial(size) * factorial(n - 1 - size) / factorial(n)
            for subset in combinations(others, size):
                for tree in range(trees.n_trees):
                    gain = expectation(trees, tree, row, {*subset, feature}) - expectation(trees, tree, row, {*subset})
                    result[feature] += weight * gain
    return result


@pytest.mark.parametrize("leaves", [2, 3, 8, 9])
def test_the_values_are_those_of_the_definition(leaves: int) -> None:
    trees = fitted(leaves)
    X = rows(12, seed=leaves)
    values, expected = grouped_shap(trees, X, np.arange(N_FEATURES), N_FEATURES)
    assert values == pytest.approx(np.array([shapley(trees, row) for row in X]), abs=1e-12)
    nothing_known = sum(expectation(trees, tree, X[0], set()) for tree in range(trees.n_trees))
    assert expected == pytest.approx(trees.baseline + nothing_known, abs=1e-12)


@pytest.mark.parametrize("columns", [1, 4, 8])
def test_the_longest_path_is_exact_with_columns_once_or_again_and_again(columns: int) -> None:
    n_splits = 8
    split = np.arange(2 * n_splits + 1) % 2 == 0
    split[-1] = False
    place = np.arange(2 * n_splits + 1)
    trees = Trees(
        value=np.sin(place),
        feature=place // 2 % columns,
        threshold=np.linspace(-1, 1, len(place)),
        missing_left=place % 3 == 0,
        left=np.where(split, place + 1, 0),
        right=np.where(split, place + 2, 0),
        is_leaf=~split,
        count=np.where(split | (place == place[-1]), 2 + (place[-1] - place) // 2 * 3, 3),
        offsets=np.array([0, len(place)]),
        baseline=0.25,
    )
    trees.validate(columns)
    X = rows(6, seed=1, columns=columns)
    values, expected = grouped_shap(trees, X, np.arange(columns), columns)
    assert values == pytest.approx(np.array([shapley(trees, row) for row in X]), abs=1e-12)
    assert values.sum(axis=1) + expected == pytest.approx(trees.log_odds(X), abs=1e-12)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 2), min_size=N_FEATURES, max_size=N_FEATURES))
@settings(max_examples=10, deadline=None)
def test_groups_are_sums_of_their_columns_and_add_up_to_the_log_odds(
    large: Trees, seed: int, groups: list[int]
) -> None:
    X = rows(60, seed=seed)
    single, _ = grouped_shap(large, X, np.arange(N_FEATURES), N_FEATURES)
    grouped, expected = grouped_shap(large, X, groups, 3)
    for group in range(3):
        assert grouped[:, group] == pytest.approx(single[:, np.array(groups) == group].sum(axis=1), abs=1e-10)
    assert grouped.sum(axis=1) + expected == pytest.approx(large.log_odds(X), abs=1e-10)


@pytest.fixture(scope="module")
def large() -> Trees:
    return fitted(leaves=8, rounds=60)


def test_the_expected_log_odds_are_the_mean_over_the_training_rows() -> None:
    stump = fitted(leaves=2, rounds=30)
    _, expected = grouped_shap(stump, rows(1, seed=2), np.zeros(N_FEATURES, dtype=int), 1)
    assert expected == pytest.approx(stump.log_odds(rows(4000, seed=0)).mean(), abs=1e-10)


def test_groups_that_do_not_fit_are_a_bug_of_the_caller(large: Trees) -> None:
    with pytest.raises(ValueError, match="one number below 2"):
        grouped_shap(large, rows(3, seed=3), [0, 1, 2, 0, 0], 2)


def by_definition(trees: Trees, X: FloatArray, background: FloatArray, groups: NDArray[np.int64]) -> FloatArray:
    """Shapley values of groups where the columns of unknown groups are those of other rows, all in turn."""
    players = int(groups.max()) + 1
    worth = {}
    for size in range(players + 1):
        for known in combinations(range(players), size):
            mixed = np.where(np.isin(groups, known), X[:, None], background[None])
            worth[known] = trees.log_odds(mixed.reshape(-1, X.shape[1])).reshape(len(X), -1).mean(axis=1)
    result = np.zeros((len(X), players))
    for known, value in worth.items():
        for group in set(range(players)) - set(known):
            weight = factorial(len(known)) * factorial(players - 1 - len(known)) / factorial(players)
            result[:, group] += weight * (worth[tuple(sorted((*known, group)))] - value)
    return result


def test_the_strongest_group_is_nearly_always_that_of_the_definition(large: Trees) -> None:
    groups = np.array([0, 0, 1, 2, 2])
    X = rows(150, seed=11)
    quick, _ = grouped_shap(large, X, groups, 3)
    exact = by_definition(large, X, rows(4000, seed=0)[:120], groups)
    assert exact.sum(axis=1) == pytest.approx(large.log_odds(X) - large.log_odds(rows(4000, seed=0)[:120]).mean())
    assert (np.abs(quick).argmax(axis=1) == np.abs(exact).argmax(axis=1)).mean() >= 0.95
