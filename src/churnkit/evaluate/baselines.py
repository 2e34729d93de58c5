"""What people use instead of a model, as strong as it can honestly be made."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]


def best_silence_days(recency_days: FloatArray, churned: FloatArray) -> int:
    """The N for which "no order for N days" tells best who left (greatest Youden index).

    Args:
        recency_days: Days silent, at earlier cutoffs.
        churned: 1.0 where there was no order within the horizon.

    Returns:
        N: customers silent for at least N days are taken for lost; the smallest where several are as good.

    Example:
        >>> best_silence_days(np.array([5.0, 20.0, 40.0, 90.0]), np.array([0.0, 0.0, 1.0, 1.0]))
        40

    Source: Youden (1950), Index for rating diagnostic tests, Cancer 3(1).
    """
    days, place = np.unique(recency_days, return_inverse=True)
    left = np.bincount(place, churned, minlength=len(days))
    stayed = np.bincount(place, 1.0 - churned, minlength=len(days))
    caught = np.cumsum(left[::-1])[::-1] / max(left.sum(), 1.0)
    alarmed = np.cumsum(stayed[::-1])[::-1] / max(stayed.sum(), 1.0)
    return int(days[np.argmax(caught - alarmed)])


def score_curve(score: FloatArray, churned: FloatArray) -> tuple[float, float]:
    """Intercept and slope that turn a score into log odds of churn (a logistic regression on one number).

    Source: Platt (1999), Probabilistic outputs for support vector machines.
    """
    from sklearn.linear_model import LogisticRegression

    scale = float(score.std()) or 1.0
    fitted = LogisticRegression(C=1e6, max_iter=1_000).fit((score / scale)[:, None], churned)
    return float(fitted.intercept_[0]), float(fitted.coef_[0, 0]) / scale


def fit_rfm_logistic(X: FloatArray, churned: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """The usual notebook: logistic regression on standardised, signed-log RFM columns.

    Returns:
        A function from a matrix of the same columns to P(churned).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    fitted = make_pipeline(FunctionTransformer(_signed_log), StandardScaler(), LogisticRegression(max_iter=1_000))
    fitted.fit(X, churned)
    return lambda now: np.asarray(fitted.predict_proba(now)[:, 1])


def fit_plain_logistic(X: FloatArray, churned: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """The usual notebook for a labelled table: logistic regression on standardised numbers and one-hot categories.

    Returns:
        A function from a matrix of the same columns to P(churned); a missing value is taken as the mean.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = ~np.isnan(X)
    mean = np.where(known, X, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)

    def filled(matrix: FloatArray) -> FloatArray:
        return np.where(np.isnan(matrix), mean, matrix)

    regression = LogisticRegression(solver="newton-cholesky")
    fitted = make_pipeline(StandardScaler(), regression).fit(filled(X), churned)
    return lambda now: np.asarray(fitted.predict_proba(filled(now))[:, 1])


def _signed_log(X: FloatArray) -> FloatArray:
    return np.asarray(np.copysign(np.log1p(np.abs(X)), X))
