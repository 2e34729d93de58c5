"""How the active customers looked when a model was trained, to tell later whether other customers are scored.

A few features are kept as tenths, beside two shares and the mean churn probability; no customer is in it. What changes
by itself from one horizon to the next is kept with them, so that the growth of a shop is not taken for a broken file.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import EPOCH, first_order_on, snapshot
from churnkit.errors import ModelFileError
from churnkit.models.seasonal import Season
from churnkit.predict.fitting import Frame
from churnkit.predict.manifest import field_of, number_of
from churnkit.terms import percent

FloatArray: TypeAlias = NDArray[np.float64]

FEWEST_CUSTOMERS = 30
MOST_NAMED = 3
SETTLED_HORIZONS = 3  # of history; before, all that is measured still grows with the history itself
_TENTHS = 9
_DIGITS = 3  # significant ones of an edge: it tells of customers, not of one
_CLOCK_DIGITS = 3  # of a day
_MOST_APART = 0.95  # that nobody is active any more is always said
_NOISE = 1.95  # times sqrt(1/n + 1/m): what two samples of the same customers differ by once in a thousand times


class Measure(NamedTuple):
    """What is watched.

    Attributes:
        words: Its name in a sentence.
        least: The change from which it can be a drift, once the history is settled.
        least_young: The same before.
        grows: Whether it grows with the history, so that more time between training and scoring allows more.
    """

    words: str
    least: float
    least_young: float = 0.5
    grows: bool = False


# On the files and worlds at hand one horizon moves the first three by at most .16, the others by at most .25. Half of
# the customers without their orders of the last horizon, or a file that ends a quarter of a horizon early: .20 on.
TENTHS: Mapping[str, Measure] = {
    "recency_days": Measure("days since the last order", 0.19),
    "mean_order": Measure("amount of an order", 0.2),
    "units_per_order": Measure("units of an order", 0.2),
    "frequency": Measure("orders of a customer", 0.35, 1.0, grows=True),
    "mean_gap_days": Measure("days between orders", 0.35, 1.0, grows=True),
    "n_products": Measure("different products of a customer", 0.35, 1.0, grows=True),
}
SHARES: Mapping[str, Measure] = {
    "active": Measure("active customers among those known", 0.5, 0.9),
    "new": Measure("customers who came within one horizon", 0.35, 1.0, grows=True),
    "churn_probability": Measure("mean churn probability", 0.25),
}


@dataclass(frozen=True, slots=True)
class Tenths:
    """One feature of many customers.

    Attributes:
        edges: Where its tenths end.
        below: Share of the customers at or below each edge, of those of whom it is known.
        known: Share of the customers of whom it is known.
        usual: How much it changed over the horizon before the training.
    """

    edges: tuple[float, ...]
    below: tuple[float, ...]
    known: float
    usual: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """One share, and how much it changed over the horizon before the training."""

    value: float
    usual: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """How the active customers looked at the cutoff of the training.

    Attributes:
        customers: How many there were.
        settled: Whether the history was long enough for what is measured not to grow with it.
        tenths: By feature.
        shares: By the names of `SHARES`.
    """

    customers: int
    settled: bool
    tenths: Mapping[str, Tenths]
    shares: Mapping[str, Share]

    def to_manifest(self) -> dict[str, Any]:
        """The profile as plain JSON values."""
        return asdict(self)


class Change(NamedTuple):
    """How much one measure changed, as a multiple of what is allowed, and in words."""

    excess: float
    words: str


def profile_of(book: OrderBook, frame: Frame, season: Season, known: pl.DataFrame) -> Profile | None:
    """The profile of the customers known at the cutoff of a training; None where too few are active.

    Args:
        book: The orders.
        frame: Cutoff, horizon and activity window of the training.
        season: The clock that silence is measured by: after a busy month it is short for everybody.
        known: The customer table at the cutoff, with `churn_probability`.
    """
    active = _active(known, frame, season, frame.cutoff)
    if active.height < FEWEST_CUSTOMERS:
        return None
    shares = _shares(known, active, frame)
    tenths = {name: _tenths(active[name]) for name in TENTHS if active[name].null_count() < active.height}
    found = Profile(
        customers=active.height,
        settled=(frame.cutoff - first_order_on(book)).days >= SETTLED_HORIZONS * frame.horizon_days,
        tenths=tenths,
        shares={name: Share(share) for name, share in shares.items()},
    )
    then = frame.cutoff - timedelta(days=frame.horizon_days)
    earlier = snapshot(book, cutoff=then)
    return _with_usual(found, _active(earlier, frame, season, then), earlier, active, frame)


def changes(profile: Profile, frame: Frame, season: Season, known: pl.DataFrame, cutoff: date) -> list[Change]:
    """What changed between the training and a scoring beyond what is usual, most first.

    A feature changes by the greatest difference between the shares of customers at or below an end of its tenths (the
    statistic of Kolmogorov and Smirnov, on the tenths), or between the shares of whom it is known.

    Args:
        profile: That of the training.
        frame: Cutoff, horizon and activity window of the training.
        season: Its clock.
        known: The customer table at the cutoff of the scoring, with `churn_probability`.
        cutoff: The cutoff of the scoring.
    """
    active = _active(known, frame, season, cutoff)
    horizons = max(abs((cutoff - frame.cutoff).days) / frame.horizon_days, 1.0)
    noise = _noise(profile.customers, active.height)
    found = []
    if active.height >= FEWEST_CUSTOMERS:
        for name, then in profile.tenths.items():
            allowed = max(_allowed(TENTHS[name], then.usual, profile.settled, horizons), noise)
            found.append(Change(_change(then, active[name]) / allowed, _told(name, then, active[name], season)))
    compared = _shares(known, active, frame) if known.height >= FEWEST_CUSTOMERS else {}
    for name, share in compared.items():
        was = profile.shares[name]
        allowed = max(_allowed(SHARES[name], was.usual, profile.settled, horizons), noise if name != "active" else 0.0)
        words = f"{SHARES[name].words}: {percent(was.value)} then, {percent(share)} now"
        found.append(Change(_apart(name, was.value, share) / min(allowed, _MOST_APART), words))
    return sorted((change for change in found if change.excess > 1), key=lambda change: -change.excess)


def profile_from(manifest: Mapping[str, Any]) -> Profile:
    """The profile of a manifest.

    Raises:
        ModelFileError: It holds what no training could have written.
    """
    tenths = field_of(manifest, "tenths", dict)
    shares = field_of(manifest, "shares", dict)
    if not set(tenths) <= set(TENTHS) or set(shares) != set(SHARES):
        raise ModelFileError("the profile of the model holds something that is not watched", hint="train it again")
    return Profile(
        customers=int(number_of(manifest, "customers", FEWEST_CUSTOMERS, 1e12)),
        settled=field_of(manifest, "settled", bool),
        tenths={name: _tenths_from(part) for name, part in tenths.items()},
        shares={name: _share_from(part) for name, part in shares.items()},
    )


def _active(known: pl.DataFrame, frame: Frame, season: Season, cutoff: date) -> pl.DataFrame:
    """The active customers; with a season their recency, and so who is active, goes by its clock."""
    if season.weight and known.height:
        day = (cutoff - EPOCH).days
        passed = season.clock([day])[0] - season.clock(day - known["recency_days"].to_numpy())
        known = known.with_columns(recency_days=np.round(passed, _CLOCK_DIGITS))
    return known.filter(pl.col("recency_days") <= frame.activity_window_days)


def _with_usual(
    found: Profile, before: pl.DataFrame, earlier: pl.DataFrame, active: pl.DataFrame, frame: Frame
) -> Profile:
    """The profile with what changed over the horizon before it, where there were customers enough."""
    if before.height < FEWEST_CUSTOMERS:
        return found
    tenths = {
        name: replace(part, usual=_change(_tenths(before[name]), active[name])) for name, part in found.tenths.items()
    }
    was = _shares(earlier, before, frame)
    shares = {
        name: replace(share, usual=_apart(name, was[name], share.value) if name in was else 0.0)
        for name, share in found.shares.items()
    }
    return replace(found, tenths=tenths, shares=shares)


def _tenths(values: pl.Series) -> Tenths:
    known = np.sort(values.drop_nulls().to_numpy().astype(np.float64))
    if not len(known):
        return Tenths((), (), 0.0)
    at = known[(np.arange(1, _TENTHS + 1) * (len(known) - 1)) // (_TENTHS + 1)]
    edges = np.unique([float(f"{edge:.{_DIGITS}g}") for edge in at])
    return Tenths(tuple(edges.tolist()), tuple(_below(known, edges).tolist()), len(known) / len(values))


def _below(known: FloatArray, edges: FloatArray) -> FloatArray:
    return np.searchsorted(known, edges, side="right") / len(known)


def _change(then: Tenths, values: pl.Series) -> float:
    known = np.sort(values.drop_nulls().to_numpy().astype(np.float64))
    of_known = abs(len(known) / len(values) - then.known)
    if not len(known) or not then.edges:
        return of_known
    return max(of_known, float(np.abs(_below(known, np.array(then.edges)) - then.below).max()))


def _shares(known: pl.DataFrame, active: pl.DataFrame, frame: Frame) -> dict[str, float]:
    """The shares of `SHARES` that can be told."""
    shares = {"active": active.height / known.height if known.height else 0.0}
    if active.height >= FEWEST_CUSTOMERS:
        shares["new"] = int((active["tenure_days"] <= frame.horizon_days).sum()) / active.height
        if "churn_probability" in active.columns:  # sorted: the order of the customers changes no bit
            shares["churn_probability"] = float(np.sort(active["churn_probability"].to_numpy()).sum()) / active.height
    return shares


def _apart(name: str, then: float, now: float) -> float:
    """How far two shares are apart; those of active customers as a part of the larger: none left is 1 for any shop."""
    if name == "active":
        return 1 - min(then, now) / max(then, now) if then != now else 0.0
    return abs(now - then)


def _allowed(measure: Measure, usual: float, settled: bool, horizons: float) -> float:
    least = measure.least if settled else measure.least_young
    return max(least, 2 * usual) * (horizons if measure.grows else 1.0)


def _noise(then: int, now: int) -> float:
    return float(_NOISE * np.sqrt(1 / then + 1 / now)) if now else 1.0


def _told(name: str, then: Tenths, values: pl.Series, season: Season) -> str:
    """The change of a feature in words: its median, or a share of the customers where that stayed."""
    words = TENTHS[name].words
    if season.weight and name == "recency_days":
        words += ", the season taken out"
    now = np.sort(values.drop_nulls().to_numpy().astype(np.float64))
    if not len(now) or not then.edges:
        return f"{words}: known of {percent(then.known)} then, of {percent(len(now) / len(values))} now"
    middle = next((edge for edge, share in zip(then.edges, then.below, strict=True) if share >= 0.5), then.edges[-1])
    medians = [_figure(name, value) for value in (middle, float(now[(len(now) - 1) // 2]))]
    if medians[0] != medians[1]:
        return f"{words}: {medians[0]} then, {medians[1]} now (median)"
    below = _below(now, np.array(then.edges))
    most = int(np.argmax(np.abs(below - then.below)))
    shares = f"{percent(then.below[most])} then, {percent(float(below[most]))} now"
    return f"{words}: at most {_figure(name, then.edges[most])} for {shares}"


def _figure(name: str, value: float) -> str:
    if name == "mean_order":
        return f"{value:,.2f}"
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:,.1f}"


def _tenths_from(part: object) -> Tenths:
    if not isinstance(part, dict):
        raise ModelFileError("a part of the profile of the model is not an object")
    edges, below = (_numbers(field_of(part, name, list)) for name in ("edges", "below"))
    rising = all(np.diff(edges) > 0) and all(np.diff(below) >= 0) and all(0 <= share <= 1 for share in below)
    if len(edges) != len(below) or len(edges) > _TENTHS or not rising:
        raise ModelFileError("the tenths of the profile of the model are no tenths")
    return Tenths(edges, below, number_of(part, "known", 0.0, 1.0), number_of(part, "usual", 0.0, 1.0))


def _share_from(part: object) -> Share:
    if not isinstance(part, dict):
        raise ModelFileError("a part of the profile of the model is not an object")
    return Share(number_of(part, "value", 0.0, 1.0), number_of(part, "usual", 0.0, 1.0))


def _numbers(values: list[Any]) -> tuple[float, ...]:
    return tuple(number_of({"an edge of the profile": value}, "an edge of the profile") for value in values)
