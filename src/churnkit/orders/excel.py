"""Spreadsheets (xlsx, xls, xlsb, ods) through fastexcel, the extra `excel`."""

from pathlib import Path
from typing import Any

import polars as pl

from churnkit.errors import DataError, ExtraMissingError
from churnkit.orders.compound import is_sound
from churnkit.orders.dialect import distinct, has_header, numbered
from churnkit.orders.lines import READ_ERRORS, Origin, RawLines, read_error
from churnkit.orders.sniff import packing_of
from churnkit.orders.survey import jumps_over
from churnkit.orders.unpack import bytes_of

_HEAD_ROWS = 50


def read_excel(name: str, content: Path | bytes, sheet: str | None = None, header: bool | None = None) -> RawLines:
    """The rows of one sheet: text, but for columns of dates, which stay dates.

    Whole numbers have no ".0" as text, so that ids are what the sheet shows.

    Args:
        name: What to call the file.
        content: The file.
        sheet: Name of the sheet; the first without.
        header: Whether the first row holds names; found out without.

    Raises:
        ExtraMissingError: fastexcel is not installed.
        DataError: The file is damaged, or has no such sheet.
    """
    fastexcel = _fastexcel(name)
    whole = content if isinstance(content, bytes) else bytes_of(content, None, name)
    if packing_of(whole) is None and not is_sound(whole):
        raise DataError(f"{name} is a damaged workbook", hint="save it again, as .xlsx or CSV")
    try:
        book = fastexcel.read_excel(whole)
        chosen, notes = _chosen_sheet(book.sheet_names, sheet, name)
        return _read_sheet(book, chosen, f"{name} [{chosen}]", header, notes)
    except DataError:
        raise
    except BaseException as error:
        panicked = type(error).__name__ == "PanicException"  # of fastexcel, which does not export the class
        if panicked or isinstance(error, (fastexcel.FastExcelError, *READ_ERRORS)):
            raise read_error(error, name) from error
        raise


def _fastexcel(name: str) -> Any:
    try:
        import fastexcel
    except ImportError as error:
        raise ExtraMissingError(
            f"{name} is a spreadsheet, and reading those needs an optional part",
            hint='install the extra excel: pip install ".[excel]" in the checkout, or pip install fastexcel',
        ) from error
    return fastexcel


def _chosen_sheet(sheets: list[str], wanted: str | None, name: str) -> tuple[str, list[str]]:
    if not sheets:
        raise DataError(f"{name} is a workbook without sheets", hint="save it again, as .xlsx or CSV")
    if wanted is None:
        return sheets[0], [f"the sheet {sheets[0]!r} of {len(sheets)} was read (--table)"] if len(sheets) > 1 else []
    if wanted not in sheets:
        raise DataError(f"{name} has no sheet {wanted!r}", hint=f"its sheets are {', '.join(map(repr, sheets))}")
    return wanted, []


def _read_sheet(book: Any, sheet: str, name: str, header: bool | None, notes: list[str]) -> RawLines:
    head = pl.DataFrame(book.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=_HEAD_ROWS, dtypes="string"))
    rows = [[cell or "" for cell in row] for row in head.iter_rows()]
    before = next((place for place, row in enumerate(rows) if any(row)), None)
    if before is None:
        return RawLines(pl.LazyFrame(), (Origin(name, 0),))
    if header is None:
        header = has_header(rows[before:])
        notes = notes if header else [*notes, "there is no header, so the columns go by number, from 1"]
    columns, renamed = distinct(rows[before]) if header else (numbered(head.width), [])
    frame = _typed(book, sheet, head.width, before + header)
    frame.columns = list(columns)
    blank = frame.select(pl.arg_where(pl.all_horizontal(pl.all().is_null()))).to_series().to_list()
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    origin = Origin(name, frame.height, before + header + 1, unit="row", jumps=jumps_over(blank))
    return RawLines(frame.lazy(), (origin,), header, text=False, notes=(*notes, *renamed))


def _typed(book: Any, sheet: str, width: int, skip: int) -> pl.DataFrame:
    """Columns that hold dates and nothing else as dates, all others as text."""
    guessed = pl.DataFrame(book.load_sheet(sheet, header_row=None, skip_rows=skip, schema_sample_rows=None))
    dates = [dtype.is_temporal() for dtype in guessed.dtypes] if guessed.height else [False] * width
    dtypes = {place: "datetime" if is_date else "string" for place, is_date in enumerate(dates)}
    return pl.DataFrame(book.load_sheet(sheet, header_row=None, skip_rows=skip, dtypes=dtypes))
