"""SQLite and DuckDB: read, and nothing but read."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

from churnkit.errors import DataError, UsageError
from churnkit.orders.read import read_orders


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE "my orders" (id TEXT, day TEXT, n INTEGER, amount, mixed, empty)')
        connection.executemany(
            'INSERT INTO "my orders" VALUES (?, ?, ?, ?, ?, NULL)',
            [
                ("007", "2024-01-01", 2**60, 5, "x"),
                ("008", "2024-01-02", 3, 6.5, 7),
                (None, None, None, None, b"\xc3\xa9"),
            ],
        )
    return path


@pytest.fixture
def duckdb_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT '007' id, DATE '2024-01-01' AS day, 5.25::DECIMAL(10,2) amount"
        )
    return path


def test_a_sqlite_table_keeps_ids_integers_and_text(sqlite_file: Path) -> None:
    lines = read_orders(sqlite_file)
    assert lines.collect().rows() == [
        ("007", "2024-01-01", 2**60, 5.0, "x", None),
        ("008", "2024-01-02", 3, 6.5, "7", None),
        (None, None, None, None, "é", None),
    ]
    assert not lines.text
    assert lines.notes == ("the only table, my orders, was read (--table)",)
    assert lines.place(1) == f"{sqlite_file}, row 2"


def test_a_column_that_changes_kind_late_becomes_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("churnkit.orders.databases._BATCH", 2)
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE o (id)")
        connection.executemany("INSERT INTO o VALUES (?)", [(1,), (2,), (None,), ("A3",), (4,)])
    assert read_orders(path).collect()["id"].to_list() == ["1", "2", None, "A3", "4"]


@pytest.mark.parametrize(
    "query",
    [
        'DELETE FROM "my orders"',
        'SELECT 1; DROP TABLE "my orders"',
        "ATTACH 'made.db' AS made",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('x')",
        "CREATE TABLE made (x)",
        "VACUUM INTO 'made.db'",
        "SELECT nothing_of_the_kind",
        "",
        "SELEC",
    ],
)
def test_a_sqlite_query_can_only_select(sqlite_file: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sqlite_file.parent)
    before = sqlite_file.read_bytes()
    with pytest.raises(DataError):
        read_orders(sqlite_file, query=query)
    assert sqlite_file.read_bytes() == before
    assert [entry.name for entry in sqlite_file.parent.iterdir()] == ["shop.db"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('other.csv')",
        "COPY orders TO 'made.csv'",
        "SET enable_external_access = true",
        "ATTACH 'made.duckdb'",
        "SELECT nothing_of_the_kind",
        "",
    ],
)
def test_a_duckdb_query_can_only_select_from_its_file(
    duckdb_file: Path, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(duckdb_file.parent)
    Path("other.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(DataError):
        read_orders(duckdb_file, query=query)
    assert sorted(entry.name for entry in duckdb_file.parent.iterdir()) == ["other.csv", "shop.duckdb"]


def test_a_duckdb_table_keeps_its_types(duckdb_file: Path) -> None:
    lines = read_orders(f"duckdb:///{duckdb_file}", table="orders")
    frame = lines.collect()
    assert frame.select("id", "day").rows() == [("007", dt.date(2024, 1, 1))]
    assert frame.schema["amount"] == pl.Decimal(10, 2)
    assert read_orders(duckdb_file, query="SELECT id FROM orders").collect().rows() == [("007",)]


def test_a_query_by_uri_reads_what_it_says(sqlite_file: Path) -> None:
    lines = read_orders(f"sqlite:///{sqlite_file}", query='SELECT id FROM "my orders" WHERE n > 5')
    assert lines.collect().rows() == [("007",)]


def test_it_must_be_clear_what_to_read(sqlite_file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection, connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(UsageError) as caught:
        read_orders(sqlite_file)
    assert "my orders, other" in caught.value.hint
    with pytest.raises(UsageError):
        read_orders(sqlite_file, table="other", query="SELECT 1")
    with pytest.raises(DataError, match="no table 'x\"; DROP'"):
        read_orders(sqlite_file, table='x"; DROP')
    with pytest.raises(DataError, match="no rows"):
        read_orders(sqlite_file, table="other")
    text = tmp_path / "a.csv"
    text.write_text("id,x\nA,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no database"):
        read_orders(text, query="SELECT 1")


@pytest.mark.parametrize("cut", [20, 100, 5000])
def test_a_damaged_database_is_bad_data(sqlite_file: Path, cut: int) -> None:
    sqlite_file.write_bytes(sqlite_file.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"shop\.db"):
        read_orders(sqlite_file)
