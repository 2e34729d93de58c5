"""Training: windows from the data, a fit on earlier cutoffs, and the honest check out of time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl

from churnkit.customers.attributes import Attributes
from churnkit.customers.kernel import OrderBook
from churnkit.customers.returns import advise_windows
from churnkit.customers.snapshot import Orders, default_cutoff, order_book, snapshot
from churnkit.errors import ShortHistoryError
from churnkit.models.blend import alone
from churnkit.predict.attributes import choose_attributes, suspects
from churnkit.predict.check import Check, fit_and_check
from churnkit.predict.fitting import Fit, Frame, rate_for_everybody
from churnkit.predict.guards import seen_month_days, sentences, standing_guards, training_guards
from churnkit.predict.interval import spread_after
from churnkit.predict.model import ChurnModel
from churnkit.predict.profile import profile_of
from churnkit.predict.provenance import fingerprint, versions
from churnkit.predict.pushes import USUAL_ROWS, usual_pushes
from churnkit.predict.rhythm import habit_of
from churnkit.predict.scoring import churn_probabilities, model_habit
from churnkit.predict.stack import TrainingRows, content_of, model_features
from churnkit.predict.valuation import Valuation, fit_valuation

Progress: TypeAlias = Callable[[str], None]

FEWEST_CUSTOMERS = 10  # known at the cutoff
FEWEST_RETURNED = 3  # of them, with a second order day


def train(
    orders: Orders,
    *,
    attributes: Attributes | None = None,
    cutoff: date | None = None,
    horizon_days: int | None = None,
    activity_window_days: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> ChurnModel:
    """Train a churn model on earlier cutoffs of the same orders.

    Args:
        orders: Clean order lines (`churnkit.clean_orders`); what is on or after the cutoff is not seen.
        attributes: What else is known of the customers (`churnkit.clean_attributes`); scoring then needs it, too.
        cutoff: First day not seen; the day after the last order where not given.
        horizon_days: Days after the cutoff in which silence means churn; found from the data where not given.
        activity_window_days: Age of the last order up to which a customer is active; two horizons where not given.
        seed: Seed of the fits.
        jobs: Fits that run at the same time; the result does not depend on it.
        progress: Called with the name of each phase as it begins.

    Returns:
        A `ChurnModel`. Where there is too little to learn from it is the buy-till-you-die layer alone, where nothing
        tells customers apart it is the base rate; `kind`, `figures` and `notes` say so.

    Raises:
        ShortHistoryError: Too few customers, or nobody came back yet: nothing can be told.

    Source: Stacked out-of-time snapshots as in Gattermann-Itschert and Thonemann (2021), EJOR 293(2).
    """
    say = progress or _say_nothing
    say("grouping orders")
    book = order_book(orders, attributes)
    cutoff = cutoff or default_cutoff(book)
    advice = advise_windows(book, cutoff=cutoff, horizon_days=horizon_days, activity_window_days=activity_window_days)
    frame = Frame(cutoff, advice.horizon_days, advice.activity_window_days)
    known = _enough_customers(snapshot(book, cutoff=cutoff), cutoff)
    say("learning, and checking on the last horizon")
    fit, check = fit_and_check(book, frame, seed=seed, jobs=jobs)
    model = _decided(
        ChurnModel(
            kind="blend" if fit.blend.learned else "buy-till-you-die",
            cutoff=cutoff,
            horizon_days=frame.horizon_days,
            activity_window_days=frame.activity_window_days,
            features=model_features(),
            has_amounts=known["monetary"].null_count() < known.height,
            money_unit=fit.money_unit,
            base_rate=_base_rate(fit, check, known.height),
            season=fit.season,
            blend=fit.blend,
            btyd_mean_log_odds=fit.btyd_mean_log_odds,
            valuation=_valuation_at(book, known, frame, fit),
            month_days=seen_month_days(book, cutoff),
            spread=spread_after(check, known.height),
            attributes=fit.attributes if fit.blend.learned else (),
            training=_training_facts(fit.rows, known),
            fingerprint=fingerprint(book, cutoff),
            versions=versions(),
            seed=seed,
        ),
        (*advice.sentences, *_about_attributes(book, frame, known, fit)),
        check,
    )
    p = churn_probabilities(model, known, model_habit(book, known, model, cutoff))
    model = replace(model, usual_pushes=_usual_pushes(model, book, known))
    return replace(model, profile=profile_of(book, frame, model.season, known.with_columns(churn_probability=p)))


def _base_rate(fit: Fit, check: Check | None, customers: int) -> float:
    """The share that left as it is known; where it has to do for everybody, as it is expected."""
    if fit.rows is None or (check is not None and not check.has_signal):
        return rate_for_everybody(fit, customers)
    return fit.rows.base_rate


def _usual_pushes(model: ChurnModel, book: OrderBook, known: pl.DataFrame) -> tuple[float, ...]:
    """What the families of features add for the average active customer; of all known where nobody is active."""
    active = known.filter(pl.col("recency_days") <= model.activity_window_days)
    rows = (active if active.height else known).sort(*content_of(book))  # by content: other ids, the same model
    rows = rows[np.linspace(0, rows.height - 1, min(rows.height, USUAL_ROWS)).round().astype(np.int64)]
    return usual_pushes(model, rows, model_habit(book, rows, model, model.cutoff))


def _valuation_at(book: OrderBook, known: pl.DataFrame, frame: Frame, fit: Fit) -> Valuation:
    """What the orders of the known customers tell about spend and rhythm."""
    habit = habit_of(book, known, cutoff=frame.cutoff, horizon_days=frame.horizon_days, season=fit.season)
    return fit_valuation(known, habit, fit.season, fit.blend.btyd)


def _enough_customers(known: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    returned = int((known["n_order_days"] > 1).sum())
    if known.height < FEWEST_CUSTOMERS or returned < FEWEST_RETURNED:
        raise ShortHistoryError(
            f"cannot tell yet: {known.height} customers with an order before {cutoff}, {returned} of them on a second "
            f"day; at least {FEWEST_CUSTOMERS} and {FEWEST_RETURNED} are needed",
            hint="take a longer history or a later --cutoff; `churnkit check` shows what is in the file",
        )
    return known


def _decided(model: ChurnModel, said: Sequence[str], check: Check | None) -> ChurnModel:
    """The model with its check, and with the base rate instead where the check showed nothing to tell customers by."""
    has_signal = check is None or check.has_signal
    model = replace(model, guards=training_guards(model, checked=check is not None, has_signal=has_signal))
    notes = (*said, *sentences(standing_guards(model, model.cutoff)))
    if check is None:
        return replace(model, notes=notes)
    if not has_signal:
        model = replace(model, kind="base-rate", blend=alone(model.blend), attributes=())
    return replace(model, figures=check.figures(), notes=(*notes, *check.sentences()))


def _about_attributes(book: OrderBook, frame: Frame, known: pl.DataFrame, fit: Fit) -> list[str]:
    """Attributes that tell nobody apart, and those that tell too much."""
    notes = []
    _, left_out = choose_attributes(book, known)
    if left_out:
        notes.append(f"Attributes left out: {', '.join(left_out)}.")
    found = suspects(book, fit.attributes, cutoff=frame.cutoff, horizon_days=frame.horizon_days)
    if found:
        named = ", ".join(f"{name} (AUC {area:.2f})" for name, area in found.items())
        notes.append(
            f"Warning: {named} alone tells who left within the last {frame.horizon_days} days: was it written "
            f"afterwards? Then every figure here is too good; leave it out with --ignore {','.join(found)}"
        )
    return notes


def _training_facts(rows: TrainingRows | None, known: pl.DataFrame) -> dict[str, object]:
    cutoffs = rows.cutoffs if rows else ()
    return {
        "customers": known.height,
        "rows": len(rows.churned) if rows else 0,
        "cutoffs": [day.isoformat() for day in cutoffs],
    }


def _say_nothing(_: str) -> None:
    pass
