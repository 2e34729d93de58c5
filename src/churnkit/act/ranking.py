"""The ranking: who comes first when not everybody can be called."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import polars as pl
from polars import col

from churnkit.customers.attributes import Attributes
from churnkit.customers.snapshot import Orders, default_cutoff, order_book
from churnkit.errors import UsageError
from churnkit.predict.guards import guards_at, sentences
from churnkit.predict.interval import cannot_tell, cannot_tell_sentence
from churnkit.predict.model import ChurnModel
from churnkit.predict.reasons import column_of, reasons_for
from churnkit.predict.scoring import model_habit, score_customers
from churnkit.terms import SCORE

Population: TypeAlias = Literal["active", "all"]
RankBy: TypeAlias = Literal["stake", "risk", "value"]

_RANKED_BY: dict[RankBy, tuple[str, ...]] = {
    "stake": ("value_at_risk", "churn_probability", "monetary"),
    "risk": ("churn_probability", "value_at_risk", "monetary"),
    "value": ("spend_if_retained", "monetary", "churn_probability"),
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranked list, and what stands around it.

    Attributes:
        rows: The list (`terms.SCORE`).
        cutoff: The first day not seen.
        summary: Counts and sums over the whole population, whatever the list was cut to.
        notes: Sentences that a reader of the list must know, those of the guards first.
        guards: What to know before believing the list, by name; None where a guard does not apply.
    """

    rows: pl.DataFrame
    cutoff: date
    summary: dict[str, Any]
    notes: tuple[str, ...]
    guards: dict[str, str | None]


def score(
    orders: Orders,
    model: ChurnModel,
    *,
    cutoff: date | None = None,
    population: Population = "active",
    rank_by: RankBy = "stake",
    min_risk: float | None = None,
    top: int | None = None,
    attributes: Attributes | None = None,
) -> pl.DataFrame:
    """The customers who are about to leave, ranked by what can still be saved.

    Args:
        orders: Clean order lines (`churnkit.clean_orders`).
        model: A trained model (`churnkit.train`, `churnkit.load_model`).
        cutoff: First day not seen; the day after the last order where not given.
        population: `active` customers, or `all` who are known.
        rank_by: `stake` (value at risk), `risk` (churn probability) or `value` (spend if retained).
        min_risk: Leave out smaller churn probabilities.
        top: Only the first so many rows.
        attributes: What else is known of the customers, where the model was trained with it.

    Returns:
        One row per customer with the columns of `terms.SCORE`, best call first; ties go by `customer_id`.
    """
    return rank_customers(
        orders,
        model,
        cutoff=cutoff,
        population=population,
        rank_by=rank_by,
        min_risk=min_risk,
        top=top,
        attributes=attributes,
    ).rows


def rank_customers(
    orders: Orders,
    model: ChurnModel,
    *,
    cutoff: date | None = None,
    population: Population = "active",
    rank_by: RankBy = "stake",
    min_risk: float | None = None,
    top: int | None = None,
    attributes: Attributes | None = None,
) -> Ranked:
    """The list of `score`, with its summary and its notes."""
    if rank_by not in _RANKED_BY:
        raise UsageError(f"rank_by is {rank_by!r}", hint=f"take one of {', '.join(_RANKED_BY)}")
    book = order_book(orders, attributes)
    cutoff = cutoff or default_cutoff(book)
    known = score_customers(book, model, cutoff=cutoff)
    chosen = known if population == "all" else known.filter(col("recency_days") <= model.activity_window_days)
    listed = (
        chosen.filter(col("churn_probability") >= (min_risk or 0.0))
        .sort(*_RANKED_BY[rank_by], "customer_id", descending=[True] * 3 + [False], nulls_last=True)
        .head(chosen.height if top is None else top)
    )
    reasons = reasons_for(model, listed, model_habit(book, listed, model, cutoff), known, cutoff)
    rows = listed.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank"),
        column_of(reasons).alias("reasons"),
    ).select(term.name for term in SCORE)
    guards = guards_at(model, known, cutoff)
    notes = (*sentences(guards), *_notes(known, chosen, model))
    return Ranked(rows, cutoff, _summary(known, chosen, rows), notes, guards)


def _summary(known: pl.DataFrame, chosen: pl.DataFrame, rows: pl.DataFrame) -> dict[str, Any]:
    return {
        "customers": known.height,
        "scored": chosen.height,
        "listed": rows.height,
        "high_risk": int((chosen["risk"] == "high").sum()),
        "cannot_tell": chosen.filter(cannot_tell()).height,
        "expected_to_leave": round(float(chosen["churn_probability"].sum()), 1),
        "spend_if_retained": round(float(chosen["spend_if_retained"].sum()), 2),
        "value_at_risk": round(float(chosen["value_at_risk"].sum()), 2),
    }


def _notes(known: pl.DataFrame, chosen: pl.DataFrame, model: ChurnModel) -> tuple[str, ...]:
    notes = []
    lapsed = known.height - chosen.height
    if lapsed:
        notes.append(
            f"{lapsed:,} lapsed customers (last order more than {model.activity_window_days} days before the cutoff) "
            "are left out; --population all lists them too."
        )
    unclear = chosen.filter(cannot_tell()).height
    if unclear:
        notes.append(cannot_tell_sentence(unclear, chosen.height))
    if not model.has_amounts:
        notes.append("The file has no amounts: what is at stake is counted in orders.")
    return tuple(notes)
