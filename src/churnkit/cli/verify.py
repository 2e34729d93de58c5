"""`churnkit verify`."""

from typing import Annotated

import typer

from churnkit.cli.app import ExitCode
from churnkit.cli.assumptions import about_orders
from churnkit.cli.options import Reading, Tabular, option
from churnkit.cli.session import Session
from churnkit.output.document import Shape, View
from churnkit.terms import VERIFY, Term

HEAD = (
    Term("data", "text", "What was fitted: cdnow_sample, or cdnow_master, the whole cohort."),
    Term("file", "text", "The file it was read from; null for the summary that ships with churnkit.", nullable=True),
)
SUMMARY = (
    Term("compared", "integer", "Figures that have a published one to stand beside."),
    Term("agree", "integer", "Those that agree to every digit that was published."),
)
LOOKED_AT = ("quantity", "ours", "model", "published", "agrees", "history", "difference", "source")


def shape() -> Shape:
    """What `verify` answers."""
    return Shape(command="verify", head=HEAD, summary=SUMMARY, rows=VERIFY)


def verify(
    showing: Tabular,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="CDNOW_sample.txt (or CDNOW_master.txt), which is read, cleaned and fitted; without one a summary "
            "of the sample that ships with churnkit.",
            show_default=False,
        ),
    ] = None,
    fail_if_different: Annotated[
        bool, option("--fail-if-different", help="Exit with 1 where a figure is not the published one.")
    ] = False,
) -> None:
    """Refit published results, and show ours beside the paper's.

    The models under the churn probability have been published with their fits of one shop, CDNOW. Each fit is made
    anew and compared to every digit that was printed.

    Examples:
      churnkit verify
      churnkit verify CDNOW_sample.txt --fail-if-different
    """
    session = Session(showing, shape())
    with session.working():
        import churnkit as ck

        orders, report = session.orders(Reading(sources=[file])) if file is not None else (None, None)
        session.talk.phase("fitting")
        verification = ck.verify(orders)
    session.show(
        verification.rows,
        head={"data": verification.data, "file": file},
        summary={"compared": verification.compared, "agree": verification.agree},
        notes=[*(about_orders(report) if report else []), *verification.notes],
        view=View(
            title=verification.verdict,
            columns=LOOKED_AT,
            empty=[name for name in verification.rows.columns if not verification.rows[name].count()],
            several="figures",
            whole=True,
        ),
        done=f"{verification.rows.height} figures",
        then="churnkit verify --format json" if file is None else "",
    )
    if fail_if_different and verification.agree < verification.compared:
        raise typer.Exit(ExitCode.CONDITION_MET)
