"""`churnkit check`."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from churnkit.cli.options import Reading, Showing, Until
from churnkit.cli.session import Session
from churnkit.output.document import Fact, Shape, View
from churnkit.terms import CHECK_DROPPED, CHECK_SUMMARY, Term

if TYPE_CHECKING:
    import polars as pl

    from churnkit.orders.report import CleaningReport

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
        from churnkit.customers.habits import buying_habits

        orders, report = session.orders(reading, cutoff=until.cutoff)
        habits = buying_habits(orders, cutoff=until.cutoff)
    summary = {term.name: getattr(report, term.name, getattr(habits, term.name, None)) for term in CHECK_SUMMARY}
    summary |= {"revenue": _money(report.revenue_cents), "amount_read": _money(report.amount_read_cents)}
    session.show(
        _dropped(report),
        head={"columns": dict(report.columns)},
        summary=summary,
        notes=report.notes,
        view=_view(reading, report, summary, habits.sentences if habits else ()),
        done=f"{report.lines_read:,} lines read",
        then=f"churnkit score {shlex.join(reading.sources)}",
    )


def _dropped(report: "CleaningReport") -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(
        {
            "reason": [dropped.reason for dropped in report.dropped],
            "lines": [dropped.lines for dropped in report.dropped],
            "amount": [_money(dropped.amount_cents) for dropped in report.dropped],
            "rule": [dropped.sentence for dropped in report.dropped],
            "examples": [list(dropped.examples) for dropped in report.dropped],
        },
        schema={
            "reason": pl.String,
            "lines": pl.Int64,
            "amount": pl.Float64,
            "rule": pl.String,
            "examples": pl.List(pl.String),
        },
    )


def _view(reading: Reading, report: "CleaningReport", summary: Mapping[str, object], sentences: Sequence[str]) -> View:
    found = [Fact(f"{role} column", column, "id") for role, column in report.columns.items()]
    figures = [Fact(term.name.replace("_", " "), summary[term.name], term.kind) for term in CHECK_SUMMARY]
    lines = [*([] if report.dropped else ["No line was dropped."]), *sentences]
    return View(
        title=f"What is in {', '.join(reading.sources)}",
        facts=[*found, *figures],
        columns=("reason", "lines", "amount", "rule"),
        detail="examples",
        lines=lines,
        several="reasons",
        whole=True,
    )


def _money(cents: int | None) -> float | None:
    return None if cents is None else cents / 100
