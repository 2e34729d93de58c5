"""When the next order comes, by the rhythm alone: the gap after the last order in the Erlang mixture.

A customer whose gaps are Erlang with the shape k, and whose rate of events is gamma with the shape n = r + k x and the
scale alpha + t_x after x gaps that make up t_x, stays silent for longer than s with probability

    sum over j < k of (n)_j / j! * z ** j * (1 - z) ** n,  z = s / (alpha + t_x + s)

A customer with few gaps is thereby pulled towards the rates of all customers, and one whose gaps are even gets a narrow
range. Whether the customer is gone is left out: these are the gaps of those who come back, counted from the last order,
whatever the silence since.
"""

import numpy as np
from numpy.typing import ArrayLike

from churnkit.models.erlang import ErlangMixture
from churnkit.models.histories import FloatArray

LONGEST_GAP = 36_500.0
_SHORTEST_GAP = 1e-2
_HALVINGS = 45


def gap_probability(
    model: ErlangMixture, gap: ArrayLike, x: ArrayLike, t_x: ArrayLike, log_gaps: ArrayLike
) -> FloatArray:
    """P(the next gap is at most this long | the gaps so far).

    Args:
        model: The mixture.
        gap: A length of time for each customer.
        x: Gaps so far.
        t_x: Their sum.
        log_gaps: Sum of their natural logs, 0 without a gap.
    """
    return _probability(model, np.asarray(gap, dtype=np.float64), *_posterior(model, x, t_x, log_gaps))


def gap_quantile(model: ErlangMixture, level: float, x: ArrayLike, t_x: ArrayLike, log_gaps: ArrayLike) -> FloatArray:
    """The length that the next gap stays within with probability `level`, at most a hundred years of days.

    Arguments as in `gap_probability`.

    Example:
        Of one gap of 30 days little is known; of nine of them, that the next will hardly take longer than 45.

        >>> model = ErlangMixture((1, 9), (0.7, 0.3), r=1.2, alpha=(60, 60), a=0.8, b=2.5)
        >>> gap_quantile(model, 0.9, [1, 9], [30, 270], np.log(30) * np.array([1, 9])).round(0).tolist()
        [120.0, 45.0]
    """
    posterior = _posterior(model, x, t_x, log_gaps)
    low = np.full(np.shape(posterior[0]), np.log(_SHORTEST_GAP))
    high = np.full_like(low, np.log(LONGEST_GAP))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        short = _probability(model, np.exp(middle), *posterior) < level
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.exp(high)


def _posterior(
    model: ErlangMixture, x: ArrayLike, t_x: ArrayLike, log_gaps: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The gaps, their sum, and P(shape | gaps), one row per shape; the silence since the last order says nothing."""
    shape = model.shape_probabilities(x, t_x, t_x, log_gaps)
    return np.asarray(x, dtype=np.float64), np.asarray(t_x, dtype=np.float64), shape


def _probability(
    model: ErlangMixture, gap: FloatArray, x: FloatArray, t_x: FloatArray, shape: FloatArray
) -> FloatArray:
    longer = np.zeros_like(x)
    for k, alpha, share in zip(model.shapes, model.alpha, shape, strict=True):
        n, scale = model.r + k * x, alpha / k + t_x
        z = gap / (scale + gap)
        term, total = np.ones_like(x), np.ones_like(x)
        for j in range(1, k):
            term = term * ((n + (j - 1)) * z / j)
            total = total + term
        longer += share * total * np.exp(-n * np.log1p(gap / scale))
    return np.clip(1 - longer, 0.0, 1.0)
