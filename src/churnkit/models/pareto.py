"""The Pareto/NBD: customers order at random and are gone after a time of their own, whether they order or not.

Order rates are gamma over customers, lifetimes exponential with rates that are gamma over customers. The likelihood is
usually written with hypergeometric functions, which overflow for frequent buyers. Here it is what it means: either the
customer is alive at the cutoff, or was gone at some time t since the last order,

    L = G(x) [(alpha + T) ** -(r + x) * (beta / (beta + T)) ** s
              + integral over t in t_x .. T of (alpha + t) ** -(r + x) * s beta ** s (beta + t) ** -(s + 1)]

with G(x) = gamma(r + x) / gamma(r) * alpha ** r. In the logarithm of time the integrand is smooth, and forty nodes are
exact to about ten digits. Each node is a time at which the customer may have gone, with its own weight; the derivatives
are means over those times.

Sources: Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do next?,
Management Science 33(1); Fader and Hardie (2005), A note on deriving the Pareto/NBD model and related expressions.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from churnkit.models.histories import FloatArray, checked, fitting_histories, maximise, numbers_of, rising

_STARTS = ((0.5, 5.0, 0.5, 5.0),)  # r, alpha, s, beta; alpha and beta in tenths of the mean tenure
_FITTING_NODES, _NODES = 16, 40
_NEGLIGIBLE = 40.0  # in log likelihood: exp(-40) of the start of the integrand adds nothing
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class ParetoNBD:
    """The Pareto/NBD. Times are in days, or in whatever unit they were in at the fit.

    Attributes:
        r: Shape of the order rates over customers (gamma).
        alpha: Their scale, in time: the mean rate is `r / alpha`.
        s: Shape of the rates of leaving over customers (gamma).
        beta: Their scale, in time.
        at_bound: Whether the fit ended on a bound of the parameters: the data do not pin them down.
    """

    r: float
    alpha: float
    s: float
    beta: float
    at_bound: bool = False

    def log_likelihood(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
        """Log likelihood of each customer; published figures are the sum.

        Args:
            x: Repeat orders of each customer.
            t_x: Time from first to last order.
            T: Time from first order to the cutoff.
        """
        x, t_x, T = checked(x, t_x, T)
        base = rising(self.r, x.astype(np.int64))[0] + self.r * math.log(self.alpha) - (self.r + x) * self._log(t_x)
        return np.asarray(base + np.logaddexp(self._log_alive(x, t_x, T), self._log_gone(x, t_x, t_x, T)))

    def alive_probability(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
        """P(the customer still has the habit at the cutoff). This is not 1 - P(churn)."""
        x, t_x, T = checked(x, t_x, T)
        alive, gone = self._log_alive(x, t_x, T), self._log_gone(x, t_x, t_x, T)
        return np.asarray(np.exp(alive - np.logaddexp(alive, gone)))

    def no_order_probability(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon_days: float) -> FloatArray:
        """P(no order within the horizon | history) = L(x, t_x, T + H) / L(x, t_x, T).

        Example:
            >>> model = ParetoNBD(r=0.55, alpha=74, s=0.61, beta=82)
            >>> model.no_order_probability([0, 4], [0, 200], [250, 250], 90).round(3).tolist()
            [0.963, 0.453]
        """
        x, t_x, T = checked(x, t_x, T)
        alive, gone = self._log_alive(x, t_x, T), self._log_gone(x, t_x, t_x, T)
        gone_later = self._log_gone(x, t_x, T, T + horizon_days)
        silent = np.logaddexp(np.logaddexp(gone, gone_later), self._log_alive(x, t_x, T + horizon_days))
        return np.asarray(np.exp(np.minimum(silent - np.logaddexp(alive, gone), 0.0)))

    def expected_orders(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon_days: float) -> FloatArray:
        """Expected number of orders within the horizon, given the history."""
        x, t_x, T = checked(x, t_x, T)
        alive = self.alive_probability(x, t_x, T)
        length = np.log1p(horizon_days / (self.beta + T))
        time_alive = (self.beta + T) * length * _mean_of_decay((self.s - 1) * length)
        return np.asarray(alive * (self.r + x) / (self.alpha + T) * time_alive)

    def to_manifest(self) -> dict[str, float | bool]:
        """The parameters as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The model of a manifest.

        Raises:
            ModelFileError: A parameter is missing, unknown, or not a number that a fit can give.
        """
        r, alpha, s, beta = numbers_of(cls.__name__, manifest, ("r", "alpha", "s", "beta"))
        return cls(r, alpha, s, beta, at_bound=manifest["at_bound"])

    def _log(self, time: FloatArray) -> FloatArray:
        return np.asarray(np.log(self.alpha + time))

    def _log_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Alive at T, relative to (alpha + t_x) ** -(r + x)."""
        silence = np.log1p((T - t_x) / (self.alpha + t_x))
        return np.asarray(-(self.r + x) * silence - self.s * np.log1p(T / self.beta))

    def _log_gone(self, x: FloatArray, t_x: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
        """Gone between start and end, relative to (alpha + t_x) ** -(r + x)."""
        answer = np.empty_like(x)
        for first in range(0, len(x), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            parameters = (self.r, self.alpha, self.s, self.beta)
            deaths = _deaths(parameters, x[rows], t_x[rows], start[rows], end[rows], _NODES)
            top = deaths.log.max(axis=0)
            answer[rows] = top + np.log(np.exp(deaths.log - top).sum(axis=0))
        return answer


def fit_pareto_nbd(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> ParetoNBD:
    """Fits the Pareto/NBD by maximum likelihood.

    Args:
        x: Repeat orders of each customer, whole numbers.
        t_x: Time from first to last order (`active_days`).
        T: Time from first order to the cutoff (`tenure_days`).
        weights: How much each customer counts; equally where not given.

    Returns:
        The model, with `at_bound` where the data do not pin the parameters down.

    Raises:
        ShortHistoryError: There is no customer, or no time between the first orders and the cutoff.
    """
    seen = fitting_histories(x, t_x, T, weights)

    def mean_log_likelihood(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, s, beta = (float(value) for value in parameters)
        log, slopes = _likelihood((r, alpha, s, beta), seen.x, seen.t_x, seen.T)
        return float((seen.weight * log).sum()), np.array([float((seen.weight * slope).sum()) for slope in slopes])

    (r, alpha, s, beta), at_bound = maximise(mean_log_likelihood, _STARTS)
    return ParetoNBD(r, alpha * seen.unit, s, beta * seen.unit, at_bound=at_bound or not seen.x.any())


class _Deaths(NamedTuple):
    """Times at which a customer may have gone, one row per node, and the logs of their weights.

    The weights are relative to (alpha + t_x) ** -(r + x) and include the density of the time.
    """

    log_beside_alpha: FloatArray
    log_beside_beta: FloatArray
    log: FloatArray


_Parameters = tuple[float, float, float, float]


def _deaths(
    parameters: _Parameters, x: FloatArray, t_x: FloatArray, start: FloatArray, end: FloatArray, nodes: int
) -> _Deaths:
    """Gauss-Legendre nodes in the log of (time + the smaller scale), up to where the integrand has died out."""
    r, alpha, s, beta = parameters
    scale = min(alpha, beta)
    by_orders = (alpha + start) * np.expm1(np.minimum(_NEGLIGIBLE / (r + x), 50.0))
    by_lifetime = (beta + start) * math.expm1(min(_NEGLIGIBLE / (s + 1), 50.0))
    length = np.log1p(np.minimum(end - start, np.minimum(by_orders, by_lifetime)) / (scale + start))
    places, shares = np.polynomial.legendre.leggauss(nodes)
    passed = (scale + start) * np.expm1(length * ((places + 1) / 2)[:, None])
    beside_alpha = np.log1p((start - t_x + passed) / (alpha + t_x))
    beside_beta = np.log(beta + start + passed)
    step = np.log(scale + start + passed) + np.log(np.maximum(length, 1e-300) / 2)
    density = math.log(s) + s * math.log(beta) - (s + 1) * beside_beta
    return _Deaths(beside_alpha, beside_beta, -(r + x) * beside_alpha + density + step + np.log(shares)[:, None])


def _likelihood(
    parameters: _Parameters, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Log likelihood of each customer, and its derivatives by r, alpha, s and beta."""
    r, alpha, s, beta = parameters
    deaths = _deaths(parameters, x, t_x, t_x, T, _FITTING_NODES)
    silence, log_beta = np.log1p((T - t_x) / (alpha + t_x)), np.log(beta + T)
    log_alive = -(r + x) * silence + s * (math.log(beta) - log_beta)
    top = np.maximum(log_alive, deaths.log.max(axis=0))
    alive, gone = np.exp(log_alive - top), np.exp(deaths.log - top)
    total = alive + gone.sum(axis=0)
    alive, gone = alive / total, gone / total
    died = gone.sum(axis=0)
    log_start = np.log(alpha + t_x)
    rate_log, rate_sum = rising(r, x.astype(np.int64))
    by_time = alive / (alpha + T) + (gone * np.exp(-deaths.log_beside_alpha)).sum(axis=0) / (alpha + t_x)
    by_life = (gone * np.exp(-deaths.log_beside_beta)).sum(axis=0)
    return rate_log + r * math.log(alpha) - (r + x) * log_start + top + np.log(total), (
        rate_sum + math.log(alpha) - log_start - alive * silence - (gone * deaths.log_beside_alpha).sum(axis=0),
        r / alpha - (r + x) * by_time,
        math.log(beta) + died / s - alive * log_beta - (gone * deaths.log_beside_beta).sum(axis=0),
        s / beta - s * alive / (beta + T) - (s + 1) * by_life,
    )


def _mean_of_decay(z: FloatArray) -> FloatArray:
    """(1 - exp(-z)) / z, which is 1 at z = 0: the mean of exp(-z u) over u in 0 .. 1."""
    small = np.abs(z) < 1e-8
    safe = np.where(small, 1.0, z)
    return np.where(small, 1 - z / 2, -np.expm1(-safe) / safe)
