"""The backtest: how good this would have been at earlier cutoffs, beside the rules and models people use instead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl

from churnkit.customers.attributes import Attributes
from churnkit.customers.kernel import OrderBook
from churnkit.customers.returns import advise_windows
from churnkit.customers.snapshot import Orders, default_cutoff, first_order_on, order_book, snapshot
from churnkit.errors import ShortHistoryError, UsageError
from churnkit.evaluate.curves import at_shares, cumulated, reliability
from churnkit.evaluate.profit import Costs, profit_curve
from churnkit.predict.fitting import Frame
from churnkit.predict.guards import NAMES, season_never_seen, seen_month_days, sentences
from churnkit.predict.judging import BASE_RATE, CEILING, OURS, Sample, deciles, figures, judge_at, reached
from churnkit.predict.verdict import comparable, verdict_of
from churnkit.terms import BACKTEST, CURVES, DECILES, RELIABILITY, Term
from churnkit.windows import has_history

Progress: TypeAlias = Callable[[str], None]
Population: TypeAlias = Literal["active", "all"]

CUTOFFS = 3
_POINTS = 101
_PER_CUTOFF = ("cutoff", "population", "model", "customers", "base_rate", "contacted")


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came out.

    Attributes:
        rows: One row per cutoff, population and model (`terms.BACKTEST`), latest cutoff first.
        means: The figures of each model for the population asked about, averaged over the cutoffs of the verdict:
            churnkit, then the others by log loss, the ceiling last.
        deciles: The lists cut into tenths (`terms.DECILES`), one row per cutoff, population, model and tenth.
        judged_at: The cutoffs of the verdict.
        curves: The lists from top to end (`terms.CURVES`), averaged over the cutoffs of the verdict.
        reliability: Probabilities beside what came of them (`terms.RELIABILITY`), these cutoffs taken together.
        horizon_days: The horizon.
        activity_window_days: The activity window.
        verdict: Which model or rule to use, with the reason.
        details: What the difference is worth, and how much of what the history allows was reached.
        summary: The verdict as values (`terms.BACKTEST_SUMMARY`).
        notes: What a reader must know, the sentences of the guards first.
        guards: What to know before believing the verdict, by name; None where a guard does not apply.
    """

    rows: pl.DataFrame
    means: pl.DataFrame
    deciles: pl.DataFrame
    judged_at: tuple[date, ...]
    curves: pl.DataFrame
    reliability: pl.DataFrame
    horizon_days: int
    activity_window_days: int
    verdict: str
    details: tuple[str, ...]
    summary: dict[str, Any]
    notes: tuple[str, ...]
    guards: dict[str, str | None]


def backtest(
    orders: Orders,
    *,
    attributes: Attributes | None = None,
    cutoffs: int = CUTOFFS,
    cutoff: date | None = None,
    horizon_days: int | None = None,
    activity_window_days: int | None = None,
    population: Population = "active",
    costs: Costs | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Backtest:
    """Train and judge at earlier cutoffs, one horizon apart, each with nothing but its own past.

    Args:
        orders: Clean order lines.
        attributes: What else is known of the customers; at each cutoff no more than was known before it.
        cutoffs: How many earlier cutoffs to judge at, as far as the history reaches.
        cutoff: First day not seen by anybody; the day after the last order where not given.
        horizon_days: Days in which silence means churn; found from the data where not given.
        activity_window_days: Two horizons where not given.
        population: Whom the verdict is about; the rows hold both populations. All where nobody is active.
        costs: Of a campaign; the verdict then is about profit too.
        seed: Seed of the fits.
        jobs: Cutoffs that are judged at the same time; the result does not depend on it.
        progress: Called with the name of each phase as it begins.

    Raises:
        ShortHistoryError: The history does not reach back far enough for even one cutoff.
        UsageError: Costs are given, and neither amounts nor a value of a customer.
    """
    if cutoffs < 1:
        raise UsageError(
            f"cutoffs is {cutoffs}; a backtest needs at least one", hint="give --cutoffs a number from 1 up"
        )
    book = order_book(orders, attributes)
    has_amounts = _has_amounts(book, costs)
    end = cutoff or default_cutoff(book)
    advice = advise_windows(book, cutoff=end, horizon_days=horizon_days, activity_window_days=activity_window_days)
    last = Frame(end, advice.horizon_days, advice.activity_window_days)
    frames = _frames(book, last, cutoffs)
    samples = _judged(book, frames, has_amounts=has_amounts, seed=seed, jobs=jobs, progress=progress)
    chosen = [sample for sample in samples if sample.population == population]
    chosen = comparable(chosen or samples)
    verdict = verdict_of(chosen, costs, has_amounts=has_amounts)
    rows = _frame_of([row for sample in samples for row in figures(sample, costs)], BACKTEST)
    means = _means(rows, chosen)
    guards = _guards(book, frames, cutoffs, means)
    return Backtest(
        rows=rows,
        means=means,
        deciles=_frame_of([row for sample in samples for row in deciles(sample)], DECILES),
        judged_at=tuple(sample.cutoff for sample in chosen),
        curves=_frame_of(_curves(chosen, costs), CURVES),
        reliability=_frame_of(_reliability(chosen), RELIABILITY),
        horizon_days=last.horizon_days,
        activity_window_days=last.activity_window_days,
        verdict=verdict.headline,
        details=verdict.details,
        summary=verdict.figures,
        notes=(*sentences(guards), *_notes(frames, chosen), *_interval_notes(rows, chosen)),
        guards=guards,
    )


def _has_amounts(book: OrderBook, costs: Costs | None) -> bool:
    has_amounts = book.orders["cents"].count() > 0
    if costs is not None and costs.value is None and not has_amounts:
        raise UsageError(
            "the orders have no amounts, so what a customer is worth is not known",
            hint="name the column with --amount, or say what a customer is worth with --value",
        )
    return has_amounts


def _frames(book: OrderBook, last: Frame, cutoffs: int) -> list[Frame]:
    """The frames before the last one, latest first, as far as the history reaches."""
    step = timedelta(days=last.horizon_days)
    frames = [replace(last, cutoff=last.cutoff - (k + 1) * step) for k in range(cutoffs)]
    far_enough = [frame for frame in frames if _reaches(book, frame)]
    if not far_enough:
        raise ShortHistoryError(
            f"cannot tell yet: the history begins on {first_order_on(book)}, too late to hold back a horizon of "
            f"{last.horizon_days} days before {last.cutoff} and learn from the rest",
            hint="take a longer history or a shorter --horizon",
        )
    return far_enough


def _reaches(book: OrderBook, frame: Frame) -> bool:
    """Whether somebody had come back before the frame's cutoff, at least one horizon after the first order."""
    if not has_history(frame.cutoff, frame.horizon_days, first_order_on(book)):
        return False
    return int((snapshot(book, cutoff=frame.cutoff)["n_order_days"] > 1).sum()) > 0


def _judged(
    book: OrderBook, frames: Sequence[Frame], *, has_amounts: bool, seed: int, jobs: int, progress: Progress | None
) -> list[Sample]:
    """The samples of all cutoffs. Linear algebra runs on one thread: with several its last bits would differ."""
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    say = progress or (lambda _: None)
    inside = max(jobs // len(frames), 1)
    tasks = (delayed(judge_at)(book, frame, has_amounts=has_amounts, seed=seed, jobs=inside) for frame in frames)
    samples: list[Sample] = []
    with threadpool_limits(1):
        for number, found in enumerate(
            Parallel(n_jobs=min(jobs, len(frames)), prefer="threads", return_as="generator")(tasks)
        ):
            samples += found
            say(f"judged at {frames[number].cutoff}, {number + 1} of {len(frames)} cutoffs")
    return samples


_DTYPES: dict[str, type[pl.DataType]] = {"date": pl.Date, "text": pl.String, "integer": pl.Int64}


def _frame_of(rows: Sequence[dict[str, Any]], terms: Sequence[Term]) -> pl.DataFrame:
    """The rows with the columns of the terms; what a row does not say is null, and so is what is not a number."""
    schema = {term.name: _DTYPES.get(term.kind, pl.Float64) for term in terms}
    return pl.DataFrame(rows, schema=schema, orient="row", strict=False).fill_nan(None)


def _means(rows: pl.DataFrame, samples: Sequence[Sample]) -> pl.DataFrame:
    """The mean figures of the models over the samples, in the order in which a person compares them."""
    chosen = _rows_of(rows, samples)
    columns = [name for name in rows.columns if name not in _PER_CUTOFF]
    found = []
    for model in chosen["model"].unique(maintain_order=True):
        of_model = chosen.filter(pl.col("model") == model)
        means = {name: _mean(of_model[name].drop_nulls().to_list()) for name in columns}
        found.append({"model": model, "cutoffs": of_model.height, **means})
    loss = {row["model"]: row["log_loss"] for row in found if row["cutoffs"] == len(samples)}
    for row in found:
        row["reached"] = reached(loss[BASE_RATE], row["log_loss"], loss.get(CEILING))
    place = {OURS: 0, CEILING: 2}
    found.sort(key=lambda row: (place.get(row["model"], 1), row["log_loss"], row["model"]))
    return pl.DataFrame(found, schema={"model": pl.String, "cutoffs": pl.Int64} | dict.fromkeys(columns, pl.Float64))


def _rows_of(rows: pl.DataFrame, samples: Sequence[Sample]) -> pl.DataFrame:
    cutoffs = [sample.cutoff for sample in samples]
    return rows.filter(pl.col("cutoff").is_in(cutoffs), pl.col("population") == samples[0].population)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _curves(samples: Sequence[Sample], costs: Costs | None) -> list[dict[str, Any]]:
    """The mean curves of each model (`terms.CURVES`)."""
    shares = np.linspace(0.0, 1.0, _POINTS)
    found = []
    for model in samples[0].probabilities:
        having = [sample for sample in samples if model in sample.probabilities]
        caught, money, profit = (np.zeros(_POINTS) for _ in range(3))
        for sample in having:
            p, y = sample.probabilities[model], sample.churned
            caught += at_shares(cumulated(p, y), shares) / max(y.sum(), 1.0) / len(having)
            at_risk = cumulated(sample.money_at_risk(model), sample.lost)
            money += at_shares(at_risk, shares) / (sample.lost.sum() or 1.0) / len(having)
            if costs is not None:
                earned = profit_curve(y, p, sample.value(costs), costs)[1:]
                profit += at_shares(earned, shares) / len(having)
        for k, share in enumerate(shares):
            row = {"model": model, "share": share, "captured": caught[k], "captured_money": money[k]}
            found.append(row | {"profit": profit[k] if costs is not None else None})
    return found


def _reliability(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """The bins of each model (`terms.RELIABILITY`), all samples taken together."""
    found = []
    for model in samples[0].probabilities:
        having = [sample for sample in samples if model in sample.probabilities]
        y = np.concatenate([sample.churned for sample in having])
        p = np.concatenate([sample.probabilities[model] for sample in having])
        for customers, probability, rate, low, high in reliability(y, p):
            row = {"model": model, "customers": customers, "churn_probability": probability}
            found.append(row | {"churn_rate": rate, "low": low, "high": high})
    return found


def _guards(book: OrderBook, frames: Sequence[Frame], wanted: int, means: pl.DataFrame) -> dict[str, str | None]:
    """The guards that a verdict can have, under the names of all."""
    loss = dict(means.select("model", "log_loss").iter_rows())
    seen = {frame.cutoff: seen_month_days(book, frame.cutoff) for frame in frames}
    unseen = [frame for frame in frames if season_never_seen(seen[frame.cutoff], frame.cutoff, frame.horizon_days)]
    when = ", ".join(str(frame.cutoff) for frame in unseen)
    told = {
        "no_signal": "No signal: at these cutoffs the history told customers no better apart than the base rate."
        if loss[OURS] >= loss[BASE_RATE]
        else None,
        "short_history": f"The history, from {first_order_on(book)}, reaches for {len(frames)} of {wanted} cutoffs."
        if len(frames) < wanted
        else None,
        "season_never_seen": f"At {len(unseen)} of {len(frames)} cutoffs ({when}) the horizon lay in months that the "
        "history before it had not seen: there nobody could know of a season."
        if unseen
        else None,
    }
    return dict.fromkeys(NAMES) | told


def _notes(frames: Sequence[Frame], chosen: Sequence[Sample]) -> list[str]:
    notes = []
    if len(chosen) < len(frames):
        notes.append(
            f"The verdict rests on {len(chosen)} of {len(frames)} cutoffs: before the others there were no outcomes to "
            "fit the rules on."
        )
    if CEILING in chosen[0].probabilities:
        notes.append(
            "The ceiling was fitted on the outcomes of the other customers in the same horizon: nobody can have it."
        )
    return notes


def _interval_notes(rows: pl.DataFrame, chosen: Sequence[Sample]) -> list[str]:
    """Whether the intervals of our probabilities mean what they say."""
    ours = _rows_of(rows, chosen).filter(pl.col("model") == OURS, pl.col("interval_groups") > 0)
    if ours.is_empty():
        return []
    groups = int(ours["interval_groups"].sum())
    covered = round(sum(share * of for share, of in ours.select("interval_coverage", "interval_groups").iter_rows()))
    return [
        f"The rate lay where the 90 % intervals of churn_probability and chance say in {covered} of {groups} groups of "
        "customers of like probability."
    ]
