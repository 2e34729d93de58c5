"""The blend: a buy-till-you-die layer and learned members as one probability.

The log odds of the members are averaged with fixed weights, and the whole is moved by one number. That number matters:
the learned members saw outcomes that are up to one horizon old, the buy-till-you-die layer is fitted up to the cutoff
and has no such lag. Moving the mean forecast towards its mean takes back what changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.models.btyd import MBGNBD
from churnkit.models.hazard import Hazard
from churnkit.models.logistic import SplineLogistic
from churnkit.models.trees import Trees

FloatArray: TypeAlias = NDArray[np.float64]
Learned: TypeAlias = Trees | SplineLogistic | Hazard

LEARNED: Mapping[str, type[Trees | SplineLogistic]] = {
    "boosting": Trees,
    "logistic": SplineLogistic,
    "hazard_boosting": Trees,
    "hazard_logistic": SplineLogistic,
}

_BTYD_WEIGHT, _BTYD_WEIGHT_SMALL = 0.2, 0.65
_SMALL, _LARGE = 500, 4_000
_ANCHOR_SHORT, _ANCHOR_LONG = 1.0, 0.4
_SHORT, _LONG = 2.0, 3.0  # horizons of history
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

    Attributes:
        btyd: The layer without label lag.
        learned: Members that were fitted to outcomes, by the names of `LEARNED`; a name that begins with `hazard` holds
            a `Hazard`.
        btyd_weight: Weight of the layer.
        shift: Added to the log odds of everybody.
    """

    btyd: MBGNBD
    learned: Mapping[str, Learned] = field(default_factory=dict)
    btyd_weight: float = 1.0
    shift: float = 0.0

    @property
    def learned_weight(self) -> float:
        """The weight of each learned member."""
        return (1.0 - self.btyd_weight) / len(self.learned) if self.learned else 0.0

    def log_odds(self, X: FloatArray, habit: Habit, horizon_days: int) -> FloatArray:
        """Log odds of no order within the horizon, one per row of `X`."""
        blended = self.btyd_weight * self.btyd_log_odds(habit, horizon_days)
        for member in self.learned.values():
            blended = blended + self.learned_weight * member.log_odds(X)
        return blended + self.shift

    def btyd_log_odds(self, habit: Habit, horizon_days: int) -> FloatArray:
        """Log odds of the buy-till-you-die layer alone."""
        return log_odds_of(self.btyd.no_order_probability(*habit, horizon_days))

    def probability(self, X: FloatArray, habit: Habit, horizon_days: int) -> FloatArray:
        """P(no order within the horizon), one per row of `X`."""
        return probability_of(self.log_odds(X, habit, horizon_days))


def btyd_weight(customers: int) -> float:
    """The share of the buy-till-you-die layer: a fifth from 4,000 customers up, more with fewer, leading at 500.

    Example:
        >>> [round(btyd_weight(n), 2) for n in (100, 500, 1_000, 4_000, 100_000)]
        [0.65, 0.65, 0.5, 0.2, 0.2]
    """
    size = min(max(customers, _SMALL), _LARGE)
    return _BTYD_WEIGHT + (_BTYD_WEIGHT_SMALL - _BTYD_WEIGHT) * log(_LARGE / size) / log(_LARGE / _SMALL)


def anchor_strength(history_horizons: float) -> float:
    """How far the mean forecast moves towards that of the buy-till-you-die layer.

    With two horizons of history the learned members have seen newcomers only, so the move is whole; with three and more
    they know older customers too.

    Example:
        >>> [round(anchor_strength(h), 2) for h in (1.5, 2.5, 4.0)]
        [1.0, 0.7, 0.4]
    """
    return float(np.interp(history_horizons, [_SHORT, _LONG], [_ANCHOR_SHORT, _ANCHOR_LONG]))


def anchored_shift(log_odds: FloatArray, forecast_mean: float, strength: float) -> float:
    """The shift that moves the mean probability part of the way to a forecast of it.

    Args:
        log_odds: Blended log odds of the customers known at the cutoff.
        forecast_mean: Mean probability of the layer without label lag.
        strength: The part of the way, from 0 to 1.
    """
    now = float(probability_of(log_odds).mean())
    goal = now + strength * (forecast_mean - now)
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
