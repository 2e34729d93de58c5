"""`churnkit train`."""

import shlex
from typing import Annotated

from churnkit.cli.assumptions import about_attributes, about_orders, about_training
from churnkit.cli.known import Labelling
from churnkit.cli.labelled import is_table, train_table
from churnkit.cli.model import SUMMARY, facts_of
from churnkit.cli.options import Formatted, Reading, Running, Time, option
from churnkit.cli.session import Session
from churnkit.errors import UsageError
from churnkit.output.document import Shape, View
from churnkit.output.files import STANDARD_OUTPUT, write_bytes


def shape() -> Shape:
    """What `train` answers."""
    return Shape(command="train", summary=SUMMARY)


def train(
    reading: Reading,
    time: Time,
    labelling: Labelling,
    output: Annotated[str, option("--output", "-o", metavar="FILE", help="Write the model there.")],
    running: Running,
    showing: Formatted,
    export_sklearn: Annotated[
        str | None,
        option(
            "--export-sklearn",
            metavar="FILE.joblib",
            help="Write the fitted scikit-learn estimators too; churnkit never reads such a file.",
        ),
    ] = None,
) -> None:
    """Train a churn model on these orders, into one file, with its honest out-of-time result.

    The model learns from earlier cutoffs of the same orders and is checked on the last horizon, which it has not seen.
    With --label the input is a table of customers, and the check is a cross-validation.

    Examples:
      churnkit train orders.parquet -o shop.model
      churnkit train orders.csv -o shop.model --horizon 60 --cutoff 2024-01-01
      churnkit train subscribers.csv --label Churn -o subscribers.model
    """
    if output == STANDARD_OUTPUT:
        raise UsageError("standard output is for the figures, not for the model", hint="name a file: -o shop.model")
    session = Session(showing, shape(), writes=[output, export_sklearn, reading.rejects])
    if is_table(labelling, None):
        if export_sklearn is not None:
            raise UsageError("--export-sklearn is for models of orders", hint="leave it out with --label")
        train_table(session, reading, time, labelling, running, output)
        return
    with session.working():
        from pathlib import Path

        import churnkit as ck
        from churnkit.predict.export import export_sklearn as export
        from churnkit.predict.saved import model_bytes

        orders, report = session.orders(reading, cutoff=time.cutoff)
        known = session.attributes(labelling, reading, orders, report)
        fitted = session.trained(orders, time, running, known)
        blob = model_bytes(fitted)
        write_bytes(output, lambda stream: stream.write(blob))
        if export_sklearn is not None:
            export(orders, fitted, Path(export_sklearn), known)
        card = ck.model_card(ck.load_model(blob))  # as the next command will read it
    session.show(
        summary={key: value for key, value in card.items() if key != "notes"},
        notes=[
            *about_orders(report),
            *about_attributes(known),
            *about_training(fitted, time),
        ],
        view=View(title=f"Model {output}", facts=facts_of(card)),
        done=f"{output} written",
        then=f"churnkit score {shlex.join(reading.sources)} --model {output}{labelling.again()}",
    )
