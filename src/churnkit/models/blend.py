"""The blend: buy-till-you-die, boosted trees and logistic regression as one probability.

The log odds of the members are averaged with fixed weights, and the whole is moved by one number. That number matters:
the learned members saw outcomes that are at least one horizon old, the buy-till-you-die layer is fitted up to the
cutoff and has no such lag. Moving the mean forecast towards its mean takes back what changed meanwhile.
"""

from dataclasses import dataclass
from math import log
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.models.btyd import MBGNBD
from churnkit.models.logistic import SplineLogistic
from churnkit.models.trees import Trees

FloatArray: TypeAlias = NDArray[np.float64]

_BTYD_WEIGHT, _BTYD_WEIGHT_SMALL = 0.25, 0.65
_SMALL, _LARGE = 500, 4_000
_ANCHOR = 0.6
_CLIP = 1e-6


class Habit(NamedTuple):
    """What a buy-till-you-die model knows of each customer: repeat order days, and two spans in days."""

    x: FloatArray
    t_x: FloatArray
    T: FloatArray


@dataclass(frozen=True, slots=True)
class Blend:
    """The members, the weight of the buy-till-you-die layer, and the shift of the whole in log odds.

    The learned members share the rest of the weight evenly. Without them the blend is the buy-till-you-die layer alone.
    """

    btyd: MBGNBD
    trees: Trees | None = None
    logistic: SplineLogistic | None = None
    btyd_weight: float = 1.0
    shift: float = 0.0

    @property
    def learned(self) -> tuple[Trees | SplineLogistic, ...]:
        """The members that were fitted to outcomes."""
        return tuple(member for member in (self.trees, self.logistic) if member is not None)

    @property
    def learned_weight(self) -> float:
        """The weight of each learned member."""
        return (1.0 - self.btyd_weight) / len(self.learned) if self.learned else 0.0

    def log_odds(self, X: FloatArray, habit: Habit, horizon_days: int) -> FloatArray:
        """Log odds of no order within the horizon, one per row of `X`."""
        blended = self.btyd_weight * self.btyd_log_odds(habit, horizon_days)
        for member in self.learned:
            blended = blended + self.learned_weight * member.log_odds(X)
        return blended + self.shift

    def btyd_log_odds(self, habit: Habit, horizon_days: int) -> FloatArray:
        """Log odds of the buy-till-you-die layer alone."""
        return log_odds_of(self.btyd.no_order_probability(*habit, horizon_days))

    def probability(self, X: FloatArray, habit: Habit, horizon_days: int) -> FloatArray:
        """P(no order within the horizon), one per row of `X`."""
        return probability_of(self.log_odds(X, habit, horizon_days))


def btyd_weight(customers: int) -> float:
    """The share of the buy-till-you-die layer: a quarter from 4,000 customers up, more with fewer, leading at 500.

    Example:
        >>> [round(btyd_weight(n), 2) for n in (100, 500, 1_000, 4_000, 100_000)]
        [0.65, 0.65, 0.52, 0.25, 0.25]
    """
    size = min(max(customers, _SMALL), _LARGE)
    return _BTYD_WEIGHT + (_BTYD_WEIGHT_SMALL - _BTYD_WEIGHT) * log(_LARGE / size) / log(_LARGE / _SMALL)


def anchored_shift(log_odds: FloatArray, forecast_mean: float) -> float:
    """The shift that moves the mean probability most of the way to a forecast of it.

    Args:
        log_odds: Blended log odds of the customers known at the cutoff.
        forecast_mean: Mean probability of the layer without label lag.
    """
    now = float(probability_of(log_odds).mean())
    goal = now + _ANCHOR * (forecast_mean - now)
    low, high = -8.0, 8.0
    for _ in range(60):  # the mean grows with the shift: halving finds it to the last bit that matters
        middle = (low + high) / 2
        low, high = (middle, high) if probability_of(log_odds + middle).mean() < goal else (low, middle)
    return (low + high) / 2


def log_odds_of(probability: FloatArray) -> FloatArray:
    """Log odds, with probabilities kept a millionth away from 0 and 1."""
    p = np.clip(probability, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(p / (1 - p)))


def probability_of(log_odds: FloatArray) -> FloatArray:
    """Probabilities from log odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)))
