"""The seasonal clock: calendar time in, operational time out.

Where everybody orders three times as often in December, a silent December says more than a silent February, and a
horizon that holds a December is a long one. The clock runs fast in a busy month and slowly in a quiet one, a year on it
is a year, and on it customers order as the buy-till-you-die models say they do. So histories and horizon are put on the
clock, and the models stay as they are.

The speed of each month is found together with an MBG/NBD by maximum likelihood: with s(t) for the speed and L(t) for
the time on the clock, a customer's likelihood is that of the MBG/NBD at (x, L(t_x), L(T)), times s(t) for each repeat
order. That takes care of how many customers there were in each month and how old they were. The months are drawn
towards an even year as far as the data allow it (empirical Bayes): a shop without a season gets none.

What one year cannot tell: whether December was busy because it was December, or because of a campaign, a price or a
trend; every month was seen once, and customers grew older meanwhile. Therefore nothing is believed below 13 months,
half of what was seen (on the log scale) from there, and all of it from two years on. A month that two years show alike
may still differ in the third; the clock knows months, neither Easter nor the day of the week.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnkit.errors import ModelFileError
from churnkit.models.btyd import MBGNBD, fit_mbgnbd, likelihood_of
from churnkit.models.histories import FloatArray, checked, maximise, number_of

IntArray = NDArray[np.int64]

MONTHS = 12
FEWEST_DAYS, FULL_DAYS = 396, 730  # 13 months, two years
_YEAR_DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_START_SPREAD, _LEAST_SPREAD, _MOST_SPREAD = 0.3, 0.02, 1.0  # of the logs of the months
_ROUNDS = 4
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Season:
    """A clock that runs as fast as a month is busy.

    Attributes:
        months: How fast it runs in January .. December; the mean over a year is 1.
        weight: How much of what was seen is believed, 0 .. 1; `months` holds it already.
    """

    months: tuple[float, ...] = (1.0,) * MONTHS
    weight: float = 0.0

    def clock(self, days: ArrayLike) -> FloatArray:
        """The time on the clock at the beginning of each day, in days.

        Args:
            days: Whole days since 1970-01-01, where the clock shows 0.

        Example:
            >>> Season((0.5,) * 6 + (1.5,) * 6, 1.0).clock([0, 10, 181, 191]).tolist()
            [0.0, 5.0, 90.5, 105.5]
        """
        days = _whole_days(days)
        low, high = min(0, int(days.min(initial=0))), max(0, int(days.max(initial=0)))
        passed = np.concatenate(([0.0], np.cumsum(np.array(self.months)[_month(np.arange(low, high))])))
        return np.asarray(passed[days - low] - passed[-low])

    def habit(self, first_day: ArrayLike, last_day: ArrayLike, cutoff_day: int) -> tuple[FloatArray, FloatArray]:
        """`t_x` and `T` on the clock: from the first order to the last, and to the cutoff."""
        begin = self.clock(first_day)
        return self.clock(last_day) - begin, self.clock([cutoff_day])[0] - begin

    def horizon(self, cutoff_day: int, horizon_days: int) -> float:
        """The length on the clock of the days from the cutoff on."""
        begin, end = self.clock([cutoff_day, cutoff_day + horizon_days])
        return float(end - begin)

    def to_manifest(self) -> dict[str, Any]:
        """The months and the weight as plain JSON values."""
        return {"months": list(self.months), "weight": self.weight}

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The season of a manifest.

        Raises:
            ModelFileError: It does not hold twelve numbers and a weight, or its year is not a year.
        """
        if not isinstance(manifest, Mapping) or set(manifest) != {"months", "weight"}:
            raise ModelFileError("the season of the model does not hold exactly months, weight")
        months, weight = manifest["months"], manifest["weight"]
        if not isinstance(months, list) or len(months) != MONTHS:
            raise ModelFileError("the season of the model does not have twelve months")
        if type(weight) not in (int, float) or not 0 <= weight <= 1:
            raise ModelFileError("the weight of the season of the model is not a number within 0 .. 1")
        speeds = tuple(number_of("season", "a month", month) for month in months)
        if abs(_mean_speed(np.array(speeds)) - 1) > 1e-6:
            raise ModelFileError("the months of the season of the model are not 1 on average")
        return cls(speeds, float(weight))


def believed_share(history_days: float) -> float:
    """How much of a season is believed: nothing below 13 months, half of it from there on, all of it from two years on.

    Example:
        >>> [round(believed_share(days), 2) for days in (365, 396, 563, 730, 2000)]
        [0.0, 0.5, 0.75, 1.0, 1.0]
    """
    if history_days < FEWEST_DAYS:
        return 0.0
    return min(1.0, 0.5 + 0.5 * (history_days - FEWEST_DAYS) / (FULL_DAYS - FEWEST_DAYS))


def fit_season(
    x: ArrayLike,
    first_day: ArrayLike,
    last_day: ArrayLike,
    cutoff_day: int,
    order_day: ArrayLike,
    orders: ArrayLike,
) -> Season:
    """Finds how busy each month is, apart from how many customers there were.

    Args:
        x: Repeat order days of each customer.
        first_day: Day of their first order, in days since 1970-01-01.
        last_day: Day of their last order.
        cutoff_day: The first day that is not seen.
        order_day: Days with orders before the cutoff.
        orders: How many customers ordered on each of them, first orders included.

    Returns:
        The season, even where the history is shorter than 13 months or nobody returned.
    """
    first, last = _whole_days(first_day), _whole_days(last_day)
    x, _, _ = checked(x, last - first, cutoff_day - first)
    weight = believed_share(cutoff_day - int(first.min(initial=cutoff_day)))
    repeats = _monthly(order_day, orders) - _monthly(first, np.ones(len(first)))
    if weight == 0 or repeats.sum() <= 0:
        return Season()
    seen = _seen(x, first, last, cutoff_day, np.maximum(repeats, 0.0))
    even = fit_mbgnbd(x, (last - first).astype(np.float64), (cutoff_day - first).astype(np.float64))
    found = [1.0] * MONTHS + [even.r, even.alpha / seen.unit, even.a, even.b]
    spread = _START_SPREAD
    for _ in range(_ROUNDS):

        def mean_log_likelihood(parameters: FloatArray, spread: float = spread) -> tuple[float, FloatArray]:
            return _mean_log_likelihood(parameters, seen, spread)

        found, _ = maximise(mean_log_likelihood, (found,), _TOLERANCE)
        logs = np.log(found[:MONTHS])
        # what the months are spread by, and what is not known of each: the EM step for the variance of a prior
        spread = float(np.sqrt((logs**2 + 1 / (repeats + 1 / spread**2)).mean()))
        spread = min(max(spread, _LEAST_SPREAD), _MOST_SPREAD)
    speeds = np.exp(weight * np.log(found[:MONTHS]))
    return Season(tuple(float(speed) for speed in speeds / _mean_speed(speeds)), weight)


class _Seen(NamedTuple):
    """Distinct histories as places on a row of days, and the repeat orders of each month."""

    x: FloatArray
    first: IntArray
    last: IntArray
    weight: FloatArray
    month: IntArray
    repeats: FloatArray
    unit: float
    customers: int


def _seen(x: FloatArray, first: IntArray, last: IntArray, cutoff_day: int, repeats: FloatArray) -> _Seen:
    start = int(first.min())
    rows, counts = np.unique(
        np.column_stack((x.astype(np.int64), first - start, last - start)), axis=0, return_counts=True
    )
    return _Seen(
        x=rows[:, 0].astype(np.float64),
        first=rows[:, 1],
        last=rows[:, 2],
        weight=counts / counts.sum(),
        month=_month(np.arange(start, cutoff_day)),
        repeats=repeats,
        unit=max(float((cutoff_day - first).mean()) / 10, 0.1),
        customers=len(x),
    )


def _mean_log_likelihood(parameters: FloatArray, seen: _Seen, spread: float) -> tuple[float, FloatArray]:
    """The mean log likelihood with the prior at (months, r, alpha, a, b), and its derivatives."""
    months, (r, alpha, a, b) = parameters[:MONTHS], (float(value) for value in parameters[MONTHS:])
    passed = np.concatenate(([0.0], np.cumsum(months[seen.month]))) / seen.unit
    t_x, T = passed[seen.last] - passed[seen.first], passed[-1] - passed[seen.first]
    likelihood = likelihood_of(MBGNBD, (r, alpha, a, b), seen.x, t_x, T)
    rate = seen.weight * (r + seen.x)
    by_t_x, by_T = -rate * (1 - likelihood.alive) / (alpha + t_x), -rate * likelihood.alive / (alpha + T)
    # the clock at a day moves with every day before it: sums over later days of what hangs on the clock there
    at = np.bincount(seen.last, by_t_x, len(passed)) - np.bincount(seen.first, by_t_x + by_T, len(passed))
    at[-1] += by_T.sum()
    by_day = np.cumsum(at[::-1])[::-1][1:] / seen.unit
    logs = np.log(months)
    value = float((seen.weight * likelihood.log).sum())
    value += float((seen.repeats * logs - logs**2 / (2 * spread**2)).sum()) / seen.customers
    on_clock: FloatArray = np.bincount(seen.month, by_day, MONTHS).astype(np.float64)
    by_months = on_clock + (seen.repeats - logs / spread**2) / months / seen.customers
    by_model = [float((seen.weight * slope).sum()) for slope in likelihood.by_parameter]
    return value, np.concatenate((by_months, by_model))


def _monthly(days: ArrayLike, counts: ArrayLike) -> FloatArray:
    """Counts summed by calendar month."""
    days, counts = _whole_days(days), np.asarray(counts, dtype=np.float64)
    if counts.shape != days.shape or not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError("orders must be finite, not negative, and one per day")
    return np.bincount(_month(days), counts, MONTHS).astype(np.float64)


def _month(days: IntArray) -> IntArray:
    """0 for January .. 11 for December."""
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % MONTHS)


def _mean_speed(months: FloatArray) -> float:
    return float((months * _YEAR_DAYS).sum() / _YEAR_DAYS.sum())


def _whole_days(days: ArrayLike) -> IntArray:
    days = np.asarray(days)
    if days.ndim != 1 or (days.size and not np.issubdtype(days.dtype, np.integer)):
        raise ValueError("days must be one-dimensional and whole")
    return days.astype(np.int64)
