"""Every shared option, once.

Options come in groups: frozen dataclasses whose fields are Typer options. A command takes the groups that it needs as
parameters, and `grouped` spreads them into the signature that Typer reads. An option can be set on the command line,
as `CHURNKIT_<NAME>`, or as `<name>` in `churnkit.toml` (see `cli/config.py`).
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from typing import Annotated, Any, Literal

import typer

from churnkit.cli.config import use_config
from churnkit.output.document import Format

AUTO = "auto"


def option(
    *names: str,
    help: str,
    metavar: str | None = None,
    panel: str | None = None,
    parser: Callable[[str], Any] | None = None,
    callback: Callable[..., Any] | None = None,
    eager: bool = False,
    show_default: bool | str = False,
    choices: Callable[[], list[str]] | None = None,
    min: float | None = None,
    max: float | None = None,
    count: bool = False,
) -> Any:
    """A Typer option that can also be set as `CHURNKIT_<NAME>`; the first long name is its name."""
    long = next(name for name in names if name.startswith("--"))
    return typer.Option(
        *names,
        help=help,
        metavar=metavar,
        rich_help_panel=panel,
        parser=parser,
        callback=callback,
        is_eager=eager,
        show_default=show_default,
        autocompletion=choices,
        min=min,
        max=max,
        count=count,
        envvar=f"CHURNKIT_{long.removeprefix('--').replace('-', '_').upper()}",
        show_envvar=False,
    )


def parse_day(text: str) -> date:
    """A day as ISO 8601 writes it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2024-03-31") from None


def parse_days(text: str) -> int | str:
    """A positive number of days, or `auto`."""
    if text == AUTO:
        return AUTO
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 36_500:
        raise typer.BadParameter(f"{text!r} is no number of days above 0, nor {AUTO!r}")
    return int(text)


def parse_columns(text: str) -> tuple[str, ...]:
    """Names of columns, separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _days(value: int | str | None) -> int | None:
    return value if isinstance(value, int) else None


_COLUMNS = "Columns (found by themselves where the names or the contents tell)"
_READING = "Reading"
_TIME = "Time"
_LIST = "List"
_OUTPUT = "Output"
_RUN = "Run"


OutputFile = Annotated[
    str | None,
    option("--output", "-o", metavar="FILE", panel=_OUTPUT, help="Write there; an older file is replaced whole."),
]


Whom = Annotated[
    Literal["active", "all"],
    option("--population", metavar="active|all", panel=_LIST, show_default=True, help="Whom to cover."),
]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Which orders, and how to read them."""

    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="ORDERS",
            help="Files, globs, folders, - for standard input, s3://... or another store, or a database "
            "(sqlite:///shop.db, duckdb:///shop.duckdb).",
            show_default=False,
        ),
    ]
    customer: Annotated[str | None, option("--customer", metavar="COLUMN", panel=_COLUMNS, help="Customer id.")] = None
    date: Annotated[str | None, option("--date", metavar="COLUMN", panel=_COLUMNS, help="Day of the order.")] = None
    amount: Annotated[
        str | None,
        option(
            "--amount", metavar="COLUMN", panel=_COLUMNS, help='Amount of the line, or "Quantity * UnitPrice"-like.'
        ),
    ] = None
    order: Annotated[str | None, option("--order", metavar="COLUMN", panel=_COLUMNS, help="Order id.")] = None
    product: Annotated[str | None, option("--product", metavar="COLUMN", panel=_COLUMNS, help="What was bought.")] = (
        None
    )
    quantity: Annotated[
        str | None, option("--quantity", metavar="COLUMN", panel=_COLUMNS, help="Units of the line.")
    ] = None
    price: Annotated[str | None, option("--price", metavar="COLUMN", panel=_COLUMNS, help="Price of one unit.")] = None
    market: Annotated[
        str | None, option("--market", metavar="COLUMN", panel=_COLUMNS, help="Market or country of the line.")
    ] = None
    input_format: Annotated[
        str | None,
        option(
            "--input-format",
            metavar="FORMAT",
            panel=_READING,
            help="csv, parquet, ndjson, ipc, excel, ...; by content where not given.",
        ),
    ] = None
    delimiter: Annotated[
        str | None, option("--delimiter", metavar="CHAR", panel=_READING, help="Between the cells of a text file.")
    ] = None
    encoding: Annotated[
        str | None, option("--encoding", metavar="NAME", panel=_READING, help="Of a text file: utf-8, cp1252, ...")
    ] = None
    decimal: Annotated[
        str | None, option("--decimal", metavar="CHAR", panel=_READING, help="Decimal mark: . or a comma.")
    ] = None
    date_format: Annotated[
        str | None,
        option("--date-format", metavar="FORMAT", panel=_READING, help="As in strftime: %d.%m.%Y"),
    ] = None
    tz: Annotated[
        str,
        option("--tz", metavar="ZONE", panel=_READING, show_default=True, help="Time zone that days are counted in."),
    ] = "UTC"
    table: Annotated[str | None, option("--table", metavar="NAME", panel=_READING, help="Table of a database.")] = None
    query: Annotated[
        str | None, option("--query", metavar="SQL", panel=_READING, help="One SELECT to run on a database.")
    ] = None
    dedupe: Annotated[
        bool, option("--dedupe", panel=_READING, help="Drop lines that repeat an earlier line exactly.")
    ] = False
    rejects: Annotated[
        str | None,
        option("--rejects", metavar="FILE", panel=_READING, help="Write every dropped line there, with its reason."),
    ] = None

    def columns(self) -> dict[str, str]:
        """The columns that were named, by role."""
        roles = ("customer", "date", "amount", "order", "product", "quantity", "price", "market")
        return {role: name for role in roles if (name := getattr(self, role)) is not None}


@dataclass(frozen=True, kw_only=True)
class Until:
    """Up to when history is seen."""

    cutoff: Annotated[
        date | None,
        option(
            "--cutoff",
            metavar="DAY",
            panel=_TIME,
            parser=parse_day,
            help="First day that is not seen; the day after the last order where not given.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Time(Until):
    """Up to when history is seen, where the outcome is read, and who still counts as active."""

    horizon: Annotated[
        str | None,
        option(
            "--horizon",
            metavar="DAYS",
            panel=_TIME,
            parser=parse_days,
            help="Days after the cutoff in which no order means churn; auto finds them in the data.",
        ),
    ] = None
    activity_window: Annotated[
        str | None,
        option(
            "--activity-window",
            metavar="DAYS",
            panel=_TIME,
            parser=parse_days,
            help="A customer is active whose last order is at most this old; auto: two horizons.",
        ),
    ] = None

    @property
    def horizon_days(self) -> int | None:
        """The horizon that was asked for, None for `auto`."""
        return _days(self.horizon)

    @property
    def activity_window_days(self) -> int | None:
        """The activity window that was asked for, None for `auto`."""
        return _days(self.activity_window)


@dataclass(frozen=True, kw_only=True)
class Running:
    """What a fit needs besides the data."""

    seed: Annotated[
        int, option("--seed", metavar="N", panel=_RUN, min=0, show_default=True, help="Seed of everything random.")
    ] = 0
    jobs: Annotated[
        int, option("--jobs", metavar="N", panel=_RUN, min=1, show_default=True, help="Fits that run at once.")
    ] = 1


@dataclass(frozen=True, kw_only=True)
class Talking:
    """How much is said on standard error, and where options come from."""

    quiet: Annotated[bool, option("--quiet", "-q", panel=_RUN, help="Say nothing but errors.")] = False
    verbose: Annotated[bool, option("--verbose", "-v", panel=_RUN, help="Say more.")] = False
    debug: Annotated[bool, option("--debug", panel=_RUN, help="Show where in the code an error came from.")] = False
    config: Annotated[
        str | None,
        option(
            "--config",
            metavar="FILE",
            panel=_RUN,
            callback=use_config,
            eager=True,
            help="Options from this file instead of churnkit.toml.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Formatted(Talking):
    """How the answer looks."""

    format: Annotated[
        Format | None,
        option(
            "--format",
            "-f",
            panel=_OUTPUT,
            help="By the suffix of --output where not given, else table.",
            metavar="table|markdown|json|ndjson|csv|parquet|xlsx",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Showing(Formatted):
    """Where the answer goes, and how it looks there."""

    output: OutputFile = None


@dataclass(frozen=True, kw_only=True)
class Tabular(Showing):
    """The same for answers that are lists of rows."""

    columns: Annotated[
        str | None,
        option("--columns", metavar="A,B,C", panel=_OUTPUT, parser=parse_columns, help="Only these, in this order."),
    ] = None
    top: Annotated[int | None, option("--top", metavar="N", panel=_LIST, min=1, help="Only the first N rows.")] = None
    raw_csv: Annotated[
        bool, option("--raw-csv", panel=_OUTPUT, help="Leave CSV cells that a spreadsheet would run as they are.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which customers are listed, and in which order."""

    population: Whom = "active"
    min_risk: Annotated[
        float | None,
        option("--min-risk", metavar="P", panel=_LIST, min=0, max=1, help="Only from this churn probability."),
    ] = None
    rank_by: Annotated[
        Literal["stake", "risk", "value"],
        option(
            "--rank-by",
            metavar="stake|risk|value",
            panel=_LIST,
            show_default=True,
            help="What can still be saved; the churn probability; or the spend.",
        ),
    ] = "stake"


ModelFile = Annotated[
    str | None,
    option("--model", "-m", metavar="FILE", help="Use this model (`churnkit train`) instead of training one."),
]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose option groups are spread into one flat signature, as Typer reads it."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, tuple[type, list[str]]] = {}
    for parameter in inspect.signature(command).parameters.values():
        group = parameter.annotation
        if not is_dataclass(group) or not isinstance(group, type):
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[parameter.name] = (group, [field.name for field in fields(group)])
        parameters += [_parameter_of(field) for field in fields(group)]

    @functools.wraps(command)
    def flat(**values: object) -> None:
        built = {
            name: group(**{field: values.pop(field) for field in names}) for name, (group, names) in groups.items()
        }
        command(**built, **values)

    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _parameter_of(field: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.type)
