"""What all buy-till-you-die models need: checked histories, one row per distinct one, and the search for parameters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.errors import ModelFileError, ShortHistoryError

FloatArray: TypeAlias = NDArray[np.float64]

_LOG_BOUND = 9.0  # parameters within exp(-9) .. exp(9), those in time in units of a tenth of the mean tenure
_QUADRATURE_NODES = 40
_MOST = 1e9  # a parameter of a model file is within 1 / this .. this


class Histories(NamedTuple):
    """One row per distinct history, with the share of the customers that have it.

    Times are in units of `unit`, a tenth of the mean tenure, so that the bounds of the parameters suit days and weeks.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    log_gaps: FloatArray  # zeros where not given
    weight: FloatArray
    unit: float
    customers: float


def fitting_histories(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None, log_gaps: ArrayLike | None = None
) -> Histories:
    """Histories to fit a model to.

    Raises:
        ShortHistoryError: There is no customer, or no time between the first orders and the cutoff.
    """
    x, t_x, T = checked(x, t_x, T)
    weight = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != x.shape or not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("weights must be finite, not negative, and one per customer")
    customers = float(weight.sum())
    if not customers > 0:
        raise ShortHistoryError("there are no customers to learn a buying rhythm from")
    columns: tuple[FloatArray, ...] = (x, t_x, T) if log_gaps is None else (x, t_x, T, checked_log_gaps(x, log_gaps))
    columns, weight = _grouped(columns, weight)
    x, t_x, T = columns[:3]
    unit = float((weight * T).sum() / weight.sum()) / 10
    if unit <= 0:
        raise ShortHistoryError("no time has passed since the first orders: there is no buying rhythm to learn yet")
    scaled = np.zeros_like(x) if log_gaps is None else columns[3] - x * np.log(unit)
    return Histories(x, t_x / unit, T / unit, scaled, weight / weight.sum(), unit, customers)


def thinned(seen: Histories, most: int) -> Histories:
    """At most so many histories, evenly spaced by weight in their sorted order, so that every kind keeps its share."""
    if len(seen.x) <= most:
        return seen
    place = np.searchsorted(np.cumsum(seen.weight), (np.arange(most) + 0.5) / most)
    rows, counts = np.unique(np.minimum(place, len(seen.x) - 1), return_counts=True)
    return seen._replace(
        x=seen.x[rows], t_x=seen.t_x[rows], T=seen.T[rows], log_gaps=seen.log_gaps[rows], weight=counts / most
    )


def maximise(
    mean_log_likelihood: Callable[[FloatArray], tuple[float, FloatArray]],
    starts: Iterable[Sequence[float]],
    tolerance: float = 1e-13,
) -> tuple[list[float], bool]:
    """The positive parameters of the greatest likelihood, and whether one of them ended on its bound.

    Args:
        mean_log_likelihood: From parameters to the value and its derivatives by each of them.
        starts: Where to begin; the best end counts.
        tolerance: Relative gain in the mean log likelihood that is not worth another step.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    def loss(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        parameters = np.exp(log_parameters)
        value, slopes = mean_log_likelihood(parameters)
        return -value, -slopes * parameters

    options = {"maxiter": 500, "ftol": tolerance, "gtol": 1e-8}
    bounds = [(-_LOG_BOUND, _LOG_BOUND)]
    with threadpool_limits(1):  # threads that wait for each other over a few numbers took 97 % of the time
        fits = [
            minimize(loss, np.log(s), jac=True, method="L-BFGS-B", bounds=bounds * len(s), options=options)
            for s in starts
        ]
    best = min(fits, key=lambda fit: float(fit.fun)).x
    return [float(value) for value in np.exp(best)], bool((np.abs(best) >= _LOG_BOUND - 1e-3).any())


def numbers_of(model: str, manifest: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    """The parameters of a manifest that holds them and `at_bound`, and nothing else.

    Raises:
        ModelFileError: A parameter is missing, unknown, or not a number that a fit can give.
    """
    if not isinstance(manifest, Mapping) or set(manifest) != {*names, "at_bound"}:
        raise ModelFileError(f"the {model} part of the model does not hold exactly {', '.join(names)}, at_bound")
    if type(manifest["at_bound"]) is not bool:
        raise ModelFileError(f"at_bound of the {model} part of the model is neither true nor false")
    return [number_of(model, name, manifest[name]) for name in names]


def number_of(model: str, name: str, value: object) -> float:
    """A positive number that a fit can give.

    Raises:
        ModelFileError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 / _MOST <= value <= _MOST:
        raise ModelFileError(
            f"{name} of the {model} part of the model is not a number within {1 / _MOST:g} .. {_MOST:g}"
        )
    return float(value)


def checked(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Histories as arrays; impossible ones are a bug of the caller."""
    x, t_x, T = (np.asarray(values, dtype=np.float64) for values in (x, t_x, T))
    if x.ndim != 1 or x.shape != t_x.shape or x.shape != T.shape:
        raise ValueError("x, t_x and T must be one-dimensional and of one length")
    if not (np.isfinite(x).all() and np.isfinite(T).all()):
        raise ValueError("x, t_x and T must be finite")
    if not ((x >= 0) & (x == np.floor(x)) & (t_x >= 0) & (t_x <= T)).all():
        raise ValueError("x must be whole and not negative, and 0 <= t_x <= T")
    return x, t_x, T


def checked_log_gaps(x: FloatArray, log_gaps: ArrayLike) -> FloatArray:
    """Sums of the logs of the gaps between orders, 0 without a gap."""
    sums = np.asarray(log_gaps, dtype=np.float64)
    if sums.shape != x.shape or not np.isfinite(sums).all() or (sums[x == 0] != 0).any():
        raise ValueError("log_gaps must be finite, one per customer, and 0 without a repeat order")
    return sums


def _grouped(columns: tuple[FloatArray, ...], weight: FloatArray) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """One row per distinct history, weights added up: customers with equal histories are equally likely."""
    order = np.lexsort((weight, *columns[::-1]))  # by weight too: then the sums do not depend on the order of the rows
    columns, weight = tuple(column[order] for column in columns), weight[order]
    first = np.ones(len(weight), dtype=bool)
    first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    starts = np.flatnonzero(first)
    return tuple(column[starts] for column in columns), np.add.reduceat(weight, starts)


def rising(start: float, count: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Log of start (start + 1) ... (start + count - 1) = gamma(start + count) / gamma(start), and its slope."""
    factors = start + np.arange(int(count.max(initial=0)))
    logs = np.concatenate(([0.0], np.cumsum(np.log(factors))))
    slopes = np.concatenate(([0.0], np.cumsum(1 / factors)))
    return logs[count], slopes[count]


def beta_quadrature(a: float, b: FloatArray, nodes: int = _QUADRATURE_NODES) -> tuple[FloatArray, FloatArray]:
    """Nodes in (0, 1) and weights that add up to one, for the beta(a, b) distributions of each b (Golub and Welsch)."""
    from threadpoolctl import threadpool_limits

    k = np.arange(1.0, nodes)
    A, B = b[:, None] - 1, a - 1
    n = 2 * k + A + B
    matrix = np.zeros((len(b), nodes, nodes))
    inner = np.arange(nodes)
    matrix[:, 0, 0] = ((B - A) / (A + B + 2))[:, 0]
    matrix[:, inner[1:], inner[1:]] = (B - A) * (B + A) / (n * (n + 2))
    square = 4 * k * (k + A) * (k + B) / (n**2 * (n + 1))
    square[:, 1:] *= ((k + A + B) / (n - 1))[:, 1:]  # both are 1 + A + B at k = 1, and may be 0 there
    matrix[:, inner[1:], inner[:-1]] = np.sqrt(square)
    with threadpool_limits(1, "blas"):  # threads that wait for each other over small matrices took 99 % of the time
        places, vectors = np.linalg.eigh(matrix)
    return np.maximum((1 + places) / 2, 1e-12), vectors[:, 0, :] ** 2
