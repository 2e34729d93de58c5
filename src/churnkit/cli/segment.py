"""`churnkit segment`."""

from dataclasses import replace
from typing import Annotated

from churnkit.cli.about import MODEL, about_model
from churnkit.cli.assumptions import about_attributes, about_orders
from churnkit.cli.known import Known
from churnkit.cli.options import ModelFile, Reading, Tabular, Until, option
from churnkit.cli.session import Session
from churnkit.errors import UsageError
from churnkit.output.document import Shape, View
from churnkit.terms import CUTOFF, SEGMENT, SEGMENT_LIST, Term

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
    known: Known,
    showing: Tabular,
    model: ModelFile = None,
    list: Annotated[bool, option("--list", help="One row per customer instead of one per segment.")] = False,
    by: Annotated[
        str | None, option("--by", metavar="COLUMN", help="One row per segment and value of this attribute.")
    ] = None,
) -> None:
    """RFM scores, named segments, and what to do for each.

    Customers are scored 1 to 5 for recency, frequency and money; the scores name the segment. With --model the
    segments tell their churn probability and what is at stake, too. With --attributes the list holds what else is
    known of each customer, and --by tells the segments apart by it.

    Examples:
      churnkit segment orders.parquet
      churnkit segment orders.csv --model shop.model
      churnkit segment orders.csv --list -o segments.csv
      churnkit segment orders.csv --attributes plans.csv --by plan
    """
    if list and by is not None:
        raise UsageError(
            "--list has one row per customer, --by one per segment and value", hint="leave out one of them"
        )
    session = Session(
        showing, list_shape() if list else shape(), writes=[reading.rejects], open_ended=bool(known.attributes)
    )
    with session.working():
        import churnkit as ck
        from churnkit.act.ranking import rank_customers
        from churnkit.customers.segments import segment_summary
        from churnkit.customers.snapshot import default_cutoff, snapshot_terms

        fitted = session.order_model(model)
        orders, report = session.orders(reading, cutoff=until.cutoff)
        cutoff = until.cutoff or default_cutoff(orders)
        attributes = session.attributes(known, reading, orders, report) or ()
        added = snapshot_terms(attributes)[len(snapshot_terms()) :]
        customers = ck.snapshot(orders, cutoff=cutoff, attributes=attributes)
        segments = ck.segment(customers)
        ranked = (
            rank_customers(orders, fitted, cutoff=cutoff, population="all", attributes=attributes) if fitted else None
        )
        if list:
            session.adds(added)
            rows = segments.hstack([customers[term.name] for term in added])
        else:
            rows = segment_summary(customers, segments, ranked.rows if ranked else None, by=by)
            session.adds([term for term in added if term.name == by], after=1)
    session.show(
        rows,
        head={
            "cutoff": cutoff,
            "model": about_model(fitted, model, ranked.guards) if fitted and ranked else None,
        },
        summary={"customers": customers.height},
        notes=[
            *about_orders(report),
            *about_attributes(attributes, fitted, model),
            *(ranked.notes if ranked else ()),
        ],
        view=View(
            title=f"{customers.height:,} customers at {cutoff}",
            columns=() if list else _looked_at(by, model),
            detail="" if list else "action",
            several="customers" if list else "segments",
            whole=not list,
        ),
        done=f"{customers.height:,} customers",
    )


def _looked_at(by: str | None, model: str | None) -> tuple[str, ...]:
    head = LOOKED_AT[:1] if by is None else (*LOOKED_AT[:1], by)
    return (*head, *LOOKED_AT[1:2], *(AT_STAKE if model is not None else ()), *LOOKED_AT[2:])
