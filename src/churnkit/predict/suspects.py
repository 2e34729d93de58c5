"""Columns that alone tell nearly all who churned from those who stayed: they may have been written after the fact."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.evaluate.metrics import auc

FloatArray: TypeAlias = NDArray[np.float64]


def auc_of_number(values: FloatArray, churned: FloatArray) -> float:
    """AUC of a number alone, either way round; that it is missing (NaN) counts as a value.

    Example:
        >>> auc_of_number(np.array([9.0, np.nan, 7.0, 8.0]), np.array([1.0, 1.0, 0.0, 0.0]))
        1.0
    """
    gaps = np.isnan(values)
    ends = [np.where(gaps, end, values) for end in (-np.inf, np.inf)]
    areas = [auc(churned, score) for score in (*ends, gaps.astype(np.float64))]
    return max(max(area, 1 - area) for area in areas)


def auc_of_category(values: NDArray[Any], churned: FloatArray) -> float:
    """AUC of a category alone, each value scored by its rate.

    Args:
        values: One value a row, or several whose combination is the value.
        churned: 1 where the row churned.

    Example:
        >>> auc_of_category(np.array(["a", "b", "a", "b"]), np.array([1.0, 0.0, 1.0, 0.0]))
        1.0
    """
    _, place = np.unique(values, axis=0, return_inverse=True)
    place = place.reshape(-1)
    rate = np.bincount(place, churned) / np.bincount(place)
    return auc(churned, rate[place])
