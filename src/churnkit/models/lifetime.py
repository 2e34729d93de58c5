"""What orders to come are worth today: expected orders, discounted by the time at which they come.

Of any model that gives the expected number of orders E(t) until t, the discounted number is the integral of
exp(-d t) dE(t), and by parts

    exp(-d b) E(b) - exp(-d a) E(a) + d * integral from a to b of exp(-d t) E(t) dt

so that E is needed at the ends and, because it is smooth, at a handful of times between them: four of them find the
discounted orders of three years to a millionth.

Source: Fader, Hardie and Lee (2005), RFM and CLV: using iso-value curves for customer base analysis, Journal of
Marketing Research 42(4), for discounted expected transactions.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from churnkit.models.histories import FloatArray

ExpectedOrders: TypeAlias = Callable[[float], FloatArray]

YEAR_DAYS = 365.25
_NODES_A_YEAR, _FEWEST_NODES, _MOST_NODES = 1.5, 2, 40


def discounted_orders(
    expected_orders: ExpectedOrders, from_days: float, to_days: float, discount_rate: float
) -> FloatArray:
    """Expected orders between two times from now, each at what it is worth now.

    Args:
        expected_orders: The expected number of orders until so many days from now, of each customer.
        from_days: Where the time begins.
        to_days: Where it ends, not before it begins.
        discount_rate: How much less an order is worth a year later: 0.1 for a tenth; 0 discounts nothing.

    Example:
        One order every 100 days: 7.3 in two years, worth 6.65 at 10 % a year.

        >>> steady = lambda days: np.array([days / 100])
        >>> [discounted_orders(steady, 0, 730, rate).round(2).tolist() for rate in (0.0, 0.1)]
        [[7.3], [6.65]]
    """
    decay = math.log1p(discount_rate) / YEAR_DAYS
    worth = math.exp(-decay * to_days) * expected_orders(to_days)
    if from_days > 0:
        worth = worth - math.exp(-decay * from_days) * expected_orders(from_days)
    length = to_days - from_days
    if decay == 0 or length <= 0:
        return np.maximum(worth, 0.0)
    nodes = min(max(round(_NODES_A_YEAR * length / YEAR_DAYS), _FEWEST_NODES), _MOST_NODES)
    places, shares = np.polynomial.legendre.leggauss(nodes)
    for place, share in zip(places, shares, strict=True):
        days = from_days + length * (float(place) + 1) / 2
        worth = worth + decay * math.exp(-decay * days) * float(share) * length / 2 * expected_orders(days)
    return np.maximum(worth, 0.0)
