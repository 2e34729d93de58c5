"""`churnkit explain`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from churnkit.cli.assumptions import about_model, about_orders, about_training
from churnkit.cli.labelled import explain_table, is_table
from churnkit.cli.options import Labelling, ModelFile, Reading, Running, Tabular, Time, option
from churnkit.cli.session import Session
from churnkit.output.document import Fact, Shape, View
from churnkit.terms import EXPLAIN, MODEL, SCORE, WINDOWS, Term

if TYPE_CHECKING:
    from churnkit.predict.explain import Explanation

CUSTOMERS = Term(
    "customers",
    "objects",
    "The customers: the columns of `score`, their rhythm, and every order.",
)
_LAST_ORDERS = 8


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
    """One customer: history, rhythm, probability, and what pushes it up or down.

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
        fitted = fitted or session.trained(orders, time, running)
        explained = ck.explain(orders, fitted, id, cutoff=time.cutoff)
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
            *([] if model else about_training(fitted, time)),
            *filter(None, explained.guards.values()),
        ],
        view=_view(explained, fitted.horizon_days),
        done="1 customer explained"
        if len(explained.customers) == 1
        else f"{len(explained.customers)} customers explained",
    )


def _view(explained: "Explanation", horizon_days: int) -> View:
    facts = [fact for customer in explained.customers for fact in _facts(customer)]
    return View(
        title=f"No order within {horizon_days} days from {explained.cutoff}: how likely, and why",
        facts=facts,
        columns=("family", "points", "statement", "push", *(["customer_id"] if len(explained.customers) > 1 else [])),
        detail="statement",
        whole=True,
    )


def _facts(customer: Mapping[str, Any]) -> list[Fact]:
    kinds = {term.name: term.kind for term in SCORE}
    known = [
        Fact(name.replace("_", " "), value, kinds.get(name, "number" if isinstance(value, float) else "integer"))
        for name, value in customer.items()
        if name != "orders"
    ]
    return [*known, *(_order(order) for order in customer["orders"][-_LAST_ORDERS:])]


def _order(order: Mapping[str, Any]) -> Fact:
    label = f"{'refund' if order['refund'] else 'order'} of {order['ordered_on']}"
    return Fact(label, order["lines"], "integer") if order["amount"] is None else Fact(label, order["amount"], "money")
