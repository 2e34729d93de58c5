"""Raw lines: the rows of the user's files before anything is made of them, and where each one stands."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import polars as pl

from churnkit.errors import ChurnkitError, DataError, ReadWriteError

Unit = Literal["line", "record", "row"]


@dataclass(frozen=True, slots=True)
class Origin:
    """One file (or table) and the rows that came from it.

    Args:
        name: What the user calls it.
        lines: How many rows it gave.
        first_line: Number of the first of them; 2 below a header.
        unit: What the number counts: physical lines of a text file; records, where cells hold line ends of their own
            or blank lines stand between the rows; rows of a table.

    Example:
        >>> Origin("orders.csv", 10, 2).place(0), Origin("orders.parquet", 10, unit="row").place(3)
        ('orders.csv:2', 'orders.parquet, row 4')
    """

    name: str
    lines: int
    first_line: int = 1
    unit: Unit = "line"

    def place(self, row_index: int) -> str:
        """Where row `row_index` of this file stands, counted from 0."""
        number = self.first_line + row_index
        return f"{self.name}:{number}" if self.unit == "line" else f"{self.name}, {self.unit} {number}"


@dataclass(frozen=True, slots=True)
class RawLines:
    """The user's rows, unparsed, and where they came from.

    Args:
        frame: The user's columns and no others, rows in the order of `origins`. All columns are String where the
            format is text.
        origins: The files in row order.
        header: False where the file had no header and the columns are named "1", "2", ...
        text: True where the columns are text, False where the format holds types.
        notes: What was assumed or noticed while reading, as sentences.
    """

    frame: pl.LazyFrame
    origins: tuple[Origin, ...]
    header: bool = True
    text: bool = True
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(cls, frame: Any, name: str = "the frame") -> Self:
        """The rows of a Polars frame, or of anything with an Arrow C stream (pandas, DuckDB, PyArrow).

        Example:
            >>> lines = RawLines.from_frame(pl.DataFrame({"customer": ["a", "b"]}))
            >>> lines.place(1), lines.text
            ('the frame, row 2', False)
        """
        rows = collect(frame, name) if isinstance(frame, pl.LazyFrame) else pl.DataFrame(frame)
        return cls(rows.lazy(), (Origin(name, rows.height, unit="row"),), text=False)

    @property
    def lines(self) -> int:
        """How many rows there are."""
        return sum(origin.lines for origin in self.origins)

    @property
    def name(self) -> str:
        """What to call the input in a message."""
        first, *others = (origin.name for origin in self.origins)
        return f"{first} and {len(others)} more" if others else first

    def place(self, row_index: int) -> str:
        """Where a row of `frame` stands in the user's files.

        Example:
            >>> lines = RawLines(pl.LazyFrame(), (Origin("a.csv", 2, 2), Origin("b.csv", 3, 2)))
            >>> lines.place(1), lines.place(2)
            ('a.csv:3', 'b.csv:2')
        """
        for origin in self.origins:
            if row_index < origin.lines:
                return origin.place(row_index)
            row_index -= origin.lines
        raise IndexError(row_index)

    def collect(self, frame: pl.LazyFrame | None = None) -> pl.DataFrame:
        """Read `frame` (built upon `self.frame`, which is the default); damage found on the way names the file.

        Raises:
            DataError: The file is damaged.
            ReadWriteError: Reading failed half-way.
        """
        return collect(self.frame if frame is None else frame, self.name)


def collect(frame: pl.LazyFrame, name: str) -> pl.DataFrame:
    """Run a lazy read of the input called `name`.

    Raises:
        DataError: The input is damaged.
        ReadWriteError: Reading failed half-way.
    """
    try:
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise read_error(error, name) from error


def read_error(error: Exception, name: str) -> ChurnkitError:
    """What a failed read means to the user; the one place where the words of other libraries are interpreted."""
    said = " ".join(str(error).split()) or type(error).__name__
    if "os error 28" in said or "os error 5)" in said:
        return ReadWriteError(f"{name}: {said[:200]}")
    return DataError(f"{name} cannot be read: {said[:200]}", hint="is the file damaged or incomplete?")
