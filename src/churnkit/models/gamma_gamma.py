"""The Gamma-Gamma: what an order of a customer is worth on average, from the few that were seen.

Amounts of one customer are gamma with the shape p about a mean of their own; the scales of these are gamma over
customers with the shape q and the scale v. The mean of a few orders is pulled towards the mean of all customers, the
less the more orders there are. Amounts must not depend on how often somebody orders.

All that is needed to know of a customer is the number of orders and their mean amount, both above 0; who has none gets
the mean of all. Fader and Hardie take repeat orders, because the first order is known to differ.

Source: Fader, Hardie and Lee (2005), RFM and CLV: using iso-value curves for customer base analysis, Journal of
Marketing Research 42(4); Fader and Hardie (2013), The Gamma-Gamma model of monetary value.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from churnkit.errors import ShortHistoryError
from churnkit.models.histories import FloatArray, maximise, numbers_of

_STARTS = ((2.0, 3.0, 2.0), (8.0, 4.0, 0.5))  # p, q, v; v in units of the mean amount


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The Gamma-Gamma model of spend.

    Attributes:
        p: Shape of the amounts of one customer (gamma).
        q: Shape of the customers' scales (gamma).
        v: Their scale, in money: the mean over all customers is `p v / (q - 1)`.
        at_bound: Whether the fit ended on a bound of the parameters, or on amounts whose mean is infinite.
    """

    p: float
    q: float
    v: float
    at_bound: bool = False

    def mean_amount(self) -> float:
        """Mean amount of an order over all customers; infinite where q is at most 1."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else float("inf")

    def expected_amount(self, n: ArrayLike, mean: ArrayLike) -> FloatArray:
        """Expected mean amount of the orders to come of each customer.

        Args:
            n: Number of orders with an amount above 0; 0 for who has none.
            mean: Their mean amount; without meaning where there is none.

        Returns:
            A weighted mean of the customer's own and of that of all customers, the latter with the weight of
            `(q - 1) / p` orders; the customer's own alone where q is at most 1 and the mean of all is infinite.

        Example:
            >>> GammaGamma(p=6.25, q=3.74, v=15.44).expected_amount([0, 1, 10], [0, 100, 100]).round(1).tolist()
            [35.2, 80.3, 97.3]
        """
        n, mean = _checked(n, mean)
        prior = max(self.q - 1, 0.0)
        own = np.where(n > 0, mean, 0.0)
        everybody = self.mean_amount() if self.q > 1 else 0.0
        total = self.p * n + prior
        expected = (self.p * n * own + prior * everybody) / np.where(total > 0, total, 1.0)
        return np.where(total > 0, expected, self.mean_amount())

    def log_likelihood(self, n: ArrayLike, mean: ArrayLike) -> FloatArray:
        """Log density of each customer's mean amount; `n` and `mean` are above 0."""
        n, mean = _checked(n, mean)
        if (n == 0).any():
            raise ValueError("n must be above 0: a customer without orders has no mean amount")
        return _likelihood((self.p, self.q, self.v), n, mean)

    def to_manifest(self) -> dict[str, float | bool]:
        """The parameters as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The model of a manifest.

        Raises:
            ModelFileError: A parameter is missing, unknown, or not a number that a fit can give.
        """
        p, q, v = numbers_of(cls.__name__, manifest, ("p", "q", "v"))
        return cls(p, q, v, at_bound=manifest["at_bound"])


def fit_gamma_gamma(n: ArrayLike, mean: ArrayLike) -> GammaGamma:
    """Fits the Gamma-Gamma by maximum likelihood.

    Args:
        n: Number of orders of each customer with an amount above 0; customers without any are left out.
        mean: Their mean amount.

    Returns:
        The model, with `at_bound` where the data do not pin the parameters down.

    Raises:
        ShortHistoryError: No customer has an order with an amount.
    """
    n, mean = _checked(n, mean)
    order = np.lexsort((mean, n))
    n, mean = n[order], mean[order]
    n, mean = n[n > 0], mean[n > 0]
    if not len(n):
        raise ShortHistoryError("there is no order with an amount above 0 to learn from what customers spend")
    unit = float(np.exp(np.log(mean).mean()))
    scaled = mean / unit

    def mean_log_likelihood(parameters: FloatArray) -> tuple[float, FloatArray]:
        p, q, v = (float(value) for value in parameters)
        slopes = np.array([float(slope.mean()) for slope in _slopes((p, q, v), n, scaled)])
        return float(_likelihood((p, q, v), n, scaled).mean()), slopes

    (p, q, v), at_bound = maximise(mean_log_likelihood, _STARTS)
    return GammaGamma(p, q, v * unit, at_bound=at_bound or q <= 1)


def _likelihood(parameters: tuple[float, float, float], n: FloatArray, mean: FloatArray) -> FloatArray:
    from scipy.special import gammaln

    p, q, v = parameters
    events = p * n
    total = n * mean
    return np.asarray(
        gammaln(events + q)
        - gammaln(events)
        - gammaln(q)
        + q * np.log(v / (v + total))
        + events * np.log(total / (v + total))
        - np.log(mean)
    )


def _slopes(
    parameters: tuple[float, float, float], n: FloatArray, mean: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    from scipy.special import digamma

    p, q, v = parameters
    events, total = p * n, n * mean
    own = digamma(events + q)
    return (
        n * (own - digamma(events) + np.log(total / (v + total))),
        own - digamma(q) + np.log(v / (v + total)),
        q / v - (events + q) / (v + total),
    )


def _checked(n: ArrayLike, mean: ArrayLike) -> tuple[FloatArray, FloatArray]:
    n, mean = np.asarray(n, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    if n.ndim != 1 or n.shape != mean.shape:
        raise ValueError("n and mean must be one-dimensional and of one length")
    if not (np.isfinite(n).all() and (n >= 0).all() and (np.isfinite(mean) & (mean > 0))[n > 0].all()):
        raise ValueError("n must be finite and not negative, mean finite and above 0 where there is an order")
    return n, mean
