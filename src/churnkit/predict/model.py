"""What a trained churn model is: numbers, and what is known about them. No customer is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from churnkit.models.blend import Blend
from churnkit.models.seasonal import Season
from churnkit.models.spread import Spread
from churnkit.predict.attributes import Attribute
from churnkit.predict.profile import Profile
from churnkit.predict.valuation import Valuation

Kind = Literal["blend", "buy-till-you-die", "base-rate"]


@dataclass(frozen=True, slots=True)
class ChurnModel:
    """A model of P(no order within the horizon), ready to score.

    Attributes:
        kind: `blend` of all members; `buy-till-you-die` where there was too little to learn from; `base-rate` where
            nothing told customers apart, so that everybody gets the same probability.
        cutoff: The first day that the training did not see.
        horizon_days: Length of the horizon.
        activity_window_days: A customer is active at a cutoff if the last order is at most this many days old.
        features: Columns of the customer table that the learned members read, in their order.
        has_amounts: Whether the training orders had amounts.
        money_unit: The amount that the learned members count money in.
        base_rate: Share that churned, as far as it is known; of a `base-rate` model its answer, which looks ahead.
        spread: How far the probabilities may be from the truth.
        season: How busy each month is; the buy-till-you-die layer measures time by its clock.
        blend: The members; for a `base-rate` model the buy-till-you-die layer alone, for `alive_probability`.
        usual_pushes: What each family of features adds for the average active customer of the training, against whom
            reasons are told (`pushes.families_of`); empty while it is not known.
        btyd_mean_log_odds: Mean log odds of the buy-till-you-die layer at the cutoff; its pushes are counted from it.
        valuation: What is known of money and rhythm beside the churn probability.
        month_days: How many days of January .. December the history has seen.
        profile: How the active customers looked at the cutoff; None where there were too few.
        guards: By name, what the training knew that a reader of the scores must know (`predict.guards`).
        figures: The out-of-time check; empty where the history is too short for one.
        notes: Sentences on what was assumed and what could not be known.
        training: Rows, customers and cutoffs that were learned from.
        fingerprint: Counts and a digest of the training orders.
        versions: Versions of churnkit and the libraries that made it.
        seed: The seed of the fits.
        attributes: What the learned members read beside the features, after them; scoring needs the same.
    """

    kind: Kind
    cutoff: date
    horizon_days: int
    activity_window_days: int
    features: tuple[str, ...]
    has_amounts: bool
    money_unit: float
    base_rate: float
    blend: Blend
    season: Season
    btyd_mean_log_odds: float
    spread: Spread
    valuation: Valuation
    month_days: tuple[int, ...]
    profile: Profile | None = None
    guards: Mapping[str, str] = field(default_factory=dict)
    usual_pushes: tuple[float, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    fingerprint: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    attributes: tuple[Attribute, ...] = ()
