"""`churnkit window`."""

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from churnkit.cli.assumptions import about_orders, about_time
from churnkit.cli.options import Reading, Tabular, Time, option
from churnkit.cli.session import Session
from churnkit.output.document import Panel, Shape, View
from churnkit.terms import (
    ACTIVITY,
    ACTIVITY_CHOICES,
    CUTOFF,
    HORIZON,
    HORIZON_CHOICES,
    STABILITY,
    WINDOW,
    Term,
)

if TYPE_CHECKING:
    import polars as pl

    from churnkit.customers.returns import WindowAdvice
    from churnkit.customers.stability import Stability

HEAD = (
    CUTOFF,
    HORIZON,
    ACTIVITY,
    Term("advised_horizon_days", "days", "The horizon that the typical gap advises, even where another was given."),
    Term("stability", "object", "How stable that advice is.", of=STABILITY),
    Term("choices", "objects", "What each horizon costs that the history allows.", of=HORIZON_CHOICES),
    Term("activity_choices", "objects", "What each activity window costs with this horizon.", of=ACTIVITY_CHOICES),
)
ADVICE = (
    Term("history_days", "days", "Days from the first order to the cutoff."),
    Term("returns", "integer", "How many times a customer came back on a later day."),
    Term("median_gap_days", "days", "Days within which half of those who come back do so.", nullable=True),
    Term("typical_gap_days", "days", "Days within which 80 % of those who come back do so.", nullable=True),
    Term("gone_after_days", "days", "Silent days from which fewer than 10 % come back.", nullable=True),
    Term("reliable", "boolean", "Whether the history is long enough to trust the advice."),
)
SURE = tuple(term for term in STABILITY if term.name not in ("horizons", "earlier"))
CHOICE = Term("choice", "text", "advised, or given.")
LOOKED_AT = (
    *("horizon_days", "activity_window_days", "choice", "false_alarm_share", "ever_returned_share", "base_rate"),
    *("active", "revenue_mistaken", "days_to_know", "gone", "returned"),
)


def shape() -> Shape:
    """What `window` answers."""
    return Shape(command="window", head=HEAD, summary=(*ADVICE, *SURE), rows=WINDOW)


def window(
    reading: Reading,
    time: Time,
    showing: Tabular,
    seed: Annotated[
        int, option("--seed", metavar="N", min=0, show_default=True, help="Seed of the resampled customers.")
    ] = 0,
) -> None:
    """After how many silent days is a customer gone here?

    Shows how many of those silent for so long still came back within a horizon, and advises the horizon and the
    activity window that the other commands use when none is given: how stable that advice is, and what each choice
    costs in customers called gone too early.

    Examples:
      churnkit window orders.parquet
      churnkit window orders.csv --horizon 90
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    with session.working():
        import churnkit as ck
        from churnkit.customers.snapshot import default_cutoff, order_book

        orders, report = session.orders(reading, cutoff=time.cutoff)
        session.talk.phase("weighing")
        book, cutoff = order_book(orders), time.cutoff or default_cutoff(orders)
        advice = ck.advise_windows(
            book,
            cutoff=cutoff,
            horizon_days=time.horizon_days,
            activity_window_days=time.activity_window_days,
        )
        stability = ck.advice_stability(book, advice, cutoff=cutoff, seed=seed)
        costs = ck.weigh_windows(book, advice, cutoff=cutoff)
    sure = _sure(stability, advice)
    panels = _panels(advice, costs.horizons, costs.activity_windows)
    session.show(
        advice.curve,
        head={
            "cutoff": cutoff,
            **{
                name: getattr(advice, name) for name in ("horizon_days", "activity_window_days", "advised_horizon_days")
            },
            "stability": sure,
            "choices": costs.horizons.to_dicts(),
            "activity_choices": costs.activity_windows.to_dicts(),
        },
        summary={term.name: getattr(advice, term.name) for term in ADVICE}
        | {term.name: sure[term.name] for term in SURE},
        notes=[
            *about_orders(report),
            *about_time(time, cutoff, advice.horizon_days, advice.activity_window_days),
        ],
        view=View(
            title=f"Horizon {advice.horizon_days} days, activity window {advice.activity_window_days} days",
            lines=[*advice.sentences, *([stability.sentence] if stability.sentence else [])],
            several="silences",
            whole=True,
            panels=[] if showing.top else panels,
        ),
        done=f"{advice.returns:,} returns seen",
        then=f"churnkit score {shlex.join(reading.sources)} --horizon {advice.horizon_days}",
    )


def _sure(stability: "Stability", advice: "WindowAdvice") -> dict[str, object]:
    same = stability.horizons.get(advice.advised_horizon_days, 0)
    return {
        "resamples": stability.resamples,
        "agreeing_share": same / stability.resamples if stability.resamples else None,
        "horizons": dict(stability.horizons),
        "typical_gap_low_days": stability.typical_gap_low_days,
        "typical_gap_high_days": stability.typical_gap_high_days,
        "earlier": [asdict(then) for then in stability.earlier],
    }


def _panels(advice: "WindowAdvice", horizons: "pl.DataFrame", activity: "pl.DataFrame") -> list[Panel]:
    """The curve, and what each choice costs."""
    return [
        *([Panel(rows=advice.curve, terms=WINDOW)] if advice.curve.height else []),
        _choices("What each horizon costs", horizons, HORIZON_CHOICES),
        _choices("What each activity window costs", activity, ACTIVITY_CHOICES),
    ]


def _choices(title: str, rows: "pl.DataFrame", terms: tuple[Term, ...]) -> Panel:
    import polars as pl

    marked = pl.when("advised").then(pl.lit("advised")).when("taken").then(pl.lit("given")).otherwise(pl.lit(""))
    shown = [term for term in terms if term.name not in ("advised", "taken") and rows[term.name].count()]
    return Panel(
        title=title,
        rows=rows.with_columns(choice=marked),
        terms=(shown[0], CHOICE, *shown[1:]),
        columns=LOOKED_AT,
    )
