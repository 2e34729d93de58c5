"""Raw lines: the rows of the user's files before anything is made of them, and where each one stands."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Literal, Self

import polars as pl

from churnkit.errors import ChurnkitError, DataError, ExtraMissingError, ReadWriteError

Unit = Literal["line", "record", "row"]
Jumps = tuple[tuple[int, int], ...]

READ_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, EOFError, ValueError, OverflowError)
"""What Polars raises for a damaged file; a panic of its Rust side is no `Exception`, so it has to be named."""

_URI = re.compile(r"://(\S+)")
_SECRET = re.compile(r"(?i)\b(password|secret|token|sig|signature|[\w-]*key)=[^&\s]+")


@dataclass(frozen=True, slots=True)
class Origin:
    """One file (or table) and the rows that came from it.

    Args:
        name: What the user calls it.
        lines: How many rows it gave.
        first_line: Number of the first of them; 2 below a header.
        unit: What the number counts: physical lines of a text file, records of a JSON array, rows of a table.
        jumps: Rows from which on the physical line is further down than the row, because blank lines or cells with
            line ends of their own stand before them: (row, lines to add), ascending.

    Example:
        >>> Origin("orders.csv", 10, 2).place(0), Origin("orders.parquet", 10, unit="row").place(3)
        ('orders.csv:2', 'orders.parquet, row 4')
        >>> [Origin("orders.csv", 3, 2, jumps=((1, 4), (2, 5))).place(row) for row in range(3)]
        ['orders.csv:2', 'orders.csv:7', 'orders.csv:9']
    """

    name: str
    lines: int
    first_line: int = 1
    unit: Unit = "line"
    jumps: Jumps = ()

    def place(self, row_index: int) -> str:
        """Where row `row_index` of this file stands, counted from 0."""
        jump = bisect_right(self.jumps, row_index, key=lambda jump: jump[0])
        number = self.first_line + row_index + (self.jumps[jump - 1][1] if jump else 0)
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

        Raises:
            ExtraMissingError: It is a pandas frame, and PyArrow, by which pandas hands it over, is not installed.

        Example:
            >>> lines = RawLines.from_frame(pl.DataFrame({"customer": ["a", "b"]}))
            >>> lines.place(1), lines.text
            ('the frame, row 2', False)
        """
        try:
            rows = collect(frame, name) if isinstance(frame, pl.LazyFrame) else pl.DataFrame(frame)
        except ImportError as error:  # pandas hands its texts over through PyArrow
            raise ExtraMissingError(
                f"{name} is a {type(frame).__module__.partition('.')[0]} frame, which cannot be read without PyArrow",
                hint="pip install pyarrow, or hand over a Polars frame",
            ) from error
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
    except READ_ERRORS as error:
        raise read_error(error, name) from error


def read_error(error: BaseException, name: str) -> ChurnkitError:
    """What a failed read means to the user: the one place where the words of other libraries are interpreted.

    Polars raises OSError without an errno, so its text is all there is.
    """
    said = first_words(str(error)) or type(error).__name__
    if re.search(r"os error (5|28)\b", said) or (isinstance(error, OSError) and error.errno in (5, 28)):
        return ReadWriteError(f"{name}: {said}")
    return DataError(f"{name} cannot be read: {said}", hint="the file may be damaged or cut short: export it again")


def first_words(text: str, most: int = 160) -> str:
    r"""The beginning of another library's message on one line, without secrets.

    Example:
        >>> first_words("no answer from http://me:secret@host/x.parquet?sig=abc\n\nThis error occurred while ...")
        'no answer from http://***@host/x.parquet?***'
    """
    line = scrub(" ".join(text.split("\n\n")[0].split()))
    return line if len(line) <= most else f"{line[:most]}..."


def scrub(text: str) -> str:
    """Text without the passwords, tokens and signatures that URIs carry.

    Example:
        >>> scrub("s3://key:secret@bucket/orders.parquet password=abc https://host/o.csv?sig=abc&x=1")
        's3://***@bucket/orders.parquet password=*** https://host/o.csv?***'
    """
    return _SECRET.sub(r"\1=***", _URI.sub(_without_secrets, text))


def _without_secrets(uri: re.Match[str]) -> str:
    """What stands before the last @ is a password, which may hold anything; what stands behind a ? may be a token."""
    before, at, rest = uri[1].rpartition("@")
    if "?" in before:
        return "://***"
    rest = re.sub(r"\?[^\s,;)]+", "?***", rest)
    return f"://***@{rest}" if at else f"://{rest}"
