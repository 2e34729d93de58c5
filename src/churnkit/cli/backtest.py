"""`churnkit backtest`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from churnkit.cli.about import GUARDS
from churnkit.cli.assumptions import about_attributes, about_orders, about_time
from churnkit.cli.campaign import Campaign
from churnkit.cli.known import Known
from churnkit.cli.options import Reading, Running, Tabular, Time, Whom, option
from churnkit.cli.session import Session
from churnkit.output.document import Panel, Shape, View
from churnkit.terms import (
    ACTIVITY,
    BACKTEST,
    BACKTEST_SUMMARY,
    CUTOFF,
    DECILES,
    HORIZON,
    MODEL_NAMES,
    Term,
)

if TYPE_CHECKING:
    import polars as pl

    from churnkit.predict.backtest import Backtest

ChartFormat = Literal["svg", "png"]

COSTS = Term("costs", "object", "contact, offer, success_rate and value that profit was counted with.", nullable=True)
LISTS = Term(
    "deciles",
    "objects",
    "The lists cut into tenths, by cutoff, population and model.",
    of=DECILES,
)
UNSEEN = (
    *("brier", "average_precision", "max_profit", "expected_max_profit"),
    *("interval_width", "interval_coverage", "interval_groups"),
)
MEANS = ("model", "log_loss", "auc", "calibration_error", "lift_10", "profit", "captured_money_10", "calibration_floor")
ROWS = ("cutoff", "population", "model", "log_loss", "auc", "calibration_error", "profit", "lift_10", "reached")
TENTHS = ("cutoff", "decile", "churn_probability", "churn_rate", "lift", "captured", "captured_money", "customers")


def shape() -> Shape:
    """What `backtest` answers."""
    head = (CUTOFF, HORIZON, ACTIVITY, COSTS, GUARDS, LISTS)
    return Shape(command="backtest", head=head, summary=BACKTEST_SUMMARY, rows=BACKTEST)


def backtest(
    reading: Reading,
    time: Time,
    known: Known,
    campaign: Campaign,
    running: Running,
    showing: Tabular,
    cutoffs: Annotated[
        int, option("--cutoffs", metavar="N", min=1, show_default=True, help="Earlier cutoffs to judge at.")
    ] = 3,
    population: Whom = "active",
    charts: Annotated[
        str | None, option("--charts", metavar="FOLDER", help="Draw reliability, gain, lift, money and profit there.")
    ] = None,
    chart_format: Annotated[
        ChartFormat,
        option("--chart-format", metavar="svg|png", show_default=True, help="How the charts are drawn."),
    ] = "svg",
) -> None:
    """How good this would have been at earlier cutoffs, against what people use instead.

    At each cutoff everybody sees only the past, and is judged on the horizon that then followed. The answer is what to
    use, and what the difference is worth: in profit where costs are given, else in money lost that the lists hold. The
    table shows means over the cutoffs; --verbose adds the cutoffs and the tenths of the list.

    Examples:
      churnkit backtest orders.parquet
      churnkit backtest orders.csv --contact-cost 1 --offer-cost 10 --charts charts
      churnkit backtest orders.csv --cutoffs 5 --horizon 60 -o backtest.csv
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    campaign.check()
    with session.working():
        import churnkit as ck
        from churnkit.customers.snapshot import default_cutoff
        from churnkit.output.charts import check_folder

        costs = campaign.costs()
        if charts is not None:
            check_folder(charts, chart_format)
        orders, report = session.orders(reading, cutoff=time.cutoff)
        cutoff = time.cutoff or default_cutoff(orders)
        attributes = session.attributes(known, reading, orders, report)
        tested = ck.backtest(
            orders,
            attributes=attributes,
            cutoffs=cutoffs,
            cutoff=cutoff,
            horizon_days=time.horizon_days,
            activity_window_days=time.activity_window_days,
            population=population,
            costs=costs,
            seed=running.seed,
            jobs=running.jobs,
            progress=session.talk.phase,
        )
        drawn = _draw(tested, charts, chart_format) if charts is not None else ""
    deciles = tested.deciles.to_dicts()
    windows = {"horizon_days": tested.horizon_days, "activity_window_days": tested.activity_window_days}
    session.show(
        tested.rows,
        head={
            "cutoff": cutoff,
            **windows,
            "costs": asdict(costs) if costs else None,
            "guards": tested.guards,
            "deciles": deciles,
        },
        summary=tested.summary,
        notes=[
            *about_orders(report),
            *about_attributes(attributes),
            *about_time(time, cutoff, **windows),
            *tested.notes,
        ],
        view=View(
            title=tested.verdict,
            columns=ROWS,
            lines=tested.details,
            whole=True,
            panels=[] if showing.top else _panels(tested, verbose=showing.verbose),
        ),
        done=f"{tested.rows['cutoff'].n_unique()} cutoffs judged{drawn}",
    )


def _panels(tested: "Backtest", *, verbose: bool) -> list[Panel]:
    """The means; with --verbose the cutoffs, and the tenths of our list, too."""
    means = tuple(word for word in BACKTEST if word.name in tested.means.columns and word.name not in UNSEEN)
    panels = [Panel(rows=tested.means, terms=_filled(means, tested.means), columns=MEANS)]
    if verbose:
        panels.append(Panel(title="Each cutoff", rows=tested.rows, terms=_filled(BACKTEST, tested.rows), columns=ROWS))
        ours = tested.deciles.filter(model="churnkit", population=tested.summary["population"])
        panels.append(Panel(title="The list of churnkit in tenths", rows=ours, terms=DECILES, columns=TENTHS))
    return panels


def _filled(terms: tuple[Term, ...], rows: "pl.DataFrame") -> tuple[Term, ...]:
    """Without the columns that hold nothing, as those of profit do without costs."""
    return tuple(word for word in terms if rows[word.name].null_count() < rows.height)


def _draw(tested: "Backtest", folder: str, format: ChartFormat) -> str:
    """Draws the charts; says where they are."""
    from churnkit.output.charts import Drawn, charts_of, write_charts

    said = tested.summary
    rows = tested.rows.filter(population=said["population"], model="churnkit").sort("cutoff")
    rows = rows.filter(rows["cutoff"].is_in(tested.judged_at))
    customers, days = rows["customers"].to_list(), rows["cutoff"].to_list()
    who = {"active": "active customers", "all": "customers"}[said["population"]]
    count = f"{min(customers):,}" if len(set(customers)) == 1 else f"{min(customers):,} to {max(customers):,}"
    when = f"at {days[0]}" if len(days) == 1 else f"{len(days)} cutoffs up to {days[-1]}"
    names = {model: MODEL_NAMES[model].removeprefix("the ") for model in ("churnkit", said["alternative"])}
    if (tested.means["model"] == "ceiling").any():
        names["ceiling"] = "ceiling (nobody can have it)"
    drawn = Drawn(
        curves=tested.curves,
        reliability=tested.reliability,
        names=names,
        subtitle=f"No order within {tested.horizon_days} days · {count} {who} · {when}",
        lost="orders" if said["worth_in"] == "orders" else "money",
    )
    return f", {len(write_charts(folder, charts_of(drawn), format))} charts in {folder}"
