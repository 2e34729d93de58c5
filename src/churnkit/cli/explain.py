"""`churnkit explain`."""

from typing import TYPE_CHECKING, Annotated

from churnkit.cli.about import MODEL, about_model
from churnkit.cli.assumptions import about_attributes, about_orders, about_training
from churnkit.cli.known import Labelling
from churnkit.cli.labelled import explain_table, is_table
from churnkit.cli.options import ModelFile, Reading, Running, Tabular, Time, option
from churnkit.cli.portraits import CUSTOMERS, portrait_of
from churnkit.cli.session import Session
from churnkit.output.document import Shape, View
from churnkit.terms import EXPLAIN, WINDOWS

if TYPE_CHECKING:
    from churnkit.predict.explain import Explanation
    from churnkit.predict.model import ChurnModel


def shape() -> Shape:
    """What `explain` answers."""
    return Shape(command="explain", head=(*WINDOWS, MODEL, CUSTOMERS), rows=EXPLAIN)


def explain(
    reading: Reading,
    time: Time,
    labelling: Labelling,
    running: Running,
    showing: Tabular,
    id: Annotated[list[str], option("--id", metavar="ID", help="The customer, exactly as in the file; repeatable.")],
    model: ModelFile = None,
) -> None:
    """One customer whole: history, rhythm, probability, similar customers' fate, and what pushes it up or down.

    Examples:
      churnkit explain orders.parquet --id 17850
      churnkit explain orders.csv -m shop.model --id C001 --id C002 -f json
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    if is_table(labelling, model):
        explain_table(session, reading, time, labelling, running, id, model)
        return
    with session.working():
        import churnkit as ck

        fitted = session.loaded(model, time)
        orders, report = session.orders(reading, cutoff=time.cutoff)
        known = session.attributes(labelling, reading, orders, report)
        fitted = fitted or session.trained(orders, time, running, known)
        explained = ck.explain(orders, fitted, id, cutoff=time.cutoff, attributes=known)
    session.show(
        explained.rows,
        head={
            "cutoff": explained.cutoff,
            "horizon_days": fitted.horizon_days,
            "activity_window_days": fitted.activity_window_days,
            "model": about_model(fitted, model, explained.guards),
            "customers": explained.customers,
        },
        notes=[
            *about_orders(report),
            *about_attributes(known, fitted, model),
            *([] if model else about_training(fitted, time)),
            *filter(None, explained.guards.values()),
        ],
        view=_view(explained, fitted),
        done="1 customer explained"
        if len(explained.customers) == 1
        else f"{len(explained.customers)} customers explained",
    )


def _view(explained: "Explanation", model: "ChurnModel") -> View:
    portraits = [
        portrait_of(
            customer,
            explained.rows.filter(customer_id=customer["customer_id"]),
            in_money=model.has_amounts,
            cutoff=explained.cutoff,
            horizon_days=model.horizon_days,
        )
        for customer in explained.customers
    ]
    return View(
        title=f"No order within {model.horizon_days} days from {explained.cutoff}: how likely, and why",
        portraits=portraits,
        columns=("family", "points", "statement", "push", *(["customer_id"] if len(portraits) > 1 else [])),
        detail="statement",
        whole=True,
    )
