"""What a command answers, before it has any format.

A command builds a `Document`; the renderer writes it as a table, JSON, CSV or what else was asked for. No command
formats a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from churnkit.errors import UsageError
from churnkit.terms import Kind, Term

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

Format = Literal["table", "markdown", "json", "ndjson", "csv", "parquet", "xlsx"]
SCHEMA_NUMBER = 1
SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "ndjson",
    ".md": "markdown",
    ".ndjson": "ndjson",
    ".parquet": "parquet",
    ".txt": "table",
    ".xlsx": "xlsx",
}


def format_of(path: str) -> Format:
    """The format that a file's suffix asks for.

    Raises:
        UsageError: The suffix is none of ours.

    Example:
        >>> format_of("lists/at-risk.CSV")
        'csv'
    """
    suffix = PurePath(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"the suffix of {path} names no format (there are {' '.join(SUFFIXES)})", hint="name it: --format csv"
        )
    return SUFFIXES[suffix]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The promise behind a command's output: its keys and columns. `churnkit schema` prints it.

    Args:
        command: Name of the command, and of the schema (`churnkit/COMMAND/1`).
        head: Top-level JSON keys between `churnkit` and `summary`.
        summary: Keys of `summary`.
        rows: Columns of the rows, in order.
        rows_key: The JSON key that holds the rows.
    """

    command: str
    head: tuple[Term, ...] = ()
    summary: tuple[Term, ...] = ()
    rows: tuple[Term, ...] = ()
    rows_key: str = "rows"

    @property
    def schema(self) -> str:
        """The name of the schema, with its number."""
        return f"churnkit/{self.command}/{SCHEMA_NUMBER}"

    def chosen(self, columns: Sequence[str]) -> tuple[Term, ...]:
        """The terms of these columns in this order; of all for none.

        Raises:
            UsageError: There is no such column; the hint names the nearest, or all.
        """
        known = {term.name: term for term in self.rows}
        unknown = next((name for name in columns if name not in known), None)
        if unknown is not None:
            from difflib import get_close_matches

            near = get_close_matches(unknown, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"{self.command} has no column {unknown!r}", hint=hint)
        return tuple(known[name] for name in columns) if columns else self.rows


@dataclass(frozen=True)
class Fact:
    """One labelled value of the table view; a share, with the interval around it."""

    label: str
    value: object
    kind: Kind = "text"
    within: tuple[float, float] | None = None


@dataclass(frozen=True)
class Push:
    """What one family of features, or one column, adds to a probability, in points, and what it says."""

    name: str
    points: float
    statement: str


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """One customer whole, as the table view shows them instead of the rows.

    Args:
        title: Who it is.
        reasons: Said first.
        facts: Labelled values.
        orders: Orders and refunds, oldest first: `ordered_on amount refund`.
        cutoff: Where their history ends; None where there is no time.
        horizon_days: Length of the horizon after it.
        lines: Sentences.
        pushes: What pushes the probability up and down, strongest first.
        average: Churn probability of the average customer, from which they push.
        probability: That of this customer, to which they push.
        whose: Of whom the average is.
    """

    title: str
    reasons: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    orders: Sequence[Mapping[str, Any]] = ()
    cutoff: "date | None" = None
    horizon_days: int = 0
    lines: Sequence[str] = ()
    pushes: Sequence[Push] = ()
    average: float = 0.0
    probability: float = 0.0
    whose: str = "customer"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A table that the table view shows instead of the rows.

    Args:
        rows: Its rows.
        terms: Their columns, in order.
        columns: The columns that a person looks for, most important first; all for none.
        title: One line above it.
    """

    rows: "pl.DataFrame"
    terms: tuple[Term, ...]
    columns: Sequence[str] = ()
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """How the table shows a document; the other formats do not look at it.

    Args:
        title: One line above everything.
        facts: Labelled values above the rows.
        columns: The columns that a person looks for, most important first; as many are shown as fit the terminal, in
            the order of the document. Empty: all.
        interval: Columns with the ends of an interval of the probability, which a wide terminal shows behind it.
        empty: Columns that hold nothing here, which the table leaves out unless they were asked for.
        detail: A list column that moves under each row where the terminal is too narrow for it.
        sums: Figures of the whole, in one line below the rows.
        lines: Sentences below the rows.
        several: What the rows are, for "and 12 more ...".
        whole: Whether a terminal shows all rows, because none means anything without the others.
        panels: Tables instead of the rows, where these are too many to be looked at and no columns were asked for.
        portraits: Customers instead of the rows, where no columns were asked for.
    """

    title: str = ""
    facts: Sequence[Fact] = ()
    columns: Sequence[str] = ()
    interval: tuple[str, str] | None = None
    empty: Sequence[str] = ()
    detail: str = ""
    sums: Sequence[Fact] = ()
    lines: Sequence[str] = ()
    several: str = "rows"
    whole: bool = False
    panels: Sequence[Panel] = ()
    portraits: Sequence[Portrait] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """A command's whole answer.

    Args:
        shape: What was promised.
        head: Top-level JSON keys, named by `shape.head`.
        summary: The figures of the whole, named by `shape.summary`.
        notes: What was assumed, repaired or left out, as sentences.
        rows: The rows, with the columns of `shape.rows`; None where the command has none.
        view: Hints for the table.
    """

    shape: Shape
    head: Mapping[str, object] = field(default_factory=dict)
    summary: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()
    rows: "pl.DataFrame | None" = None
    view: View = field(default_factory=View)
