"""What each customer will bring: orders and spend within the horizon and over a lifetime, and the next order."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from polars import col

from churnkit.customers.attributes import Attributes
from churnkit.customers.snapshot import Orders, default_cutoff, first_order_on, order_book
from churnkit.predict.expected import DISCOUNT_RATE, LIFETIME_DAYS, Lifetime, expected_mean_order, expected_orders
from churnkit.predict.guards import Guards, guards_at, sentences
from churnkit.predict.model import ChurnModel
from churnkit.predict.next_order import with_next_order_range
from churnkit.predict.scoring import model_habit, score_customers
from churnkit.terms import VALUE, percent

Population: TypeAlias = Literal["active", "all"]


@dataclass(frozen=True, slots=True)
class Valued:
    """Customers with what they will bring, and what stands around them.

    Attributes:
        rows: One row per customer (`terms.VALUE`), most valuable first.
        cutoff: The first day not seen.
        summary: Counts and sums over the whole population, whatever the list was cut to.
        notes: Sentences that a reader must know.
        guards: What to know before believing the numbers, by name (`predict.guards`).
    """

    rows: pl.DataFrame
    cutoff: date
    summary: dict[str, Any]
    notes: tuple[str, ...]
    guards: Guards


def value(
    orders: Orders,
    model: ChurnModel,
    *,
    cutoff: date | None = None,
    population: Population = "all",
    lifetime_days: int = LIFETIME_DAYS,
    margin: float = 1.0,
    discount_rate: float = DISCOUNT_RATE,
    top: int | None = None,
    attributes: Attributes | None = None,
) -> pl.DataFrame:
    """What customers will bring: orders and spend within the horizon, over a lifetime, and when the next order is due.

    Args:
        orders: Clean order lines (`churnkit.clean_orders`).
        model: A trained model (`churnkit.train`, `churnkit.load_model`).
        cutoff: First day not seen; the day after the last order where not given.
        population: `all` who are known, or `active` customers.
        lifetime_days: How many days from the cutoff the lifetime value counts.
        margin: Share of the spend that is earned.
        discount_rate: How much less money is worth a year later, as a share.
        top: Only the first so many rows.
        attributes: What else is known of the customers, where the model was trained with it.

    Returns:
        One row per customer with the columns of `terms.VALUE`, most valuable first; ties go by `customer_id`. Money is
        null where the file has no amounts; the rows then go by their orders over the lifetime.

    Raises:
        ShortHistoryError: There is no order before the cutoff.
        DataError: The model was trained with amounts, and the orders have none, or the other way round.

    Source: Fader, Hardie and Lee (2005), RFM and CLV, Journal of Marketing Research 42(4), for orders x spend.
    """
    lifetime = Lifetime(lifetime_days, margin, discount_rate)
    return value_customers(
        orders, model, cutoff=cutoff, population=population, lifetime=lifetime, top=top, attributes=attributes
    ).rows


def value_customers(
    orders: Orders,
    model: ChurnModel,
    *,
    cutoff: date | None = None,
    population: Population = "all",
    lifetime: Lifetime | None = None,
    top: int | None = None,
    attributes: Attributes | None = None,
) -> Valued:
    """The rows of `value`, with their summary and their notes."""
    lifetime = lifetime or Lifetime()
    book = order_book(orders, attributes)
    cutoff = cutoff or default_cutoff(book)
    known = score_customers(book, model, cutoff=cutoff)
    chosen = known if population == "all" else known.filter(col("recency_days") <= model.activity_window_days)
    habit = model_habit(book, chosen, model, cutoff)
    expected = expected_orders(chosen, habit, model, cutoff, lifetime)
    valued = with_next_order_range(chosen, habit, model).with_columns(
        pl.Series("expected_orders", expected.within_horizon),
        pl.Series("lifetime_orders", expected.within_lifetime),
        pl.Series("_discounted", expected.discounted),
        expected_mean_order(chosen, model),
    )
    valued = valued.with_columns(
        expected_spend=col("expected_orders") * col("expected_mean_order"),
        lifetime_value=col("_discounted") * col("expected_mean_order") * lifetime.margin,
    )
    by = "lifetime_value" if model.has_amounts else "_discounted"
    valued = valued.sort(by, "customer_id", descending=[True, False], nulls_last=True)
    rows = valued.head(valued.height if top is None else top).select(term.name for term in VALUE)
    history_days = (cutoff - first_order_on(book)).days
    guards = guards_at(model, known, cutoff)
    notes = (*sentences(guards), *_about_lifetime(lifetime, history_days, has_amounts=model.has_amounts))
    return Valued(rows, cutoff, _summary(known, valued, rows), notes, guards)


def _summary(known: pl.DataFrame, valued: pl.DataFrame, rows: pl.DataFrame) -> dict[str, Any]:
    return {
        "customers": known.height,
        "valued": valued.height,
        "listed": rows.height,
        "expected_orders": _total(valued["expected_orders"], 1),
        "expected_spend": _total(valued["expected_spend"], 2),
        "lifetime_orders": _total(valued["lifetime_orders"], 1),
        "lifetime_value": _total(valued["lifetime_value"], 2),
    }


def _total(amounts: pl.Series, digits: int) -> float | None:
    """The sum in the order of size, which no customer id can change; None where there is nothing to add up."""
    if amounts.null_count():
        return None
    return round(float(np.sort(amounts.to_numpy()).sum()), digits)


def _about_lifetime(lifetime: Lifetime, history_days: int, *, has_amounts: bool) -> tuple[str, ...]:
    notes = []
    if has_amounts:
        earned = "the whole spend" if lifetime.margin == 1 else f"{percent(lifetime.margin)} of the spend"
        notes.append(
            f"Lifetime value: {earned} (--margin) of {lifetime.days:,} days (--lifetime), discounted by "
            f"{100 * lifetime.discount_rate:.3g} % a year (--discount-rate); habits stay as they are."
        )
    else:
        notes.append("The file has no amounts: there are orders, but no spend and no lifetime value.")
    if lifetime.days > history_days:
        notes.append(
            f"The lifetime of {lifetime.days:,} days is longer than the history of {history_days:,}: what lies beyond "
            "is an extrapolation."
        )
    return tuple(notes)
