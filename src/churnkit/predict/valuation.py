"""What a model knows about money and rhythm beside the churn probability: what `value` needs, learned once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import col

from churnkit.errors import ModelFileError
from churnkit.models.blend import Habit
from churnkit.models.btyd_average import BuyTillYouDieAverage
from churnkit.models.erlang import ErlangMixture
from churnkit.models.erlang_gaps import gap_probability
from churnkit.models.gamma_gamma import GammaGamma, fit_gamma_gamma
from churnkit.models.seasonal import Season
from churnkit.predict.manifest import number_of

FloatArray: TypeAlias = NDArray[np.float64]

COVERED = 0.8  # of the next orders of those who come back, within the range
TAIL = (1 - COVERED) / 2
_FEWEST_FORETOLD = 50  # gaps that count as if the mixture were right: a handful of customers moves the levels little
_WIDEST_TAIL, _TAIL_STEPS = 0.4, 61
_MOST_SPENDERS = 20_000  # more move nothing, and cost time
_LEAST_SPEND = 0.01
_MOST = 1e9


@dataclass(frozen=True, slots=True)
class Valuation:
    """What was learned about orders and spend.

    Attributes:
        spend: What an order day of a customer is worth, refunds taken off; None where the file has no amounts.
        mean_spend: The mean of it over all order days.
        orders_a_day: Orders over order days: above 1 where some customers order twice a day.
        gap_levels: The levels of the gap distribution between which 80 % of the next orders fall.
    """

    spend: GammaGamma | None
    mean_spend: float
    orders_a_day: float
    gap_levels: tuple[float, float] = (TAIL, 1 - TAIL)

    def to_manifest(self) -> dict[str, Any]:
        """The numbers as plain JSON values."""
        return {
            "spend": self.spend.to_manifest() if self.spend else None,
            "mean_spend": self.mean_spend,
            "orders_a_day": self.orders_a_day,
            "gap_levels": list(self.gap_levels),
        }

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], *, has_amounts: bool) -> Self:
        """The valuation of a manifest.

        Raises:
            ModelFileError: It holds what no training could have written.
        """
        if set(manifest) != {"spend", "mean_spend", "orders_a_day", "gap_levels"}:
            raise ModelFileError("the value part of the model does not hold exactly its four fields")
        spend, levels = manifest["spend"], manifest["gap_levels"]
        if (spend is not None and not has_amounts) or (spend is not None and not isinstance(spend, dict)):
            raise ModelFileError("spend of the model is not that of its training")
        if (
            not isinstance(levels, list)
            or len(levels) != 2
            or not all(type(level) is float for level in levels)
            or not 0 < levels[0] < levels[1] < 1
        ):
            raise ModelFileError("gap_levels of the model are not two rising numbers within 0 .. 1")
        return cls(
            None if spend is None else GammaGamma.from_manifest(spend),
            number_of(manifest, "mean_spend", 0.0, 1e15),
            number_of(manifest, "orders_a_day", 1.0, _MOST),
            (levels[0], levels[1]),
        )


def fit_valuation(customers: pl.DataFrame, habit: Habit, season: Season, layer: BuyTillYouDieAverage) -> Valuation:
    """Learn what an order is worth and how punctual customers are, from the customers known at a cutoff.

    Args:
        customers: The customer table at the cutoff.
        habit: Their habits, in the same order, on the clock of the season.
        season: The clock.
        layer: The buy-till-you-die models, fitted to these habits.
    """
    days, orders = int(customers["n_order_days"].sum()), int(customers["frequency"].sum())
    cents = int((customers["monetary"] * 100).round(0).cast(pl.Int64).sum())  # whole cents: their sum has no order
    return Valuation(
        spend=_fit_spend(customers),
        mean_spend=max(cents / 100 / days, 0.0),
        orders_a_day=orders / days,
        gap_levels=_gap_levels(customers, habit, season, erlang_of(layer)),
    )


def spend_of(customers: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Order days of each customer with known amounts, and the net amount of one, refunds taken off."""
    known = customers["monetary"].is_not_null()
    n = customers["n_order_days"].cast(pl.Float64)
    mean = (customers["monetary"] / n).clip(lower_bound=_LEAST_SPEND).fill_null(_LEAST_SPEND)
    return (n * known.cast(pl.Float64)).to_numpy(), mean.to_numpy()


def erlang_of(layer: BuyTillYouDieAverage) -> ErlangMixture | None:
    """The member of the layer that knows the gaps."""
    return next((member for member in layer.members if isinstance(member, ErlangMixture)), None)


def _fit_spend(customers: pl.DataFrame) -> GammaGamma | None:
    """The Gamma-Gamma of net amounts by order day; who sent back all they bought tells nothing about amounts."""
    bought = customers.filter(col("monetary") > 0)
    n, mean = spend_of(bought)
    if not len(n):
        return None
    order = np.lexsort((mean, n))
    chosen = order[np.linspace(0, len(order) - 1, min(len(order), _MOST_SPENDERS)).round().astype(np.int64)]
    return fit_gamma_gamma(n[chosen], mean[chosen])


def _gap_levels(
    customers: pl.DataFrame, habit: Habit, season: Season, erlang: ErlangMixture | None
) -> tuple[float, float]:
    """Between which levels of the gap distribution 80 % of the next orders fall.

    The mixture alone is right where its world is. Held-out last gaps of real customers fall within its 80 % more often,
    4 to 6 points on Online Retail and groceries, because a short history can show the shorter ones only; later gaps
    come to about 80 % again. So both count, half and half. The mean gap of a customer always stands within the range,
    which widens it; that is allowed for.
    """
    known = customers["n_order_days"].to_numpy() > 2
    if erlang is None or not known.any():
        return TAIL, 1 - TAIL
    last = customers["last_order_on"].to_physical().cast(pl.Int64)
    before = last - customers["last_gap_days"].fill_null(0)
    gap = (season.clock(last.to_numpy()) - season.clock(before.to_numpy()))[known]
    x, t_x = habit.x[known] - 1, np.maximum(habit.t_x[known] - gap, 0.0)
    seen = (x, t_x, habit.log_gaps[known] - np.log(gap))
    fell = gap_probability(erlang, gap, *seen)
    usual = gap_probability(erlang, t_x / x, *seen)
    foretold = max(len(fell), _FEWEST_FORETOLD)
    places = np.concatenate([fell, (np.arange(foretold) + 0.5) / foretold])
    usual = np.concatenate([usual, np.full(foretold, 0.5)])
    for tail in np.linspace(TAIL, _WIDEST_TAIL, _TAIL_STEPS):
        low, high = np.quantile(places, [tail, 1 - tail])
        covered = (places >= np.minimum(low, usual)) & (places <= np.maximum(high, usual))
        if covered.mean() <= COVERED:
            break
    return float(np.clip(low, 1e-6, 0.49)), float(np.clip(high, 0.51, 1 - 1e-6))
