"""How much each member of a blend counts, by how well they foretold what then happened."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]

PRIOR_WORTH = 1.0  # how strongly the weights hold on to where they start; outcomes of customers pull against it


def fit_weights(log_odds: FloatArray, churned: FloatArray, start: FloatArray) -> FloatArray:
    """Weights of the members' log odds that would have foretold best, drawn towards where they start.

    Minimises log loss with a free constant (the level of a forecast is settled elsewhere), plus the Kullback-Leibler
    divergence from the start times `PRIOR_WORTH`, spread over the customers: few customers move little.

    Args:
        log_odds: (customers, members), of no order within the horizon; a member that could not be fitted is NaN.
        churned: 1.0 where there was no order.
        start: The weights to start from, adding up to 1.

    Returns:
        Weights that add up to 1; a member that could not be judged keeps its start.

    Source: Breiman (1996), Stacked regressions, Machine Learning 24(1).
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    judged = ~np.isnan(log_odds).all(axis=0) & (start > 0)
    if not judged.any():
        return start
    Z, prior = log_odds[:, judged], start[judged] / start[judged].sum()

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        weights = _softmax(parameters[:-1])
        z = Z @ weights + parameters[-1]
        missed = (1.0 / (1.0 + np.exp(-z)) - churned) / len(z)
        ratio = np.log(weights / prior)
        strength = PRIOR_WORTH / len(z)
        by_weight = Z.T @ missed + strength * (ratio + 1.0)
        slopes = weights * (by_weight - weights @ by_weight)
        value = (np.logaddexp(0.0, z) - churned * z).mean() + strength * (weights @ ratio)
        return float(value), np.append(slopes, missed.sum())

    with threadpool_limits(1, "blas"):  # how sums of many threads are rounded depends on their number
        found = minimize(loss, np.append(np.log(prior), 0.0), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    weights = start.copy()
    weights[judged] = _softmax(found.x[:-1]) * start[judged].sum()
    return weights


def _softmax(scores: FloatArray) -> FloatArray:
    powers = np.exp(scores - scores.max())
    return np.asarray(np.maximum(powers / powers.sum(), 1e-9))
