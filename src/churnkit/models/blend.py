"""The blend: a buy-till-you-die layer and learned members as one probability.

The log odds of the members are averaged, and the whole is moved by one number, the level (`models/level.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.models.btyd_average import BuyTillYouDieAverage
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
_CLIP = 1e-6


class Habit(NamedTuple):
    """What the buy-till-you-die layer knows of each customer, and how long the horizon is, in time on its clock.

    Attributes:
        x: Repeat order days.
        t_x: From the first order to the last.
        T: From the first order to the cutoff.
        log_gaps: Sum of the logs of the gaps between order days.
        horizon: Length of the horizon.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    log_gaps: FloatArray
    horizon: float


@dataclass(frozen=True, slots=True)
class Blend:
    """The members, their weights, and the shift of the whole in log odds.

    Attributes:
        btyd: The layer without label lag.
        learned: Members that were fitted to outcomes, by the names of `LEARNED`; a name that begins with `hazard` holds
            a `Hazard`. They share one weight evenly.
        weights: Of each model of the layer in its order, and last of the learned members together; they add up to 1.
        shift: Added to the log odds of everybody.
    """

    btyd: BuyTillYouDieAverage
    weights: tuple[float, ...]
    learned: Mapping[str, Learned] = field(default_factory=dict)
    shift: float = 0.0

    @property
    def learned_weight(self) -> float:
        """The weight of each learned member."""
        return self.weights[-1] / len(self.learned) if self.learned else 0.0

    def log_odds(self, X: FloatArray, habit: Habit) -> FloatArray:
        """Log odds of no order within the horizon, one per row of `X`."""
        return self.log_odds_beside(self.btyd_log_odds(habit), X)

    def log_odds_beside(self, layer: FloatArray, X: FloatArray) -> FloatArray:
        """The same, where it is known what the layer adds to the log odds."""
        return self._mixed(layer, [member.log_odds(X) for member in self.learned.values()])

    def told(self, X: FloatArray, habit: Habit) -> tuple[FloatArray, FloatArray]:
        """The log odds, and how far the members lie apart: the weighted standard deviation of theirs."""
        each = self.btyd.each_no_order_probability(*habit)
        learned = [member.log_odds(X) for member in self.learned.values()]
        log_odds = self._mixed(self.weighed(each), learned)
        members = [*zip(self.weights, log_odds_of(each).T, strict=False), *((self.learned_weight, z) for z in learned)]
        mean = log_odds - self.shift
        return log_odds, np.sqrt(sum(weight * (z - mean) ** 2 for weight, z in members))

    def _mixed(self, layer: FloatArray, learned: Sequence[FloatArray]) -> FloatArray:
        blended = layer + self.shift
        for log_odds in learned:
            blended = blended + self.learned_weight * log_odds
        return blended

    def btyd_log_odds(self, habit: Habit) -> FloatArray:
        """What the layer adds to the log odds: those of its models, times their weights."""
        return self.weighed(self.btyd.each_no_order_probability(*habit))

    def weighed(self, each: FloatArray) -> FloatArray:
        """The same from the probabilities by each model of the layer, as columns."""
        return np.asarray(log_odds_of(each) @ np.array(self.weights[:-1]))

    def members_log_odds(self, X: FloatArray, habit: Habit) -> FloatArray:
        """Log odds by each model of the layer, and by the learned members together (NaN without them), as columns."""
        each = log_odds_of(self.btyd.each_no_order_probability(*habit))
        learned = [member.log_odds(X) for member in self.learned.values()]
        together = sum(learned) / len(learned) if learned else np.full(len(each), np.nan)
        return np.column_stack([each, together])

    def probability(self, X: FloatArray, habit: Habit) -> FloatArray:
        """P(no order within the horizon), one per row of `X`."""
        return probability_of(self.log_odds(X, habit))

    def alive_probability(self, habit: Habit, churn_probability: FloatArray) -> FloatArray:
        """P(the customer still has the habit at the cutoff), such that it agrees with the churn probability.

        Only who is alive orders, so P(order) = P(alive) x P(order | alive). The layer knows the second factor, and the
        whole blend says what P(order) is.
        """
        by_layer = self.btyd.alive_probability(*habit[:-1])
        orders = 1.0 - self.btyd.no_order_probability(*habit)
        alive = by_layer * (1.0 - churn_probability) / np.maximum(orders, _CLIP)
        return np.asarray(np.clip(alive, 1.0 - churn_probability, 1.0))


def starting_weights(layer: Sequence[float], customers: int, *, learned: bool) -> tuple[float, ...]:
    """The weights before any outcome is there to judge the learned members by.

    Args:
        layer: Weights of the models of the layer among themselves.
        customers: How many there are.
        learned: Whether there are learned members.
    """
    share = btyd_weight(customers) if learned else 1.0
    return (*(share * weight / sum(layer) for weight in layer), 1.0 - share)


def alone(blend: Blend) -> Blend:
    """The buy-till-you-die layer of a blend, without the rest."""
    return Blend(blend.btyd, starting_weights(blend.btyd.weights, 0, learned=False))


def btyd_weight(customers: int) -> float:
    """The share of the buy-till-you-die layer: a fifth from 4,000 customers up, more with fewer, leading at 500.

    Example:
        >>> [round(btyd_weight(n), 2) for n in (100, 500, 1_000, 4_000, 100_000)]
        [0.65, 0.65, 0.5, 0.2, 0.2]
    """
    size = min(max(customers, _SMALL), _LARGE)
    return _BTYD_WEIGHT + (_BTYD_WEIGHT_SMALL - _BTYD_WEIGHT) * log(_LARGE / size) / log(_LARGE / _SMALL)


def log_odds_of(probability: FloatArray) -> FloatArray:
    """Log odds, with probabilities kept a millionth away from 0 and 1."""
    p = np.clip(probability, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(p / (1 - p)))


def probability_of(log_odds: FloatArray) -> FloatArray:
    """Probabilities from log odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)))
