"""Whether the intervals of probabilities mean what they say, where only outcomes are known.

Nobody sees a customer's true probability, so customers are taken together: of a group of like probability and like
interval the rate is seen, up to chance.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

LEAST_CUSTOMERS = 100  # of a group: with fewer, chance hides whether an interval is right
MOST_PARTS = 5  # of the customers by probability, each cut in two by the length of the interval
_TWO_SIDED_90 = 1.644854


class Coverage(NamedTuple):
    """How many groups there were, and in what share of them the rate lies where the intervals say."""

    groups: int
    share: float


def interval_coverage(y: ArrayLike, p: ArrayLike, low: ArrayLike, high: ArrayLike) -> Coverage:
    """Share of the groups whose rate lies within what their intervals and chance allow; 0.9 if 90 % intervals are true.

    The customers are cut by probability into at most five parts of equally many, each part by the length of its
    intervals into two. The rate of a group may differ from the mean probability P for two reasons. The probabilities
    are wrong: with mean ends L and H of its intervals, by P - L below or H - P above. And chance: by 1.645 standard
    deviations of the share of n tosses with these probabilities. The two are independent, so their squares add up. A
    group is covered whose rate lies within both:

        P - sqrt((P - L)^2 + chance^2) <= rate <= P + sqrt((H - P)^2 + chance^2)

    Errors that are the customers' own cancel out within a group; what is seen here is whether the intervals are long
    enough for what the customers of a group have in common.

    Args:
        y: Whether each customer churned.
        p: The churn probabilities.
        low: Lower ends of their intervals.
        high: Upper ends.

    Returns:
        The share is NaN, and there is no group, where there are fewer than 200 customers.

    Example:
        >>> p = np.full(1_000, 0.5)
        >>> y = np.arange(1_000) % 20 < 9  # 45 % of them, while chance allows 47.4 % and more
        >>> interval_coverage(y, p, p, p), interval_coverage(y, p, p - 0.1, p + 0.1)
        (Coverage(groups=1, share=0.0), Coverage(groups=1, share=1.0))
    """
    churned, probability, lower, upper = (np.asarray(values, dtype=np.float64) for values in (y, p, low, high))
    parts = min(len(churned) // (2 * LEAST_CUSTOMERS), MOST_PARTS)
    if not parts:
        return Coverage(0, float("nan"))
    _, group, count = np.unique(_groups(probability, upper - lower, parts), return_inverse=True, return_counts=True)
    columns = (churned, probability, lower, upper, probability * (1 - probability))
    rate, P, L, H, variance = (np.bincount(group, column) / count for column in columns)
    chance = _TWO_SIDED_90 * np.sqrt(variance / count)
    covered = (rate >= P - np.hypot(P - L, chance)) & (rate <= P + np.hypot(H - P, chance))
    return Coverage(len(count), float(covered.mean()))


def _groups(probability: FloatArray, length: FloatArray, parts: int) -> IntArray:
    """The number of each customer's group."""
    part = _equal_parts(probability, parts)
    half = np.zeros_like(part)
    for number in range(parts):
        half[part == number] = _equal_parts(length[part == number], 2)
    return 2 * part + half


def _equal_parts(values: FloatArray, parts: int) -> IntArray:
    """Parts of equally many customers by rising value; those of equal value are in the same."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - count / 2
    return np.asarray((middle[place] * parts / max(len(values), 1)).astype(np.int64))
