"""Regular buyers: a mixture of Erlang shapes over the MBG/NBD.

The MBG/NBD lets everybody order at random. Many do not: they order about every month, and two months of silence say
more about them than about somebody who orders now and then. Here an order comes at every k-th event of the random
process, which makes the gaps between orders Erlang(k): random for k = 1, like clockwork for large k. Nobody knows the
shape of a customer; each shape has a share, and the history tells how likely each is for a customer.

Order rates are gamma over customers, of one form and with a scale per shape. After each order, the first included, a
customer is gone for good with a probability that is beta over customers. The likelihood of a shape is a finite sum: the
silence of a customer who is alive is 0 .. k - 1 events without an order,

    silent(t) = sum over j < k of (n)_j / j! * (s / (alpha + t)) ** j * (alpha + t) ** -n,  n = r + k x,  s = t - t_x

How even the gaps of a customer are is known by the sum of their logs, `log_gaps`. (The spans alone tell shapes apart
so badly that the mixture then forecasts worse than the MBG/NBD.)

Sources: Platzer and Reutterer (2016), Ticking away the moments: timing regularity helps to better predict customer
activity, Marketing Science 35(5); Batislam, Denizel and Filiztekin (2007), for the dropout.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from churnkit.errors import ModelFileError
from churnkit.models.btyd import MBGNBD, fit_mbgnbd
from churnkit.models.erlang_orders import orders_if_alive
from churnkit.models.histories import (
    FloatArray,
    Histories,
    beta_quadrature,
    checked,
    checked_log_gaps,
    fitting_histories,
    maximise,
    number_of,
    rising,
    thinned,
)

SHAPES = (1, 2, 3, 4, 6, 9)

_START_SHARES = (0.5, 0.2, 0.1, 0.1, 0.05, 0.05)
_PRIOR_CUSTOMERS = (5.0, 1.0, 1.0, 1.0, 1.0, 1.0)  # as if seen before: regularity has to be shown by the data
_PRIOR_SPREAD = 1.0  # of the logs of the mean order rates between the shapes
_TOLERANCE = 1e-9
_LEAST_SHARE = 1e-3
_QUADRATURE_NODES = 16
_ROWS_AT_ONCE = 5_000
_MOST_HISTORIES = 20_000  # more cost time, and move probabilities by .0008 on average
_LARGEST_SHAPE = 50


@dataclass(frozen=True, slots=True)
class ErlangMixture:
    """The mixture. Times are in days, or in whatever unit they were in at the fit.

    Attributes:
        shapes: The shapes k of the gaps between orders.
        shares: The share of the customers with each; they add up to 1.
        r: Shape of the order rates over customers (gamma).
        alpha: Per shape, their scale, in time: the mean rate is `r / alpha` orders.
        a: First shape of the dropout probability over customers (beta).
        b: Its second shape: the mean dropout probability is `a / (a + b)`.
        at_bound: Whether the fit ended on a bound of the parameters: the data do not pin them down.
    """

    shapes: tuple[int, ...]
    shares: tuple[float, ...]
    r: float
    alpha: tuple[float, ...]
    a: float
    b: float
    at_bound: bool = False

    def log_likelihood(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike) -> FloatArray:
        """Log likelihood of each customer. With the shape 1 alone it is that of the MBG/NBD.

        Args:
            x: Repeat orders of each customer.
            t_x: Time from first to last order.
            T: Time from first order to the cutoff.
            log_gaps: Sum of the natural logs of the gaps between the orders, 0 without a repeat order.
        """
        return self._posterior(*_checked(x, t_x, T, log_gaps)).log

    def shape_probabilities(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike) -> FloatArray:
        """P(shape | history), one row per shape."""
        return self._posterior(*_checked(x, t_x, T, log_gaps)).shape

    def alive_probability(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike) -> FloatArray:
        """P(the customer still has the habit at the cutoff). This is not 1 - P(churn)."""
        posterior = self._posterior(*_checked(x, t_x, T, log_gaps))
        return np.asarray((posterior.shape * posterior.alive).sum(axis=0))

    def no_order_probability(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike, horizon_days: float
    ) -> FloatArray:
        """P(no order within the horizon | history).

        Example:
            Four orders, one every 50 days, 50 days of silence; then the same after 120 days of silence.

            >>> model = ErlangMixture((1, 6), (0.5, 0.5), r=1.2, alpha=(60, 90), a=0.8, b=2.5)
            >>> model.no_order_probability([3, 3], [150, 150], [200, 270], 3 * np.log([50, 50]), 60).round(3).tolist()
            [0.316, 0.846]
        """
        x, t_x, T, log_gaps = _checked(x, t_x, T, log_gaps)
        posterior = self._posterior(x, t_x, T, log_gaps)
        answer = np.zeros_like(x)
        for k, alpha, share, alive in zip(self.shapes, self.alpha, posterior.shape, posterior.alive, strict=True):
            now, later = (_silence(k, self.r, alpha / k, x, t_x, until).log for until in (T, T + horizon_days))
            answer += share * ((1 - alive) + alive * np.exp(np.minimum(later - now, 0.0)))
        return np.minimum(answer, 1.0)

    def expected_orders(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike, horizon_days: float
    ) -> FloatArray:
        """Expected number of orders within the horizon, given the history."""
        x, t_x, T, log_gaps = _checked(x, t_x, T, log_gaps)
        posterior = self._posterior(x, t_x, T, log_gaps)
        answer = np.zeros_like(x)
        for first in range(0, len(x), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            counts, of_row = np.unique(x[rows], return_inverse=True)
            p, weight = (part[of_row] for part in beta_quadrature(self.a, self.b + counts + 1, _QUADRATURE_NODES))
            history = (x[rows], t_x[rows], T[rows])
            for n, k in enumerate(self.shapes):
                orders = orders_if_alive(k, self.r, self.alpha[n] / k, p, weight, history, horizon_days)
                answer[rows] += posterior.shape[n, rows] * posterior.alive[n, rows] * orders
        return answer

    def to_manifest(self) -> dict[str, Any]:
        """The parameters as plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The model of a manifest.

        Raises:
            ModelFileError: A parameter is missing, unknown, or not a number that a fit can give.
        """
        names = ("shapes", "shares", "r", "alpha", "a", "b", "at_bound")
        if not isinstance(manifest, Mapping) or set(manifest) != set(names):
            raise ModelFileError(f"the {cls.__name__} part of the model does not hold exactly {', '.join(names)}")
        shapes = manifest["shapes"]
        if not isinstance(shapes, list) or not 1 <= len(shapes) <= len(SHAPES):
            raise ModelFileError(f"shapes of the {cls.__name__} part of the model is not a short list")
        if any(type(k) is not int or not 1 <= k <= _LARGEST_SHAPE for k in shapes):
            raise ModelFileError(f"a shape of the {cls.__name__} part of the model is not within 1 .. {_LARGEST_SHAPE}")
        lists = {name: _numbers(cls.__name__, name, manifest[name], len(shapes)) for name in ("shares", "alpha")}
        if abs(sum(lists["shares"]) - 1) > 1e-9:
            raise ModelFileError(f"shares of the {cls.__name__} part of the model do not add up to 1")
        r, a, b = (number_of(cls.__name__, name, manifest[name]) for name in ("r", "a", "b"))
        if type(manifest["at_bound"]) is not bool:
            raise ModelFileError(f"at_bound of the {cls.__name__} part of the model is neither true nor false")
        return cls(tuple(shapes), lists["shares"], r, lists["alpha"], a, b, at_bound=manifest["at_bound"])

    def _posterior(self, x: FloatArray, t_x: FloatArray, T: FloatArray, log_gaps: FloatArray) -> "_Posterior":
        logs, alive = np.empty((len(self.shapes), len(x))), np.empty((len(self.shapes), len(x)))
        for n, k in enumerate(self.shapes):
            parameters = (self.r, self.alpha[n], self.a, self.b)
            likelihood = _likelihood(k, parameters, x, t_x, T)
            logs[n] = math.log(self.shares[n]) + _log_of_gaps(k, x, log_gaps) + likelihood.log
            alive[n] = likelihood.alive
        return _posterior(logs, alive)


def fit_erlang_mixture(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    log_gaps: ArrayLike,
    weights: ArrayLike | None = None,
) -> ErlangMixture:
    """Fits the mixture by maximum likelihood, with a prior that matters where there are few customers.

    Args:
        x: Repeat orders of each customer, whole numbers.
        t_x: Time from first to last order (`active_days`).
        T: Time from first order to the cutoff (`tenure_days`).
        log_gaps: Sum of the natural logs of the gaps between the orders, 0 without a repeat order.
        weights: How much each customer counts; equally where not given.

    Returns:
        The model with the shapes that have a share, and `at_bound` where the data do not pin the parameters down.

    Raises:
        ShortHistoryError: There is no customer, or no time between the first orders and the cutoff.
    """
    seen = thinned(fitting_histories(x, t_x, T, weights, log_gaps), _MOST_HISTORIES)
    random = fit_mbgnbd(seen.x, seen.t_x, seen.T, seen.weight)
    many = len(SHAPES)
    start = (*_START_SHARES, *(random.alpha,) * many, random.r, random.a, random.b)
    of_gaps = np.array([_log_of_gaps(k, seen.x, seen.log_gaps) for k in SHAPES])

    def mean_log_likelihood(parameters: FloatArray) -> tuple[float, FloatArray]:
        value, slopes = _mean_log_likelihood(parameters, seen, of_gaps)
        prior, prior_slopes = _log_prior(parameters)
        return value + prior / seen.customers, slopes + prior_slopes / seen.customers

    found, at_bound = maximise(mean_log_likelihood, (start,), _TOLERANCE)
    odds, alpha, (r, a, b) = found[:many], found[many:-3], found[-3:]
    kept = [n for n in range(many) if odds[n] >= _LEAST_SHARE * sum(odds)]
    total = sum(odds[n] for n in kept)
    shares, scales = tuple(odds[n] / total for n in kept), tuple(alpha[n] * seen.unit for n in kept)
    return ErlangMixture(tuple(SHAPES[n] for n in kept), shares, r, scales, a, b, at_bound=at_bound)


class _Silence(NamedTuple):
    """Log of (alpha + t) ** -n * sum of (n)_j / j! z ** j, and its derivatives by n and by alpha."""

    log: FloatArray
    by_n: FloatArray
    by_alpha: FloatArray


class _Likelihood(NamedTuple):
    log: FloatArray
    alive: FloatArray
    by_parameter: tuple[FloatArray, FloatArray, FloatArray, FloatArray]


class _Posterior(NamedTuple):
    """Log likelihood of each customer, P(shape | history) and P(alive | shape, history), one row per shape."""

    log: FloatArray
    shape: FloatArray
    alive: FloatArray


def _posterior(logs: FloatArray, alive: FloatArray) -> _Posterior:
    top = logs.max(axis=0)
    shape = np.exp(logs - top)
    total = shape.sum(axis=0)
    return _Posterior(top + np.log(total), shape / total, alive)


def _silence(k: int, r: float, alpha: float, x: FloatArray, t_x: FloatArray, T: FloatArray) -> _Silence:
    """No order from t_x to T by an alive customer, `alpha` in events."""
    n, whole = r + k * x, alpha + T
    z = (T - t_x) / whole
    term, total = np.ones_like(x), np.ones_like(x)
    slope, by_n, by_z = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for j in range(1, k):
        term = term * ((n + (j - 1)) * z / j)
        slope = slope + 1 / (n + (j - 1))
        total, by_n, by_z = total + term, by_n + term * slope, by_z + j * term
    log_whole = np.log(whole)
    return _Silence(np.log(total) - n * log_whole, by_n / total - log_whole, -(n + by_z / total) / whole)


def _likelihood(
    k: int, parameters: tuple[float, float, float, float], x: FloatArray, t_x: FloatArray, T: FloatArray
) -> _Likelihood:
    """As for the MBG/NBD, with k events to an order; without the factor of the gaps, which holds no parameter."""
    r, alpha, a, b = parameters
    alpha = alpha / k
    branches = MBGNBD.branches(x, a, b)
    silence = _silence(k, r, alpha, x, t_x, T)
    n, log_t_x = r + k * x, np.log(alpha + t_x)
    log_alive = branches.log_alive + silence.log
    log_gone = branches.log_gone - n * log_t_x
    log_either = np.logaddexp(log_alive, log_gone)
    alive, gone = np.exp(log_alive - log_either), np.exp(log_gone - log_either)
    count = x.astype(np.int64)
    (rate_log, rate_sum), (b_log, b_sum), (ab_log, ab_sum) = (
        rising(c, times * count) for c, times in ((r, k), (b, 1), (a + b, 1))
    )
    return _Likelihood(
        rate_log + r * math.log(alpha) + b_log - ab_log + log_either,
        alive,
        (
            rate_sum + math.log(alpha) + alive * silence.by_n - gone * log_t_x,
            (r / alpha + alive * silence.by_alpha - gone * n / (alpha + t_x)) / k,
            -ab_sum + alive * branches.alive_by[0] + gone * branches.gone_by[0],
            b_sum - ab_sum + alive * branches.alive_by[1] + gone * branches.gone_by[1],
        ),
    )


def _log_of_gaps(k: int, x: FloatArray, log_gaps: FloatArray) -> FloatArray:
    """How likely the gaps are under the shape k relative to the shape 1, but for what holds a parameter."""
    return (k - 1) * log_gaps - x * math.lgamma(k)


def _mean_log_likelihood(parameters: FloatArray, seen: Histories, of_gaps: FloatArray) -> tuple[float, FloatArray]:
    """The mean log likelihood at (odds of the shapes, alpha of each, r, a, b), and its derivatives."""
    many = len(SHAPES)
    odds, alpha, (r, a, b) = parameters[:many], parameters[many:-3], (float(value) for value in parameters[-3:])
    parts = [_likelihood(k, (r, float(alpha[n]), a, b), seen.x, seen.t_x, seen.T) for n, k in enumerate(SHAPES)]
    logs = of_gaps + np.array([part.log for part in parts]) + np.log(odds / odds.sum())[:, None]
    posterior = _posterior(logs, np.array([part.alive for part in parts]))
    weighted = posterior.shape * seen.weight
    by_r, by_alpha, by_a, by_b = np.array(
        [[(row * slope).sum() for slope in part.by_parameter] for row, part in zip(weighted, parts, strict=True)]
    ).T
    by_odds = weighted.sum(axis=1) / odds - 1 / odds.sum()
    slopes = np.concatenate((by_odds, by_alpha, [by_r.sum(), by_a.sum(), by_b.sum()]))
    return float((seen.weight * posterior.log).sum()), slopes


def _log_prior(parameters: FloatArray) -> tuple[float, FloatArray]:
    """A few customers seen before, and mean rates of the shapes that lie about each other; with its derivatives."""
    many = len(SHAPES)
    odds, alpha = parameters[:many], parameters[many:-3]
    before = np.array(_PRIOR_CUSTOMERS)
    off = np.log(alpha) - np.log(alpha).mean()
    value = float((before * np.log(odds / odds.sum())).sum()) - float((off**2).sum()) / (2 * _PRIOR_SPREAD**2)
    by_odds = before / odds - before.sum() / odds.sum()
    return value, np.concatenate((by_odds, -off / _PRIOR_SPREAD**2 / alpha, np.zeros(3)))


def _numbers(model: str, name: str, values: object, many: int) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != many:
        raise ModelFileError(f"{name} of the {model} part of the model is not a list of {many} numbers")
    return tuple(number_of(model, name, value) for value in values)


def _checked(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    x, t_x, T = checked(x, t_x, T)
    return x, t_x, T, checked_log_gaps(x, log_gaps)
