"""Tables and queries of SQLite (standard library) and DuckDB (the extra `duckdb`). Nothing can be written or reached.

Only what the user asked for is run, as one statement, on a connection that can do nothing but read that one file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from churnkit.errors import DataError, ExtraMissingError, UsageError
from churnkit.orders.dialect import distinct
from churnkit.orders.lines import READ_ERRORS, Origin, RawLines, first_words, read_error

_BATCH = 100_000
_MAY = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)


def read_sqlite(name: str, path: Path, table: str | None = None, query: str | None = None) -> RawLines:
    """The rows of one table or query of a SQLite file.

    A column holds integers or floats where all its values do, and text otherwise: SQLite types values, not columns.

    Raises:
        DataError: The file is damaged, the table is not there, or the query fails or would change something.
        UsageError: It is not clear what to read.
    """
    try:
        _refuse_cut_short(name, path)
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _MAY else sqlite3.SQLITE_DENY)
            listed = (
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
            )
            tables = [row[0] for row in connection.execute(listed)]
            sql, notes = _statement(name, tables, table, query)
            cursor = connection.execute(sql)
            if cursor.description is None:
                raise DataError(f"{name}: the query returns no rows", hint="only a SELECT can be read")
            columns, renamed = distinct([column[0] for column in cursor.description])
            frame = _frame(columns, iter(lambda: cursor.fetchmany(_BATCH), []))
    except (sqlite3.Error, sqlite3.Warning, *READ_ERRORS) as error:
        if isinstance(error, DataError):
            raise
        raise _query_error(name, error) from error
    return RawLines(frame.lazy(), (_origin(name, frame, table, query),), text=False, notes=(*notes, *renamed))


def _refuse_cut_short(name: str, path: Path) -> None:
    """SQLite reads pages that are not there as empty ones; its header says how many there should be."""
    with path.open("rb") as file:
        header = file.read(100)
    page_bytes, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
    counted = header[24:28] == header[92:96]  # older versions of SQLite leave the count untouched
    if counted and path.stat().st_size < (page_bytes if page_bytes > 1 else 1 << 16) * pages:
        raise DataError(f"{name} is cut short", hint="copy or restore the database file again")


def _frame(columns: Sequence[str], batches: Iterator[list[tuple[Any, ...]]]) -> pl.DataFrame:
    frames = [
        pl.DataFrame([_column(*pair) for pair in zip(columns, zip(*rows, strict=True), strict=True)])
        for rows in batches
    ]
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.concat(frames, how="vertical_relaxed")


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds and kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64 if float in kinds else pl.Int64, strict=False)
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def read_duckdb(name: str, path: Path, table: str | None = None, query: str | None = None) -> RawLines:
    """The rows of one table or query of a DuckDB file, types as they are.

    Raises:
        ExtraMissingError: DuckDB is not installed.
        DataError: The file is damaged, the table is not there, or the query fails or would change something.
        UsageError: It is not clear what to read.
    """
    duckdb = _duckdb(name)
    try:
        with _locked_down(duckdb, path) as connection:
            tables = [
                row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
            ]
            sql, notes = _statement(name, sorted(tables), table, query)
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise DataError(f"{name}: the query must be one SELECT statement", hint="nothing else is run")
            frame = pl.DataFrame(_ArrowStream(connection.sql(sql).__arrow_c_stream__()))
    except (duckdb.Error, *READ_ERRORS) as error:
        if isinstance(error, DataError):
            raise
        raise _query_error(name, error) from error
    return RawLines(frame.lazy(), (_origin(name, frame, table, query),), text=False, notes=notes)


@dataclass(frozen=True, slots=True)
class _ArrowStream:
    """A stream and nothing else: handed a relation, Polars makes DuckDB 2.0 complain of leaks at exit."""

    capsule: object

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.capsule


def _duckdb(name: str) -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise ExtraMissingError(
            f"{name} is a DuckDB file, and reading those needs an optional part",
            hint='install the extra duckdb: pip install ".[duckdb]" in the checkout, or pip install duckdb',
        ) from error
    return duckdb


@contextmanager
def _locked_down(duckdb: Any, path: Path) -> Iterator[Any]:
    """A connection without a way out of its file; closed always, since DuckDB 2.0 complains at exit otherwise."""
    settings = {"enable_external_access": "false", "lock_configuration": "true"}
    with closing(duckdb.connect(str(path), read_only=True, config=settings)) as connection:
        yield connection


def _statement(name: str, tables: Sequence[str], table: str | None, query: str | None) -> tuple[str, tuple[str, ...]]:
    """What to run, and what was assumed."""
    there = f"its tables are {', '.join(tables)}" if tables else "it has no table"
    if table is not None and query is not None:
        raise UsageError("--table and --query exclude each other", hint="a query names its tables itself")
    if query is not None:
        return query, ()
    if table is None and len(tables) == 1:
        return _select(tables[0]), (f"the only table, {tables[0]}, was read (--table)",)
    if table is None:
        raise UsageError(f"{name} is a database: say what to read", hint=f"--table NAME or --query SQL; {there}")
    if table not in tables:
        raise DataError(f"{name} has no table {table!r}", hint=there)
    return _select(table), ()


def _select(table: str) -> str:
    quoted = table.replace('"', '""')
    return f'SELECT * FROM "{quoted}"'


def _query_error(name: str, error: BaseException) -> DataError:
    said = first_words(str(error))
    if "file is not a database" in said or "malformed" in said or "disk image" in said:
        return DataError(str(read_error(error, name)), hint="the database file is damaged: restore or export it again")
    return DataError(f"{name}: {said}", hint="the query is run as one read-only statement, on this one file")


def _origin(name: str, frame: pl.DataFrame, table: str | None, query: str | None) -> Origin:
    what = "query" if query is not None else table
    return Origin(f"{name} [{what}]" if what else name, frame.height, unit="row")
