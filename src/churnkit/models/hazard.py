"""Discrete-time hazard: the horizon in a few intervals, each with the chance of no order given none before.

What it is good for is fresher labels: a customer table of one interval ago already has an outcome for the first
interval, where a model of the whole horizon has to wait for all of it.

Source: Singer and Willett (1993), It's about time: discrete-time survival analysis, J. Educational Statistics 18(2).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.models.logistic import SplineLogistic
from churnkit.models.trees import Trees
from churnkit.models.treeshap import grouped_shap

FloatArray: TypeAlias = NDArray[np.float64]

INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Hazard:
    """A model of one interval, asked about each in turn.

    Attributes:
        step: Log odds of no order within an interval given none before; its last column is the number of the interval.
        rest: The log odds that no column explains, on average over the training rows.
    """

    step: Trees | SplineLogistic
    rest: float = 0.0

    def log_odds(self, X: FloatArray) -> FloatArray:
        """Log odds of no order within the whole horizon."""
        return _whole(self._steps(X))

    def contributions(self, X: FloatArray, groups: ArrayLike, n_groups: int) -> FloatArray:
        """What each group of columns adds to the log odds; they add up to the log odds less `rest`.

        The steps are explained exactly. Their sum is carried over to the whole horizon by the slope there, and what a
        straight line misses is shared out in proportion.
        """
        steps = self._steps(X)
        with_number = np.append(np.asarray(groups), n_groups)  # the number of the interval explains nobody
        told = np.zeros((len(X), n_groups))
        for slope, at in zip(_slopes(steps), _at_intervals(X), strict=True):
            told += slope[:, None] * contributions_of(self.step, at, with_number, n_groups + 1)[:, :n_groups]
        missed = _whole(steps) - self.rest - told.sum(axis=1)
        size = np.abs(told)
        share = size / np.maximum(size.sum(axis=1, keepdims=True), 1e-12)
        return np.asarray(told + missed[:, None] * share)

    def slopes(self, X: FloatArray) -> list[FloatArray]:
        """How much the log odds of the whole rise with those of each interval."""
        return _slopes(self._steps(X))

    def _steps(self, X: FloatArray) -> list[FloatArray]:
        """The log odds of the step at each interval."""
        return [self.step.log_odds(at) for at in _at_intervals(X)]


def hazard_of(step: Trees | SplineLogistic, X: FloatArray) -> Hazard:
    """The hazard model of a fitted step.

    Args:
        step: The model of one interval.
        X: Its training rows, with the number of the interval.
    """
    beginnings = X[X[:, -1] == 0][:, :-1]
    steps = Hazard(step)._steps(beginnings)
    number = np.array([*(0 for _ in range(beginnings.shape[1])), 1])
    told = np.zeros(len(beginnings))
    for slope, at in zip(_slopes(steps), _at_intervals(beginnings), strict=True):
        told += slope * contributions_of(step, at, number, 2)[:, 0]
    return Hazard(step, float((_whole(steps) - told).mean()))


def moved(model: Trees | SplineLogistic, by: float) -> Trees | SplineLogistic:
    """The model with a constant added to its log odds."""
    if isinstance(model, Trees):
        return replace(model, baseline=model.baseline + by)
    return replace(model, intercept=model.intercept + by)


def contributions_of(model: Trees | SplineLogistic | Hazard, X: FloatArray, groups: ArrayLike, n: int) -> FloatArray:
    """What each group of columns adds to the log odds of a learned model, up to a constant."""
    if isinstance(model, Trees):
        return grouped_shap(model, X, groups, n)[0]
    if isinstance(model, SplineLogistic):
        return model.contributions(X, groups, n)[0]
    return model.contributions(X, groups, n)


def with_interval(X: FloatArray, interval: int | FloatArray) -> FloatArray:
    """The matrix with the number of the interval as its last column."""
    return np.column_stack([X, np.broadcast_to(np.asarray(interval, dtype=np.float64), len(X))])


def interval_ends(horizon_days: int) -> list[int]:
    """The last days of the intervals, in days from the cutoff: equal thirds, the last with the rest.

    Example:
        >>> interval_ends(90), interval_ends(14)
        ([30, 60, 90], [4, 8, 14])
    """
    third = max(horizon_days // INTERVALS, 1)
    return [*(third * (k + 1) for k in range(INTERVALS - 1)), horizon_days]


def _at_intervals(X: FloatArray) -> Iterator[FloatArray]:
    """The matrix with the number of each interval in turn; the same memory, filled anew."""
    at = with_interval(X, 0)
    for interval in range(INTERVALS):
        at[:, -1] = interval
        yield at


def _whole(steps: Sequence[FloatArray]) -> FloatArray:
    """Log odds of no order in any interval, from those of each."""
    log_stays = np.zeros_like(steps[0])
    for step in steps:
        log_stays += _log_probability(step)
    return _log_odds_of_log(log_stays)


def _slopes(steps: Sequence[FloatArray]) -> list[FloatArray]:
    """How much the log odds of the whole rise with those of each step."""
    left = -np.expm1(_log_probability(_whole(steps)))  # d log P / d log odds of the whole
    return [-np.expm1(_log_probability(step)) / left for step in steps]


def _log_probability(log_odds: FloatArray) -> FloatArray:
    return np.asarray(-np.logaddexp(0.0, -log_odds))


def _log_odds_of_log(log_p: FloatArray) -> FloatArray:
    """Log odds of a probability given by its logarithm."""
    log_p = np.minimum(log_p, -1e-12)
    return np.asarray(log_p - np.log(-np.expm1(log_p)))
