"""Logistic regression on clipped signed logarithms, with splines on the columns that matter most.

A column goes through sign(v) log(1 + |v|) and is clipped to the range of the middle 98 % of the training rows: one
unseen giant then moves no forecast out of what was learnt. Missing values take the median and a term of their own. A
spline column also gets hinges max(z - knot, 0), a piecewise-linear curve. All terms are standardised on the training
rows, so that a row's terms add up relative to the mean training row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from threading import Lock
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.errors import DataError, ModelFileError
from churnkit.models.boosting import checked_training_rows

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

LINEAR, MISSING, HINGE = 0, 1, 2
_KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles of the training rows
_CLIP = (0.01, 0.99)
_BLAS_ALONE = Lock()  # the limit holds for the process: a fit that ends must not lift it from under another


@dataclass(frozen=True, eq=False)
class SplineLogistic:
    """Log odds as an intercept plus terms of single columns.

    Attributes:
        low: Least value of each column, on the signed log scale; lower ones are clipped.
        high: Greatest value of each column.
        fill: What a missing value of each column becomes.
        term_column: The column of each term.
        term_kind: `LINEAR`, `MISSING` (1 where the value is missing) or `HINGE`.
        term_knot: Where a hinge begins; 0 for the others.
        term_mean: Mean of the term over the training rows.
        term_scale: Its standard deviation there.
        term_coefficient: Log odds for each standard deviation above the mean.
        intercept: Log odds where all terms are at their mean.
    """

    low: FloatArray
    high: FloatArray
    fill: FloatArray
    term_column: IntArray
    term_kind: IntArray
    term_knot: FloatArray
    term_mean: FloatArray
    term_scale: FloatArray
    term_coefficient: FloatArray
    intercept: float

    def log_odds(self, X: FloatArray) -> FloatArray:
        """Log odds of each row; missing values are NaN. The bits do not depend on the other rows."""
        result = np.full(len(X), self.intercept)
        for term, values in enumerate(self._terms(X)):
            result += self.term_coefficient[term] * values
        return result

    def contributions(self, X: FloatArray, groups: ArrayLike, n_groups: int) -> tuple[FloatArray, float]:
        """What each group of columns adds to the log odds, relative to the mean of the training rows.

        Args:
            X: One row per customer; missing values are NaN.
            groups: The group of each column, from 0.
            n_groups: Number of groups.

        Returns:
            The sums by row and group, and the intercept: together the log odds.
        """
        group = np.asarray(groups, dtype=np.int64)
        result = np.zeros((n_groups, len(X)))
        for term, values in enumerate(self._terms(X)):
            result[group[self.term_column[term]]] += self.term_coefficient[term] * values
        return np.ascontiguousarray(result.T), self.intercept

    def design(self, X: FloatArray) -> FloatArray:
        """The standardised terms as columns: what the regression was fitted on."""
        return np.column_stack([np.empty((len(X), 0)), *self._terms(X)])

    def _terms(self, X: FloatArray) -> Iterator[FloatArray]:
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.low):
            raise ValueError(f"the regression knows {len(self.low)} columns, X is of shape {X.shape}")
        at = -1
        for column, kind, knot, mean, scale in zip(
            self.term_column, self.term_kind, self.term_knot, self.term_mean, self.term_scale, strict=True
        ):
            if column != at:
                at = column
                missing = np.isnan(X[:, at])
                z = np.where(missing, self.fill[at], np.clip(_signed_log(X[:, at]), self.low[at], self.high[at]))
            values = missing if kind == MISSING else z if kind == LINEAR else np.maximum(z - knot, 0)
            yield (values - mean) / scale

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, in the narrowest kinds that hold them."""
        narrow = {"term_column": np.int32, "term_kind": np.uint8}
        arrays = {field.name: np.atleast_1d(getattr(self, field.name)) for field in fields(self)}
        return {name: array.astype(narrow.get(name, array.dtype)) for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """The regression of `to_arrays`, checked.

        Raises:
            ModelFileError: The arrays are not those of a regression on that many columns.
        """
        names = [field.name for field in fields(cls)]
        if set(arrays) != set(names):
            raise ModelFileError(f"the regression of the model does not hold exactly the arrays {', '.join(names)}")
        plain: dict[str, Any] = {}
        for name in names:
            whole = name in ("term_column", "term_kind")
            if arrays[name].ndim != 1 or not np.issubdtype(arrays[name].dtype, np.integer if whole else np.floating):
                raise ModelFileError(f"the array {name} of the regression of the model is of the wrong shape or kind")
            plain[name] = arrays[name].astype(np.int64 if whole else np.float64)
        if len(plain["intercept"]) != 1:
            raise ModelFileError("the regression of the model has not one intercept")
        regression = cls(**{**plain, "intercept": float(plain["intercept"][0])})
        regression.validate(n_features)
        return regression

    def validate(self, n_features: int) -> None:
        """Refuses what is not a regression on that many columns.

        Raises:
            ModelFileError: With what is wrong.
        """
        by_column = (self.low, self.high, self.fill)
        by_term = (self.term_kind, self.term_knot, self.term_mean, self.term_scale, self.term_coefficient)
        if any(len(array) != n_features for array in by_column):
            raise ModelFileError(f"the regression of the model is not on {n_features} columns")
        if any(len(array) != len(self.term_column) for array in by_term):
            raise ModelFileError("the arrays of the regression of the model are not of one length")
        if not all(np.isfinite(array).all() for array in (*by_column, *by_term, self.intercept)):
            raise ModelFileError("a number of the regression of the model is not finite")
        if not ((self.term_column >= 0) & (self.term_column < n_features)).all():
            raise ModelFileError(f"a term of the regression of the model is on a column beyond its {n_features}")
        if not (np.isin(self.term_kind, (LINEAR, MISSING, HINGE)).all() and (self.term_scale > 0).all()):
            raise ModelFileError("a term of the regression of the model is of an unknown kind or without scale")
        if not (self.low <= self.high).all():
            raise ModelFileError("a range of the regression of the model is empty")


def fit_logistic(
    X: FloatArray,
    y: ArrayLike,
    *,
    spline_columns: Sequence[int],
    sample_weight: ArrayLike | None = None,
    C: float = 0.02,
    seed: int,
) -> SplineLogistic:
    """Fits the regression for P(y = 1). The same bits come out with any number of threads.

    Args:
        X: One row per customer; NaN is missing, infinities are a bug of the caller.
        y: The outcome, 0 or 1.
        spline_columns: The columns that get a curve instead of a straight line.
        sample_weight: How much each row counts; equally where not given.
        C: Inverse strength of the L2 penalty.
        seed: Handed to scikit-learn, whose solver is deterministic.

    Raises:
        DataError: All outcomes are the same.
    """
    X, y = checked_training_rows(X, y)
    terms = _terms_of(X, frozenset(spline_columns))
    if len(terms.term_column) == 0:
        weight = np.ones_like(y) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        share = float((weight * y).sum() / weight.sum())
        return replace(terms, intercept=float(np.log(share / (1 - share))))
    estimator = _estimator(terms, X, y, sample_weight, C, seed)
    return replace(terms, term_coefficient=estimator.coef_[0], intercept=float(estimator.intercept_[0]))


def logistic_estimator(
    X: FloatArray,
    y: ArrayLike,
    *,
    spline_columns: Sequence[int],
    sample_weight: ArrayLike | None = None,
    C: float = 0.02,
    seed: int = 0,
) -> Any:
    """The same regression as a fitted scikit-learn pipeline, for export. Arguments and errors as in `fit_logistic`."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    X, y = checked_training_rows(X, y)
    terms = _terms_of(X, frozenset(spline_columns))
    if len(terms.term_column) == 0:
        raise DataError("no column varies: there is nothing to learn from")
    estimator = _estimator(terms, X, y, sample_weight, C, seed)
    return Pipeline([("terms", FunctionTransformer(terms.design)), ("regression", estimator)])


def _estimator(
    terms: SplineLogistic, X: FloatArray, y: FloatArray, sample_weight: ArrayLike | None, C: float, seed: int
) -> Any:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    regression = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-8, random_state=seed)  # 8 x faster than lbfgs
    with _BLAS_ALONE, threadpool_limits(1, "blas"):  # how sums of many threads are rounded depends on their number
        return regression.fit(terms.design(X), y, sample_weight)


def _terms_of(X: FloatArray, spline_columns: frozenset[int]) -> SplineLogistic:
    """The regression before its fit: ranges and terms. A term that is constant over the training rows is left out."""
    low, high, fill = (np.zeros(X.shape[1]) for _ in range(3))
    terms: list[tuple[int, int, float, float, float]] = []
    for column, values in enumerate(_signed_log(X).T):
        missing = np.isnan(values)
        if missing.all():
            continue
        low[column], high[column] = np.quantile(values[~missing], _CLIP)
        fill[column] = np.median(values[~missing])
        z = np.where(missing, fill[column], np.clip(values, low[column], high[column]))
        drafts = [(LINEAR, 0.0, z), (MISSING, 0.0, missing.astype(np.float64))]
        if column in spline_columns:
            knots = np.unique(np.quantile(z[~missing], _KNOTS))
            knots = knots[(knots > low[column]) & (knots < high[column])]
            drafts += [(HINGE, float(knot), np.maximum(z - knot, 0)) for knot in knots]
        terms += [
            (column, kind, knot, float(term.mean()), float(term.std()))
            for kind, knot, term in drafts
            if term.std() > 1e-9
        ]
    columns, kinds, knots, means, scales = np.array(terms, dtype=np.float64).reshape(-1, 5).T
    return SplineLogistic(
        low,
        high,
        fill,
        term_column=columns.astype(np.int64),
        term_kind=kinds.astype(np.int64),
        term_knot=knots,
        term_mean=means,
        term_scale=scales,
        term_coefficient=np.zeros(len(terms)),
        intercept=0.0,
    )


def _signed_log(X: FloatArray) -> FloatArray:
    return np.copysign(np.log1p(np.abs(X)), X)
