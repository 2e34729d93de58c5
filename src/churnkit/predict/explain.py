"""One customer whole: history, rhythm, probability, and what each family of features adds to it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

import numpy as np
import polars as pl
from polars import col

from churnkit.customers.attributes import Attributes
from churnkit.customers.gaps import gaps_of
from churnkit.customers.kernel import OrderBook
from churnkit.customers.similar import NOBODY_SIMILAR, Similar, earlier_customers
from churnkit.customers.snapshot import Orders, default_cutoff, history_of, order_book
from churnkit.errors import DataError
from churnkit.models.blend import probability_of
from churnkit.predict.guards import guards_at
from churnkit.predict.interval import cannot_tell_of
from churnkit.predict.model import ChurnModel
from churnkit.predict.pushes import families_of, family_pushes
from churnkit.predict.reasons import reasons_for, statement, usual_values
from churnkit.predict.scoring import model_habit, score_customers
from churnkit.terms import EXPLAIN, SCORE


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of some customers.

    Attributes:
        cutoff: The first day not seen.
        customers: One dictionary per customer, the columns of `terms.SCORE` but the rank, the rhythm, the
            probability of the average customer, what became of similar ones, both in words (`told`), and `orders`.
        rows: What each family adds (`terms.EXPLAIN`), strongest first within a customer.
        guards: What to know before believing it, by name; None where a guard does not apply.
    """

    cutoff: date
    customers: tuple[dict[str, Any], ...]
    rows: pl.DataFrame
    guards: dict[str, str | None]


def explain(
    orders: Orders,
    model: ChurnModel,
    customer_ids: Sequence[str],
    *,
    cutoff: date | None = None,
    attributes: Attributes | None = None,
) -> Explanation:
    """Explain the churn probability of some customers.

    Args:
        orders: Clean order lines.
        model: A trained model.
        customer_ids: Whom to explain, as in the file.
        cutoff: First day not seen; the day after the last order where not given.
        attributes: What else is known of the customers, where the model was trained with it.

    Raises:
        DataError: A customer has no order before the cutoff.
    """
    book = order_book(orders, attributes)
    cutoff = cutoff or default_cutoff(book)
    known = score_customers(book, model, cutoff=cutoff)
    wanted = [_one(known, customer_id, cutoff) for customer_id in dict.fromkeys(customer_ids)]
    chosen = pl.concat(wanted)
    usual = usual_values(known)
    habit = model_habit(book, chosen, model, cutoff)
    reasons = reasons_for(model, chosen, habit, known, cutoff)
    pushes = family_pushes(model, chosen, habit)
    earlier = earlier_customers(book, cutoff=cutoff, horizon_days=model.horizon_days)
    families = families_of(model)
    rows: list[dict[str, Any]] = []
    customers = []
    for one, push, given in zip(chosen.iter_slices(1), pushes, reasons, strict=True):
        row = one.row(0, named=True)
        points = points_of(push, row["churn_probability"])
        for place in np.argsort(-np.abs(push), kind="stable"):
            rising = bool(push[place] >= 0)
            said = statement(families[place], row, usual, cutoff, rising=rising, attributes=model.attributes)
            values = (row["customer_id"], families[place], float(push[place]), float(points[place]), said)
            rows.append(dict(zip((term.name for term in EXPLAIN), values, strict=True)))
        average = row["churn_probability"] - float(points.sum()) / 100
        lived = _lived(book, one, cutoff, earlier.similar_to(one) if earlier else None)
        facts = {term.name: row[term.name] for term in SCORE if term.name in row}
        known_of = {name: row[name] for name in ("n_order_days", "tenure_days")}
        customers.append({**facts, "reasons": given, **known_of, "average_probability": average, **lived})
    schema = {"customer_id": pl.String, "family": pl.String, "push": pl.Float64, "points": pl.Float64}
    told = pl.DataFrame(rows, schema=schema | {"statement": pl.String})
    return Explanation(cutoff, tuple(customers), told, guards_at(model, known, cutoff))


def _lived(book: OrderBook, one: pl.DataFrame, cutoff: date, similar: Similar | None) -> dict[str, Any]:
    """The history of a customer, the rhythm in it, and what became of similar ones; in numbers and in words."""
    orders = history_of(book, customer_id=one["customer_id"][0], cutoff=cutoff)
    gaps = gaps_of(orders, cutoff=cutoff)
    rhythm = {name: value for name, value in asdict(gaps).items() if name != "silent_days"}
    fate = similar.figures() if similar else None
    told = [gaps.sentence(), similar.sentence() if similar else NOBODY_SIMILAR]
    if unclear := cannot_tell_of(*one.select("churn_low", "churn_high").row(0)):
        told.insert(0, unclear)
    return rhythm | {"similar": fate, "told": told, "orders": orders.to_dicts()}


def _one(known: pl.DataFrame, customer_id: str, cutoff: date) -> pl.DataFrame:
    found = known.filter(col("customer_id") == customer_id)
    if found.is_empty():
        near = get_close_matches(customer_id, known["customer_id"].head(100_000).to_list(), n=3)
        raise DataError(
            f"there is no customer {customer_id!r} with an order before {cutoff}",
            hint=f"did you mean {', '.join(near)}?" if near else "ids are taken exactly as in the file",
        )
    return found


def points_of(push: np.ndarray[Any, np.dtype[np.float64]], probability: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The pushes as points of probability: the way from the average customer's probability, shared out."""
    total = float(push.sum())
    p = min(max(probability, 1e-6), 1 - 1e-6)
    average = float(probability_of(np.array([np.log(p / (1 - p)) - total]))[0])
    slope = (probability - average) / total if abs(total) > 1e-9 else probability * (1 - probability)
    return np.asarray(100.0 * push * slope)
