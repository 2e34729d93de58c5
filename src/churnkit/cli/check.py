"""`churnkit check`."""

from churnkit.cli.options import Reading, Showing, Until
from churnkit.cli.session import Session
from churnkit.output.document import Fact, Shape, View
from churnkit.terms import CHECK_DROPPED, CHECK_SUMMARY, Term

COLUMNS = Term("columns", "object", "Which column of the file plays which role.")


def shape() -> Shape:
    """What `check` answers."""
    return Shape(command="check", head=(COLUMNS,), summary=CHECK_SUMMARY, rows=CHECK_DROPPED, rows_key="dropped")


def check(reading: Reading, until: Until, showing: Showing) -> None:
    """What is in this file: which column is which, what was dropped and why, what to fix.

    Every line that is not kept has a reason, a count and an amount of money. Nothing disappears unsaid: lines read are
    lines kept plus lines dropped.

    Examples:
      churnkit check orders.csv
      churnkit check 'exports/*.csv' --date-format %d.%m.%Y --rejects dropped.csv
      churnkit check orders.parquet --format json
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    with session.working():
        _, report = session.orders(reading, cutoff=until.cutoff)
        import polars as pl

        dropped = pl.DataFrame(
            [(item.reason, item.lines, _money(item.amount_cents), list(item.examples)) for item in report.dropped],
            schema={"reason": pl.String, "lines": pl.Int64, "amount": pl.Float64, "examples": pl.List(pl.String)},
            orient="row",
        )
    summary = {term.name: getattr(report, term.name, None) for term in CHECK_SUMMARY}
    summary |= {"revenue": _money(report.revenue_cents), "amount_read": _money(report.amount_read_cents)}
    session.show(
        dropped,
        head={"columns": dict(report.columns)},
        summary=summary,
        notes=report.notes,
        view=View(
            title="What is in it",
            facts=[
                *(Fact(role, column, "id") for role, column in report.columns.items()),
                *(Fact(term.name.replace("_", " "), summary[term.name], term.kind) for term in CHECK_SUMMARY),
            ],
            columns=["reason", "lines", "amount"],
            detail="examples",
            several="reasons",
        ),
        done=f"{report.lines_read:,} lines read",
        then=f"churnkit score {' '.join(reading.sources)}",
    )


def _money(cents: int | None) -> float | None:
    return None if cents is None else cents / 100
