"""Boosted trees and a spline logistic regression as one calibrated probability, for outcomes that need no time.

The log odds of the two are mixed. How much of which, and how far the mixture is stretched and moved to be calibrated,
is read off folds of the training rows that the members had not seen; then both are fitted again to all rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.models.blend import probability_of
from churnkit.models.boosting import BoostingSize, fit_boosting
from churnkit.models.folds import stratified_folds
from churnkit.models.logistic import SplineLogistic, fit_logistic
from churnkit.models.trees import Trees
from churnkit.models.treeshap import grouped_shap

FloatArray: TypeAlias = NDArray[np.float64]

TREES, LOGISTIC = "trees.", "logistic."
_C = 0.05
_ROUNDS, _RATE = 60, 0.1  # as good as 120 at 0.05 (measured), in half the time
_LEAST_LEAF, _USUAL_LEAF, _LEAVES_OF_ROWS = 10, 40, 25  # a leaf holds at least a 25th of few rows
_FOLDS = 3
_MOST_ROWS_TO_WEIGH = 20_000
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CLOSE = 0.001  # a smaller share of the log loss does not move the weight away from the middle
_SETTLED = 1e-9
_PRIOR = 20.0  # how strongly a calibration by few rows is held to none at all


@dataclass(frozen=True, slots=True)
class LearnedBlend:
    """Log odds: slope x (weight x trees + (1 - weight) x regression) + shift.

    Attributes:
        trees: The boosted trees.
        logistic: The logistic regression.
        trees_weight: The weight of the trees; the regression has the rest.
        slope: Stretches the mixture, so that it is as sure as it was right.
        shift: Moves it.
    """

    trees: Trees
    logistic: SplineLogistic
    trees_weight: float
    slope: float
    shift: float

    def log_odds(self, X: FloatArray) -> FloatArray:
        """Log odds of each row; missing values are NaN."""
        return self.slope * _mixed(self.trees.log_odds(X), self.logistic.log_odds(X), self.trees_weight) + self.shift

    def probability(self, X: FloatArray) -> FloatArray:
        """P(y = 1), one per row of `X`."""
        return probability_of(self.log_odds(X))

    def contributions(self, X: FloatArray, groups: ArrayLike, n_groups: int) -> FloatArray:
        """What each group of columns adds to the log odds of each row, against the mean of the training rows.

        Args:
            X: One row per customer; missing values are NaN.
            groups: The group of each column, from 0.
            n_groups: Number of groups.
        """
        by_trees, _ = grouped_shap(self.trees, X, groups, n_groups)
        by_terms, _ = self.logistic.contributions(X, groups, n_groups)
        return self.slope * _mixed(by_trees, by_terms, self.trees_weight)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of both members by name."""
        trees = {TREES + name: array for name, array in self.trees.to_arrays().items()}
        return trees | {LOGISTIC + name: array for name, array in self.logistic.to_arrays().items()}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], n_features: int, *, trees_weight: float, slope: float, shift: float
    ) -> Self:
        """The blend of `to_arrays` and its three numbers, checked.

        Raises:
            ModelFileError: The arrays are not those of a blend on that many columns.
        """
        parts = [
            {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            for prefix in (TREES, LOGISTIC)
        ]
        return cls(
            Trees.from_arrays(parts[0], n_features),
            SplineLogistic.from_arrays(parts[1], n_features),
            trees_weight,
            slope,
            shift,
        )


def fit_learned_blend(X: FloatArray, y: FloatArray, *, spline_columns: Sequence[int], seed: int) -> LearnedBlend:
    """Fits both members, weighs and calibrates them by rows that they had not seen, and fits them to all rows.

    Args:
        X: One row per customer; NaN is missing.
        y: The outcome, 0 or 1.
        spline_columns: The columns that the regression bends.
        seed: Of the folds.

    Raises:
        DataError: All outcomes are the same.
    """

    def members(rows: NDArray[Any]) -> tuple[Trees, SplineLogistic]:
        leaf = min(_USUAL_LEAF, max(_LEAST_LEAF, len(y[rows]) // _LEAVES_OF_ROWS))
        size: BoostingSize = {"rounds": _ROUNDS, "rate": _RATE, "min_leaf": leaf}
        trees = fit_boosting(X[rows], y[rows], monotone=[0] * X.shape[1], seed=seed, **size)
        return trees, fit_logistic(X[rows], y[rows], spline_columns=spline_columns, C=_C, seed=seed)

    some = np.unique(np.linspace(0, len(y) - 1, min(len(y), _MOST_ROWS_TO_WEIGH)).round().astype(np.int64))
    trees, terms = _unseen(X, y, some, members, seed)
    weight = _best_weight(trees, terms, y[some])
    slope, shift = calibration(_mixed(trees, terms, weight), y[some])
    return LearnedBlend(*members(np.arange(len(y))), weight, slope, shift)


def calibration(log_odds: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Slope and shift that make log odds as sure as they were right; held to 1 and 0 where the rows are few.

    Example:
        >>> sure = np.repeat([-4.0, 4.0], 500)  # right four times in five only
        >>> slope, shift = calibration(sure, np.tile([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], 100))
        >>> slope < 0.2
        True

    Source: Platt (1999), Probabilistic outputs for support vector machines, with a normal prior around no change.
    """
    design = np.column_stack([log_odds, np.ones_like(log_odds)])
    prior = np.array([1.0, 0.0])

    def cost(beta: FloatArray) -> float:
        return len(y) * _log_loss(design @ beta, y) + _PRIOR / 2 * float(((beta - prior) ** 2).sum())

    beta, now = prior, cost(prior)
    for _ in range(50):  # Newton; a step that overshoots is halved
        p = probability_of(design @ beta)
        gradient = design.T @ (p - y) + _PRIOR * (beta - prior)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while cost(beta - step) > now and np.abs(step).max() > _SETTLED:
            step = step / 2
        if np.abs(step).max() <= _SETTLED:
            break
        beta = beta - step
        now = cost(beta)
    return float(max(beta[0], 0.0)), float(beta[1])


def _unseen(
    X: FloatArray,
    y: FloatArray,
    some: NDArray[np.int64],
    members: Callable[[NDArray[Any]], tuple[Trees, SplineLogistic]],
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Log odds of some rows by members that were fitted without them."""
    fold = stratified_folds(y[some], _FOLDS, seed=seed)
    by_trees, by_terms = np.zeros(len(some)), np.zeros(len(some))
    for held_out in range(_FOLDS):
        here = fold == held_out
        trees, logistic = members(some[~here])
        by_trees[here], by_terms[here] = trees.log_odds(X[some[here]]), logistic.log_odds(X[some[here]])
    return by_trees, by_terms


def _best_weight(trees: FloatArray, terms: FloatArray, y: FloatArray) -> float:
    """The weight with the least log loss; of those about as good, the nearest to a half."""
    losses = [_log_loss(_mixed(trees, terms, weight), y) for weight in _WEIGHTS]
    good = [weight for weight, loss in zip(_WEIGHTS, losses, strict=True) if loss <= min(losses) * (1 + _CLOSE)]
    return min(good, key=lambda weight: (abs(weight - 0.5), weight))


def _log_loss(log_odds: FloatArray, y: FloatArray) -> float:
    return float(np.logaddexp(0.0, np.where(y == 1, -log_odds, log_odds)).mean())


def _mixed(trees: FloatArray, terms: FloatArray, trees_weight: float) -> FloatArray:
    return trees_weight * trees + (1.0 - trees_weight) * terms
