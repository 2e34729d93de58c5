"""The guards: what a reader of the scores must know before believing them, each under its name and in a sentence.

Some are known from the training on, the others are judged where customers are scored. A guard that does not apply is
None: the JSON names all of them, always.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import polars as pl

from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import EPOCH, order_days
from churnkit.models.blend import Blend
from churnkit.models.btyd_average import BuyTillYouDieAverage
from churnkit.predict.fitting import Frame
from churnkit.predict.model import ChurnModel
from churnkit.predict.profile import MOST_NAMED, changes
from churnkit.terms import MODEL_NAMES, percent
from churnkit.windows import MONTHS

Guards: TypeAlias = Mapping[str, str | None]

OF_TRAINING = ("no_signal", "short_history", "at_bound")
NAMES = ("no_signal", "short_history", "season_never_seen", "drift", "at_bound", "stale", "sees_the_future")

FEWEST_UNSEEN = 7  # days of a month that the horizon covers and the history lacks: fewer are not worth a sentence
_LENGTHS = tuple(monthrange(2023, month + 1)[1] for month in range(len(MONTHS)))
_BOUND_SHARE = 0.5  # of the weight of the layer


def training_guards(model: ChurnModel, *, checked: bool, has_signal: bool) -> dict[str, str]:
    """What the training itself knew, by name; only those that apply.

    Args:
        model: The model as it was fitted.
        checked: Whether there was one horizon to check it on.
        has_signal: Whether the check told customers apart.
    """
    told = {
        "no_signal": "" if has_signal else _no_signal(model),
        "short_history": _short_history(model, checked=checked),
        "at_bound": _at_bound(model.blend),
    }
    return {name: sentence for name, sentence in told.items() if sentence}


def standing_guards(model: ChurnModel, cutoff: date) -> dict[str, str | None]:
    """All guards that need no customer: those of the training, and those that a cutoff tells."""
    age = (cutoff - model.cutoff).days
    stale = (
        f"The model was trained {age} days before this cutoff, more than its horizon of {model.horizon_days}: "
        "train it again, habits may have changed."
    )
    future = f"The model was trained on orders up to {model.cutoff}, after this cutoff: it has seen what it predicts."
    told = {
        **{name: model.guards.get(name) for name in OF_TRAINING},
        "season_never_seen": season_never_seen(model.month_days, cutoff, model.horizon_days),
        "stale": stale if age > model.horizon_days else None,
        "sees_the_future": future if age < 0 else None,
    }
    return {name: told.get(name) for name in NAMES}


def guards_at(model: ChurnModel, known: pl.DataFrame, cutoff: date) -> dict[str, str | None]:
    """All guards of a scoring.

    Args:
        model: The model.
        known: The customers that it scored (`score_customers`).
        cutoff: Their cutoff.
    """
    return standing_guards(model, cutoff) | {"drift": _drift(model, known, cutoff)}


def sentences(guards: Guards) -> tuple[str, ...]:
    """The sentences of the guards that apply."""
    return tuple(sentence for sentence in guards.values() if sentence)


def seen_month_days(book: OrderBook, cutoff: date) -> tuple[int, ...]:
    """How many days of January .. December the history has seen, of the fullest year each.

    The days from the first order to the cutoff count; a month of a year without a single order was not seen.
    """
    ordered = order_days(book, cutoff=cutoff)["day"].to_numpy()
    if not len(ordered):
        return (0,) * len(MONTHS)
    days = np.arange(int(ordered[0]), (cutoff - EPOCH).days)
    month_of = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    with_orders = ordered.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    months, counts = np.unique(month_of[np.isin(month_of, with_orders)], return_counts=True)
    seen = np.zeros(len(MONTHS), dtype=np.int64)
    np.maximum.at(seen, months % len(MONTHS), counts)
    return tuple(int(count) for count in seen)


def _no_signal(model: ChurnModel) -> str:
    return (
        f"No signal: on the last {model.horizon_days} days the history told customers no better apart than the "
        f"base rate; everybody gets {percent(model.base_rate)}."
    )


def _short_history(model: ChurnModel, *, checked: bool) -> str:
    told = []
    if not model.blend.learned:
        told.append(
            "Too little history: there are too few outcomes to learn from, so the probabilities come from the "
            "buy-till-you-die models alone."
        )
    if not checked:
        told.append(
            f"Not checked: the history is too short to hold back {model.horizon_days} days; take the probabilities "
            "as a first guess."
        )
    return " ".join(told)


def _at_bound(blend: Blend) -> str:
    """Said where most of the layer rests on fits that ran away; the bounds keep them from doing harm."""
    names = _bound_names(blend.btyd, blend.weights)
    if not names:
        return ""
    fits, their = ("fit", "its") if len(names) == 1 else ("fits", "their")
    return (
        f"The orders do not pin the buy-till-you-die models down: the {fits} of {_listed(names)} ended on a bound of "
        f"{their} parameters, as where hardly anybody leaves for good; take P(alive) and the value at risk as rough."
    )


def _bound_names(layer: BuyTillYouDieAverage, weights: Sequence[float]) -> list[str]:
    of_layer = sum(weights[: len(layer.members)])
    parts = zip(layer.names, layer.members, weights, strict=False)
    bound = {name: weight for name, member, weight in parts if member.at_bound and weight > 0}
    return [MODEL_NAMES[name] for name in bound] if sum(bound.values()) >= _BOUND_SHARE * of_layer > 0 else []


def season_never_seen(month_days: Sequence[int], cutoff: date, horizon_days: int) -> str | None:
    """Which months of the horizon the training had not seen, or not whole."""
    unseen = _unseen_days(month_days, cutoff, horizon_days)
    lacking = [month for month, days in unseen.items() if days >= min(FEWEST_UNSEEN, (horizon_days + 1) // 2)]
    if not lacking:
        return None
    never = [MONTHS[month] for month in lacking if not month_days[month]]
    partly = [f"only {month_days[month]} days of {MONTHS[month]}" for month in lacking if month_days[month]]
    seen = [*([f"never seen {_listed(never)}"] if never else []), *([f"seen {_listed(partly)}"] if partly else [])]
    return (
        f"The history has {' and '.join(seen)}, which the horizon covers: whether it is a busy time is not known, and "
        "it is taken for an average one. Where you know better, wait, or train on a longer history."
    )


def unseen_share(month_days: Sequence[int], cutoff: date, horizon_days: int) -> float:
    """Which share of the horizon lies in times of the year that the training had not seen (`seen_month_days`)."""
    return sum(_unseen_days(month_days, cutoff, horizon_days).values()) / horizon_days


def _unseen_days(month_days: Sequence[int], cutoff: date, horizon_days: int) -> dict[int, int]:
    """Per month of the horizon, how many of its days there the training had not seen."""
    covered = Counter((cutoff + timedelta(days=day)).month - 1 for day in range(horizon_days))
    return {month: max(min(days, _LENGTHS[month] - month_days[month]), 0) for month, days in covered.items()}


def _drift(model: ChurnModel, known: pl.DataFrame, cutoff: date) -> str | None:
    """What moved between training and scoring, beyond what one horizon moves by itself."""
    if model.profile is None:
        return None
    trained_at = Frame(model.cutoff, model.horizon_days, model.activity_window_days)
    found = changes(model.profile, trained_at, model.season, known, cutoff)
    if not found:
        return None
    told = "; ".join(change.words for change in found[:MOST_NAMED])
    return (
        f"Drift: these customers are not like those that the model was trained on. {told[0].upper()}{told[1:]}. "
        "Check that the file is whole, up to the cutoff, of the same shop and in the same currency; if it is, train "
        "again."
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
