"""What `train`, `score` and `explain` do with a labelled table instead of orders."""

import shlex
from typing import TYPE_CHECKING

import typer

from churnkit.cli.app import ExitCode
from churnkit.cli.known import Labelling
from churnkit.cli.model import facts_of
from churnkit.cli.options import Listing, Reading, Running, Tabular, Time
from churnkit.cli.portraits import EXPLAINED, portrait_of
from churnkit.cli.session import Session
from churnkit.errors import UsageError
from churnkit.output.document import Fact, View
from churnkit.output.files import write_bytes
from churnkit.terms import SCORE

if TYPE_CHECKING:
    from churnkit.predict.labelled.model import LabelledModel, Prediction
    from churnkit.predict.labelled.table import CustomerTable
    from churnkit.predict.labelled.training import Trained

LOOKED_AT = ("rank", "customer_id", "churn_probability", "risk", "value_at_risk", "spend_if_retained")
_OF_ORDERS = ("date", "order", "product", "quantity", "price", "market", "rejects", "dedupe")
_OF_TIME = ("cutoff", "horizon", "activity_window")


def is_table(labelling: Labelling, model: str | None) -> bool:
    """Whether the input is a table of customers: a label was named, or the model is one of such a table."""
    if model is None:
        if labelling.label is None and (labelling.label_churned or (labelling.ignored and not labelling.attributes)):
            raise UsageError("without --label there is no label", hint="name the column: --label COLUMN")
        if labelling.label is not None and labelling.attributes:
            raise UsageError(
                "--attributes is for orders; a table of customers with a label holds what is known of them itself",
                hint="join the files to one table, or leave out --label",
            )
        return labelling.label is not None
    import churnkit as ck
    from churnkit.predict.labelled.model import LabelledModel

    loaded = ck.load_model(model)
    if isinstance(loaded, LabelledModel):
        if labelling.label not in (None, loaded.label.column):
            raise UsageError(
                f"{model} was trained on the label {loaded.label.column}, not on {labelling.label}",
                hint="leave out --label: a model that is given only scores",
            )
        if labelling.attributes:
            raise UsageError(
                f"{model} is a model of a table with a label, and --attributes is for orders",
                hint="leave out --attributes: the table holds what is known",
            )
        return True
    if labelling.label is not None:
        raise UsageError(
            f"{model} is a model of orders, and --label is for a table of customers",
            hint="leave out --label, or train a model of the table: churnkit train TABLE --label COLUMN -o FILE",
        )
    return False


def train_table(
    session: Session, reading: Reading, time: Time, labelling: Labelling, running: Running, output: str
) -> None:
    """Trains on a labelled table, and writes the model."""
    with session.working():
        import churnkit as ck
        from churnkit.predict.saved import model_bytes

        table = _table(session, reading, time, labelling)
        fitted = _trained(session, table, reading, running).model
        blob = model_bytes(fitted)
        write_bytes(output, lambda stream: stream.write(blob))
        card = ck.model_card(ck.load_model(blob))  # as the next command will read it
    session.show(
        summary=card,
        notes=fitted.notes,
        view=View(title=f"Model {output}", facts=facts_of(card)),
        done=f"{output} written",
        then=f"churnkit score TABLE --model {output}",
    )


def score_table(
    session: Session,
    reading: Reading,
    time: Time,
    labelling: Labelling,
    listing: Listing,
    running: Running,
    showing: Tabular,
    model: str | None,
    *,
    fail_if_any: bool,
) -> None:
    """Ranks the customers of a table; without a model each is scored by one that had not seen them."""
    with session.working():
        from churnkit.predict.labelled.listing import list_customers

        table, fitted, prediction, notes = _scored(session, reading, time, labelling, running, model)
        listed = list_customers(
            table,
            prediction,
            rank_by=listing.rank_by,
            min_risk=listing.min_risk,
            top=showing.top,
            decimal=reading.decimal,
        )
    summary, has_amounts = listed.summary, table.amount_cents is not None
    at_stake = [Fact("at risk in all", summary["value_at_risk"], "money")] if has_amounts else []
    session.show(
        listed.rows,
        head=_head(fitted, model),
        summary=summary,
        notes=[*notes, *listed.notes],
        view=View(
            title=f"Who is about to leave: {_meaning(fitted)}",
            columns=LOOKED_AT,
            empty=[term.name for term in SCORE if term.nullable and not (has_amounts and term.name in LOOKED_AT)],
            detail="reasons",
            several="customers",
            sums=[
                Fact("scored", summary["scored"], "integer"),
                Fact("at high risk", summary["high_risk"], "integer"),
                Fact("expected to leave", round(summary["expected_to_leave"]), "integer"),
                *at_stake,
            ],
        ),
        done=f"{summary['scored']:,} customers scored",
        then=_next(reading, labelling, model, listed.rows["customer_id"][0]) if listed.rows.height else "",
    )
    if fail_if_any and listed.rows.height:
        raise typer.Exit(ExitCode.CONDITION_MET)


def explain_table(
    session: Session,
    reading: Reading,
    time: Time,
    labelling: Labelling,
    running: Running,
    ids: list[str],
    model: str | None,
) -> None:
    """Shows some customers of a table, and what every column adds."""
    with session.working():
        from churnkit.predict.labelled.listing import explain_rows

        table, fitted, prediction, notes = _scored(session, reading, time, labelling, running, model)
        customers, rows = explain_rows(table, prediction, ids, reading.decimal)
    portraits = [portrait_of(customer, rows.filter(customer_id=customer["customer_id"])) for customer in customers]
    session.show(
        rows,
        head=_head(fitted, model)
        | {"customers": [{term.name: customer.get(term.name) for term in EXPLAINED} for customer in customers]},
        notes=[*notes, *prediction.notes],
        view=View(
            title=f"{_meaning(fitted)}: how likely, and why",
            portraits=portraits,
            columns=("family", "points", "statement", "push", *(["customer_id"] if len(customers) > 1 else [])),
            detail="statement",
            whole=True,
        ),
    )


def _table(session: Session, reading: Reading, time: Time, labelling: Labelling) -> "CustomerTable":
    import churnkit as ck

    _refuse_time(reading, time)
    return ck.customer_table(
        session.lines(reading),
        label=labelling.label,
        churned_value=labelling.label_churned,
        customer=reading.customer,
        amount=reading.amount,
        ignore=labelling.ignored,
        decimal=reading.decimal,
    )


def _refuse_time(reading: Reading, time: Time) -> None:
    named = [name for name in _OF_ORDERS if getattr(reading, name)] + [
        name for name in _OF_TIME if getattr(time, name) is not None
    ]
    if named:
        flag = f"--{named[0].replace('_', '-')}"
        raise UsageError(
            f"{flag} is for orders; a table of customers with a label has no orders and no time",
            hint=f"leave out {flag}",
        )


def _trained(session: Session, table: "CustomerTable", reading: Reading, running: Running) -> "Trained":
    import churnkit as ck

    return ck.train_labelled(
        table, decimal=reading.decimal, seed=running.seed, jobs=running.jobs, progress=session.talk.phase
    )


def _scored(
    session: Session, reading: Reading, time: Time, labelling: Labelling, running: Running, model: str | None
) -> "tuple[CustomerTable, LabelledModel, Prediction, tuple[str, ...]]":
    import churnkit as ck
    from churnkit.predict.guards import sentences
    from churnkit.predict.labelled.model import LabelledModel, predict

    if model is None:
        table = _table(session, reading, time, labelling)
        trained = _trained(session, table, reading, running)
        return table, trained.model, trained.unseen, trained.model.notes
    fitted = ck.load_model(model)
    assert isinstance(fitted, LabelledModel)
    table = _without_label(session, reading, time, fitted)
    told = (*sentences(fitted.guards), *table.notes)
    return table, fitted, predict(fitted, table.cells, reading.decimal), told


def _without_label(session: Session, reading: Reading, time: Time, model: "LabelledModel") -> "CustomerTable":
    """The table to score; where it holds the label, too, that is not looked at."""
    import dataclasses

    import churnkit as ck

    _refuse_time(reading, time)
    lines = session.lines(reading)
    names = lines.frame.collect_schema().names()
    known = model.id_column if model.id_column in names else None
    if model.label.column in names:
        lines = dataclasses.replace(lines, frame=lines.frame.drop(model.label.column))
    return ck.customer_table(lines, customer=reading.customer or known, amount=reading.amount, decimal=reading.decimal)


def _head(model: "LabelledModel", file: str | None) -> dict[str, object]:
    about = {"kind": model.kind, "file": file, "cutoff": None, "guards": model.guards, "check": model.figures or None}
    return {"cutoff": None, "horizon_days": None, "activity_window_days": None, "model": about}


def _meaning(model: "LabelledModel") -> str:
    return f"{model.label.column} is {' or '.join(model.label.churned)}"


def _next(reading: Reading, labelling: Labelling, model: str | None, customer_id: str) -> str:
    how = f"--model {model}" if model else f"--label {shlex.quote(labelling.label or '')}"
    return f"churnkit explain {shlex.join(reading.sources)} {how} --id {shlex.quote(customer_id)}"
