"""The vocabulary: every column that churnkit shows, with its kind, its meaning, and when it is empty.

A word means one thing everywhere: the same in the shell, in Python, in JSON keys, in CSV headers and in the docs. The
renderer takes alignment and format from here, `churnkit schema` takes the JSON Schema, and the docs take the glossary.
Features carry their own terms: the docstring of each feature function (see `customers/features.py`).
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "id",  # text exactly as in the user's file
    "text",
    "integer",
    "days",
    "date",
    "money",
    "probability",  # 0..1, a risk: shown as a bar or in colour
    "share",  # 0..1, shown as a percentage
    "number",
    "boolean",
    "list",  # a list of texts
]


@dataclass(frozen=True, slots=True)
class Term:
    """One column or key: its name, what kind of value it holds, what it means, and whether it may be null."""

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False


RISK_HIGH, RISK_MEDIUM = 0.7, 0.4

ORDERS = (
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term("order_key", "integer", "Tells one order of a customer's day from another; 0 without an order id."),
    Term("ordered_at", "date", "When the line was ordered, to the second, in the stated time zone."),
    Term("amount_cents", "integer", "Net amount of the line in hundredths; negative for a return.", nullable=True),
    Term("quantity_milli", "integer", "Units of the line in thousandths.", nullable=True),
    Term("product", "id", "What was bought.", nullable=True),
    Term("market", "id", "The market that the line belongs to.", nullable=True),
)

SCORE = (
    Term("rank", "integer", "Place in the list, from 1."),
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term("churn_probability", "probability", "P(no order within the horizon)."),
    Term(
        "risk",
        "text",
        f"high from a churn probability of {RISK_HIGH}, medium from {RISK_MEDIUM}, low below.",
    ),
    Term("segment", "text", "Named RFM segment at the cutoff."),
    Term("last_order_on", "date", "Day of the last order before the cutoff."),
    Term("recency_days", "days", "Cutoff minus last order."),
    Term("frequency", "integer", "Number of orders before the cutoff."),
    Term("monetary", "money", "Net amount before the cutoff, refunds taken off.", nullable=True),
    Term("alive_probability", "share", "P(the habit still lives at the cutoff); not 1 - churn probability."),
    Term(
        "spend_if_retained",
        "money",
        "Net spend within one horizon at the customer's pace of the last two; in orders where the file has no amount.",
    ),
    Term(
        "value_at_risk",
        "money",
        "churn_probability x alive_probability x spend_if_retained: what can still be saved.",
    ),
    Term("next_order_on", "date", "When the next order was or is due by the customer's own rhythm.", nullable=True),
    Term("reasons", "list", "At most three reasons for the churn probability, in the customer's own numbers."),
)

WINDOW = (
    Term("silent_days", "days", "Days since the last order day."),
    Term("customers", "integer", "Times that a customer was silent for so long, with a whole horizon seen after it."),
    Term("returned", "integer", "Those that ordered again within the horizon."),
    Term("return_probability", "share", "Returned over customers."),
)

SEGMENT = (
    Term("segment", "text", "Named RFM segment at the cutoff."),
    Term("customers", "integer", "Customers in the segment."),
    Term("share", "share", "Their share of all customers."),
    Term("revenue", "money", "Their net amount before the cutoff.", nullable=True),
    Term("revenue_share", "share", "Their share of the net amount of all customers.", nullable=True),
    Term("mean_recency_days", "number", "Mean days from the last order to the cutoff."),
    Term("churn_probability", "probability", "Mean P(no order within the horizon) of those scored.", nullable=True),
    Term("value_at_risk", "money", "What can still be saved, summed over those scored.", nullable=True),
    Term("action", "text", "What to do for them."),
)

SEGMENT_LIST = (
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term("r_score", "integer", "Recency score 1..5, 5 for the most recent."),
    Term("f_score", "integer", "Frequency score 1..5, 5 for the most orders."),
    Term("m_score", "integer", "Monetary score 1..5, 5 for the highest net amount.", nullable=True),
    Term("segment", "text", "Named RFM segment at the cutoff."),
)
