"""What is told of a file from its first bytes and lines."""

import codecs
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.errors import DataError, UsageError
from churnkit.orders.dialect import delimiter_named, dialect_of, distinct, guess_delimiter, has_header
from churnkit.orders.sniff import (
    disagreement,
    encoding_named,
    encoding_of,
    format_named,
    format_of,
    format_promised,
    packing_of,
)


@pytest.mark.parametrize(
    ("head", "packing"),
    [
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"PK\x03\x04", "zip"),
        (b"id,date", None),
        (b"", None),
    ],
)
def test_packings_are_known_by_their_magic_bytes(head: bytes, packing: str | None) -> None:
    assert packing_of(head) == packing


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"PAR1\x15", "parquet"),
        (b"ARROW1\x00\x00", "ipc"),
        (b"\xff\xff\xff\xff\x40\x01", "ipc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (b"SQLite format 3\x00", "sqlite"),
        (b"\x00" * 8 + b"DUCK", "duckdb"),
        (b'\n {"id": 1}', "ndjson"),
        (b'\xef\xbb\xbf{ "id": 1}', "ndjson"),
        (b'[\n {"id": 1}]', "json"),
        (b"[id],[date]", "csv"),
        (b"{id},{date}", "csv"),
        (b"id,date", "csv"),
        (b"", "csv"),
    ],
)
def test_formats_are_known_by_their_content(head: bytes, found: str) -> None:
    assert format_of(head, "whatever.csv") == found


@pytest.mark.parametrize("head", [b"%PDF-1.7", b"\x80\x04\x95\x10", b"<!DOCTYPE html>", b"<?xml version", b"Rar!\x1a"])
def test_what_holds_no_table_is_named(head: bytes) -> None:
    with pytest.raises(DataError, match=r"^orders\.csv is a"):
        format_of(head, "orders.csv")


def test_a_suffix_that_disagrees_is_said_and_one_that_agrees_is_not() -> None:
    assert "parquet" in str(disagreement("a/orders.csv", "parquet", None))
    assert "gzip" in str(disagreement("orders.csv", "csv", "gzip"))
    assert disagreement("orders.csv.gz", "csv", "gzip") is None
    assert disagreement("orders.json", "ndjson", None) is None
    assert disagreement("orders", "csv", None) is None
    assert format_promised("orders.2024.CSV.ZST") == "csv"


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        (codecs.BOM_UTF8 + b"id", "utf-8-sig"),
        ("id,date".encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + "id".encode("utf-16-be"), "utf-16"),
        ("id,date".encode("utf-16-le"), "utf-16-le"),
        ("id,date".encode("utf-16-be"), "utf-16-be"),
        ("id,date".encode("utf-32"), "utf-32"),
        ("idé".encode(), "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_encodings_are_known_by_their_marks(encoded: bytes, encoding: str) -> None:
    assert encoding_of(encoded) == encoding


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (encoding_named, "latin-99"),
        (encoding_named, "base64"),
        (encoding_named, ""),
        (format_named, "avro"),
        (delimiter_named, ";;"),
        (delimiter_named, '"'),
        (delimiter_named, "é"),
        (delimiter_named, "a"),
    ],
)
def test_names_that_mean_nothing_are_usage_errors(check: Callable[[str], str], name: str) -> None:
    with pytest.raises(UsageError):
        check(name)


@given(
    st.sampled_from(",;\t|"),
    st.lists(st.lists(st.sampled_from(["A", "7", "2,50", "x y", "2024-01-01"]), min_size=3, max_size=3), min_size=1),
)
@settings(max_examples=30, deadline=None)
def test_the_delimiter_is_found_below_a_header(delimiter: str, rows: list[list[str]]) -> None:
    lines = [delimiter.join(["id", "date", "amount"])]
    lines += [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows]
    assert guess_delimiter(lines) == delimiter


def test_quoted_line_ends_do_not_mislead_the_delimiter() -> None:
    head = 'id;note\n1;"a, b,\nc, d"\n2;"e, f,\ng"\n3;h\n'
    assert dialect_of(head).delimiter == ";"


def test_a_decimal_comma_is_not_a_delimiter() -> None:
    assert guess_delimiter(["1;2,50", "2;3,10", "3;4,00"]) == ";"


@pytest.mark.parametrize(
    ("first", "second", "header"),
    [
        (["customer", "date", "amount"], ["1", "2024-01-01", "5.00"], True),
        (["1808", "21-07-2015", "tropical fruit"], ["2552", "5/1/2015", "whole milk"], False),
        (["00004", "0001", "19970101", "2", "29.33"], ["00004", "0001", "19970118", "2", "29.73"], False),
        (["C1", "5 Jan 2024", "3"], ["C2", "6 Jan 2024", "3"], False),
        (["C1", "2024-01-05T10:00:00Z", ""], ["C2", "2024-01-06T10:00:00Z", ""], False),
        (["A", "9.50"], ["B", "12"], False),
        (["17850", "x"], ["17851", "y"], False),
        (["0", "1", "2"], ["A", "2024-01-01", "5.00"], True),
        (["customer", "2019", "2020"], ["A", "5.00", "6.00"], True),
        (["customer", "2024-01", "2024-02"], ["A", "5.00", "6.00"], True),
        (["customer", "01.01.2024", "01.02.2024"], ["A", "5.00", "6.00"], True),
        (["customer", "", "x"], ["A", "5.00", "6.00"], True),
    ],
)
def test_a_header_is_told_from_data(first: list[str], second: list[str], header: bool) -> None:
    assert has_header([first, second]) is header


def test_columns_are_named_apart_and_never_empty() -> None:
    names, notes = distinct(["id", "", "id", "id_2", " id "])
    assert names == ("id", "column 2", "id_2", "id_2_2", "id_3")
    assert len(set(names)) == 5
    assert len(notes) == 3


def test_lines_before_the_header_are_counted() -> None:
    assert dialect_of("\n \n,,\nid,date\nA,2024-01-01\n").before_data == 4
    assert dialect_of("sep=;\r\nid;date\r\nA;x\r\n") == dialect_of("\nid;date\nA;x\n", ";")
    assert dialect_of('"id","a\nname"\n1,2\n').before_data == 2
    assert dialect_of("").columns == ()
