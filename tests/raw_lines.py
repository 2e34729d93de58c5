"""Raw lines for tests, written as the text of a file."""

import io

import polars as pl

from churnkit.orders.lines import Origin, RawLines


def text_lines(text: str, *, header: bool = True, name: str = "orders.csv", separator: str = ",") -> RawLines:
    """What the reader gives for a small CSV file: all columns text, rows numbered as in the file."""
    frame = pl.read_csv(io.StringIO(text), has_header=header, infer_schema=False, separator=separator)
    if not header:
        frame = frame.rename({old: str(number) for number, old in enumerate(frame.columns, start=1)})
    return RawLines(frame.lazy(), (Origin(name, frame.height, 2 if header else 1),), header, text=True)


def as_text(frame: pl.DataFrame) -> RawLines:
    """A frame as the reader would give it after a trip through CSV."""
    return text_lines(frame.write_csv())
