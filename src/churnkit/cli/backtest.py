"""`churnkit backtest`."""

from typing import Annotated

from churnkit.cli.assumptions import about_orders, about_time
from churnkit.cli.options import Reading, Running, Tabular, Time, option
from churnkit.cli.session import Session
from churnkit.output.document import Shape, View
from churnkit.terms import ACTIVITY, BACKTEST, CUTOFF, HORIZON, Term

SUMMARY = (Term("verdict", "text", "Which model or rule to use, in a sentence."),)
LOOKED_AT = ("model", "log_loss", "auc", "cutoff", "population", "lift_10", "captured_10", "calibration_error", "brier")


def shape() -> Shape:
    """What `backtest` answers."""
    return Shape(command="backtest", head=(CUTOFF, HORIZON, ACTIVITY), summary=SUMMARY, rows=BACKTEST)


def backtest(
    reading: Reading,
    time: Time,
    running: Running,
    showing: Tabular,
    cutoffs: Annotated[
        int, option("--cutoffs", metavar="N", min=1, show_default=True, help="Earlier cutoffs to judge at.")
    ] = 3,
) -> None:
    """How good this would have been at earlier cutoffs, against what people use instead.

    At each cutoff everybody sees only the past, and is judged on the horizon that then followed.

    Examples:
      churnkit backtest orders.parquet
      churnkit backtest orders.csv --cutoffs 5 --horizon 60 -o backtest.csv
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    with session.working():
        import churnkit as ck
        from churnkit.customers.snapshot import default_cutoff

        orders, report = session.orders(reading, cutoff=time.cutoff)
        cutoff = time.cutoff or default_cutoff(orders)
        tested = ck.backtest(
            orders,
            cutoffs=cutoffs,
            cutoff=cutoff,
            horizon_days=time.horizon_days,
            activity_window_days=time.activity_window_days,
            seed=running.seed,
            jobs=running.jobs,
            progress=session.talk.phase,
        )
    windows = {"horizon_days": tested.horizon_days, "activity_window_days": tested.activity_window_days}
    session.show(
        tested.rows,
        head={"cutoff": cutoff, **windows},
        summary={"verdict": tested.verdict},
        notes=[*about_orders(report), *about_time(time, cutoff, **windows), *tested.notes],
        view=View(
            title=f"No order within {tested.horizon_days} days, foretold at earlier cutoffs",
            columns=LOOKED_AT,
            lines=[tested.verdict],
            whole=True,
        ),
        done=f"{tested.rows['cutoff'].n_unique()} cutoffs judged",
    )
