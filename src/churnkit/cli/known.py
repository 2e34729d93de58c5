"""The options of what is known of customers beside their orders: tables of attributes, or a labelled table instead."""

import shlex
from dataclasses import dataclass
from typing import Annotated, cast

from churnkit.cli.options import option, parse_columns

_KNOWN = "Attributes (what else is known of customers)"
_LABEL = "Labelled table (one row per customer instead of orders)"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What else is known of the customers."""

    attributes: Annotated[
        list[str] | None,
        option(
            "--attributes",
            metavar="FILE",
            panel=_KNOWN,
            help="A table of customers: country, plan, answers with their days; repeatable.",
        ),
    ] = None
    attributes_customer: Annotated[
        str | None,
        option("--attributes-customer", metavar="COLUMN", panel=_KNOWN, help="Its customer id; found by its content."),
    ] = None
    attributes_date: Annotated[
        str | None,
        option(
            "--attributes-date",
            metavar="COLUMN",
            panel=_KNOWN,
            help="The day from which its rows count; a table without one counts always.",
        ),
    ] = None
    ignore: Annotated[
        str | None,
        option(
            "--ignore",
            metavar="A,B,C",
            panel=_KNOWN,
            parser=parse_columns,
            help="Columns not to learn from, such as those written after the churn.",
        ),
    ] = None

    @property
    def ignored(self) -> tuple[str, ...]:
        """The columns that are not to be used."""
        return cast("tuple[str, ...]", self.ignore or ())

    def again(self) -> str:
        """The options of the attributes, for a command that is to read the same."""
        files = [word for file in self.attributes or () for word in ("--attributes", file)]
        named = {"--attributes-customer": self.attributes_customer, "--attributes-date": self.attributes_date}
        columns = [word for flag, name in named.items() if name for word in (flag, name)]
        ignored = ["--ignore", ",".join(self.ignored)] if files and self.ignored else []
        return "".join(f" {shlex.quote(word)}" for word in (*files, *columns, *ignored))


@dataclass(frozen=True, kw_only=True)
class Labelling(Known):
    """The same, or that the input itself is a table of customers, and who of them churned."""

    label: Annotated[
        str | None,
        option("--label", metavar="COLUMN", panel=_LABEL, help="The column that says who churned."),
    ] = None
    label_churned: Annotated[
        str | None,
        option(
            "--label-churned",
            metavar="VALUE",
            panel=_LABEL,
            help="Its value that means churned; found where the words are plain (Yes, 1, churned, ...).",
        ),
    ] = None
