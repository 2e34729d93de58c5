"""Gradient boosting, small and regularised: scikit-learn fits it, plain trees are kept.

A fit runs on one thread. Several fits at a time are the caller's to run.
"""

from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.errors import DataError
from churnkit.models.trees import MOST_SPLITS, FloatArray, Trees


class BoostingSize(TypedDict, total=False):
    """How large and how regularised the trees are; what is not given is as in `SMALL`."""

    rounds: int  # number of trees
    leaves: int  # most leaves of a tree
    rate: float  # how much of each tree is taken
    min_leaf: int  # least rows of a leaf
    l2: float  # shrinkage of the leaves


SMALL: Final[BoostingSize] = {"rounds": 120, "leaves": 8, "rate": 0.05, "min_leaf": 40, "l2": 5.0}


def fit_boosting(
    X: FloatArray,
    y: ArrayLike,
    *,
    monotone: ArrayLike,
    sample_weight: ArrayLike | None = None,
    seed: int,
    **size: Unpack[BoostingSize],
) -> Trees:
    """Fits boosted trees for P(y = 1). The same bits come out with any number of threads.

    Args:
        X: One row per customer; NaN is missing, infinities are a bug of the caller.
        y: The outcome, 0 or 1.
        monotone: Per column 1, 0 or -1: the probability only rises, does anything, or only falls with it.
        sample_weight: How much each row counts; equally where not given.
        seed: For the thresholds, which are found on a sample where there are more than 200,000 rows.
        **size: See `BoostingSize`.

    Raises:
        DataError: All outcomes are the same.
    """
    return plain_trees(boosting_estimator(X, y, monotone=monotone, sample_weight=sample_weight, seed=seed, **size))


def boosting_estimator(
    X: FloatArray,
    y: ArrayLike,
    *,
    monotone: ArrayLike,
    sample_weight: ArrayLike | None = None,
    seed: int,
    **size: Unpack[BoostingSize],
) -> Any:
    """The fitted `HistGradientBoostingClassifier` itself, for export. Arguments and errors as in `fit_boosting`."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    X, y = checked_training_rows(X, y)
    chosen: BoostingSize = {**SMALL, **size}
    if not 2 <= chosen["leaves"] <= MOST_SPLITS + 1:
        raise ValueError(f"a tree has 2 to {MOST_SPLITS + 1} leaves, not {chosen['leaves']}")
    X = np.where(np.isnan(X).all(axis=0), 0.0, X)  # scikit-learn refuses a column without any value
    estimator = HistGradientBoostingClassifier(
        max_iter=chosen["rounds"],
        max_leaf_nodes=chosen["leaves"],
        learning_rate=chosen["rate"],
        min_samples_leaf=chosen["min_leaf"],
        l2_regularization=chosen["l2"],
        monotonic_cst=np.asarray(monotone, dtype=np.int8),
        categorical_features=None,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1, "openmp"):  # its threads wait by spinning: on a busy machine two are slower than one
        return estimator.fit(X, y, sample_weight=sample_weight)


def plain_trees(estimator: Any) -> Trees:
    """The trees of a fitted binary `HistGradientBoostingClassifier`.

    Raises:
        RuntimeError: This scikit-learn keeps its trees otherwise than the versions that are known.
    """
    try:
        nodes = [stage[0].nodes for stage in estimator._predictors]
        baseline = float(np.asarray(estimator._baseline_prediction).reshape(1)[0])
        joined = np.concatenate(nodes)
        if joined["is_categorical"].any():
            raise ValueError("a split on categories")
        trees = Trees(
            value=joined["value"].astype(np.float64),
            feature=joined["feature_idx"].astype(np.int64),
            threshold=joined["num_threshold"].astype(np.float64),
            missing_left=joined["missing_go_to_left"].astype(bool),
            left=joined["left"].astype(np.int64),
            right=joined["right"].astype(np.int64),
            is_leaf=joined["is_leaf"].astype(bool),
            count=joined["count"].astype(np.int64),
            offsets=np.cumsum([0, *(len(tree) for tree in nodes)]),
            baseline=baseline,
        )
        trees.validate(estimator.n_features_in_)
    except (AttributeError, ValueError, IndexError, TypeError) as error:
        import sklearn

        raise RuntimeError(f"scikit-learn {sklearn.__version__} keeps its boosted trees in an unknown way") from error
    return trees


def checked_training_rows(X: FloatArray, y: ArrayLike) -> tuple[FloatArray, NDArray[np.float64]]:
    """The training rows as arrays of floats.

    Raises:
        DataError: All outcomes are the same.
        ValueError: An infinity, an outcome that is not 0 or 1, or a wrong shape: a bug of the caller.
    """
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ValueError(f"X of shape {X.shape} and y of shape {y.shape} do not fit")
    if np.isinf(X).any():
        raise ValueError("X holds infinities")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("y holds something other than 0 and 1")
    if len(np.unique(y)) < 2:
        outcomes = "there is no outcome" if len(y) == 0 else f"all {len(y)} outcomes are the same"
        raise DataError(f"{outcomes}: there is nothing to learn from", hint="take a longer history or another horizon")
    return X, y
