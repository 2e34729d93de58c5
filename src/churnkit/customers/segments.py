"""RFM scores, the named segments they make, and what to do for each.

Source: Hughes, Strategic Database Marketing (1994), for the scores; the names are those of common practice.
"""

from dataclasses import dataclass

import polars as pl
from polars import col, when

from churnkit.customers.features import FEATURES
from churnkit.customers.features.registry import divide, money
from churnkit.errors import UsageError

SCORES = 5
_MILLIONTHS = 1_000_000
_MOST_VALUES = 50
_OURS = frozenset({"customer_id", "last_order_on", *(feature.name for feature in FEATURES)})


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """One segment: the recency and frequency scores that belong to it (both ends included), and what to do."""

    segment: str
    r_scores: tuple[int, int]
    f_scores: tuple[int, int]
    action: str


SEGMENT_RULES = (
    SegmentRule("Champions", (5, 5), (4, 5), "Thank them, show them new things first, ask them to recommend you."),
    SegmentRule("Loyal", (3, 4), (4, 5), "Keep the rhythm: reward the next order, suggest what goes with the last."),
    SegmentRule("Potential loyalists", (4, 5), (3, 3), "Offer a reason to make it a habit: a bundle, a membership."),
    SegmentRule("New", (5, 5), (1, 2), "Welcome them, and help the first order succeed before selling the next."),
    SegmentRule("Promising", (4, 4), (1, 2), "Make a small, timely offer for the second or third order."),
    SegmentRule("Needs attention", (3, 3), (3, 3), "Remind them now of what they used to buy."),
    SegmentRule("About to sleep", (3, 3), (1, 2), "Send one reminder with something popular; do not discount yet."),
    SegmentRule("At risk", (1, 2), (3, 4), "Win them back personally: ask what changed, offer a way back."),
    SegmentRule("Can't lose", (1, 2), (5, 5), "Call them: they ordered most of all and have stopped."),
    SegmentRule("Hibernating", (2, 2), (1, 2), "Include them in the season's mailing, nothing more."),
    SegmentRule("Lost", (1, 1), (1, 2), "Leave them alone, or try once with the strongest offer."),
)
"""Every pair of a recency and a frequency score belongs to exactly one rule."""


def rfm_scores(customers: pl.DataFrame) -> pl.DataFrame:
    """Scores 1..5 for recency, frequency and monetary among these customers: fifths by rank, 5 is best.

    Equal values share the mean of their ranks, hence a score, and a better value never gets a lower one. A customer
    alone, or a value that all share, scores 3.

    Args:
        customers: With `customer_id recency_days frequency monetary`, as from `snapshot`.

    Returns:
        `customer_id r_score f_score m_score` in the order of the input; `m_score` is null where `monetary` is.

    Example:
        >>> five = pl.DataFrame({"customer_id": list("abcde"), "recency_days": [9, 1, 30, 80, 200],
        ...                      "frequency": [9, 4, 1, 1, 1], "monetary": [5.0, 9.0, 1.0, 2.0, 3.0]})
        >>> rfm_scores(five).rows()
        [('a', 4, 5, 4), ('b', 5, 4, 5), ('c', 3, 2, 1), ('d', 2, 2, 2), ('e', 1, 2, 3)]
    """
    return customers.select(
        "customer_id",
        r_score=_score(col("recency_days"), descending=True),
        f_score=_score(col("frequency")),
        m_score=_score(col("monetary")),
    )


def segment_customers(customers: pl.DataFrame) -> pl.DataFrame:
    """Scores and the named segment of every customer.

    Args:
        customers: With `customer_id recency_days frequency monetary`, as from `snapshot`.

    Returns:
        `customer_id r_score f_score m_score segment` (`terms.SEGMENT_LIST`) in the order of the input.
    """
    belongs = (
        when(col("r_score").is_between(*rule.r_scores) & col("f_score").is_between(*rule.f_scores)).then(
            pl.lit(rule.segment)
        )
        for rule in SEGMENT_RULES
    )
    return rfm_scores(customers).with_columns(segment=pl.coalesce(belongs))


def segment_summary(
    customers: pl.DataFrame, segments: pl.DataFrame, scored: pl.DataFrame | None = None, *, by: str | None = None
) -> pl.DataFrame:
    """One row per segment that has customers, in the order of `SEGMENT_RULES`.

    Args:
        customers: As from `snapshot`.
        segments: As from `segment_customers`.
        scored: `customer_id churn_probability value_at_risk` of some or all of them; without it these are null.
        by: An attribute, a column of `customers`: one row per segment and value of it, the unknown last.

    Raises:
        UsageError: There is no such attribute, or it has too many values.

    Returns:
        `segment customers share revenue revenue_share mean_recency_days churn_probability value_at_risk action`
        (`terms.SEGMENT`), `by` after the segment. Revenue shares are null where there is no amount, or no positive
        total.
    """
    if scored is None:
        scored = pl.DataFrame(
            schema={"customer_id": pl.String, "churn_probability": pl.Float64, "value_at_risk": pl.Float64}
        )
    levels = [] if by is None else [_few(customers, by)]
    joined = (
        customers.select("customer_id", "recency_days", "monetary", *levels)
        .join(segments.select("customer_id", "segment"), on="customer_id")
        .join(scored.select("customer_id", "churn_probability", "value_at_risk"), on="customer_id", how="left")
    )
    # Floats are summed as whole cents and millionths, so that the order of addition cannot show.
    totals = joined.group_by("segment", *levels).agg(
        pl.len().cast(pl.Int64).alias("customers"),
        _sum_or_null((col("monetary") * 100).round().cast(pl.Int64)).alias("cents"),
        col("recency_days").sum().alias("recency"),
        _sum_or_null(_millionths("churn_probability")).alias("churn"),
        col("churn_probability").count().cast(pl.Int64).alias("n_scored"),
        _sum_or_null(_millionths("value_at_risk")).alias("at_risk"),
    )
    rules = pl.DataFrame(
        {"segment": [rule.segment for rule in SEGMENT_RULES], "action": [rule.action for rule in SEGMENT_RULES]}
    )
    totals = totals.sort(*levels, nulls_last=True) if levels else totals
    return rules.join(totals, on="segment", maintain_order="left_right").select(
        "segment",
        *levels,
        "customers",
        share=divide(col("customers"), col("customers").sum()),
        revenue=money(col("cents")),
        revenue_share=when(col("cents").sum() > 0).then(divide(col("cents"), col("cents").sum())),
        mean_recency_days=col("recency") / col("customers"),
        churn_probability=col("churn") / (col("n_scored") * _MILLIONTHS),
        value_at_risk=divide(col("at_risk"), _MILLIONTHS),
        action="action",
    )


def _few(customers: pl.DataFrame, by: str) -> str:
    """The attribute, if its values are few enough to look at."""
    plain = [name for name in customers.columns if name not in _OURS]
    if by not in plain:
        hint = f"there are {', '.join(plain)}" if plain else "name the table that holds it: --attributes FILE"
        raise UsageError(f"there is no attribute {by!r} to tell the segments by", hint=hint)
    values = customers[by].n_unique()
    if values > _MOST_VALUES:
        raise UsageError(f"{by} has {values:,} values, too many to tell segments by", hint="--by is for a few values")
    return by


def _score(value: pl.Expr, *, descending: bool = False) -> pl.Expr:
    """The fifth that the mean rank lies in, in integers: twice the mean rank is whole."""
    twice = (value.rank("average", descending=descending) * 2).cast(pl.Int64)
    known = value.count().cast(pl.Int64)
    return (SCORES * (twice - 1) + 2 * known - 1) // (2 * known)


def _millionths(name: str) -> pl.Expr:
    return (col(name) * _MILLIONTHS).round().cast(pl.Int64)


def _sum_or_null(value: pl.Expr) -> pl.Expr:
    return when(value.count() > 0).then(value.sum())
