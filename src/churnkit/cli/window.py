"""`churnkit window`."""

import shlex

from churnkit.cli.assumptions import about_orders, about_time
from churnkit.cli.options import Reading, Tabular, Time
from churnkit.cli.session import Session
from churnkit.output.document import Shape, View
from churnkit.terms import ACTIVITY, CUTOFF, HORIZON, WINDOW, Term

SUMMARY = (
    Term("history_days", "days", "Days from the first order to the cutoff."),
    Term("returns", "integer", "How many times a customer came back on a later day."),
    Term("median_gap_days", "days", "Days within which half of those who come back do so.", nullable=True),
    Term("typical_gap_days", "days", "Days within which 80 % of those who come back do so.", nullable=True),
    Term("gone_after_days", "days", "Silent days from which fewer than 10 % come back.", nullable=True),
    Term("reliable", "boolean", "Whether the history is long enough to trust the advice."),
)


def shape() -> Shape:
    """What `window` answers."""
    return Shape(command="window", head=(CUTOFF, HORIZON, ACTIVITY), summary=SUMMARY, rows=WINDOW)


def window(reading: Reading, time: Time, showing: Tabular) -> None:
    """After how many silent days is a customer gone here?

    Shows how many of those silent for so long still came back within a horizon, and advises the horizon and the
    activity window that the other commands use when none is given.

    Examples:
      churnkit window orders.parquet
      churnkit window orders.csv --horizon 90
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    with session.working():
        import churnkit as ck
        from churnkit.customers.snapshot import default_cutoff

        orders, report = session.orders(reading, cutoff=time.cutoff)
        cutoff = time.cutoff or default_cutoff(orders)
        advice = ck.advise_windows(
            orders,
            cutoff=cutoff,
            horizon_days=time.horizon_days,
            activity_window_days=time.activity_window_days,
        )
    session.show(
        advice.curve,
        head={
            "cutoff": cutoff,
            "horizon_days": advice.horizon_days,
            "activity_window_days": advice.activity_window_days,
        },
        summary={term.name: getattr(advice, term.name) for term in SUMMARY},
        notes=[
            *about_orders(report),
            *about_time(time, cutoff, advice.horizon_days, advice.activity_window_days),
        ],
        view=View(
            title=f"Horizon {advice.horizon_days} days, activity window {advice.activity_window_days} days",
            lines=advice.sentences,
            several="silences",
            whole=True,
        ),
        done=f"{advice.returns:,} returns seen",
        then=f"churnkit score {shlex.join(reading.sources)} --horizon {advice.horizon_days}",
    )
