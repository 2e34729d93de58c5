"""From what is typed to the inputs behind it."""

import io
from pathlib import Path

import pytest

from churnkit.errors import ExtraMissingError, InputNotFoundError, UsageError
from churnkit.orders.lines import scrub
from churnkit.orders.read import read_orders
from churnkit.orders.sources import Database, Remote, find_sources

ROWS = "id,date,amount\nA,2024-01-01,5\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*names: str, text: str = ROWS) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def names(*typed: str) -> list[str]:
    return [source.name for source in find_sources(typed)]


def test_a_folder_is_read_at_any_depth_in_order_without_hidden_and_half_written_files() -> None:
    write("in/b.csv", "in/a.csv", "in/deep/c.csv", "in/.hidden.csv", "in/d.csv.part", "in/_SUCCESS", "in/.git/e.csv")
    assert names("in") == ["in/a.csv", "in/b.csv", "in/deep/c.csv"]


def test_globs_match_in_order_also_through_folders() -> None:
    write("b.csv", "a.csv", "x.txt", "deep/down/c.csv")
    assert names("*.csv") == ["a.csv", "b.csv"]
    assert names("**/*.csv") == ["a.csv", "b.csv", "deep/down/c.csv"]


@pytest.mark.parametrize("name", ["orders[1].csv", "what?.csv", "all*.csv", "orders[1].ndjson"])
def test_an_existing_path_is_a_path_whatever_characters_it_holds(name: str) -> None:
    write("orders1.csv", "whatx.csv", "allx.csv")
    write(name, text='{"id": "B"}\n' if name.endswith("ndjson") else ROWS.replace("A,", "B,"))
    assert read_orders(name).collect()["id"].to_list() == ["B"]


def test_hive_partitions_become_columns() -> None:
    write("in/year=2023/x.csv", "in/year=2024/shop=M%C3%BCnchen/y.csv")
    lines = read_orders("in")
    assert lines.collect().select("year", "shop").rows() == [("2023", None), ("2024", "München")]
    assert read_orders("in/year=*/*.csv").collect()["year"].to_list() == ["2023"]


def test_a_partition_does_not_hide_a_column_of_the_file() -> None:
    write("in/id=9/x.csv")
    assert read_orders("in").collect()["id"].to_list() == ["A"]


def test_an_input_named_twice_is_read_once() -> None:
    write("a.csv", "b.csv")
    assert names("a.csv", "./a.csv", "*.csv") == ["a.csv", "b.csv"]


def test_a_missing_file_offers_the_nearest_name() -> None:
    write("orders.csv")
    with pytest.raises(InputNotFoundError, match=r"no such file: ordres\.csv") as caught:
        find_sources(["ordres.csv"])
    assert caught.value.hint == "did you mean orders.csv?"


@pytest.mark.parametrize(
    "typed", ["none.csv", "none/none.csv", "*.none", "empty", "sqlite:///none.db", "ftp://h/x", "a\0b"]
)
def test_what_is_not_there_is_no_input(typed: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(InputNotFoundError):
        find_sources([typed])


def test_a_name_that_is_too_long_and_a_file_that_may_not_be_read_are_no_input() -> None:
    with pytest.raises(InputNotFoundError, match="cannot be opened"):
        find_sources(["n" * 5000])
    Path("dangling").symlink_to("nowhere")
    Path("in").mkdir()
    Path("in/dangling").symlink_to("nowhere")
    with pytest.raises(InputNotFoundError, match="cannot be opened"):
        find_sources(["in"])


def test_nothing_named_and_a_dash_without_a_stream_are_usage_errors() -> None:
    with pytest.raises(UsageError):
        find_sources([])
    with pytest.raises(UsageError):
        find_sources(["-"])


def test_a_dash_reads_the_stream_and_gives_what_the_file_gives() -> None:
    write("a.csv")
    lines = read_orders("-", stdin=io.BytesIO(ROWS.encode()))
    assert lines.collect().equals(read_orders("a.csv").collect())
    assert lines.place(0) == "stdin:2"


def test_uris_name_databases_and_stores_without_their_secrets() -> None:
    write("shop.db")
    database, remote = find_sources(["sqlite:///shop.db", "s3://key:s3cr3t@bucket/x.parquet?sig=abc"])
    assert database == Database("shop.db", "sqlite", Path("shop.db"))
    assert isinstance(remote, Remote)
    assert remote.name == "s3://***@bucket/x.parquet?***"
    with pytest.raises(ExtraMissingError) as caught:
        find_sources(["postgresql://me:s3cr3t@host/shop"])
    assert "s3cr3t" not in f"{caught.value} {caught.value.hint}"


def test_an_absolute_database_uri_has_four_slashes(tmp_path: Path) -> None:
    write("shop.db")
    (database,) = find_sources([f"sqlite:///{tmp_path}/shop.db"])
    assert isinstance(database, Database)
    assert database.path == tmp_path / "shop.db"


@pytest.mark.parametrize(
    "text", ["http://me:p@ss@host/x", "https://h/x?token=p@ss", "password=p@ss", "AWS_SECRET_KEY=p@ss"]
)
def test_no_secret_survives_scrubbing(text: str) -> None:
    assert "ss" not in scrub(f"failed: {text} again").replace("password", "")


def test_several_files_are_one_in_the_order_given_and_places_follow() -> None:
    write("a.csv", text="id,date\nA,1\nB,2\n")
    write("b.csv", text="date,id\n3,C\n")
    lines = read_orders(["b.csv", "a.csv"])
    assert lines.collect().rows() == [("3", "C"), ("1", "A"), ("2", "B")]
    assert [lines.place(row) for row in range(3)] == ["b.csv:2", "a.csv:2", "a.csv:3"]
    assert lines.name == "b.csv and 1 more"
    with pytest.raises(IndexError):
        lines.place(3)
