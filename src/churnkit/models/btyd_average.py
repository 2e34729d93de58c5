"""The buy-till-you-die models as one: each with the weight that the history gives it.

Which of them is right differs from shop to shop, and the wrong one costs: where nobody leaves before the second order,
the MBG/NBD gives away 5 % of what could be known, and where customers order like clockwork all but the Erlang mixture
give away 10 %. Their likelihoods speak of the same thing, the times of the orders, so they can be compared. Posterior
weights proper would put everything on one model even where all are wrong, as they are for real customers; so a history
counts as much as that of 300 customers, and most of the weight is shared evenly. (On a real retailer the mixture
explains the past far better than the others and foretells one quarter of two worse.) Where outcomes are there to judge
by, a blend weighs the members anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from churnkit.errors import ModelFileError
from churnkit.models.btyd import BGNBD, MBGNBD, fit_bgnbd, fit_mbgnbd
from churnkit.models.erlang import ErlangMixture, fit_erlang_mixture
from churnkit.models.histories import FloatArray
from churnkit.models.pareto import ParetoNBD, fit_pareto_nbd

Member: TypeAlias = BGNBD | MBGNBD | ParetoNBD | ErlangMixture

WORTH_CUSTOMERS = 300
EVEN_SHARE = 0.7
_KINDS: dict[str, type[Member]] = {
    "bgnbd": BGNBD,
    "mbgnbd": MBGNBD,
    "pareto_nbd": ParetoNBD,
    "erlang_mixture": ErlangMixture,
}


@dataclass(frozen=True, slots=True)
class BuyTillYouDieAverage:
    """The models that have a weight, and their weights, which add up to 1.

    Every method takes the histories as the Erlang mixture does: `x`, `t_x`, `T` and `log_gaps`.
    """

    members: tuple[Member, ...]
    weights: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models."""
        return tuple(name for member in self.members for name, kind in _KINDS.items() if type(member) is kind)

    @property
    def at_bound(self) -> bool:
        """Whether the fit of the weightiest model ended on a bound of its parameters."""
        return self.members[int(np.argmax(self.weights))].at_bound

    def alive_probability(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike) -> FloatArray:
        """P(the customer still has the habit at the cutoff). This is not 1 - P(churn)."""
        return self._mean("alive_probability", (x, t_x, T, log_gaps))

    def no_order_probability(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike, horizon_days: float
    ) -> FloatArray:
        """P(no order within the horizon | history)."""
        return self._mean("no_order_probability", (x, t_x, T, log_gaps), horizon_days)

    def expected_orders(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike, horizon_days: float
    ) -> FloatArray:
        """Expected number of orders within the horizon, given the history."""
        return self._mean("expected_orders", (x, t_x, T, log_gaps), horizon_days)

    def each_no_order_probability(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike, horizon_days: float
    ) -> FloatArray:
        """P(no order within the horizon | history) by each model: (customers, members)."""
        history = (x, t_x, T, log_gaps)
        return np.column_stack(
            [
                member.no_order_probability(*_known_to(member, history), horizon_days)  # type: ignore[call-arg,arg-type]
                for member in self.members
            ]
        )

    def to_manifest(self) -> dict[str, Any]:
        """Per kind of model its weight and its parameters, as plain JSON values."""
        return {
            name: {"weight": weight, "parameters": member.to_manifest()}
            for name, member, weight in zip(self.names, self.members, self.weights, strict=True)
        }

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The average of a manifest.

        Raises:
            ModelFileError: A model is unknown, or its weight or its parameters cannot come from a fit.
        """
        if not isinstance(manifest, Mapping) or not manifest or not set(manifest) <= set(_KINDS):
            raise ModelFileError(f"the model holds something else than {', '.join(_KINDS)}")
        members, weights = [], []
        for name, kind in _KINDS.items():  # in this order, whatever the order in the file
            if name not in manifest:
                continue
            part = manifest[name]
            if not isinstance(part, Mapping) or set(part) != {"weight", "parameters"}:
                raise ModelFileError(f"the {name} part of the model does not hold exactly weight, parameters")
            if type(part["weight"]) not in (int, float) or not 0 < part["weight"] <= 1:
                raise ModelFileError(f"the weight of the {name} part of the model is not a number within 0 .. 1")
            members.append(kind.from_manifest(part["parameters"]))
            weights.append(float(part["weight"]))
        if abs(sum(weights) - 1) > 1e-9:
            raise ModelFileError("the weights of the parts of the model do not add up to 1")
        return cls(tuple(members), tuple(weights))

    def _mean(self, answer: str, history: tuple[ArrayLike, ...], *horizon_days: float) -> FloatArray:
        total = np.zeros(np.shape(history[0]))
        for member, weight in zip(self.members, self.weights, strict=True):
            total += weight * getattr(member, answer)(*_known_to(member, history), *horizon_days)
        return total


def _known_to(member: Member, history: tuple[ArrayLike, ...]) -> tuple[ArrayLike, ...]:
    return history if isinstance(member, ErlangMixture) else history[:3]


def fit_average(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike) -> BuyTillYouDieAverage:
    """Fits every model by maximum likelihood and weighs them by how well each explains the histories.

    Args:
        x: Repeat orders of each customer, whole numbers.
        t_x: Time from first to last order (`active_days`).
        T: Time from first order to the cutoff (`tenure_days`).
        log_gaps: Sum of the natural logs of the gaps between the orders, 0 without a repeat order.

    Raises:
        ShortHistoryError: There is no customer, or no time between the first orders and the cutoff.
    """
    timed = (fit_bgnbd(x, t_x, T), fit_mbgnbd(x, t_x, T), fit_pareto_nbd(x, t_x, T))
    erlang = fit_erlang_mixture(x, t_x, T, log_gaps)
    # Akaike: each parameter that was fitted is worth one unit of log likelihood
    explained = [_total(member.log_likelihood(x, t_x, T)) - 4 for member in timed]
    explained.append(_total(erlang.log_likelihood(x, t_x, T, log_gaps)) - 2 - 2 * len(erlang.shapes))
    weights = _weights(np.array(explained), len(np.asarray(x)))
    return BuyTillYouDieAverage((*timed, erlang), tuple(weights))


def _total(log_likelihood: FloatArray) -> float:
    return float(np.sort(log_likelihood).sum())  # sorted: the order of the customers changes no bit


def _weights(explained: FloatArray, customers: int) -> list[float]:
    """Posterior weights of a history worth at most so many customers, after what is shared evenly."""
    per_history = (explained - explained.max()) * min(1.0, WORTH_CUSTOMERS / customers)
    posterior = np.exp(per_history)
    weights = EVEN_SHARE / len(explained) + (1 - EVEN_SHARE) * posterior / posterior.sum()
    return [float(weight) for weight in weights]
