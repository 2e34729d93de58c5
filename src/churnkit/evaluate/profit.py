"""What a contact list earns: the profit of churn campaigns as the field measures it.

A customer who would leave takes the offer with the probability `success_rate`, stays, and is worth `value` less the
offer; a customer who would have stayed anyway takes the offer too. Whom to contact is decided by the expected profit,
so by the churn probability where all customers are worth the same.

Sources: Verbeke, Dejaeger, Martens, Hur and Baesens (2012), New insights into churn prediction in the
telecommunication sector: a profit driven data mining approach, EJOR 218(1); Verbraken, Verbeke and Baesens (2013), A
novel profit maximizing metric for measuring classification performance of customer churn prediction models, IEEE TKDE
25(5).
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.errors import UsageError

FloatArray: TypeAlias = NDArray[np.float64]

SUCCESS_RATE = 0.3
_SURE_AS = 20.0  # contacts' worth of knowledge about the success rate: Verbraken's beta distribution is 6 and 14


@dataclass(frozen=True, slots=True)
class Costs:
    """What a campaign costs and what it can bring.

    Attributes:
        contact: Cost of reaching one customer.
        offer: Cost of the offer to one who takes it.
        success_rate: P(a customer who would leave takes the offer and stays).
        value: What a customer who stays is worth; each customer's own spend if retained where None.
    """

    contact: float = 0.0
    offer: float = 0.0
    success_rate: float = SUCCESS_RATE
    value: float | None = None

    def __post_init__(self) -> None:
        if min(self.contact, self.offer, self.value or 0.0) < 0 or not 0 < self.success_rate < 1:
            raise UsageError(
                f"no campaign has these costs: {self}",
                hint="costs and value are at least 0, the success rate lies between 0 and 1",
            )


def expected_profit(p: ArrayLike, value: ArrayLike, costs: Costs) -> FloatArray:
    """What contacting each customer earns on average, seen before the outcome.

    Args:
        p: Churn probability of each customer.
        value: What each is worth if kept.
        costs: Of the campaign.

    Example:
        >>> expected_profit([0.5, 0.1], [200, 200], Costs(contact=1, offer=10)).round(2).tolist()
        [22.5, -4.3]
    """
    churn, worth = np.asarray(p, dtype=np.float64), np.asarray(value, dtype=np.float64)
    return np.asarray(churn * costs.success_rate * (worth - costs.offer) - (1 - churn) * costs.offer - costs.contact)


def profit_if_contacted(y: ArrayLike, value: ArrayLike, costs: Costs) -> FloatArray:
    """What contacting each customer earns, seen after the outcome: `expected_profit` with certainty for probability.

    Example:
        >>> profit_if_contacted([1, 0], [200, 200], Costs(contact=1, offer=10)).tolist()
        [56.0, -11.0]
    """
    return expected_profit(y, value, costs)


def profit_curve(y: ArrayLike, p: ArrayLike, value: ArrayLike, costs: Costs) -> FloatArray:
    """Profit of contacting nobody, the best one, the best two and so on, in the order of the expected profit.

    Customers of equal expected profit each count as the mean of them.

    Example:
        >>> profit_curve([0, 1], [0.2, 0.9], [200, 200], Costs(contact=1, offer=10)).tolist()
        [0.0, 56.0, 45.0]
    """
    ranked = _ranked(y, p, value, costs)
    steps = np.diff(ranked.contacts, prepend=0)
    each = np.diff(costs.success_rate * ranked.saved - ranked.spent, prepend=0.0) / steps
    return np.concatenate([[0.0], np.cumsum(np.repeat(each, steps))])


def max_profit(y: ArrayLike, p: ArrayLike, value: ArrayLike, costs: Costs) -> float:
    """Profit of the best number of contacts, found with hindsight (MPC; the papers divide it by the customers).

    Example:
        >>> max_profit([0, 1], [0.2, 0.9], [200, 200], Costs(contact=1, offer=10))
        56.0
    """
    ranked = _ranked(y, p, value, costs)
    return float(np.max(costs.success_rate * ranked.saved - ranked.spent, initial=0.0))


def expected_max_profit(y: ArrayLike, p: ArrayLike, value: ArrayLike, costs: Costs) -> float:
    """`max_profit` averaged over success rates that are not known for sure (EMPC).

    The rates are beta distributed with mean `success_rate`, as widely as in Verbraken et al. (6 and 14 at .3). The
    profit of a fixed number of contacts is a straight line in the success rate, so the best number at each rate is the
    upper edge of the lines, and the mean over its pieces is a difference of beta distribution functions.

    Example:
        >>> round(expected_max_profit([0, 1], [0.2, 0.9], [200, 200], Costs(contact=1, offer=10)), 2)
        56.0
    """
    from scipy.special import betainc

    ranked = _ranked(y, p, value, costs)
    slope, fixed, start = _upper_edge(np.append(0.0, ranked.saved), np.append(0.0, ranked.spent))
    end = np.append(start[1:], 1.0)
    a, b = costs.success_rate * _SURE_AS, (1 - costs.success_rate) * _SURE_AS
    chance = betainc(a, b, end) - betainc(a, b, start)
    rate = costs.success_rate * (betainc(a + 1, b, end) - betainc(a + 1, b, start))
    return float((slope * rate - fixed * chance).sum())


class _Ranked(NamedTuple):
    """Lists of the best `contacts`: what success saves if it were certain, and what is spent whatever comes."""

    contacts: NDArray[np.int64]
    saved: FloatArray
    spent: FloatArray


def _ranked(y: ArrayLike, p: ArrayLike, value: ArrayLike, costs: Costs) -> _Ranked:
    """The lists that a threshold on the expected profit can give, shortest first."""
    churned, worth = np.asarray(y, dtype=np.float64), np.asarray(value, dtype=np.float64)
    _, place, size = np.unique(-expected_profit(p, worth, costs), return_inverse=True, return_counts=True)
    saved = np.bincount(place, churned * (worth - costs.offer))
    spent = np.bincount(place, costs.contact + (1 - churned) * costs.offer)
    return _Ranked(np.cumsum(size), np.cumsum(saved), np.cumsum(spent))


def _upper_edge(slope: FloatArray, fixed: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The lines `slope * rate - fixed` that are highest somewhere in 0 .. 1, and where each of them begins to be."""
    order = np.lexsort((fixed, slope))
    last = np.append(np.diff(slope[order]) > 0, True)
    first = np.append(True, np.diff(slope[order]) > 0)
    lines = np.column_stack([slope[order][last], fixed[order][first]])  # of equal slopes the cheapest
    kept: list[tuple[float, float, float]] = []  # slope, fixed, start
    for steep, cost in lines.tolist():
        start = 0.0
        while kept:
            start = max((cost - kept[-1][1]) / (steep - kept[-1][0]), 0.0)
            if start > kept[-1][2]:
                break
            kept.pop()
        if start < 1 or not kept:
            kept.append((steep, cost, start if kept else 0.0))
    edge = np.array(kept)
    return edge[:, 0], edge[:, 1], np.minimum(edge[:, 2], 1.0)
