"""The vocabulary: every column that churnkit shows, with its kind, its meaning, and when it is empty.

A word means one thing everywhere: the same in the shell, in Python, in JSON keys, in CSV headers and in the docs. The
renderer takes alignment and format from here, `churnkit schema` takes the JSON Schema, and the docs take the glossary.
Features carry their own terms: the docstring of each feature function (see `customers/features/`).
"""

from dataclasses import dataclass, replace
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
    "figure",  # a number by itself, shown with its six leading digits
    "boolean",
    "list",  # a list of texts
    "object",  # named values, in heads and summaries only
    "objects",  # a list of them
]


@dataclass(frozen=True, slots=True)
class Term:
    """One column or key: its name, what kind of value it holds, what it means, and whether it may be null.

    Objects and lists of objects name their own keys in `of`, as far as they are fixed.
    """

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False
    of: tuple["Term", ...] = ()


RISK_HIGH, RISK_MEDIUM = 0.7, 0.4


def percent(share: float) -> str:
    """A share in words.

    Example:
        >>> percent(0.054), percent(0.0004), percent(1.0)
        ('5 %', '<1 %', '100 %')
    """
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


ORDERS = (
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term("order_key", "integer", "Tells one order of a customer's day from another; 0 without an order id."),
    Term("ordered_at", "date", "When the line was ordered, to the second, in the stated time zone."),
    Term("amount_cents", "integer", "Net amount of the line in hundredths; negative for a return.", nullable=True),
    Term("quantity_milli", "integer", "Units of the line in thousandths.", nullable=True),
    Term("product", "id", "What was bought.", nullable=True),
    Term("market", "id", "The market that the line belongs to.", nullable=True),
)

# A labelled table has no time: what only a history of orders can fill is null there.
SCORE = (
    Term("rank", "integer", "Place in the list, from 1."),
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term("churn_probability", "probability", "P(no order within the horizon); in a labelled table P(churned)."),
    Term(
        "risk",
        "text",
        f"high from a churn probability of {RISK_HIGH}, medium from {RISK_MEDIUM}, low below.",
    ),
    Term("segment", "text", "Named RFM segment at the cutoff.", nullable=True),
    Term("last_order_on", "date", "Day of the last order before the cutoff.", nullable=True),
    Term("recency_days", "days", "Cutoff minus last order.", nullable=True),
    Term("frequency", "integer", "Number of orders before the cutoff.", nullable=True),
    Term("monetary", "money", "Net amount before the cutoff, refunds taken off.", nullable=True),
    Term(
        "alive_probability",
        "share",
        "P(the habit still lives at the cutoff); not 1 - churn probability.",
        nullable=True,
    ),
    Term(
        "spend_if_retained",
        "money",
        "Net spend within one horizon at the customer's pace of the last two; in orders where the file has no amount. "
        "In a labelled table the amount that was named.",
        nullable=True,
    ),
    Term(
        "value_at_risk",
        "money",
        "churn_probability x alive_probability x spend_if_retained: what can still be saved. In a labelled table, "
        "churn_probability x amount.",
        nullable=True,
    ),
    Term("next_order_on", "date", "When the next order was or is due by the customer's own rhythm.", nullable=True),
    Term("reasons", "list", "At most three reasons for the churn probability, in the customer's own numbers."),
    Term(
        "churn_low",
        "share",
        "Lower end of the 90 % interval of the churn probability: for 90 of 100 customers the true one, given their "
        "history, lies within.",
        nullable=True,
    ),
    Term("churn_high", "share", "Upper end of that interval.", nullable=True),
)

_SCORED = {term.name: term for term in SCORE}

VALUE = (
    _SCORED["customer_id"],
    Term("expected_orders", "number", "Orders to expect within the horizon, in accord with the churn probability."),
    Term("expected_spend", "money", "Net spend to expect within the horizon.", nullable=True),
    Term("lifetime_value", "money", "Net spend to expect over the lifetime x margin, discounted.", nullable=True),
    _SCORED["next_order_on"],
    Term("next_order_from", "date", "80 % of next orders in such rhythms come from this day on ...", nullable=True),
    Term("next_order_to", "date", "... until this one, counted from the last order; also in the past.", nullable=True),
    Term("lifetime_orders", "number", "Orders to expect over the lifetime, not discounted."),
    Term("expected_mean_order", "money", "Net amount to expect of an order.", nullable=True),
    *(_SCORED[name] for name in ("churn_probability", "segment", "last_order_on", "frequency", "monetary")),
)

WINDOW = (
    Term("silent_days", "days", "Days since the last order day."),
    Term("customers", "integer", "Times that a customer was silent for so long, with a whole horizon seen after it."),
    Term("returned", "integer", "Those that ordered again within the horizon."),
    Term("return_probability", "share", "Returned over customers."),
)

_COSTS = (
    Term("advised", "boolean", "Whether it is advised."),
    Term("taken", "boolean", "Whether this answer goes by it: advised, or given."),
    Term("active", "integer", "Customers who would be active at the cutoff."),
    Term("base_rate", "share", "Share of those active one horizon ago who have not ordered since.", nullable=True),
    Term("gone", "integer", "Times that a customer was silent for so long, with a whole horizon seen after it."),
    Term("returned", "integer", "Those of them that ordered again within that horizon: called gone by mistake."),
    Term("false_alarm_share", "share", "Returned over gone.", nullable=True),
    Term(
        "ever_returned_share",
        "share",
        "Share of those silent for so long who come back at all, as far as the history shows it (Kaplan-Meier).",
        nullable=True,
    ),
    Term("revenue_mistaken", "money", "What those who returned spent net within that horizon.", nullable=True),
)

HORIZON_CHOICES = (
    Term("horizon_days", "days", "The horizon; whoever is silent for so long is called gone."),
    *_COSTS,
    Term(
        "days_to_know",
        "days",
        "Days from the last order until it is known whether that was right: silent for a horizon, watched for another.",
    ),
)

ACTIVITY_CHOICES = (
    Term("activity_window_days", "days", "The activity window; whoever is silent for longer counts as lapsed."),
    *_COSTS,
)

EARLIER_ADVICE = (
    Term("cutoff", "date", "The earlier cutoff."),
    Term("horizon_days", "days", "The horizon that was advised then."),
    Term("typical_gap_days", "days", "The typical gap then.", nullable=True),
)

STABILITY = (
    Term("resamples", "integer", "How often the customers were drawn anew; 0 where too few came back to tell."),
    Term("agreeing_share", "share", "Share of the resamples that advise the same horizon.", nullable=True),
    Term("horizons", "object", "How many of the resamples advise each horizon, by its days."),
    Term("typical_gap_low_days", "days", "Lower end of the typical gap's 90 % interval.", nullable=True),
    Term("typical_gap_high_days", "days", "Upper end of it.", nullable=True),
    Term(
        "earlier", "objects", "What was advised one, two and three horizons earlier, latest first.", of=EARLIER_ADVICE
    ),
)

VERIFY = (
    Term("model", "text", "bgnbd, pareto_nbd, mbgnbd or gamma_gamma; data for what is counted."),
    Term(
        "quantity",
        "text",
        "A parameter by its name in the literature; correlation is that of the orders expected in "
        "the holdout with those that came.",
    ),
    Term("published", "figure", "As it was printed.", nullable=True),
    Term("ours", "figure", "Ours, with six digits after the point."),
    Term("difference", "figure", "Ours less the published one.", nullable=True),
    Term("agrees", "boolean", "Whether ours is the published one to every digit of that.", nullable=True),
    Term(
        "history",
        "text",
        "Whose orders: x repeat orders, the last after t_x of T weeks; and the weeks ahead.",
        nullable=True,
    ),
    Term("source", "text", "Where it was published.", nullable=True),
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

CUTOFF = Term("cutoff", "date", "The first day that is not seen; history is what was ordered before it.")
HORIZON = Term("horizon_days", "days", "Length of the horizon: no order within it is churn.")
ACTIVITY = Term("activity_window_days", "days", "A customer is active whose last order is at most this many days old.")

WINDOWS = tuple(replace(term, nullable=True) for term in (CUTOFF, HORIZON, ACTIVITY))
"""The same where a labelled table may have been scored, which has no time."""

CHECK_SUMMARY = (
    Term("lines_read", "integer", "Lines in the files; lines_kept plus those that were dropped."),
    Term("lines_kept", "integer", "Lines that were kept."),
    Term("orders", "integer", "Orders: the lines of one order id and day with a net amount of at least 0."),
    Term("refunds", "integer", "Orders whose net amount is below 0; they are no orders."),
    Term("customers", "integer", "Customers with a line that was kept."),
    Term("customers_with_orders", "integer", "Customers with an order, not only refunds."),
    Term("first_order_on", "date", "Day of the first order."),
    Term("last_order_on", "date", "Day of the last order."),
    Term("revenue", "money", "Net amount of the lines that were kept.", nullable=True),
    Term("amount_read", "money", "Net amount of the lines that were read.", nullable=True),
    Term("duplicates", "integer", "Lines that repeat an earlier line exactly; kept unless --dedupe."),
    Term("orders_per_customer", "number", "Orders over customers with an order.", nullable=True),
    Term("one_order_share", "share", "Share of the customers with an order who have one only.", nullable=True),
    Term("mean_order", "money", "Net amount of the orders over their number.", nullable=True),
    Term("median_gap_days", "days", "Days within which half of those who come back do so.", nullable=True),
    Term("typical_gap_days", "days", "Days within which 80 % of those who come back do so.", nullable=True),
)

CHECK_DROPPED = (
    Term("reason", "text", "Why the lines were dropped."),
    Term("lines", "integer", "How many lines were dropped for this reason."),
    Term("amount", "money", "Net amount of these lines, as far as it can be read.", nullable=True),
    Term("rule", "text", "The rule in words."),
    Term("examples", "list", "Where some of these lines stand."),
)

SCORE_SUMMARY = (
    Term("customers", "integer", "Customers known before the cutoff."),
    Term("scored", "integer", "Those of the population that was asked for."),
    Term("listed", "integer", "Rows of the list, after --min-risk and --top."),
    Term("high_risk", "integer", "Those scored whose risk is high."),
    Term(
        "cannot_tell",
        "integer",
        f"Those scored whose interval says nothing: from below {RISK_MEDIUM} to {RISK_HIGH} and above.",
        nullable=True,
    ),
    Term("expected_to_leave", "number", "Sum of the churn probabilities of those scored."),
    Term("spend_if_retained", "money", "Sum over those scored.", nullable=True),
    Term("value_at_risk", "money", "Sum over those scored: what can still be saved in all.", nullable=True),
)

BACKTEST = (
    Term("cutoff", "date", "The earlier cutoff; the outcome was read in the horizon after it."),
    Term("population", "text", "all known customers, or those active at the cutoff."),
    Term("model", "text", "churnkit, a rule or model that people use instead, the base rate, or the ceiling."),
    Term("auc", "number", "Area under the ROC curve: 0.5 is a coin, 1 is perfect.", nullable=True),
    Term("log_loss", "number", "Mean log loss of the probabilities; smaller is better."),
    Term("brier", "number", "Mean squared error of the probabilities; smaller is better."),
    Term("calibration_error", "number", "Mean gap between probability and rate over ten bins of equal size."),
    Term("lift_10", "number", "Rate within the top tenth over the base rate.", nullable=True),
    Term("captured_10", "share", "Share of all who left that is within the top tenth.", nullable=True),
    Term("customers", "integer", "How many customers were judged."),
    Term("base_rate", "share", "Share of them that left."),
    Term(
        "calibration_floor", "number", "The calibration error that chance alone leaves if the probabilities are true."
    ),
    Term("average_precision", "number", "Precision averaged over those who left, down the list.", nullable=True),
    Term(
        "captured_money_10",
        "share",
        "Share of the money lost with those who left (their spend if retained) that is within the top tenth by churn "
        "probability x spend if retained; of their orders where the file has no amount.",
        nullable=True,
    ),
    Term("reached", "share", "Log loss below the base rate's, as a share of what the ceiling's is.", nullable=True),
    Term("interval_width", "share", "Mean width of the 90 % intervals of churn_probability.", nullable=True),
    Term(
        "interval_coverage",
        "share",
        "Share of the groups of customers of like probability and interval whose rate lies where their 90 % intervals "
        "and chance say: 0.9 if these are true.",
        nullable=True,
    ),
    Term("interval_groups", "integer", "How many groups these are.", nullable=True),
    Term("contacted", "integer", "Customers whose expected profit is above 0 at the given costs.", nullable=True),
    Term("profit", "money", "What contacting those would have earned within the horizon.", nullable=True),
    Term("max_profit", "money", "Profit of the best number of contacts, found with hindsight (MPC).", nullable=True),
    Term(
        "expected_max_profit",
        "money",
        "The same, averaged over success rates around the given one (EMPC).",
        nullable=True,
    ),
)

DECILES = (
    Term("cutoff", "date", "The earlier cutoff."),
    Term("population", "text", "all known customers, or those active at the cutoff."),
    Term("model", "text", "As in the rows."),
    Term("decile", "integer", "Tenth of the list, 1 is its top."),
    Term("customers", "integer", "Customers in it."),
    Term("churn_probability", "probability", "Their mean probability, by which the list is ranked."),
    Term("churn_rate", "share", "Share of them that left."),
    Term("lift", "number", "That share over the base rate.", nullable=True),
    Term("captured", "share", "Share of all who left that is in this tenth or above it.", nullable=True),
    Term("money_lost", "money", "Spend if retained of those who left, in this tenth by probability x spend."),
    Term("captured_money", "share", "Share of all money lost that is in this tenth or above it.", nullable=True),
)

CURVES = (
    Term("model", "text", "As in the rows."),
    Term("share", "share", "How much of the list its top is."),
    Term("captured", "share", "Share of all who left that is in it, ranked by churn probability."),
    Term("captured_money", "share", "Share of the money lost that is in it, ranked by probability x spend."),
    Term("profit", "money", "What contacting it would have earned, ranked by expected profit.", nullable=True),
)

RELIABILITY = (
    Term("model", "text", "As in the rows."),
    Term("customers", "integer", "Customers of like probability: a tenth of all."),
    Term("churn_probability", "probability", "Their mean probability."),
    Term("churn_rate", "share", "Share of them that left."),
    Term("low", "share", "Lower end of the rate's 95 % interval."),
    Term("high", "share", "Upper end of it."),
)

BACKTEST_SUMMARY = (
    Term("verdict", "text", "Which model or rule to use, what the difference is worth, and what more could be had."),
    Term("use", "text", "churnkit, the alternative to use instead, either, or nothing."),
    Term("alternative", "text", "The best of the others: by profit where costs are given, else by log loss."),
    Term("population", "text", "Whom the verdict is about: active, or all."),
    Term("cutoffs", "integer", "Cutoffs that it rests on: those at which all models could be judged."),
    Term("cutoffs_won", "integer", "At how many of them churnkit has the lower log loss."),
    Term("log_loss_gain", "number", "Share by which churnkit's log loss is below the alternative's."),
    Term("log_loss_gain_error", "number", "Its standard error, over customers and cutoffs."),
    Term("worth", "money", "Profit, or money lost within the top tenth, above the alternative's, for each horizon."),
    Term("worth_error", "money", "Its standard error."),
    Term("worth_in", "text", "profit, money (lost, within the top tenth) or orders (where the file has no amount)."),
    Term("reached", "share", "Log loss below the base rate's, as a share of what the ceiling's is.", nullable=True),
)

MODEL_NAMES = {
    "churnkit": "churnkit",
    "inactivity_rule": "the inactivity rule",
    "rfm_score": "the RFM score",
    "bgnbd": "BG/NBD",
    "mbgnbd": "MBG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "erlang_mixture": "the Erlang mixture",
    "rfm_logistic": "RFM + logistic regression",
    "base_rate": "the base rate",
    "ceiling": "the ceiling",
}

EXPLAIN = (
    Term("customer_id", "id", "The customer, exactly as in the file."),
    Term(
        "family",
        "text",
        "Family of features: silence, frequency, recent, trend, spend, basket, refunds; an attribute, or a column of a "
        "labelled table.",
    ),
    Term("push", "number", "Log odds of churn that the family adds, against the average active customer."),
    Term("points", "number", "The same in points of churn probability: its share of the way from the average."),
    Term("statement", "text", "What the family says, in the customer's own numbers; empty where it says nothing."),
)
