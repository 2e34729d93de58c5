"""Intervals of churn probabilities: how wide they are by what the check showed, and whom they say nothing of."""

import math
from dataclasses import replace

import polars as pl

from churnkit.models.spread import Spread
from churnkit.predict.check import Check
from churnkit.terms import RISK_HIGH, RISK_MEDIUM, percent

# standard deviations in log odds, by the coverage in drawn shops and at cutoffs of real ones (benchmarks/intervals.py)
PER_DISAGREEMENT = 0.5
PER_LOG_ODDS = 0.02
LEVEL = 0.03  # of all customers alike, where the check missed nothing
LEVEL_UNCHECKED = 0.25
LEVEL_UNSEEN = 0.17  # further, where no day of the horizon lies in a season that was seen
LEVEL_OF_ONE, PER_LOG_ODDS_OF_ONE = 50.0, 20.0  # further, over the number of customers: what all members do not know


def spread_after(check: Check | None, customers: int) -> Spread:
    """The spread of a model: its level by half of what the check missed beyond chance.

    Args:
        check: The check; None where there was none.
        customers: How many the model was fitted to.

    Example:
        >>> spread_after(None, 10_000).level > 0.2
        True
    """
    if check is None:
        square = LEVEL_UNCHECKED**2
    else:
        square = (LEVEL**2 + max(check.level_error**2 - check.level_chance**2, 0.0)) / 2
    return Spread(
        level=math.hypot(math.sqrt(square), LEVEL_OF_ONE / customers),
        per_disagreement=PER_DISAGREEMENT,
        per_log_odds=math.hypot(PER_LOG_ODDS, PER_LOG_ODDS_OF_ONE / customers),
    )


def widened(spread: Spread, unseen: float) -> Spread:
    """The spread where so much of the horizon lies in times of the year that the training had not seen."""
    return replace(spread, level=math.hypot(spread.level, LEVEL_UNSEEN * unseen))


def cannot_tell() -> pl.Expr:
    """Whether an interval reaches from low risk to high: such a probability says nothing yet."""
    return (pl.col("churn_low") < RISK_MEDIUM) & (pl.col("churn_high") >= RISK_HIGH)


def cannot_tell_of(low: float, high: float) -> str:
    """The same said to one customer's interval; empty where it says something.

    Example:
        >>> cannot_tell_of(0.35, 0.72), cannot_tell_of(0.45, 0.72)
        ('Cannot tell yet: the interval reaches from below 40 % to 70 % and above.', '')
    """
    if not (low < RISK_MEDIUM and high >= RISK_HIGH):
        return ""
    return f"Cannot tell yet: the interval reaches from below {percent(RISK_MEDIUM)} to {percent(RISK_HIGH)} and above."


def cannot_tell_sentence(unclear: int, scored: int) -> str:
    """How many customers nothing can be said of yet."""
    return (
        f"Cannot tell yet for {unclear:,} of {scored:,} customers: their intervals reach from below "
        f"{percent(RISK_MEDIUM)} to {percent(RISK_HIGH)} and above."
    )
