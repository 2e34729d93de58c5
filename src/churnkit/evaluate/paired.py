"""Two forecasts of the same customers: how sure their difference is."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


class Difference(NamedTuple):
    """A mean difference over the cutoffs, its standard error, and at how many cutoffs it is above 0."""

    mean: float
    error: float
    above: int


def mean_difference(customers: Sequence[IntArray], differences: Sequence[FloatArray]) -> Difference:
    """The mean over the cutoffs of the mean difference of a customer. Arguments as in `total_difference`.

    Example:
        >>> found = mean_difference([np.arange(3)], [np.array([0.1, 0.2, 0.3])])
        >>> round(found.mean, 3), round(found.error, 3), found.above
        (0.2, 0.047, 1)
    """
    return _difference(customers, [each / len(each) for each in differences])


def total_difference(customers: Sequence[IntArray], differences: Sequence[FloatArray]) -> Difference:
    """The mean over the cutoffs of the sum of the customers' differences.

    The standard error is the larger of two: over customers, each with all cutoffs at once, because a customer who is
    badly foretold at one is so at the next; and over cutoffs, because what befalls one horizon befalls all in it.

    Args:
        customers: Per cutoff, a number for each customer, the same at every cutoff.
        differences: Per cutoff, the difference of each customer.
    """
    return _difference(customers, differences)


def _difference(customers: Sequence[IntArray], differences: Sequence[FloatArray]) -> Difference:
    sums = np.array([each.sum() for each in differences])
    centred = np.concatenate([each - each.mean() for each in differences]) / len(sums)
    _, place = np.unique(np.concatenate(customers), return_inverse=True)
    over_customers = float(np.sqrt((np.bincount(place, centred) ** 2).sum()))
    over_cutoffs = float(sums.std(ddof=1) / np.sqrt(len(sums))) if len(sums) > 1 else 0.0
    return Difference(float(sums.mean()), max(over_customers, over_cutoffs), int((sums > 0).sum()))
