"""A ranked list from its top to its end, and probabilities beside what came of them.

Customers of equal score each count as the mean of them, as in `metrics`.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.evaluate.metrics import tie_means

FloatArray: TypeAlias = NDArray[np.float64]

_TWO_SIDED_95 = 1.959964


class Part(NamedTuple):
    """One part of a list: how many customers it holds, and the sums of what was added up."""

    customers: int
    sums: tuple[float, ...]


class Bin(NamedTuple):
    """Customers of like probability: how many, their mean probability, the share that left, and its 95 % interval."""

    customers: int
    probability: float
    rate: float
    low: float
    high: float


def parts_of_list(score: ArrayLike, *amounts: ArrayLike, parts: int = 10) -> list[Part]:
    """The list by falling score, cut into parts of equally many customers.

    Args:
        score: What the list is ranked by.
        *amounts: What to add up in each part, one value per customer.
        parts: How many; those without a customer (fewer customers than parts) hold nothing.

    Example:
        >>> parts_of_list([0.9, 0.1, 0.5, 0.7], [1, 0, 0, 1], parts=2)
        [Part(customers=2, sums=(2.0,)), Part(customers=2, sums=(0.0,))]
    """
    ranked = np.asarray(score, dtype=np.float64)
    ends = np.arange(parts + 1) * len(ranked) // parts
    totals = [np.concatenate([[0.0], cumulated(ranked, amount)])[ends] for amount in amounts]
    sums = [np.diff(total) for total in totals]
    return [Part(int(ends[k + 1] - ends[k]), tuple(float(each[k]) for each in sums)) for k in range(parts)]


def cumulated(score: ArrayLike, amount: ArrayLike) -> FloatArray:
    """Sum of the amounts within the top 1, 2, ... of the list by falling score.

    Example:
        >>> cumulated([0.9, 0.1, 0.5], [2.0, 1.0, 4.0]).tolist()
        [2.0, 6.0, 7.0]
    """
    ranked = np.asarray(score, dtype=np.float64)
    return np.cumsum(tie_means(np.asarray(amount, dtype=np.float64), ranked)[np.argsort(-ranked, kind="stable")])


def at_shares(curve: ArrayLike, shares: FloatArray) -> FloatArray:
    """A cumulated curve, read at shares of the list; between two customers on the straight line.

    Example:
        >>> at_shares([2.0, 6.0, 7.0], np.array([0.0, 0.5, 1.0])).tolist()
        [0.0, 4.0, 7.0]
    """
    values = np.concatenate([[0.0], np.asarray(curve, dtype=np.float64)])
    return np.asarray(np.interp(shares * (len(values) - 1), np.arange(len(values)), values))


def reliability(y: ArrayLike, p: ArrayLike, bins: int = 10) -> list[Bin]:
    """Bins of equally many customers by rising probability, as in `metrics.calibration_error`.

    Example:
        >>> [bin[:3] for bin in reliability([0, 1, 1, 1], [0.25, 0.25, 0.75, 0.75], bins=2)]
        [(2, 0.25, 0.5), (2, 0.75, 1.0)]

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22 (interval).
    """
    churned, probability = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    found = []
    for part in reversed(parts_of_list(probability, probability, churned, parts=bins)):
        if part.customers:
            mean, rate = (total / part.customers for total in part.sums)
            found.append(Bin(part.customers, mean, rate, *_wilson(rate, part.customers)))
    return found


def _wilson(rate: float, count: int) -> tuple[float, float]:
    z2 = _TWO_SIDED_95**2
    middle = (rate + z2 / (2 * count)) / (1 + z2 / count)
    half = _TWO_SIDED_95 / (1 + z2 / count) * float(np.sqrt(rate * (1 - rate) / count + z2 / (4 * count**2)))
    return max(middle - half, 0.0), min(middle + half, 1.0)
