"""A document in bytes: table, markdown, JSON, NDJSON, CSV, Parquet or Excel."""

import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, BinaryIO, get_args

import polars as pl

from churnkit.errors import ExtraMissingError, OutputError
from churnkit.output.document import Document, Format
from churnkit.output.safe_text import safe_json, safe_lines
from churnkit.output.settle import plain, settle
from churnkit.output.table import Screen, write_markdown, write_table
from churnkit.terms import Kind, Term

FORMATS: tuple[Format, ...] = get_args(Format)
BINARY_FORMATS: frozenset[Format] = frozenset({"parquet", "xlsx"})
EXCEL_ROWS = 1_048_576
_FORMULA_START = r"^[=+\-@\t\r\n＝＋－＠]"
_LIST_SEPARATOR = "; "
_EXCEL_FORMATS: dict[Kind, str] = {
    "money": "#,##0.00",
    "probability": "0.0%",
    "share": "0.0%",
    "number": "0.000",
    "date": "yyyy-mm-dd",
}


def write_document(
    document: Document,
    stream: BinaryIO,
    *,
    format: Format,
    version: str,
    columns: Sequence[str] = (),
    raw_csv: bool = False,
    screen: Screen | None = None,
) -> None:
    """Writes a document to a binary stream.

    Args:
        document: The answer.
        stream: Where the bytes go.
        format: One of `FORMATS`.
        version: Version of churnkit, for the JSON head.
        columns: The columns of the rows to write, in this order; empty for all.
        raw_csv: Leaves text cells that a spreadsheet would run as they are.
        screen: The terminal that a person looks at, None in a pipe or a file.

    Raises:
        UsageError: A column is none of the document's.
    """
    terms = document.shape.chosen(columns)
    rows = _settled_rows(document, terms)
    writers: dict[Format, Callable[[], None]] = {
        "table": lambda: write_table(document, rows, terms, stream, screen=screen, chosen=bool(columns)),
        "markdown": lambda: write_markdown(document, rows, terms, stream),
        "json": lambda: _write_json(document, rows, version, stream),
        "ndjson": lambda: _write_ndjson(rows, stream),
        "csv": lambda: write_csv(rows, stream, raw=raw_csv, shown=screen is not None),
        "parquet": lambda: rows.write_parquet(stream, compression="zstd"),
        "xlsx": lambda: _write_excel(rows, terms, document.shape.command, stream),
    }
    writers[format]()


def _settled_rows(document: Document, terms: Sequence[Term]) -> pl.DataFrame:
    """The rows; a document that has none is one row of its summary, so that every format holds the same."""
    if document.rows is not None:
        return settle(document.rows, terms)
    return pl.DataFrame([{key: _scalar(plain(value)) for key, value in document.summary.items()}])


def _scalar(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _write_json(document: Document, rows: pl.DataFrame, version: str, stream: BinaryIO) -> None:
    kinds = {term.name: term.kind for term in (*document.shape.head, *document.shape.summary)}
    head: dict[str, object] = {"schema": document.shape.schema, "churnkit": version}
    head |= {key: plain(value, kinds.get(key, "text")) for key, value in document.head.items()}
    head["summary"] = {key: plain(value, kinds.get(key, "text")) for key, value in document.summary.items()}
    head["notes"] = list(document.notes)
    lines = [f"  {_json(key)}: {_json(value)}" for key, value in head.items()]
    if document.rows is not None:
        objects = ",\n".join(f"    {line}" for line in rows.write_ndjson().split("\n") if line)
        lines.append(f"  {_json(document.shape.rows_key)}: [" + (f"\n{objects}\n  " if objects else "") + "]")
    stream.write(safe_json("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _ndjson(rows: pl.DataFrame) -> str:
    return safe_json(rows.write_ndjson())


def _write_ndjson(rows: pl.DataFrame, stream: BinaryIO) -> None:
    stream.write(_ndjson(rows).encode())


def write_csv(rows: pl.DataFrame, stream: BinaryIO, *, raw: bool = False, shown: bool = False) -> None:
    """Writes settled rows as CSV.

    Args:
        rows: The rows.
        stream: Where the bytes go.
        raw: Leave text cells that a spreadsheet would run; otherwise they get a leading apostrophe.
        shown: The stream is a terminal, which must not obey what is in the cells.
    """
    text = _flat(rows)
    if not raw:
        text = text.rename({name: f"'{name}" for name in text.columns if re.match(_FORMULA_START, name)})
        risky = pl.col(pl.String).str.contains(_FORMULA_START)
        text = text.with_columns(pl.when(risky).then("'" + pl.col(pl.String)).otherwise(pl.col(pl.String)).name.keep())
    csv = text.write_csv()
    stream.write((safe_lines(csv) if shown else csv).encode())


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(pl.List(pl.String)).list.join(_LIST_SEPARATOR))


def _write_excel(rows: pl.DataFrame, terms: Sequence[Term], sheet: str, stream: BinaryIO) -> None:
    try:
        import xlsxwriter  # type: ignore[import-untyped]
    except ImportError:
        raise ExtraMissingError(
            "writing .xlsx needs an optional part",
            hint='install the extra excel: pip install ".[excel]" in the checkout, or pip install xlsxwriter',
        ) from None
    if rows.height >= EXCEL_ROWS:
        raise OutputError(
            f"{rows.height:,} rows do not fit an Excel sheet ({EXCEL_ROWS:,})",
            hint="write .csv or .parquet, or --top N",
        )
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        workbook.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - a fixed day: same rows, same bytes
        formats: dict[Any, str] = {
            term.name: _EXCEL_FORMATS[term.kind] for term in terms if term.kind in _EXCEL_FORMATS
        }
        _flat(rows).write_excel(workbook, sheet, column_formats=formats, autofit=True, freeze_panes=(1, 0))
    stream.write(buffer.getvalue())
