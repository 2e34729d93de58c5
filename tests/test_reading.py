"""Delimited text: every dialect gives the same frame, and nothing is mended in silence."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.errors import DataError, UsageError
from churnkit.orders.lines import RawLines
from churnkit.orders.read import read_orders

HEADER = "id,date,amount\n"
ROWS = "007,2024-01-01,5.00\nB,2024-01-02,6.50\n"
CELLS = [("007", "2024-01-01", "5.00"), ("B", "2024-01-02", "6.50")]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RawLines]:
    """Write content into a file and read it."""
    monkeypatch.chdir(tmp_path)

    def write_and_read(content: str | bytes, name: str = "orders.csv", **options: object) -> RawLines:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return read_orders(name, **options)  # type: ignore[arg-type]

    return write_and_read


Read = Callable[..., RawLines]


def packed_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("export/orders.csv", content)
        archive.writestr("__MACOSX/._orders.csv", b"\0")
    return buffer.getvalue()


def packed_zstd(content: bytes) -> bytes:
    buffer = io.BytesIO()
    head, *rows = content.decode().splitlines()
    pl.DataFrame({head: rows}).write_csv(buffer, quote_style="never", compression="zstd")
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, packed_zip, packed_zstd])
def test_packed_text_is_unpacked_whatever_its_name(read: Read, pack: Callable[[bytes], bytes]) -> None:
    lines = read(pack((HEADER + ROWS).encode()), "orders.csv")
    assert lines.collect().rows() == CELLS
    assert lines.place(1) == "orders.csv:3"
    assert "compressed" in lines.notes[0]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, packed_zip])
def test_packed_text_may_have_any_encoding(read: Read, pack: Callable[[bytes], bytes]) -> None:
    assert read(pack((HEADER + "é,2024-01-01,1\n").encode("cp1252"))).collect()["id"].to_list() == ["é"]
    assert read(pack((HEADER + "é,2024-01-01,1\n").encode("utf-16"))).collect()["id"].to_list() == ["é"]


def test_gzip_files_that_were_put_together_are_read_to_the_end(read: Read) -> None:
    assert read(gzip.compress(HEADER.encode()) + gzip.compress(ROWS.encode())).collect().rows() == CELLS


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, packed_zip, packed_zstd])
def test_packed_text_that_is_cut_short_is_bad_data(read: Read, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DataError, match=r"orders\.csv"):
        read(pack((HEADER + ROWS * 99).encode())[:-12])


def test_an_archive_of_several_files_is_refused(read: Read) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    with pytest.raises(DataError, match="zip archive of 2 files"):
        read(buffer.getvalue())


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "line 2 is not UTF-8, so the text was read as cp1252"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_show(read: Read, encoding: str, said: str | None, line_end: str) -> None:
    text = (HEADER + "Zoë,2024-01-01,1\n" + ROWS).replace("\n", line_end)
    lines = read(text.encode(encoding))
    assert lines.collect().rows() == [("Zoë", "2024-01-01", "1"), *CELLS]
    assert [said in note for note in lines.notes] == [True] if said else lines.notes == ()
    assert lines.place(2) == "orders.csv:4"


def test_bytes_that_cp1252_leaves_open_are_latin_1(read: Read) -> None:
    lines = read((HEADER + "\x81é,1,2\n").encode("latin-1"))
    assert lines.collect()["id"].to_list() == ["\x81é"]
    assert "iso8859-1" in lines.notes[0]


def test_a_late_byte_decides_the_encoding_of_the_whole_file(read: Read) -> None:
    text = HEADER + "A,2024-01-01,5.00\n" * 20_000
    lines = read(text.encode() + "Zoë,2024-01-01,1\n".encode("cp1252"))
    assert lines.collect()["id"][-1] == "Zoë"
    assert "line 20002 is not UTF-8" in lines.notes[0]


def test_a_stated_encoding_is_obeyed_or_refused(read: Read) -> None:
    czech = HEADER + "Dvořák,2024-01-01,1\n"
    assert read(czech.encode("cp1250"), encoding="cp1250").collect()["id"].to_list() == ["Dvořák"]
    with pytest.raises(DataError, match=r"orders\.csv:2 is not UTF-8"):
        read(czech.encode("cp1250"), encoding="utf-8")
    with pytest.raises(DataError, match="is not ascii text"):
        read(czech, encoding="ascii")
    with pytest.raises(DataError, match="truncated"):
        read(czech.encode("utf-16")[:-1])
    with pytest.raises(UsageError):
        read(czech, encoding="klingon")


CELL = st.text(st.sampled_from("aZ09 .,;|\t\"\n'éß€-"), max_size=6)


@given(
    cells=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=40, deadline=None)
def test_every_dialect_gives_the_same_frame(
    cells: list[tuple[str, str, str]], delimiter: str, quoting: int, encoding: str, line_end: str
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([("id", "date", "amount"), ("A", "2024-01-01", "5"), *cells])
    said = "utf-8" if encoding == "utf-8-sig" else encoding
    lines = read_orders(
        "-", stdin=io.BytesIO(buffer.getvalue().encode(encoding)), delimiter=delimiter, encoding=said, header=True
    )
    told = [tuple(cell or None for cell in row) for row in cells if "".join(row).strip()]
    assert lines.collect().rows() == [("A", "2024-01-01", "5"), *told]


@given(
    records=st.lists(
        st.tuples(st.sampled_from(["A", "B\nB", 'C"', "D"]), st.sampled_from(["", "\n", "\n\n"])), min_size=1
    ),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=40, deadline=None)
def test_a_place_is_the_physical_line_where_the_record_begins(records: list[tuple[str, str]], line_end: str) -> None:
    text = HEADER
    begins = []
    for name, gap in records:
        text += gap
        begins.append(text.count("\n") + 1)
        quoted = name.replace('"', '""')
        text += f'"{quoted}",2024-01-01,1\n'
    lines = read_orders("-", stdin=io.BytesIO(text.replace("\n", line_end).encode()))
    assert [lines.place(row) for row in range(lines.lines)] == [f"stdin:{line}" for line in begins]


@pytest.mark.parametrize(("delimiter", "said"), [(";", "';'"), ("\t", "a tab"), ("|", "'|'")])
def test_a_guessed_delimiter_is_said_with_its_flag(read: Read, delimiter: str, said: str) -> None:
    lines = read((HEADER + ROWS).replace(",", delimiter))
    assert lines.collect().rows() == CELLS
    assert lines.notes == (f"the delimiter is {said} (--delimiter)",)


def test_a_stated_delimiter_is_used(read: Read) -> None:
    assert read((HEADER + ROWS).replace(",", "~"), delimiter="~").collect().rows() == CELLS
    assert read((HEADER + ROWS).replace(",", "\t"), delimiter="\\t").notes == ()
    assert read((HEADER + ROWS).replace(",", "   "), delimiter="space").collect().rows() == CELLS


def test_excel_says_its_delimiter_and_blank_lines_lead(read: Read) -> None:
    lines = read("sep=;\r\n\r\n" + (HEADER + ROWS).replace(",", ";"))
    assert lines.collect().rows() == CELLS
    assert lines.place(0) == "orders.csv:4"


def test_blank_lines_are_no_lines_and_do_not_shift_places(read: Read) -> None:
    lines = read(HEADER + "A,1,2\n\n,,\nB,1,2\n  \nC,1,2\n\n\n")
    assert lines.collect()["id"].to_list() == ["A", "B", "C"]
    assert [lines.place(row) for row in range(3)] == ["orders.csv:2", "orders.csv:5", "orders.csv:7"]


def test_short_lines_are_filled_and_said_with_their_places(read: Read) -> None:
    lines = read(HEADER + ROWS * 5 + "X,2024-01-03\n" + ROWS)
    assert lines.collect().row(10) == ("X", "2024-01-03", None)
    assert lines.notes == (
        "1 of 13 lines have fewer cells than the 3 columns (orders.csv:12); the missing ones count as empty",
    )


@pytest.mark.parametrize("long", ['X,2024-01-03,"a",1,234.50\n', "X,2024-01-03,1,234.50\n", "X,2024-01-03,1,,9\n"])
@pytest.mark.parametrize("others", [ROWS, '"A\nB",2024-01-03,1\n'])
def test_a_long_line_keeps_its_place_and_loses_its_values(read: Read, long: str, others: str) -> None:
    lines = read(HEADER + others * 20 + long)
    frame = lines.collect()
    assert frame.row(-1) == (None, None, None)
    assert frame["id"].null_count() == 1
    assert f"have more cells than the 3 columns ({lines.place(frame.height - 1)})" in lines.notes[0]


def test_many_long_lines_stop_the_reading_with_examples(read: Read) -> None:
    with pytest.raises(
        DataError, match=r"4 of 6 lines have more cells .* orders\.csv:4, orders\.csv:5, orders\.csv:6, \.\.\."
    ):
        read(HEADER + ROWS + "A,1,2,3\n" * 4)


def test_empty_cells_at_the_end_of_lines_are_no_extra_cells(read: Read) -> None:
    lines = read(HEADER + "A,1,2,,\nB,1,2,\n")
    assert lines.collect().rows() == [("A", "1", "2"), ("B", "1", "2")]
    assert lines.notes == ()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('A,"1,2\nB,1,2\n', r"orders\.csv:3: a quoted cell begins here and is never closed"),
        ('A,"1"x,2\n', r"orders\.csv:3: a quoted cell goes on after its closing quote"),
        ("A,\0,2\n", r"orders\.csv:3: NUL bytes"),
        ('A,"1\n2",\r3\n', r"orders\.csv:3: a bare carriage return"),
        ('A,"' + "x" * 200_000 + "\n", r"orders\.csv:3: a cell of more than"),
    ],
)
def test_broken_lines_are_named(read: Read, bad: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(HEADER + "Z,1,2\n" + bad)


def test_a_quote_inside_a_cell_is_a_character(read: Read) -> None:
    rows = read(HEADER + '5" disc,1,2\nA,6" disc,7" disc\n"x ""y"" z",1,2\n').collect().rows()
    assert rows == [('5" disc', "1", "2"), ("A", '6" disc', '7" disc'), ('x "y" z', "1", "2")]


@pytest.mark.parametrize("content", ["", "\n\n", HEADER, "\ufeff", HEADER + "\n,,\n", gzip.compress(b"")])
def test_no_rows_is_bad_data(read: Read, content: str | bytes) -> None:
    with pytest.raises(DataError, match="no rows"):
        read(content)


def test_binary_content_is_bad_data(read: Read) -> None:
    with pytest.raises(DataError, match="NUL bytes"):
        read(bytes(range(256)) * 9)


def test_a_file_without_header_is_named_by_number(read: Read) -> None:
    lines = read(ROWS)
    assert (lines.header, lines.collect().columns, lines.place(0)) == (False, ["1", "2", "3"], "orders.csv:1")
    assert lines.notes == ("there is no header, so the columns go by number, from 1",)
    assert read(HEADER + ROWS, header=False).collect().row(0) == ("id", "date", "amount")
    assert read(ROWS, header=True).collect().columns == ["007", "2024-01-01", "5.00"]


def test_a_table_of_aligned_columns_is_read_and_its_ragged_lines_lose_their_values(read: Read) -> None:
    text = (
        "  id    date  amount\r\n" + " 0001  19970101   11.77\r\n" * 20 + " 0002  19970101\r\n 0003 19970102 1 2 3\r\n"
    )
    lines = read(text)
    assert lines.collect().row(0) == ("0001", "19970101", "11.77")
    assert lines.collect().rows()[-2:] == [(None, None, None)] * 2
    assert "2 of 22 lines have another number of cells" in lines.notes[1]


def test_a_single_column_is_a_table(read: Read) -> None:
    assert read("customer\nA\n\nB\n").collect().rows() == [("A",), ("B",)]


def test_a_large_file_is_scanned_and_not_held(read: Read) -> None:
    lines = read(HEADER + ROWS * 50_000)
    plan = lines.frame.explain()
    assert "orders.csv" in plan
    assert lines.frame.select(pl.len()).collect().item() == lines.lines == 100_000


def test_an_empty_file_among_others_is_said(read: Read) -> None:
    read(HEADER + ROWS, "a.csv")
    with pytest.raises(DataError):
        read(HEADER, "b.csv")
    lines = read_orders(["b.csv", "a.csv"])
    assert lines.collect().rows() == CELLS
    assert lines.notes == ("1 of 2 inputs hold no rows: b.csv",)


def test_columns_that_some_files_lack_are_empty_there_and_renamed_ones_are_refused(read: Read) -> None:
    read("id,date\nA,2024-01-01\n", "a.csv")
    read("date,id,coupon\n2024-01-02,B,X\n", "b.csv")
    lines = read_orders(["a.csv", "b.csv"])
    assert lines.collect().select("id", "coupon").rows() == [("A", None), ("B", "X")]
    assert lines.notes == ("the column 'coupon' is empty for the lines of a.csv, which lack it",)
    read("id,day,coupon\nA,2024-01-01,\n", "c.csv")
    with pytest.raises(DataError, match=r"c\.csv has a column 'day', which b\.csv has not") as caught:
        read_orders(["b.csv", "c.csv"])
    assert "lacks 'date'" in caught.value.hint


def test_files_with_and_without_header_do_not_mix(read: Read) -> None:
    read(HEADER + ROWS, "a.csv")
    read(ROWS, "b.csv")
    with pytest.raises(DataError, match="differ in a header"):
        read_orders(["a.csv", "b.csv"])


def test_a_note_that_holds_for_all_files_is_said_once(read: Read) -> None:
    for name in ("a.csv", "b.csv"):
        read((HEADER + ROWS).replace(",", ";"), name)
    read(HEADER + ROWS, "c.csv")
    assert read_orders(["a.csv", "b.csv"]).notes == ("the delimiter is ';' (--delimiter)",)
    assert read_orders(["a.csv", "b.csv", "c.csv"]).notes == ("a.csv, b.csv: the delimiter is ';' (--delimiter)",)


@pytest.mark.parametrize(
    ("name", "lines", "columns", "header", "last"),
    [
        ("CDNOW_master.txt", 69_659, 4, True, 69_660),
        ("CDNOW_sample.txt", 6_919, 5, False, 6_919),
        ("groceries_excel_mixed_dates.csv", 38_765, 3, False, 38_765),
        ("Telco-Customer-Churn.csv", 7_043, 21, True, 7_044),
        ("Hillstrom.csv", 64_000, 12, True, 64_001),
        ("online_retail.csv.gz", 541_909, 8, True, 541_910),
    ],
)
def test_real_files_are_read_whole(
    real_data: Path, name: str, lines: int, columns: int, header: bool, last: int
) -> None:
    raw = read_orders(real_data / name)
    frame = raw.collect()
    assert (raw.lines, frame.shape, raw.header) == (lines, (lines, columns), header)
    assert raw.place(lines - 1) == f"{real_data / name}:{last}"
    assert not any("cells than" in note for note in raw.notes)


def test_cdnow_as_text_holds_what_its_parquet_holds(real_data: Path) -> None:
    text = read_orders(real_data / "CDNOW_master.txt").collect()
    typed = read_orders(real_data / "cdnow_master.parquet").collect()
    parsed = text.select(
        "customer_id",
        pl.col("date").str.to_date("%Y%m%d"),
        pl.col("number_of_cds").cast(pl.Int64),
        pl.col("dollar_value").cast(pl.Float64),
    )
    assert parsed.equals(typed)


def test_online_retail_as_text_holds_what_its_parquet_holds(real_data: Path) -> None:
    text = read_orders(real_data / "online_retail.csv.gz").collect()
    typed = read_orders(real_data / "online_retail.parquet").collect()
    assert text.columns == typed.columns
    same = text.select("InvoiceNo", "StockCode", "Description", "Country", pl.col("Quantity").cast(pl.Int64))
    assert same.equals(
        typed.select("InvoiceNo", "StockCode", "Description", "Country", pl.col("Quantity").cast(pl.Int64))
    )
