"""Reasons: at most three families of features, told in the customer's own numbers.

The families told are those that push the churn probability up, or, where nothing pushes it up that could stand beside
what pushes it down, those that keep it down; and only in words that agree with the direction of the push: a customer
with large orders never reads "small orders".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import TREND_DAYS
from churnkit.models.blend import Habit
from churnkit.predict.attributes import Attributes, statement_of
from churnkit.predict.model import ChurnModel
from churnkit.predict.pushes import families_of, family_pushes
from churnkit.windows import MONTHS

Row: TypeAlias = Mapping[str, Any]

MOST_REASONS = 3
LEAST_PUSH = 0.05  # log odds: below this a family is not worth a word
LEAST_SHARE = 0.15  # of the strongest push
LEAST_WARNING = 0.5  # of the strongest push down: a weaker push up is not why a customer is where they are
CLEARLY = 1.2  # a value is called small or large if it is this many times away from the usual one
_DAYS_PER_MONTH = 30.44
_USUAL = ("mean_order", "n_products", "units_per_order", "n_order_days")


@dataclass(frozen=True, slots=True)
class Telling:
    """What a statement is told from.

    Attributes:
        row: The customer, a row of the customer table.
        usual: Medians over all known customers, to call something small or large by.
        since: The month in which the recent half of the trend begins.
        rising: Whether the family pushes the churn probability up.
    """

    row: Row
    usual: Row
    since: str
    rising: bool

    def value(self, name: str) -> Any:
        """A feature of the customer; None where it is null."""
        return self.row[name]

    def unlike_usual(self, name: str) -> bool:
        """Whether a feature is clearly on the side of the usual value that fits the push: below if rising."""
        value, usual = self.row[name], self.usual[name]
        if value is None or usual is None:
            return False
        return bool(value < usual / CLEARLY if self.rising else value > usual * CLEARLY)


def reasons_for(
    model: ChurnModel, customers: pl.DataFrame, habit: Habit, known: pl.DataFrame, cutoff: date
) -> list[list[str]]:
    """At most three reasons for each row of the customer table, the strongest first.

    Args:
        model: The model that scored them.
        customers: The rows to tell reasons for.
        habit: Their habits, on the clock of the model.
        known: All known customers, for what is usual.
        cutoff: The cutoff of the rows.
    """
    return [[words for _, words in told] for told in _told(model, customers, habit, known, cutoff)]


def families_told(
    model: ChurnModel, customers: pl.DataFrame, habit: Habit, known: pl.DataFrame, cutoff: date
) -> list[list[str]]:
    """The families that the reasons of `reasons_for` speak of, in their order."""
    return [[family for family, _ in told] for told in _told(model, customers, habit, known, cutoff)]


def column_of(reasons: Sequence[Sequence[str]]) -> pl.Series:
    """Reasons as a column of lists; Polars takes 500 MB to read 100,000 short lists, and next to nothing this way.

    Example:
        >>> column_of([["silent for 9 days", "2 refunds"], ["no order in the last 90 days"]]).to_list()
        [['silent for 9 days', '2 refunds'], ['no order in the last 90 days']]
    """
    places = [
        pl.Series([told[place] if place < len(told) else None for told in reasons], dtype=pl.String)
        for place in range(max(map(len, reasons), default=1))
    ]
    return pl.select(pl.concat_list(places).list.drop_nulls()).to_series()


def usual_values(known: pl.DataFrame) -> Row:
    """Medians over all known customers."""
    return known.select(pl.col(_USUAL).cast(pl.Float64).median()).row(0, named=True)


def statement(family: str, row: Row, usual: Row, cutoff: date, *, rising: bool, attributes: Attributes = ()) -> str:
    """What a family or an attribute says of a customer; empty where it has nothing to say in that direction."""
    if family not in _STATEMENTS:
        return statement_of(family, attributes, row, cutoff)
    since = MONTHS[(cutoff - timedelta(days=TREND_DAYS)).month - 1]
    return _STATEMENTS[family](Telling(row, usual, since, rising))


def _told(
    model: ChurnModel, customers: pl.DataFrame, habit: Habit, known: pl.DataFrame, cutoff: date
) -> Iterator[list[tuple[str, str]]]:
    """Families and what is said of them, for each row of the customer table."""
    usual = usual_values(known)
    pushes = family_pushes(model, customers, habit)
    for row, push in zip(customers.iter_rows(named=True), pushes, strict=True):
        yield _strongest(model, row, push, usual, cutoff)


def tells_why_up(push: NDArray[np.float64]) -> bool:
    """Whether the reasons of a customer say what pushes the churn probability up, or what keeps it down.

    A good customer who falls silent is warned of, though all in all they are safer than the average; a safe customer is
    not said to be at risk for the little that everybody has.

    Example:
        >>> tells_why_up(np.array([0.9, -1.4])), tells_why_up(np.array([0.1, -1.4]))
        (True, False)
    """
    return bool(push.max() >= max(LEAST_PUSH, -LEAST_WARNING * push.min()))


def _strongest(
    model: ChurnModel, row: Row, push: NDArray[np.float64], usual: Row, cutoff: date
) -> list[tuple[str, str]]:
    rising = tells_why_up(push)
    strength = push if rising else -push
    least = max(LEAST_PUSH, LEAST_SHARE * strength.max())
    told: list[tuple[str, str]] = []
    families = families_of(model)
    for place in np.argsort(-strength, kind="stable"):
        if strength[place] < least or len(told) == MOST_REASONS:
            break
        if said := statement(families[place], row, usual, cutoff, rising=rising, attributes=model.attributes):
            told.append((families[place], said))
    return told or [("silence", statement("silence", row, usual, cutoff, rising=rising))]


def _silence(of: Telling) -> str:
    recency, order_days, gap = of.value("recency_days"), of.value("n_order_days"), of.value("mean_gap_days")
    quiet = f"last order {_days(recency)} ago" if gap is None or recency <= gap else f"silent for {recency}"
    if of.value("frequency") == 1:
        return f"one order only, {_days(recency)} ago"
    if order_days == 1:
        return f"{of.value('frequency')} orders on one day only, {_days(recency)} ago"
    if order_days == 2:
        return f"came back once, after {_days(of.value('active_days'))}; {quiet}"
    return f"buys every {_days(round(gap))}, {quiet}"


def _frequency(of: Telling) -> str:
    """Nothing after a single order day: the silence says it."""
    order_days, orders = of.value("n_order_days"), of.value("frequency")
    if order_days == 1:
        return ""
    only = "only " if of.unlike_usual("n_order_days") and of.rising else ""
    what = f"{only}{orders} orders" if order_days == orders else f"orders on {only}{order_days} days"
    return f"{what} in {_span(of.value('tenure_days'))}"


def _recent(of: Telling) -> str:
    if not of.rising:
        return f"{_orders(of.value('orders_last_90_days'))} in the last 90 days"
    if of.value("n_order_days") == 1:
        return ""
    for days in (365, 180, 90):
        if of.value(f"orders_last_{days}_days") == 0:
            return f"no order in the last {days} days"
    return f"only {_orders(of.value('orders_last_90_days'))} in the last 90 days"


def _trend(of: Telling) -> str:
    for name, verb, often in (("spend_trend_180_days", "spends", ""), ("orders_trend_180_days", "orders", " often")):
        change = of.value(name)
        if change is not None and (change < 0) == of.rising and (amount := _amount_of_change(change)):
            return f"{verb} {amount}{often} since {of.since}"
    return ""


def _spend(of: Telling) -> str:
    if not of.unlike_usual("mean_order"):
        return ""
    size = f"{of.value('mean_order'):,.2f}, usual is {of.usual['mean_order']:,.2f}"
    kind = "small" if of.rising else "large"
    return f"{kind} order ({size})" if of.value("frequency") == 1 else f"{kind} orders ({size})"


def _basket(of: Telling) -> str:
    only = "only " if of.rising else ""
    if of.unlike_usual("n_products"):
        products = of.value("n_products")
        return (
            f"{only}{products} different product{'' if products == 1 else 's'}, usual is {of.usual['n_products']:.0f}"
        )
    if of.unlike_usual("units_per_order"):
        units, usual = of.value("units_per_order"), of.usual["units_per_order"]
        return f"{only}{units:,.1f} units an order, usual is {usual:,.1f}"
    return ""


def _refunds(of: Telling) -> str:
    refunds = of.value("n_refunds")
    if not of.rising or not refunds:
        return ""
    return f"{refunds} refund{'' if refunds == 1 else 's'}, the last {_days(of.value('days_since_refund'))} ago"


_STATEMENTS: dict[str, Callable[[Telling], str]] = {
    "silence": _silence,
    "frequency": _frequency,
    "recent": _recent,
    "trend": _trend,
    "spend": _spend,
    "basket": _basket,
    "refunds": _refunds,
}


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _orders(orders: int) -> str:
    return "1 order" if orders == 1 else f"{orders} orders"


def _span(days: int) -> str:
    months = round(days / _DAYS_PER_MONTH)
    return _days(days) if months < 2 else f"{months} months"


_CHANGES = (
    (0.05, "almost nothing"),
    (0.30, "three quarters less"),
    (0.42, "two thirds less"),
    (0.58, "half as much"),
    (0.71, "a third less"),
    (0.85, "a quarter less"),
    (1.18, ""),
    (1.42, "a quarter more"),
    (1.75, "half as much again"),
    (2.60, "twice as much"),
    (4.00, "three times as much"),
    (np.inf, "much more"),
)


def _amount_of_change(change: float) -> str:
    """A change from -1 to 1 (difference over sum) in words; empty where it is not worth saying."""
    ratio = (1 + change) / (1 - change) if change < 1 else np.inf
    return next(words for limit, words in _CHANGES if ratio <= limit)
