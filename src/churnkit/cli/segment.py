"""`churnkit segment`."""

from dataclasses import replace
from typing import Annotated

from churnkit.cli.assumptions import about_model, about_orders
from churnkit.cli.options import ModelFile, Reading, Tabular, Until, option
from churnkit.cli.session import Session
from churnkit.output.document import Shape, View
from churnkit.terms import CUTOFF, MODEL, SEGMENT, SEGMENT_LIST, Term

HEAD = (CUTOFF, replace(MODEL, nullable=True))
SUMMARY = (Term("customers", "integer", "Customers known before the cutoff."),)
LOOKED_AT = ("segment", "customers", "revenue", "share", "revenue_share", "mean_recency_days")
AT_STAKE = ("churn_probability", "value_at_risk")


def shape() -> Shape:
    """What `segment` answers."""
    return Shape(command="segment", head=HEAD, summary=SUMMARY, rows=SEGMENT)


def list_shape() -> Shape:
    """What `segment --list` answers."""
    return Shape(command="segment-list", head=HEAD, summary=SUMMARY, rows=SEGMENT_LIST)


def segment(
    reading: Reading,
    until: Until,
    showing: Tabular,
    model: ModelFile = None,
    list: Annotated[bool, option("--list", help="One row per customer instead of one per segment.")] = False,
) -> None:
    """RFM scores, named segments, and what to do for each.

    Customers are scored 1 to 5 for recency, frequency and money; the scores name the segment. With --model the
    segments tell their churn probability and what is at stake, too.

    Examples:
      churnkit segment orders.parquet
      churnkit segment orders.csv --model shop.model
      churnkit segment orders.csv --list -o segments.csv
    """
    session = Session(showing, list_shape() if list else shape(), writes=[reading.rejects])
    with session.working():
        import churnkit as ck
        from churnkit.act.ranking import rank_customers
        from churnkit.customers.segments import segment_summary
        from churnkit.customers.snapshot import default_cutoff

        fitted = session.order_model(model)
        orders, report = session.orders(reading, cutoff=until.cutoff)
        cutoff = until.cutoff or default_cutoff(orders)
        customers = ck.snapshot(orders, cutoff=cutoff)
        segments = ck.segment(customers)
        ranked = rank_customers(orders, fitted, cutoff=cutoff, population="all") if fitted else None
        rows = segments if list else segment_summary(customers, segments, ranked.rows if ranked else None)
    session.show(
        rows,
        head={
            "cutoff": cutoff,
            "model": about_model(fitted, model, ranked.guards) if fitted and ranked else None,
        },
        summary={"customers": customers.height},
        notes=[*about_orders(report), *(ranked.notes if ranked else ())],
        view=View(
            title=f"{customers.height:,} customers at {cutoff}",
            columns=() if list else LOOKED_AT if model is None else (*LOOKED_AT[:2], *AT_STAKE, *LOOKED_AT[2:]),
            detail="" if list else "action",
            several="customers" if list else "segments",
            whole=not list,
        ),
        done=f"{customers.height:,} customers",
    )
