"""One customer whole: the keys of the JSON, and what a person sees."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from churnkit.output.document import Fact, Portrait, Push
from churnkit.terms import SCORE, Term

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

PURCHASES = (
    Term("ordered_on", "date", "Day of the order or refund."),
    Term("amount", "money", "Its net amount; null where the file has none.", nullable=True),
    Term("lines", "integer", "Its lines."),
    Term("refund", "boolean", "Whether the net amount is below 0."),
)

SIMILAR = (
    Term("cutoffs", "list", "When they looked like this customer does now, latest first."),
    Term("customers", "integer", "The 100 nearest (at most a tenth of all), and all who are as near as the last."),
    Term("left", "integer", "Those of them who did not order within the horizon after it."),
    Term("churn_rate", "share", "Left over customers."),
    Term("median_return_days", "number", "Median days until the next order of the others.", nullable=True),
    Term("median_spend", "money", "Median of what the others spent net within that horizon.", nullable=True),
)

_OF_TIME = (
    Term("n_order_days", "integer", "Days with an order.", nullable=True),
    Term("tenure_days", "days", "Cutoff minus first order.", nullable=True),
    Term("mean_gap_days", "number", "Mean days between order days; null after one.", nullable=True),
    Term("median_gap_days", "number", "Their median: the usual gap.", nullable=True),
    Term("max_gap_days", "days", "The longest gap.", nullable=True),
    Term("usual_gap_from_days", "days", "Half of the gaps lie from here ...", nullable=True),
    Term("usual_gap_to_days", "days", "... to here; null where there are fewer than four.", nullable=True),
    Term("silent_gaps", "number", "Recency in usual gaps.", nullable=True),
)

EXPLAINED = (
    *(term for term in SCORE if term.name != "rank"),
    *_OF_TIME,
    Term(
        "average_probability",
        "share",
        "Churn probability of the average active customer (in a labelled table, of the average customer), from which "
        "the families push.",
    ),
    Term("similar", "object", "What became of customers who looked like this one.", nullable=True, of=SIMILAR),
    Term(
        "told",
        "list",
        "The rhythm, what became of similar customers, and where nothing can be told yet: as sentences.",
    ),
    Term("orders", "objects", "Every order and refund before the cutoff, oldest first.", of=PURCHASES),
)

CUSTOMERS = Term(
    "customers",
    "objects",
    "The customers: the columns of `score`, their rhythm, what became of similar ones, and every order.",
    of=EXPLAINED,
)
LOOKED_AT = (
    *("churn_probability", "risk", "segment", "value_at_risk", "spend_if_retained", "alive_probability"),
    *("last_order_on", "recency_days", "next_order_on", "frequency", "monetary", "tenure_days"),
)


def portrait_of(
    customer: Mapping[str, Any],
    rows: "pl.DataFrame",
    *,
    in_money: bool = True,
    cutoff: "date | None" = None,
    horizon_days: int = 0,
) -> Portrait:
    """What the table shows of a customer.

    Args:
        customer: Values under the names of `EXPLAINED`; one that is not there is not known.
        rows: What each family of features, or each column of a labelled table, adds.
        in_money: Whether what is at stake is money; else it is orders.
        cutoff: Where the history ends; None where there is no time.
        horizon_days: Length of the horizon.
    """
    return Portrait(
        title=customer["customer_id"],
        reasons=customer["reasons"],
        facts=_facts(customer, in_money=in_money),
        orders=customer["orders"],
        cutoff=cutoff,
        horizon_days=horizon_days,
        lines=customer["told"],
        pushes=_pushes(rows),
        average=customer["average_probability"],
        probability=customer["churn_probability"],
        whose="customer" if cutoff is None else "active customer",
    )


def _facts(customer: Mapping[str, Any], *, in_money: bool) -> list[Fact]:
    """What a person looks for first, where it is known."""
    kinds = {term.name: term.kind for term in EXPLAINED}
    facts = []
    for name in LOOKED_AT:
        if (value := customer.get(name)) is not None:
            low, high = (customer.get(f"{name.removesuffix('_probability')}_{end}") for end in ("low", "high"))
            within = (low, high) if low is not None and high is not None else None
            kind = "number" if kinds[name] == "money" and not in_money else kinds[name]
            facts.append(Fact(name.replace("_", " "), value, kind, within))
    return facts


def _pushes(rows: "pl.DataFrame") -> list[Push]:
    """The rows of one customer as bars."""
    return [Push(row["family"], row["points"], row["statement"]) for row in rows.iter_rows(named=True)]
