"""`churnkit explain`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from churnkit.cli.assumptions import about_model, about_orders, about_training
from churnkit.cli.labelled import explain_table, is_table
from churnkit.cli.options import Labelling, ModelFile, Reading, Running, Tabular, Time, option
from churnkit.cli.session import Session
from churnkit.output.document import Fact, Portrait, Push, Shape, View
from churnkit.terms import EXPLAIN, EXPLAINED, MODEL, WINDOWS, Term

if TYPE_CHECKING:
    import polars as pl

    from churnkit.predict.explain import Explanation
    from churnkit.predict.model import ChurnModel

CUSTOMERS = Term(
    "customers",
    "objects",
    "The customers: the columns of `score`, their rhythm, what became of similar ones, and every order.",
    of=EXPLAINED,
)
LOOKED_AT = (
    *("churn_probability", "risk", "segment", "value_at_risk", "spend_if_retained", "alive_probability"),
    *("last_order_on", "recency_days", "next_order_on", "frequency", "monetary", "tenure_days"),
)


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
        view=_view(explained, fitted),
        done="1 customer explained"
        if len(explained.customers) == 1
        else f"{len(explained.customers)} customers explained",
    )


def _view(explained: "Explanation", model: "ChurnModel") -> View:
    portraits = []
    for customer in explained.customers:
        rows = explained.rows.filter(customer_id=customer["customer_id"])
        portraits.append(
            Portrait(
                title=customer["customer_id"],
                reasons=customer["reasons"],
                facts=facts_of(customer, in_money=model.has_amounts),
                orders=customer["orders"],
                cutoff=explained.cutoff,
                horizon_days=model.horizon_days,
                lines=customer["told"],
                pushes=pushes_of(rows),
                average=customer["average_probability"],
                probability=customer["churn_probability"],
            )
        )
    return View(
        title=f"No order within {model.horizon_days} days from {explained.cutoff}: how likely, and why",
        portraits=portraits,
        columns=("family", "points", "statement", "push", *(["customer_id"] if len(portraits) > 1 else [])),
        detail="statement",
        whole=True,
    )


def facts_of(customer: Mapping[str, Any], *, in_money: bool) -> list[Fact]:
    """What a person looks for first, where it is known."""
    kinds = {term.name: term.kind for term in EXPLAINED}
    facts = []
    for name in LOOKED_AT:
        if (value := customer.get(name)) is not None:
            low, high = (customer.get(f"{name.removesuffix('_probability')}_{end}") for end in ("low", "high"))
            within = (low, high) if low is not None and high is not None else None
            kind = "number" if kinds[name] == "money" and not in_money else kinds[name]
            facts.append(Fact(name.replace("_", " "), value, kind, within))
    return facts


def pushes_of(rows: "pl.DataFrame") -> list[Push]:
    """The rows of one customer as bars."""
    return [Push(row["family"], row["points"], row["statement"]) for row in rows.iter_rows(named=True)]
