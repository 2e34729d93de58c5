"""Typed formats: Parquet, Arrow, JSON, workbooks; content decides; damage is the user's to mend, never a traceback."""

import datetime as dt
import gzip
import io
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
import xlwt

from churnkit.errors import ChurnkitError, DataError, ExtraMissingError, ReadWriteError, UsageError
from churnkit.orders.compound import is_sound
from churnkit.orders.lines import RawLines, collect, read_error
from churnkit.orders.read import read_orders

FRAME = pl.DataFrame({"id": ["007", "B"], "day": [dt.date(2024, 1, 1), dt.date(2024, 1, 2)], "amount": [5.0, 6.5]})
JSON_ROWS = [{"id": "007", "amount": 5.0}, {"id": "B", "amount": 6.5}]
NDJSON = "".join(json.dumps(row) + "\n" for row in JSON_ROWS)
Read = Callable[..., RawLines]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Write content into a file and read it."""
    monkeypatch.chdir(tmp_path)

    def write_and_read(content: str | bytes, name: str = "orders", **options: Any) -> RawLines:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return read_orders(name, **options)

    return write_and_read


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


PARQUET = written(FRAME.write_parquet)
IPC = written(FRAME.write_ipc)
IPC_STREAM = written(FRAME.write_ipc_stream)


def xlsx(rows: list[list[Any]], *more_sheets: str) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Orders")
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(place, column, value)
    for name in more_sheets:
        book.add_worksheet(name)
    book.close()
    return buffer.getvalue()


def xls(rows: list[list[Any]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Orders")
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            style = xlwt.easyxf(num_format_str="YYYY-MM-DD") if isinstance(value, dt.date) else xlwt.easyxf()
            sheet.write(place, column, value, style)
    return written(book.save)


SHEET: list[list[Any]] = [
    ["id", "day", "code", "amount"],
    [17850, dt.datetime(2024, 1, 5), "007", 5],
    ["B2", dt.datetime(2024, 1, 6), "008", 6.5],
]


@pytest.mark.parametrize("content", [PARQUET, IPC, IPC_STREAM, gzip.compress(PARQUET), gzip.compress(IPC)])
@pytest.mark.parametrize("name", ["orders", "orders.csv"])
def test_columnar_files_keep_their_types_whatever_their_name(read: Read, content: bytes, name: str) -> None:
    lines = read(content, name)
    assert lines.collect().equals(FRAME)
    assert not lines.text
    assert lines.place(1) == f"{name}, row 2"
    assert bool(lines.notes) == (name == "orders.csv")


def test_structs_come_one_level_up_and_binary_text_is_text(read: Read) -> None:
    nested = pl.DataFrame(
        {"customer": [{"id": "007", "geo": {"x": 1}}], "customer.id": ["own"], "raw": [b"caf\xc3\xa9"]}
    )
    frame = read(written(nested.write_parquet)).collect()
    assert frame.columns == ["customer.geo", "customer.id", "raw"]
    assert frame.row(0) == ({"x": 1}, "own", "café")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_ndjson_keeps_text_as_text_and_finds_late_keys(
    read: Read, pack: Callable[[bytes], bytes], encoding: str
) -> None:
    text = NDJSON * 200 + '\n{"id": "00é", "amount": 7, "customer": {"id": "x"}, "late": true}\n'
    lines = read(pack(text.encode(encoding)), "orders.ndjson.gz")
    assert lines.collect().row(-1) == ("00é", 7.0, "x", True)
    assert lines.lines == 401
    assert lines.place(400) == "orders.ndjson.gz:402"


def test_ids_that_are_numbers_and_text_in_turn_are_text(read: Read) -> None:
    assert read('{"id": 17850}\n{"id": "A1"}\n').collect()["id"].to_list() == ["17850", "A1"]
    assert read('{"id": 12345678901234567890}\n').collect()["id"].to_list() == [12345678901234567890]


def test_an_array_of_objects_is_a_table(read: Read) -> None:
    lines = read(json.dumps(JSON_ROWS))
    assert lines.collect().to_dicts() == JSON_ROWS
    assert lines.place(1) == "orders, record 2"
    assert read("\ufeff" + json.dumps(JSON_ROWS)).collect().to_dicts() == JSON_ROWS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (NDJSON + "oops\n", "orders:3 is no JSON"),
        (NDJSON + "[1]\n", "orders:3 is no JSON object"),
        ('{\n "id": 1\n}\n', "orders:1 is no JSON"),
        ('{"id": 1}{"id": 2}\n', "orders:1 is no JSON"),
        ('{"id":' * 200_000, "orders:1 is nested too deeply"),
        ("[[" * 100_000, "cannot be read"),
        (b'{"id": "caf\xe9"}\n', "orders:1 is not UTF-8"),
        ('{"id": 1}\n{"id": {"x": 1}}\n', "orders cannot be read"),
        ("[1, 2]", "orders"),
        ("[]", "no rows"),
        ("{}\n{}\n", "no rows"),
        ('[{"id": 1},', "cannot be read"),
    ],
)
def test_bad_json_names_its_line(read: Read, content: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(content, input_format="json" if content == "[1, 2]" else None).collect()


@pytest.mark.parametrize("content", [PARQUET[:-10], PARQUET[:40], IPC[:-10], IPC_STREAM[:60], b"PAR1", b"ARROW1"])
def test_cut_files_are_bad_data_that_names_the_file(read: Read, content: bytes) -> None:
    with pytest.raises(DataError, match=r"^orders cannot be read"):
        read(content).collect()


@pytest.mark.parametrize("book", [xlsx(SHEET), xls(SHEET)])
def test_a_workbook_gives_dates_as_dates_and_everything_else_as_text(read: Read, book: bytes) -> None:
    lines = read(book, "orders.csv")
    assert lines.collect().rows() == [
        ("17850", dt.datetime(2024, 1, 5), "007", "5"),
        ("B2", dt.datetime(2024, 1, 6), "008", "6.5"),
    ]
    assert lines.place(1) == "orders.csv [Orders], row 3"


def test_a_workbook_without_header_with_blank_rows_and_with_sheets(read: Read) -> None:
    assert read(xlsx(SHEET[1:])).collect().columns == ["1", "2", "3", "4"]
    lines = read(xlsx([[], [], *SHEET[:2], [], SHEET[2]], "Other"))
    assert lines.collect()["id"].to_list() == ["17850", "B2"]
    assert [lines.place(row) for row in range(2)] == ["orders [Orders], row 4", "orders [Orders], row 6"]
    assert lines.notes == ("the sheet 'Orders' of 2 was read (--table)",)
    with pytest.raises(DataError, match="no rows"):
        read_orders("orders", table="Other")
    with pytest.raises(DataError, match="has no sheet 'None'") as caught:
        read_orders("orders", table="None")
    assert "'Orders', 'Other'" in caught.value.hint


@pytest.mark.parametrize("book", [xlsx(SHEET)[:-700], xls(SHEET)[:2000], xls(SHEET)[:600]])
def test_a_damaged_workbook_is_bad_data(read: Read, book: bytes) -> None:
    with pytest.raises(DataError, match="orders"):
        read(book)


@pytest.mark.parametrize("offset", [1, 13, 200])
def test_a_damaged_xls_cannot_fill_the_memory(read: Read, offset: int) -> None:
    circling = bytearray(xls(SHEET))
    circling[1016:1016] = b"\r" * offset  # sectors out of step: the table of sectors is read from text
    with pytest.raises(DataError):
        read(bytes(circling))


def test_an_xls_with_a_cell_beyond_the_last_column_is_damaged() -> None:
    book = xls([[17850, "A", 3.14159]] * 300)
    assert is_sound(book)
    number = struct.pack("<HHHH", 0x0203, 14, 5, 2)  # row 5, column 2
    assert book.count(number) == 1
    assert not is_sound(book.replace(number, struct.pack("<HHHH", 0x0203, 14, 5, 0xFFFF)))


def test_a_chain_of_sectors_that_bites_its_tail_is_damaged() -> None:
    book = bytearray(xls([[17850, "A", 7.5]] * 300))
    (table,) = struct.unpack_from("<I", book, 76)
    struct.pack_into("<I", book, 512 * (table + 1) + 4, 0)  # sector 1 is followed by sector 0, which leads to 1
    assert not is_sound(bytes(book))


@pytest.mark.parametrize(
    ("module", "content"), [("fastexcel", xlsx(SHEET)), ("duckdb", b"\0" * 8 + b"DUCK" + b"\0" * 99)]
)
def test_a_missing_extra_is_named(read: Read, module: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ExtraMissingError) as caught:
        read(content)
    extra = {"fastexcel": "excel", "duckdb": "duckdb"}[module]
    assert f"the extra {extra}" in caught.value.hint
    assert caught.value.hint.endswith(f"pip install {module}")


def test_a_stated_format_overrides_the_content(read: Read) -> None:
    assert read('{"id",date}\nx,y\n', input_format="csv").collect().rows() == [("x", "y")]
    with pytest.raises(DataError):
        read("id,date\nA,1\n", input_format="parquet")
    with pytest.raises(UsageError):
        read("id,date\nA,1\n", input_format="papyrus")


def test_typed_files_join_where_numbers_differ_in_width_and_not_with_text(read: Read) -> None:
    read(written(pl.DataFrame({"id": [1], "x": [1]}).write_parquet), "a.parquet")
    read(written(pl.DataFrame({"x": [0.5], "id": [2]}).write_parquet), "b.parquet")
    assert read_orders(["a.parquet", "b.parquet"]).collect().rows() == [(1, 1.0), (2, 0.5)]
    read("id,x\n3,1\n", "c.csv")
    with pytest.raises(DataError, match="differ in the format"):
        read_orders(["a.parquet", "c.csv"])


def test_any_arrow_frame_is_lines() -> None:
    lines = RawLines.from_frame(FRAME.lazy(), "mine")
    assert (lines.lines, lines.place(0), lines.collect().equals(FRAME)) == (2, "mine, row 1", True)


def test_errors_of_the_disk_are_told_from_damage() -> None:
    assert isinstance(read_error(OSError("write failed (os error 28)"), "x"), ReadWriteError)
    assert isinstance(read_error(OSError(5, "Input/output error"), "x"), ReadWriteError)
    assert isinstance(read_error(OSError("unexpected end of file"), "x"), DataError)
    with pytest.raises(DataError, match=r"^mine cannot be read"):
        collect(pl.LazyFrame({"x": ["a"]}).select(pl.col("x").cast(pl.Int64)), "mine")


SEEDS = [
    PARQUET,
    IPC,
    IPC_STREAM,
    NDJSON.encode(),
    json.dumps(JSON_ROWS).encode(),
    gzip.compress(NDJSON.encode()),
    b'id;date;amount\n007;2024-01-01;"5,00"\nB;2024-01-02;6,50\n' * 3,
    "id\tdate\nZoë\t2024-01-01\n".encode("utf-16"),
    b" 00001 19970101  1   11.77\r\n 00002 19970112  1   12.00\r\n",
    xlsx(SHEET),
    xls(SHEET),
]


def mutated(seed: int) -> bytes:
    chance = random.Random(seed)
    content = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[place] = chance.randrange(256)
            case 1:
                del content[place : place + chance.randint(1, 30)]
            case 2:
                content[place:place] = content[place // 2 : place // 2 + chance.randint(1, 30)]
            case _:
                content[place:place] = chance.choice([b'"', b"\0", b"\r", b"\n\n", b"\xff", b"{", b"1e309"])
        content = content or bytearray(b"x")
    return bytes(content)


def outcome(content: bytes) -> ChurnkitError | None:
    """None where the rows can be read, with as many places as rows; otherwise what is said to the user."""
    try:
        lines = read_orders("-", stdin=io.BytesIO(content))
        assert lines.collect().height == lines.lines
        assert lines.place(lines.lines - 1)
    except ChurnkitError as error:
        return error
    return None


@pytest.mark.parametrize("block", range(5))
def test_damaged_bytes_give_rows_or_an_error_for_the_user(block: int) -> None:
    errors = {seed: outcome(mutated(seed)) for seed in range(block * 60, block * 60 + 60)}
    assert None in errors.values()
    for seed, error in errors.items():
        if error is not None:
            assert error.exit_code in {2, 65, 74}, f"seed {seed}"
            assert "stdin" in str(error), f"seed {seed}: {error}"
            assert "\n" not in str(error), f"seed {seed}"
