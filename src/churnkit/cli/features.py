"""`churnkit features`."""

from churnkit.cli.assumptions import about_attributes, about_orders
from churnkit.cli.known import Known
from churnkit.cli.options import Reading, Tabular, Until
from churnkit.cli.session import Session
from churnkit.output.document import Shape, View
from churnkit.terms import CUTOFF, Term

SUMMARY = (Term("customers", "integer", "Customers known before the cutoff."),)


def shape() -> Shape:
    """What `features` answers."""
    from churnkit.customers.snapshot import snapshot_terms

    return Shape(command="features", head=(CUTOFF,), summary=SUMMARY, rows=snapshot_terms())


def features(reading: Reading, until: Until, known: Known, showing: Tabular) -> None:
    """The customer table itself: one row per customer, every column documented.

    Only what was ordered before the cutoff is seen. `churnkit schema features` explains the columns; those of
    --attributes come last.

    Examples:
      churnkit features orders.parquet -o customers.parquet
      churnkit features orders.csv --columns customer_id,frequency,monetary
    """
    session = Session(showing, shape(), writes=[reading.rejects], open_ended=bool(known.attributes))
    with session.working():
        import churnkit as ck
        from churnkit.customers.snapshot import default_cutoff, snapshot_terms

        orders, report = session.orders(reading, cutoff=until.cutoff)
        cutoff = until.cutoff or default_cutoff(orders)
        attributes = session.attributes(known, reading, orders, report) or ()
        session.adds(snapshot_terms(attributes)[len(snapshot_terms()) :])
        session.talk.phase("features")
        customers = ck.features(orders, cutoff=cutoff, attributes=attributes)
    session.show(
        customers,
        head={"cutoff": cutoff},
        summary={"customers": customers.height},
        notes=[*about_orders(report), *about_attributes(attributes)],
        view=View(title=f"{customers.height:,} customers at {cutoff}", several="customers"),
        done=f"{customers.height:,} customers",
    )
