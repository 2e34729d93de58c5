"""The list of a labelled table: the rows of `score`, empty where only time could fill them."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
import polars as pl
from polars import col

from churnkit.errors import DataError
from churnkit.predict.explain import points_of
from churnkit.predict.labelled.model import LabelledModel, Prediction, predict
from churnkit.predict.labelled.reasons import statements, table_reasons
from churnkit.predict.labelled.table import CustomerTable
from churnkit.predict.labelled.training import Trained
from churnkit.predict.reasons import column_of
from churnkit.terms import EXPLAIN, RISK_HIGH, RISK_MEDIUM, SCORE, SCORE_SUMMARY

_TYPES: Final[dict[str, Any]] = {"date": pl.Date, "text": pl.String, "days": pl.Int64, "integer": pl.Int64}
_RANKED_BY: Final[dict[str, tuple[str, ...]]] = {
    "stake": ("value_at_risk", "churn_probability"),
    "risk": ("churn_probability", "value_at_risk"),
    "value": ("spend_if_retained", "churn_probability"),
}


@dataclass(frozen=True, slots=True)
class TableList:
    """A ranked list, and what stands around it.

    Attributes:
        rows: The list (`terms.SCORE`).
        summary: Counts and sums over all rows of the table, whatever the list was cut to.
        notes: What a reader of the list must know.
    """

    rows: pl.DataFrame
    summary: dict[str, Any]
    notes: tuple[str, ...]


def score_labelled(
    table: CustomerTable,
    model: LabelledModel | Trained,
    *,
    rank_by: str = "stake",
    min_risk: float | None = None,
    top: int | None = None,
) -> pl.DataFrame:
    """The customers of a table, ranked by what is at stake, or by churn probability where no amount was named.

    Args:
        table: The table (`churnkit.customer_table`).
        model: What `train_labelled` gave for this very table: then every customer with a label is scored by a model
            that had not seen them. Or a `LabelledModel`, for another table.
        rank_by: `stake` (probability x amount), `risk` (churn probability) or `value` (the amount).
        min_risk: Leave out smaller churn probabilities.
        top: Only the first so many rows.

    Returns:
        One row per customer with the columns of `terms.SCORE`; null where only a history of orders could fill them.

    Raises:
        MissingColumnError: The table lacks a column of the model.
    """
    prediction = model.unseen if isinstance(model, Trained) else predict(model, table.cells)
    return list_customers(table, prediction, rank_by=rank_by, min_risk=min_risk, top=top).rows


def list_customers(
    table: CustomerTable,
    prediction: Prediction,
    *,
    rank_by: str = "stake",
    min_risk: float | None = None,
    top: int | None = None,
    decimal: str | None = None,
) -> TableList:
    """Rank the rows of a table.

    Args:
        table: The table.
        prediction: What was predicted for it.
        rank_by: `stake` (probability x amount, where there is an amount), `risk` or `value` (the amount).
        min_risk: Leave out smaller churn probabilities.
        top: Only the first so many rows.
        decimal: The decimal sign of numbers in text.
    """
    scored = _scored(table, prediction).with_row_index("place")
    chosen = scored.filter(col("churn_probability") >= (min_risk or 0.0))
    keys = _RANKED_BY[rank_by]
    listed = chosen.sort(*keys, "customer_id", "place", descending=[True, True, False, False], nulls_last=True)
    listed = listed.head(listed.height if top is None else top)
    here = listed["place"].to_numpy()
    shown = Prediction(prediction.columns, prediction.probability[here], prediction.pushes[here])
    reasons = table_reasons(table.cells[here.tolist()], shown, decimal)
    rows = listed.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank"),
        column_of(reasons).alias("reasons"),
        *(pl.lit(None, dtype=_TYPES.get(term.kind, pl.Float64)).alias(term.name) for term in SCORE
          if term.name not in (*listed.columns, "rank", "reasons")),
    )  # fmt: skip
    return TableList(
        rows.select(term.name for term in SCORE),
        _summary(table, scored, listed.height),
        (*prediction.notes, *_notes(table)),
    )


def explain_rows(
    table: CustomerTable, prediction: Prediction, customer_ids: list[str], decimal: str | None = None
) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    """Some customers whole: the columns of `score`, and what every column of the table adds (`terms.EXPLAIN`).

    Beside the columns stand `average_probability`, `told` (nothing, as there is no time) and `orders` (none).

    Raises:
        DataError: There is no such customer.
    """
    ranked = list_customers(table, prediction, rank_by="risk", decimal=decimal).rows
    said = statements(table.cells, prediction.columns, decimal)
    customers: list[dict[str, Any]] = []
    rows: list[tuple[Any, ...]] = []
    for wanted in dict.fromkeys(customer_ids):
        facts = ranked.filter(col("customer_id") == wanted).drop("rank").to_dicts()
        for place in _places(table, wanted):
            push, probability = prediction.pushes[place], prediction.probability[place]
            points = points_of(push, float(probability))
            rows += [
                (wanted, prediction.columns[at].name, float(push[at]), float(points[at]), said[at][place])
                for at in np.argsort(-np.abs(push), kind="stable")
            ]
            lived = {"average_probability": float(probability) - float(points.sum()) / 100, "told": [], "orders": []}
            customers.append(facts.pop(0) | lived)
    schema = {term.name: pl.Float64 if term.kind == "number" else pl.String for term in EXPLAIN}
    return customers, pl.DataFrame(rows, schema=schema, orient="row")


def _scored(table: CustomerTable, prediction: Prediction) -> pl.DataFrame:
    p = col("churn_probability")
    amounts = [] if table.amount_cents is None else [(table.amount_cents / 100).alias("spend_if_retained")]
    scored = pl.DataFrame([table.customer_ids, pl.Series("churn_probability", prediction.probability), *amounts])
    stake = col("spend_if_retained") if amounts else pl.lit(None, dtype=pl.Float64)
    return scored.with_columns(
        spend_if_retained=stake,
        value_at_risk=p * stake,
        risk=pl.when(p >= RISK_HIGH).then(pl.lit("high")).when(p >= RISK_MEDIUM).then(pl.lit("medium")).otherwise(
            pl.lit("low")
        ),
    )  # fmt: skip


def _summary(table: CustomerTable, scored: pl.DataFrame, listed: int) -> dict[str, Any]:
    cents = table.amount_cents
    values = {
        "customers": scored.height,
        "scored": scored.height,
        "listed": listed,
        "high_risk": int((scored["risk"] == "high").sum()),
        "cannot_tell": None,
        "expected_to_leave": round(float(scored["churn_probability"].sum()), 1),
        "spend_if_retained": None if cents is None else int(cents.sum()) / 100,
        "value_at_risk": None if cents is None else round(float(scored["value_at_risk"].sum()), 2),
    }
    return {term.name: values[term.name] for term in SCORE_SUMMARY}


def _notes(table: CustomerTable) -> tuple[str, ...]:
    if table.amount_cents is None:
        return (
            "No amount was named, so nothing is known of what is at stake: ranked by churn probability (--amount).",
        )
    gaps = table.amount_cents.null_count()
    return (f"{gaps:,} rows hold no amount: they stand last.",) if gaps else ()


def _places(table: CustomerTable, wanted: str) -> list[int]:
    places = (table.customer_ids == wanted).arg_true().to_list()
    if not places:
        near = get_close_matches(wanted, table.customer_ids.head(100_000).to_list(), n=3)
        raise DataError(
            f"there is no customer {wanted!r} in the table",
            hint=f"did you mean {', '.join(near)}?" if near else "ids are taken exactly as in the file",
        )
    return places
