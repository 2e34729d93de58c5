"""Buy-till-you-die models: BG/NBD and MBG/NBD.

A customer orders at random times with a rate of their own (gamma over customers), and after each order is gone for good
with a probability of their own (beta over customers). In the MBG/NBD a customer may also be gone right after the first
order; in the BG/NBD only after a repeat order. All that is needed to know of a customer is the order count and two
spans of time:

- `x`: repeat orders (days with an order, less one),
- `t_x`: from the first order to the last (`active_days`),
- `T`: from the first order to the cutoff (`tenure_days`).

As `x` is a whole number, every gamma function of the likelihood is a finite product, and every digamma function a
finite sum: no special functions are needed, and predicting is NumPy alone.

Sources: Fader, Hardie and Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2); Batislam,
Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base analysis, IJRM 24(3).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from churnkit.models.histories import (
    FloatArray,
    beta_quadrature,
    checked,
    fitting_histories,
    maximise,
    numbers_of,
    rising,
)

_STARTS = ((0.5, 5.0, 0.7, 2.0), (1.0, 2.0, 0.3, 5.0))  # r, alpha, a, b; alpha in tenths of the mean tenure


@dataclass(frozen=True, slots=True)
class BuyTillYouDie(ABC):
    """What the two models share. Times are in days, or in whatever unit they were in at the fit.

    Attributes:
        r: Shape of the order rates over customers (gamma).
        alpha: Their scale, in time: the mean rate is `r / alpha`.
        a: First shape of the dropout probability over customers (beta).
        b: Its second shape: the mean dropout probability is `a / (a + b)`.
        at_bound: Whether the fit ended on a bound of the parameters: the data do not pin them down.
    """

    r: float
    alpha: float
    a: float
    b: float
    at_bound: bool = False

    @staticmethod
    @abstractmethod
    def branches(x: FloatArray, a: float, b: float) -> "Branches":
        """The two ways to have made x orders, given the shapes of the dropout."""

    @abstractmethod
    def _posterior_b(self, x: FloatArray) -> FloatArray: ...

    def log_likelihood(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
        """Log likelihood of each customer; published figures are the sum.

        Args:
            x: Repeat orders of each customer.
            t_x: Time from first to last order.
            T: Time from first order to the cutoff.
        """
        x, t_x, T = checked(x, t_x, T)
        return likelihood_of(type(self), (self.r, self.alpha, self.a, self.b), x, t_x, T).log

    def alive_probability(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
        """P(the customer still has the habit at the cutoff). This is not 1 - P(churn)."""
        return self._alive(*checked(x, t_x, T))

    def no_order_probability(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon_days: float) -> FloatArray:
        """P(no order within the horizon | history) = L(x, t_x, T + H) / L(x, t_x, T).

        Who is gone orders no more; who is alive, with rates gamma(r + x, alpha + T), stays silent for H with
        probability ((alpha + T) / (alpha + T + H)) ** (r + x).

        Example:
            >>> model = MBGNBD(r=0.5, alpha=60, a=0.8, b=2.5)
            >>> model.no_order_probability([0, 4], [0, 200], [250, 250], 90).round(3).tolist()
            [0.931, 0.463]
        """
        x, t_x, T = checked(x, t_x, T)
        alive = self._alive(x, t_x, T)
        silent = np.exp((self.r + x) * -np.log1p(horizon_days / (self.alpha + T)))
        return (1 - alive) + alive * silent

    def expected_orders(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon_days: float) -> FloatArray:
        """Expected number of orders within the horizon, given the history.

        With rate l and dropout probability p a customer who is alive makes (1 - exp(-l p H)) / p orders on average.
        The mean over l has a closed form; the mean over p is taken by Gauss-Jacobi quadrature, which unlike the
        hypergeometric form is smooth at a = 1 and stable for many orders.
        """
        x, t_x, T = checked(x, t_x, T)
        counts, of_row = np.unique(x, return_inverse=True)
        p, share = beta_quadrature(self.a, self._posterior_b(counts))
        growth = np.log1p(p[of_row] * (horizon_days / (self.alpha + T))[:, None])
        orders = -np.expm1(-(self.r + x)[:, None] * growth) / p[of_row]
        if_alive: FloatArray = (share[of_row] * orders).sum(axis=1)
        return self._alive(x, t_x, T) * if_alive

    def to_manifest(self) -> dict[str, float | bool]:
        """The parameters as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The model of a manifest.

        Raises:
            ModelFileError: A parameter is missing, unknown, or not a number that a fit can give.
        """
        names = ("r", "alpha", "a", "b")
        r, alpha, a, b = numbers_of(cls.__name__, manifest, names)
        return cls(r, alpha, a, b, at_bound=manifest["at_bound"])

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        return likelihood_of(type(self), (self.r, self.alpha, self.a, self.b), x, t_x, T).alive


@dataclass(frozen=True, slots=True)
class BGNBD(BuyTillYouDie):
    """The BG/NBD: a customer may be gone after any repeat order, and is alive for certain before the first of them."""

    @staticmethod
    def branches(x: FloatArray, a: float, b: float) -> "Branches":
        """Who never came back is alive for certain."""
        repeat = x > 0
        before = b + np.where(repeat, x, 1) - 1
        zero = np.zeros_like(x)
        return Branches(
            log_alive=zero,
            log_gone=np.where(repeat, math.log(a) - np.log(before), -np.inf),
            alive_by=(zero, zero),
            gone_by=(np.where(repeat, 1 / a, 0), np.where(repeat, -1 / before, 0)),
        )

    def _posterior_b(self, x: FloatArray) -> FloatArray:
        return self.b + x


@dataclass(frozen=True, slots=True)
class MBGNBD(BuyTillYouDie):
    """The modified BG/NBD: a customer may be gone after any order, the first one included."""

    @staticmethod
    def branches(x: FloatArray, a: float, b: float) -> "Branches":
        """Who never came back may be gone since the first order."""
        total = a + b + x
        return Branches(
            log_alive=np.log(b + x) - np.log(total),
            log_gone=math.log(a) - np.log(total),
            alive_by=(-1 / total, 1 / (b + x) - 1 / total),
            gone_by=(1 / a - 1 / total, -1 / total),
        )

    def _posterior_b(self, x: FloatArray) -> FloatArray:
        return self.b + x + 1


def fit_bgnbd(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> BGNBD:
    """Fits the BG/NBD by maximum likelihood. Arguments and errors as in `fit_mbgnbd`."""
    return _fit(BGNBD, x, t_x, T, weights)


def fit_mbgnbd(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> MBGNBD:
    """Fits the MBG/NBD by maximum likelihood.

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
    return _fit(MBGNBD, x, t_x, T, weights)


class Branches(NamedTuple):
    """The two ways to have made x orders, alive and gone after the last one: log factors and derivatives by a, b."""

    log_alive: FloatArray
    log_gone: FloatArray
    alive_by: tuple[FloatArray, FloatArray]
    gone_by: tuple[FloatArray, FloatArray]


class Likelihood(NamedTuple):
    """Log likelihood of each customer, P(alive), and the derivatives of the former by r, alpha, a and b."""

    log: FloatArray
    alive: FloatArray
    by_parameter: tuple[FloatArray, FloatArray, FloatArray, FloatArray]


_Parameters: TypeAlias = tuple[float, float, float, float]
_Model = TypeVar("_Model", bound=BuyTillYouDie)


def likelihood_of(
    kind: type[BuyTillYouDie], parameters: _Parameters, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> Likelihood:
    """Log likelihood of each customer, P(alive), and the derivatives by r, alpha, a and b."""
    r, alpha, a, b = parameters
    branches = kind.branches(x, a, b)
    log_T, log_t_x = np.log(alpha + T), np.log(alpha + t_x)
    log_alive = branches.log_alive - (r + x) * log_T
    log_gone = branches.log_gone - (r + x) * log_t_x
    log_either = np.logaddexp(log_alive, log_gone)
    alive = np.exp(log_alive - log_either)
    gone = np.exp(log_gone - log_either)
    count = x.astype(np.int64)
    (rate_log, rate_sum), (b_log, b_sum), (ab_log, ab_sum) = (rising(c, count) for c in (r, b, a + b))
    return Likelihood(
        rate_log + r * math.log(alpha) + b_log - ab_log + log_either,
        alive,
        (
            rate_sum + math.log(alpha) - alive * log_T - gone * log_t_x,
            r / alpha - (r + x) * (alive / (alpha + T) + gone / (alpha + t_x)),
            -ab_sum + alive * branches.alive_by[0] + gone * branches.gone_by[0],
            b_sum - ab_sum + alive * branches.alive_by[1] + gone * branches.gone_by[1],
        ),
    )


def _fit(kind: type[_Model], x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None) -> _Model:
    seen = fitting_histories(x, t_x, T, weights)

    def mean_log_likelihood(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = (float(value) for value in parameters)
        likelihood = likelihood_of(kind, (r, alpha, a, b), seen.x, seen.t_x, seen.T)
        slopes = [float((seen.weight * slope).sum()) for slope in likelihood.by_parameter]
        return float((seen.weight * likelihood.log).sum()), np.array(slopes)

    (r, alpha, a, b), at_bound = maximise(mean_log_likelihood, _STARTS)
    return kind(r, alpha * seen.unit, a, b, at_bound=at_bound)
