"""The ceiling: how much of the outcomes the features hold at all.

A forecast made before the cutoff is held against a model that was fitted on the outcomes of other customers in the very
same horizon. Nobody can have that model, because those outcomes are not there yet; what it cannot tell either, no model
of these features will.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Rule: TypeAlias = Callable[[FloatArray], FloatArray]
Fitting: TypeAlias = Callable[[FloatArray, FloatArray], Rule]

FOLDS = 5
FEWEST_OF_A_KIND = 20  # of those who left and of those who stayed
MOST_ROWS = 40_000  # of a fold; a ceiling that is fitted on more is no higher


def ceiling_log_odds(
    X: FloatArray, churned: FloatArray, forecast: FloatArray, fittings: Sequence[Fitting], *, seed: int, jobs: int = 1
) -> FloatArray | None:
    """Log odds of the best mix of a forecast and of models that saw the outcomes of all other customers.

    Everything is cross-fitted: the log odds of a customer come from fits without that customer's outcome, those of the
    mix too. Because the forecast is in the mix, the ceiling lies below it by chance only.

    Args:
        X: One row per customer.
        churned: The outcomes, 0 or 1.
        forecast: Log odds that were known before.
        fittings: How a model is fitted to rows and outcomes; it gives the log odds of other rows.
        seed: Which customers are held out together.
        jobs: Fits that run at the same time.

    Returns:
        One number per row; None where too few left, or too few stayed, to fit anything on.
    """
    if min(churned.sum(), len(churned) - churned.sum()) < FEWEST_OF_A_KIND:
        return None
    fold = _folds(churned, seed)
    members = _cross_fitted(X, churned, fold, fittings, jobs)
    mixed = np.column_stack([forecast, *members])
    return _cross_fitted(mixed, churned, fold, [_fit_mix], 1)[0]


def _folds(churned: FloatArray, seed: int) -> IntArray:
    """A fold for each row, by chance, with equal shares of those who left."""
    order = np.lexsort((np.random.default_rng(seed).random(len(churned)), churned))
    fold = np.empty(len(churned), dtype=np.int64)
    fold[order] = np.arange(len(churned)) % FOLDS
    return fold


def _cross_fitted(
    X: FloatArray, churned: FloatArray, fold: IntArray, fittings: Sequence[Fitting], jobs: int
) -> list[FloatArray]:
    from joblib import Parallel, delayed

    def held_out(fitting: Fitting, number: int) -> FloatArray:
        rows = np.flatnonzero(fold != number)
        if len(rows) > MOST_ROWS:
            rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(np.int64)]
        return fitting(X[rows], churned[rows])(X[fold == number])

    tasks = [delayed(held_out)(fitting, number) for fitting in fittings for number in range(FOLDS)]
    answers = Parallel(n_jobs=jobs, prefer="threads")(tasks)
    members = []
    for k in range(len(fittings)):
        member = np.empty(len(churned))
        for number, answer in enumerate(answers[k * FOLDS : (k + 1) * FOLDS]):
            member[fold == number] = answer
        members.append(member)
    return members


def _fit_mix(X: FloatArray, churned: FloatArray) -> Rule:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1_000.0, max_iter=1_000).fit(X, churned)
    return lambda rows: np.asarray(fitted.decision_function(rows))
