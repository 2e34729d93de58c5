"""One run of a command: it reads the orders that the options name, talks, and shows the answer."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from churnkit.cli.known import Known
from churnkit.cli.options import Formatted, Reading, Running, Showing, Tabular, Time
from churnkit.cli.talk import Talk
from churnkit.errors import UsageError
from churnkit.output.document import Document, Format, Shape, View, format_of
from churnkit.output.files import STANDARD_OUTPUT, check_writable, write_bytes

if TYPE_CHECKING:
    from datetime import date
    from typing import BinaryIO

    import polars as pl

    from churnkit.orders.attributes import AttributeTable
    from churnkit.orders.lines import RawLines
    from churnkit.orders.report import CleaningReport
    from churnkit.predict.model import ChurnModel
    from churnkit.terms import Term


class Session:
    """What the commands share: reading, talking, showing.

    Making one checks at once whether the answer can be written, because that is known before the work is done.

    Args:
        talking: How much to say, and, for a command with an answer, where the answer goes.
        shape: What the command answers, to know its columns.
        writes: Other files that the command will write.
        default_format: What is written where nobody asked for a format.
        open_ended: Whether columns will be added (`adds`), so that those asked for cannot be checked yet.
    """

    def __init__(
        self,
        talking: Formatted,
        shape: Shape,
        *,
        writes: Sequence[str | None] = (),
        default_format: Format = "table",
        open_ended: bool = False,
    ) -> None:
        self.talk = Talk(quiet=talking.quiet, verbose=talking.verbose)
        self.working = self.talk.working
        self._shape = shape
        self._output = talking.output if isinstance(talking, Showing) and talking.output else STANDARD_OUTPUT
        self._format = _format(talking.format, self._output, default_format)
        # `train` writes its file; what it shows beside it is talk as long as nobody asked for a format
        self._silent = talking.quiet and talking.format is None and not isinstance(talking, Showing)
        self._columns: Sequence[str] = ()
        self._top: int | None = None
        self._raw_csv = False
        if isinstance(talking, Tabular):
            self._columns = cast("Sequence[str]", talking.columns or ())
            self._top, self._raw_csv = talking.top, talking.raw_csv
        if not open_ended:
            shape.chosen(self._columns)
        for path in (self._output, *writes):
            if path is not None:
                check_writable(path)

    def orders(self, reading: Reading, *, cutoff: "date | None" = None) -> "tuple[pl.DataFrame, CleaningReport]":
        """Reads and cleans the orders; dropped lines are written where --rejects says."""
        import churnkit as ck

        if reading.rejects is not None:
            check_writable(reading.rejects)
        lines = self.lines(reading)
        self.talk.phase("cleaning")
        orders, report = ck.clean_orders(
            lines,
            columns=reading.columns(),
            date_format=reading.date_format,
            decimal=reading.decimal,
            tz=reading.tz,
            dedupe=reading.dedupe,
            cutoff=cutoff,
        )
        if reading.rejects is not None:
            from churnkit.output.formats import write_csv

            rejects = report.rejects
            write_bytes(reading.rejects, lambda stream: write_csv(rejects, stream))
        return orders, report

    def lines(self, reading: Reading) -> "RawLines":
        """Reads the input, unparsed."""
        import churnkit as ck

        self.talk.phase("reading")
        return ck.read_orders(
            reading.sources,
            input_format=reading.input_format,
            delimiter=reading.delimiter,
            encoding=reading.encoding,
            table=reading.table,
            query=reading.query,
            stdin=_standard_input() if STANDARD_OUTPUT in reading.sources else None,
        )

    def attributes(
        self, known: Known, reading: Reading, orders: "pl.DataFrame", report: "CleaningReport"
    ) -> "tuple[AttributeTable, ...] | None":
        """Reads what else is known of the customers; None where no file was named.

        The options of reading are about the orders. Only where the dates of a table can be read in more than one way
        are they read like those of the orders.
        """
        if not known.attributes:
            named = {"attributes-customer": known.attributes_customer, "attributes-date": known.attributes_date}
            flag = next((name for name, value in {**named, "ignore": known.ignored}.items() if value), None)
            if flag is not None:
                raise UsageError(f"--{flag} is for a table of attributes", hint="name it: --attributes FILE")
            return None
        import churnkit as ck
        from churnkit.orders.attributes import clean_all

        self.talk.phase("reading attributes")
        if STANDARD_OUTPUT in known.attributes and STANDARD_OUTPUT in reading.sources:
            raise UsageError("standard input cannot be orders and attributes", hint="name a file for one of them")
        return clean_all(
            [
                ck.read_orders(source, stdin=_standard_input() if source == STANDARD_OUTPUT else None)
                for source in known.attributes
            ],
            orders,
            customer=known.attributes_customer,
            date=known.attributes_date,
            ignore=known.ignored,
            date_format=reading.date_format or report.date_format,
            tz=reading.tz,
            orders_column=report.columns["customer"],
        )

    def adds(self, terms: "Sequence[Term]", *, after: int | None = None) -> None:
        """Puts columns that are known only now that the files were read at the end of the rows, or after so many."""
        rows = self._shape.rows
        place = len(rows) if after is None else after
        self._shape = replace(self._shape, rows=(*rows[:place], *terms, *rows[place:]))
        self._shape.chosen(self._columns)

    def order_model(self, path: str | None) -> "ChurnModel | None":
        """The model of orders in a file, None where none was named."""
        import churnkit as ck
        from churnkit.predict.model import ChurnModel

        if path is None:
            return None
        model = ck.load_model(path)
        if not isinstance(model, ChurnModel):
            raise UsageError(
                f"{path} is a model of a labelled table (--label {model.label.column}), and this needs one of orders",
                hint="train one from the orders: churnkit train ORDERS -o FILE",
            )
        return model

    def loaded(self, path: str | None, time: Time) -> "ChurnModel | None":
        """The same, where no other horizon or activity window was asked for than those it was trained with."""
        model = self.order_model(path)
        if model is None:
            return None
        asked = {"horizon_days": time.horizon_days, "activity_window_days": time.activity_window_days}
        for name, days in asked.items():
            if days is not None and days != getattr(model, name):
                flag = name.removesuffix("_days").replace("_", "-")
                raise UsageError(
                    f"{path} was trained with a {flag.replace('-', ' ')} of {getattr(model, name)} days, not {days}",
                    hint=f"leave out --{flag}, or train another model: churnkit train --{flag} {days}",
                )
        return model

    def trained(
        self,
        orders: "pl.DataFrame",
        time: Time,
        running: Running,
        attributes: "tuple[AttributeTable, ...] | None" = None,
    ) -> "ChurnModel":
        """A model trained on these orders."""
        import churnkit as ck

        return ck.train(
            orders,
            attributes=attributes,
            cutoff=time.cutoff,
            horizon_days=time.horizon_days,
            activity_window_days=time.activity_window_days,
            seed=running.seed,
            jobs=running.jobs,
            progress=self.talk.phase,
        )

    def show(
        self,
        rows: "pl.DataFrame | None" = None,
        *,
        head: Mapping[str, object] | None = None,
        summary: Mapping[str, object] | None = None,
        notes: Sequence[str] = (),
        view: View | None = None,
        done: str = "",
        then: str = "",
    ) -> None:
        """Writes the answer, then says what was assumed, what was done and what to try next."""
        import churnkit as ck
        from churnkit.output.formats import write_document
        from churnkit.output.table import screen_of

        if rows is not None and self._top is not None:
            rows = rows.head(self._top)
        notes = tuple(dict.fromkeys(notes))  # what training and scoring both say is said once
        document = Document(
            shape=self._shape, head=head or {}, summary=summary or {}, notes=notes, rows=rows, view=view or View()
        )
        screen = screen_of(sys.stdout, rows=self._top) if self._output == STANDARD_OUTPUT else None
        if not self._silent:
            write_bytes(
                self._output,
                lambda stream: write_document(
                    document,
                    stream,
                    format=self._format,
                    version=ck.__version__,
                    columns=self._columns,
                    raw_csv=self._raw_csv,
                    screen=screen,
                ),
            )
        self.talk.gap()
        for note in notes:
            self.talk.note(note)
        written = f"written to {self._output}" if self._output != STANDARD_OUTPUT else ""
        self.talk.done(", ".join(part for part in (done, written) if part))
        if then:
            self.talk.next(then)


def _format(asked: Format | None, output: str, default: Format) -> Format:
    if asked is None:
        return default if output == STANDARD_OUTPUT else format_of(output)
    to_terminal = output == STANDARD_OUTPUT and sys.stdout is not None and sys.stdout.isatty()
    if asked in ("parquet", "xlsx") and to_terminal:
        raise UsageError(f"{asked} is not for reading on a terminal", hint=f"write it to a file: -o FILE.{asked}")
    return asked


def _standard_input() -> "BinaryIO":
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "- reads orders from standard input, and nothing is coming in",
            hint="pipe a file into it: churnkit score - < orders.csv",
        )
    return sys.stdin.buffer
