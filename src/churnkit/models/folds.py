"""Folds: which row is held out when, with every fold holding the same share of each outcome."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def stratified_folds(y: ArrayLike, folds: int, *, seed: int) -> NDArray[np.int64]:
    """The fold of each row, from 0.

    The rows are dealt out at random, those of one outcome after those of the other, so that the folds differ by at most
    one row, and by at most one row of each outcome.

    Args:
        y: The outcome, 0 or 1.
        folds: How many folds.
        seed: Of the dealing. The same rows in the same order are dealt out alike.

    Example:
        >>> y = np.array([0, 0, 0, 0, 1, 1])
        >>> place = stratified_folds(y, 2, seed=0)
        >>> [[int(((place == fold) & (y == outcome)).sum()) for outcome in (0, 1)] for fold in (0, 1)]
        [[2, 1], [2, 1]]
    """
    outcome = np.asarray(y)
    shuffled = np.random.default_rng(seed).permutation(len(outcome))
    dealt = shuffled[np.argsort(outcome[shuffled], kind="stable")]
    fold = np.empty(len(outcome), dtype=np.int64)
    fold[dealt] = np.arange(len(outcome)) % folds
    return fold
