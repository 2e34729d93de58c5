"""`churnkit score`: the main job."""

import dataclasses
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from churnkit.cli.about import MODEL, about_model
from churnkit.cli.app import ExitCode
from churnkit.cli.assumptions import about_attributes, about_orders, about_training
from churnkit.cli.known import Known, Labelling
from churnkit.cli.labelled import is_table, score_table
from churnkit.cli.options import Listing, ModelFile, Reading, Running, Tabular, Time, option
from churnkit.cli.session import Session
from churnkit.errors import UsageError
from churnkit.output.document import Fact, Shape, View
from churnkit.terms import SCORE, SCORE_SUMMARY, WINDOWS

if TYPE_CHECKING:
    from churnkit.act.ranking import Ranked
    from churnkit.predict.model import ChurnModel

LOOKED_AT = (
    *("rank", "customer_id", "churn_probability", "value_at_risk", "last_order_on", "segment"),
    *("spend_if_retained", "recency_days", "frequency", "monetary", "next_order_on"),
)


def shape() -> Shape:
    """What `score` answers."""
    return Shape(command="score", head=(*WINDOWS, MODEL), summary=SCORE_SUMMARY, rows=SCORE)


def score(
    reading: Reading,
    time: Time,
    labelling: Labelling,
    listing: Listing,
    running: Running,
    showing: Tabular,
    model: ModelFile = None,
    fail_if_any: Annotated[
        bool, option("--fail-if-any", panel="List", help="Exit with 1 where the list is not empty.")
    ] = False,
    fail_if_drift: Annotated[
        bool,
        option("--fail-if-drift", panel="List", help="Exit with 1 where the customers are unlike those of --model."),
    ] = False,
) -> None:
    """Who is about to leave, ranked by what can still be saved, and why.

    Needs nothing but the orders: it finds the columns, picks cutoff, horizon and activity window from the data and
    says which, trains on earlier cutoffs of the same file, and checks itself against simpler rules. With --model it
    only scores. With --label the input is a table of customers, each scored by a model that had not seen them.

    Examples:
      churnkit score orders.parquet
      churnkit score orders.csv --horizon 60 --top 50
      churnkit score orders.csv --model shop.model --min-risk 0.7 -o at-risk.csv
      churnkit score orders.csv --model shop.model --fail-if-drift -o list.csv
      churnkit score orders.csv --format json | jq '.rows[0]'
      churnkit score orders.csv --attributes plans.csv --attributes survey.csv
      churnkit score subscribers.csv --label Churn
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    if is_table(labelling, model):
        if fail_if_drift:
            raise UsageError("--fail-if-drift is for models of orders", hint="leave it out for a labelled table")
        score_table(session, reading, time, labelling, listing, running, showing, model, fail_if_any=fail_if_any)
        return
    with session.working():
        from churnkit.act.ranking import rank_customers

        fitted = session.loaded(model, time)
        orders, report = session.orders(reading, cutoff=time.cutoff)
        known = session.attributes(labelling, reading, orders, report)
        fitted = fitted or session.trained(orders, time, running, known)
        session.talk.phase("scoring")
        ranked = rank_customers(
            orders, fitted, cutoff=time.cutoff, top=showing.top, attributes=known, **dataclasses.asdict(listing)
        )
    session.show(
        ranked.rows,
        head=_head(ranked, fitted, model),
        summary=ranked.summary,
        notes=[
            *about_orders(report),
            *about_attributes(known, fitted, model),
            *([] if model else about_training(fitted, time)),
            *ranked.notes,
        ],
        view=_view(ranked, fitted),
        done=f"{ranked.summary['scored']:,} customers scored",
        then=_next(ranked, reading, labelling, model),
    )
    if (fail_if_any and ranked.rows.height) or (fail_if_drift and ranked.guards["drift"]):
        raise typer.Exit(ExitCode.CONDITION_MET)


def _head(ranked: "Ranked", model: "ChurnModel", file: str | None) -> dict[str, object]:
    return {
        "cutoff": ranked.cutoff,
        "horizon_days": model.horizon_days,
        "activity_window_days": model.activity_window_days,
        "model": about_model(model, file, ranked.guards),
    }


def _view(ranked: "Ranked", model: "ChurnModel") -> View:
    summary = ranked.summary
    return View(
        title=f"Who is about to leave: no order within {model.horizon_days} days from {ranked.cutoff}",
        columns=LOOKED_AT,
        interval=("churn_low", "churn_high"),
        detail="reasons",
        several="customers",
        sums=[
            Fact("scored", summary["scored"], "integer"),
            Fact("at high risk", summary["high_risk"], "integer"),
            Fact("expected to leave", round(summary["expected_to_leave"]), "integer"),
            Fact("at risk in all", summary["value_at_risk"], "money" if model.has_amounts else "number"),
        ],
    )


def _next(ranked: "Ranked", reading: Reading, known: Known, model: str | None) -> str:
    if not ranked.rows.height:
        return ""
    with_model = f" --model {model}" if model else ""
    first = shlex.quote(ranked.rows["customer_id"][0])
    return f"churnkit explain {shlex.join(reading.sources)} --id {first}{with_model}{known.again()}"
