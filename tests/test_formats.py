"""All formats hold the same cells, and none of them can hurt a reader."""

import csv
import io
import json
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.errors import UsageError
from churnkit.output.display import width
from churnkit.output.document import Document, Fact, Format, Shape, View, format_of
from churnkit.output.formats import FORMATS, write_document
from churnkit.output.settle import plain, settle
from churnkit.output.table import Screen
from churnkit.terms import Term

IDS = ["00123", "=1+1", "@sum", "-5", "+1", "[red]x[/red]", "[/]", "a\tb", "e\x1b[31mvil", "\u202eb", "客户七"]
IDS += ['o\'brien, "q"', "x" * 120, "line\nend", "a\rb", "|*_<b>`", "", " = 1", "＝1"]
TERMS = (
    Term("customer_id", "id", "Who."),
    Term("churn_probability", "probability", "P."),
    Term("monetary", "money", "Net.", nullable=True),
    Term("last_order_on", "date", "When.", nullable=True),
    Term("frequency", "integer", "How often."),
    Term("reasons", "list", "Why."),
)
SHAPE = Shape(command="score", head=(Term("cutoff", "date", "First day not seen."),), summary=(TERMS[2],), rows=TERMS)


def document(ids: list[str] = IDS, **view: Any) -> Document:
    n = len(ids)
    rows = pl.DataFrame(
        {
            "customer_id": pl.Series(ids, dtype=pl.Categorical),
            "churn_probability": [(k + 1) / (n + 3) for k in range(n)],
            "monetary": [None if k % 3 == 2 else -0.0 if k % 3 else 1234.005 * k for k in range(n)],
            "last_order_on": [None if k % 5 == 4 else date(2024, 2, 1 + k % 28) for k in range(n)],
            "frequency": pl.Series([k * 1000 for k in range(n)], dtype=pl.UInt32),
            "reasons": [["=buys every 23 days", "silent for 61"], ["one order only"], []] * (n // 3)
            + [["a"]] * (n % 3),
        }
    )
    return Document(
        shape=SHAPE,
        head={"cutoff": date(2024, 3, 1)},
        summary={"monetary": 0.1 + 0.2},
        notes=["a note"],
        rows=rows,
        view=View(detail="reasons", **view),
    )


def written(document: Document, format: Format, **options: Any) -> bytes:
    stream = io.BytesIO()
    write_document(document, stream, format=format, version="1.2.3", **options)
    return stream.getvalue()


def rows_of(format: Format, content: bytes) -> list[dict[str, Any]]:
    """The rows as a reader of each format gets them, in the types of JSON."""
    if format == "json":
        found: list[dict[str, Any]] = json.loads(content, parse_constant=pytest.fail)["rows"]
        return found
    if format == "ndjson":
        return [json.loads(line) for line in content.decode().split("\n") if line]
    frame = pl.read_parquet(content) if format == "parquet" else pl.read_excel(content, schema_overrides=_TYPES)
    return [{key: plain(value) for key, value in row.items()} for row in frame.iter_rows(named=True)]


_EXACT: tuple[Format, ...] = ("json", "ndjson", "parquet")
_TYPES = {"customer_id": pl.String, "reasons": pl.String, "last_order_on": pl.Date, "frequency": pl.Int64}


def test_json_ndjson_and_parquet_agree_cell_for_cell() -> None:
    texts = {name: rows_of(name, written(document(), name)) for name in _EXACT}
    assert texts["json"] == texts["ndjson"] == texts["parquet"]
    assert [row["customer_id"] for row in texts["json"]] == IDS
    assert list(texts["json"][0]) == [term.name for term in TERMS]


def test_csv_holds_the_same_cells_as_text() -> None:
    expected = rows_of("ndjson", written(document(), "ndjson"))
    read = list(csv.DictReader(io.StringIO(written(document(), "csv", raw_csv=True).decode(), newline="")))
    for row, want in zip(read, expected, strict=True):
        assert row["customer_id"] == want["customer_id"]
        assert row["reasons"] == "; ".join(want["reasons"])
        assert row["frequency"] == str(want["frequency"])
        assert row["last_order_on"] == (want["last_order_on"] or "")
        for name in ("churn_probability", "monetary"):
            assert (float(row[name]) if row[name] else None) == want[name]


def test_excel_holds_the_same_cells_and_no_formula() -> None:
    content = written(document(), "xlsx")
    assert content == written(document(), "xlsx"), "same rows, same bytes"
    read = rows_of("xlsx", content)
    expected = rows_of("ndjson", written(document(), "ndjson"))
    assert [row["churn_probability"] for row in read] == [row["churn_probability"] for row in expected]
    assert [row["last_order_on"] for row in read] == [row["last_order_on"] for row in expected]
    assert read[1]["customer_id"] == "=1+1"


def test_the_json_is_strict_and_has_the_documented_head() -> None:
    content = written(document(), "json").decode()
    read = json.loads(content, parse_constant=pytest.fail)
    assert list(read) == ["schema", "churnkit", "cutoff", "summary", "notes", "rows"]
    assert (read["schema"], read["churnkit"], read["cutoff"]) == ("churnkit/score/1", "1.2.3", "2024-03-01")
    assert read["summary"] == {"monetary": 0.3}
    assert not set(content) & set("\x1b\u202e\x9b")


def test_an_empty_list_is_an_empty_list_in_every_format() -> None:
    empty = document([])
    assert json.loads(written(empty, "json"))["rows"] == []
    assert written(empty, "ndjson") == b""
    assert written(empty, "csv").decode() == ",".join(term.name for term in TERMS) + "\n"
    assert "no rows" in written(empty, "table").decode()


def test_a_document_without_rows_is_one_row_of_its_summary() -> None:
    bare = Document(shape=Shape(command="model"), summary={"kind": "blend", "figures": {"auc": 0.8}})
    assert written(bare, "csv").decode().splitlines()[0] == "kind,figures"
    assert json.loads(written(bare, "ndjson"))["figures"] == '{"auc": 0.8}'
    assert "rows" not in json.loads(written(bare, "json"))


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=8))
@settings(max_examples=30)
def test_no_cell_of_a_csv_can_run_in_a_spreadsheet(ids: list[str]) -> None:
    ids = [text.encode("utf-8", "replace").decode().replace("\x00", "") or "a" for text in ids]
    read = list(csv.DictReader(io.StringIO(written(document(ids), "csv").decode(), newline="")))
    for row, text in zip(read, ids, strict=True):
        assert row["customer_id"] == (f"'{text}" if text[0] in "=+-@\t\r\n＝＋－＠" else text)
        assert row["reasons"][:1] not in ("=", "+", "-", "@")


def test_numbers_keep_their_sign_in_a_csv() -> None:
    shape = Shape(command="x", rows=(Term("a", "money", "."),))
    assert written(Document(shape=shape, rows=pl.DataFrame({"a": [-3.5]})), "csv") == b"a\n-3.5\n"


def test_settled_values_have_no_nan_no_infinity_and_no_minus_zero() -> None:
    terms = [Term("a", "number", "."), Term("b", "money", ".")]
    frame = pl.DataFrame({"a": [float("nan"), float("inf"), -1e-9], "b": [0.126, -2.674, None]})
    assert str(settle(frame, terms).rows()) == "[(None, 0.13), (None, -2.67), (0.0, None)]"


@pytest.mark.parametrize("format", FORMATS)
def test_asking_for_columns_gives_these_in_this_order(format: Format) -> None:
    columns = ["frequency", "customer_id"]
    content = written(document(["a", "b"]), format, columns=columns)
    if format in ("parquet", "json", "ndjson"):
        assert list(rows_of(format, content)[0]) == columns
    elif format != "xlsx":
        assert content.index(b"frequency") < content.index(b"customer_id")
        assert b"reasons" not in content


def test_an_unknown_column_gets_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        written(document(), "csv", columns=["custmer_id"])
    assert caught.value.hint == "did you mean customer_id?"


def test_markdown_shows_marks_and_runs_none() -> None:
    text = written(document(["|*_<b>`", "e\x1b[31m"]), "markdown").decode()
    assert "\\|\\*\\_\\<b\\>\\`" in text
    assert "\x1b" not in text
    assert {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")} == {7}


def test_a_table_in_a_pipe_is_whole() -> None:
    text = written(document(), "table").decode()
    assert "x" * 120 in text
    assert all(term.name in text for term in TERMS)
    assert not set(text) & set("\x1b\x9b\u202e\r\t")
    assert "[red]x[/red]" in text
    assert len(text.splitlines()) == len(IDS) + 2
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@given(
    st.lists(st.one_of(st.sampled_from(IDS), st.text(min_size=1, max_size=40)), min_size=1, max_size=5),
    st.integers(40, 200),
)
@settings(max_examples=60)
def test_a_table_on_a_terminal_fits_it(ids: list[str], columns: int) -> None:
    ids = [text.encode("utf-8", "replace").decode() for text in ids]
    shown = document(ids, title="Who is about to leave", sums=[Fact("scored", 12, "integer")] * 6, lines=["word " * 30])
    text = written(shown, "table", screen=Screen(columns, colour=False)).decode()
    assert max(width(line) for line in text.splitlines()) <= columns
    coloured = written(shown, "table", screen=Screen(columns, colour=True)).decode()
    assert without_colour(coloured) == text


@pytest.mark.parametrize("columns", [40, 60, 200])
def test_columns_that_were_asked_for_are_all_shown(columns: int) -> None:
    names = [term.name for term in TERMS]
    text = written(document(), "table", columns=names, screen=Screen(columns, colour=False)).decode()
    assert all(word in text for name in names[:-1] for word in name.split("_"))
    assert "silent for 61" in " ".join(text.split())


def without_colour(text: str) -> str:
    import re

    return "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", text).split("\n"))


def test_colour_follows_the_risk() -> None:
    shape = Shape(command="x", rows=(Term("p", "probability", "."),))
    rows = pl.DataFrame({"p": [0.9, 0.5, 0.1]})
    lines = written(Document(shape=shape, rows=rows), "table", screen=Screen(80)).decode().splitlines()[-3:]
    assert [line[:5] for line in lines] == ["\x1b[31m", "\x1b[33m", "\x1b[32m"]


def test_a_terminal_shows_the_first_rows_and_says_how_many_there_are() -> None:
    many = document([f"C{k}" for k in range(50)], several="customers")
    text = written(many, "table", screen=Screen(100, colour=False)).decode()
    assert "… 30 more customers: -o FILE.csv writes all" in text
    assert "C19" in text
    assert "C20" not in text


@pytest.mark.parametrize(("path", "format"), [("a.JSON", "json"), ("b.jsonl", "ndjson"), ("c/d.md", "markdown")])
def test_the_suffix_names_the_format(path: str, format: str) -> None:
    assert format_of(path) == format


def test_a_suffix_that_names_nothing_is_a_misuse() -> None:
    with pytest.raises(UsageError, match=r"names no format"):
        format_of("list.csvv")
