"""Formats that hold types: Parquet, Arrow IPC, NDJSON and JSON arrays."""

import codecs
import glob
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.lines import READ_ERRORS, Origin, RawLines, collect, read_error
from churnkit.orders.sniff import encoding_of
from churnkit.orders.survey import jumps_over
from churnkit.orders.unpack import POLARS_UNPACKS, bytes_of, head_of, opened, recoded

_ARROW_STREAM = b"\xff\xff\xff\xff"


def read_parquet(name: str, content: Path | bytes, packing: str | None) -> RawLines:
    """The rows of a Parquet file, scanned lazily, types as they are."""
    source = content if packing is None else bytes_of(content, packing, name)
    return _of_rows(name, lambda: pl.scan_parquet(source, glob=False, hive_partitioning=False))


def read_ipc(name: str, content: Path | bytes, packing: str | None) -> RawLines:
    """The rows of an Arrow IPC file (Feather), scanned lazily, or of an IPC stream, read whole."""
    source = content if packing is None else bytes_of(content, packing, name)
    if head_of(source, None, name).startswith(_ARROW_STREAM):
        return _of_rows(name, lambda: pl.read_ipc_stream(source).lazy())
    return _of_rows(name, lambda: pl.scan_ipc(source, glob=False, hive_partitioning=False))


def read_json(name: str, content: Path | bytes, packing: str | None) -> RawLines:
    """The rows of a JSON array of objects. Rows are counted as records."""
    whole = _utf8(name, content, packing)
    if isinstance(whole, Path):
        whole = bytes_of(whole, packing, name)
    return _of_rows(name, lambda: pl.read_json(whole, infer_schema_length=None).lazy(), unit_is_record=True)


def read_ndjson(name: str, content: Path | bytes, packing: str | None) -> RawLines:
    """The rows of a file with one JSON object a line; the keys of all lines become columns.

    Raises:
        DataError: A line is no JSON object; the message names it.
    """
    source = _utf8(name, content, packing)
    try:
        frame = _flat(pl.scan_ndjson(source, infer_schema_length=None))
        lines = pl.scan_lines(source, glob=False).with_row_index("row")
        is_blank = pl.col("line").str.strip_chars() == ""
        blank = lines.filter(is_blank).select("row").collect()["row"].to_list()
        count = lines.select(pl.len()).collect().item() - len(blank)
        if frame.select(pl.len()).collect().item() != count:
            raise DataError(f"{name} does not hold one JSON object a line", hint="convert it: jq -c '.[]' FILE")
    except READ_ERRORS as error:
        raise _bad_json_line(name, source, packing, error) from error
    return RawLines(frame, (Origin(name, count if _has_columns(frame) else 0, jumps=jumps_over(blank)),), text=False)


def _utf8(name: str, content: Path | bytes, packing: str | None) -> Path | bytes:
    """JSON without what Polars takes offence at: a byte order mark, UTF-16, a packing it does not know."""
    head = head_of(content, packing, name)
    encoding = encoding_of(head)
    literal = isinstance(content, bytes) or not glob.has_magic(str(content))  # scan_ndjson expands paths
    if encoding == "utf-8" and packing in POLARS_UNPACKS:
        return content if literal else bytes_of(content, None, name)
    return recoded(content, packing, encoding, name).removeprefix(codecs.BOM_UTF8)


def _bad_json_line(name: str, source: Path | bytes, packing: str | None, error: BaseException) -> DataError:
    """The first line that Python cannot read either, which Polars does not tell."""
    if isinstance(error, DataError):
        return error
    hint = "NDJSON holds one object a line; convert other JSON with: jq -c '.orders[]' FILE"
    with opened(source, packing if isinstance(source, Path) else None, name) as stream:
        for number, line in enumerate(stream, 1):
            try:
                if line.strip() and not isinstance(json.loads(line), dict):
                    return DataError(f"{name}:{number} is no JSON object", hint=hint)
            except UnicodeDecodeError:
                return DataError(f"{name}:{number} is not UTF-8", hint="JSON is UTF-8 by definition")
            except ValueError as bad:
                return DataError(f"{name}:{number} is no JSON: {bad}", hint=hint)
            except RecursionError:
                return DataError(f"{name}:{number} is nested too deeply", hint=hint)
    mapped = read_error(error, name)
    return DataError(str(mapped), hint="do all lines have the same kind of value under the same key?")


def _of_rows(name: str, scan: Callable[[], pl.LazyFrame], unit_is_record: bool = False) -> RawLines:
    try:
        frame = _flat(scan())
    except READ_ERRORS as error:
        raise read_error(error, name) from error
    count = collect(frame.select(pl.len()), name).item() if _has_columns(frame) else 0
    return RawLines(frame, (Origin(name, count, unit="record" if unit_is_record else "row"),), text=False)


def _has_columns(frame: pl.LazyFrame) -> bool:
    return bool(frame.collect_schema())


def _flat(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Structs one level up, as columns `customer.id`; binary columns, as old writers make of text, as text."""
    columns: list[pl.Expr] = []
    schema = frame.collect_schema()
    for column, dtype in schema.items():
        if isinstance(dtype, pl.Struct):
            fields = [field.name for field in dtype.fields]
            columns += [
                pl.col(column).struct.field(field).alias(f"{column}.{field}")
                for field in fields
                if f"{column}.{field}" not in schema
            ]
        else:
            columns.append(pl.col(column).cast(pl.String, strict=False) if dtype == pl.Binary else pl.col(column))
    return frame.select(columns) if columns else frame
