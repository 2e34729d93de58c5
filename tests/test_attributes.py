"""Attributes: what else is known of customers, read from foreign tables and cut at the cutoff like the orders."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.customers.attributes import attribute_columns, checked_tables, with_attributes
from churnkit.customers.snapshot import history, order_book, snapshot, snapshot_terms
from churnkit.errors import DataError, MissingColumnError, UsageError
from churnkit.orders.attributes import AttributeTable, clean_all, clean_attributes
from churnkit.orders.clean import clean_orders
from churnkit.orders.read import read_orders
from worlds import lines_of

CUTOFF = date(2024, 6, 1)
ORDERS = lines_of([(who, datetime(2024, 5, day), 1000) for day, who in enumerate(("007", "008", "ann"), start=1)])


def clean(columns: dict[str, Any], orders: pl.DataFrame = ORDERS, **how: Any) -> AttributeTable:
    return clean_attributes(pl.DataFrame(columns, strict=False), orders, **how)


def at(table: AttributeTable, cutoff: date = CUTOFF) -> pl.DataFrame:
    """What the customer table says of the attributes."""
    names = [column.name for column in attribute_columns(checked_tables(table))]
    return snapshot(ORDERS, cutoff=cutoff, attributes=table).select("customer_id", *names)


def test_the_ids_are_found_by_name_or_by_whose_they_are_and_are_compared_as_text() -> None:
    assert clean({"Kunde": ["007", "7", "ann"], "plan": ["a", "b", "c"]}).rows["plan"].to_list() == ["a", "c"]
    by_content = clean({"plan": ["a", "b"], "wer": ["008", "ann"]})
    assert by_content.rows.select("customer_id", "plan").rows() == [("008", "a"), ("ann", "b")]
    assert "2 of 3 customers (67 %), matched by wer" in by_content.notes[0]


def test_ids_that_went_through_a_float_are_mended_as_those_of_the_orders_are() -> None:
    orders = lines_of([("17850", datetime(2024, 5, 1), 100), ("12583", datetime(2024, 5, 1), 100)])
    for ids in (["17850.0", "12583.0"], [17850.0, 12583.0], [17850, 12583]):
        assert clean({"CustomerID": ids, "plan": ["a", "b"]}, orders).rows["customer_id"].to_list() == [
            "12583",
            "17850",
        ]


def test_of_two_columns_that_match_the_one_called_like_a_customer_is_taken() -> None:
    orders = lines_of([(str(n), datetime(2024, 5, 1), 100) for n in range(1, 40)])
    table = {"row": list(range(1, 40)), "customer_id": list(range(39, 0, -1)), "plan": ["a", *["b"] * 38]}
    assert clean(table, orders).rows.filter(pl.col("plan") == "a")["customer_id"].item() == "39"


@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        (["07", "8"], "zeros in front"),
        (["ANN "], "blanks or capitals"),
        (["007.0", "x"], ".0 at the end"),
        (["x", "y"], "--attributes-customer"),
    ],
)
def test_no_match_names_both_columns_and_what_may_be_wrong_but_no_customer(ids: list[str], hint: str) -> None:
    with pytest.raises(DataError, match="no Kunde of the attribute table is a CustomerID of the orders") as caught:
        clean({"Kunde": ids, "plan": ["a"] * len(ids)}, orders_column="CustomerID")
    assert hint in caught.value.hint
    assert not any(known in f"{caught.value} {caught.value.hint}" for known in ("007", "008", "ann "))


def test_several_rows_of_a_customer_need_a_date() -> None:
    with pytest.raises(DataError, match="several rows for 1 of the customer") as caught:
        clean({"customer": ["ann", "ann", "007"], "plan": ["a", "b", "a"]})
    assert "--attributes-date" in caught.value.hint
    assert clean({"customer": ["ann", "ann"], "plan": ["a", "a"]}).rows.height == 1  # the same twice says nothing more
    dated = clean({"customer": ["ann", "ann"], "plan": ["a", "b"], "when": ["2024-01-01", "2024-02-01"]})
    assert dated.dated
    assert "counts from its when on" in dated.notes[0]


def test_a_birthday_does_not_say_from_when_a_row_counts() -> None:
    table = clean({"customer": ["ann", "007"], "birth_date": ["1990-05-01", "1980-01-02"], "plan": ["a", "b"]})
    assert not table.dated
    assert "has no dates" in table.notes[1]
    assert table.notes[2].endswith("left out birth_date (a date)")
    named = clean({"customer": ["ann"], "birth_date": ["1990-05-01"], "plan": ["a"]}, date="birth_date")
    assert named.dated


def test_dates_that_can_be_read_in_two_ways_are_read_like_those_of_the_orders() -> None:
    table = {"customer": ["ann", "007"], "answered_on": ["01/02/2024", "03/02/2024"], "nps": [1, 2]}
    with pytest.raises(DataError, match="more than one way"):
        clean(table)
    read = clean(table, date_format="%d/%m/%Y with a time")
    assert sorted(read.rows["known_at"].dt.date().to_list()) == [date(2024, 2, 1), date(2024, 2, 3)]
    assert "answered_on is read like the dates of the orders: %d/%m/%Y" in read.notes[0]
    with pytest.raises(DataError, match="more than one way"):
        clean(table, date_format="Date")
    assert clean(table | {"answered_on": ["2024-02-01"] * 2}, date_format="%d/%m/%Y").dated  # these are plain


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("customer,plan\n", "no rows"),
        ("customer\nann\n007\n", "nothing beside the customers"),
        ("customer,born\nann,1990-01-01\n", "left out born"),
        ("plan\na\nb\n", "no column of .* holds a customer"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "known.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        clean_attributes(read_orders(tmp_path / "known.csv"), ORDERS)


def test_a_column_that_is_named_must_be_there() -> None:
    table = {"customer": ["ann"], "plan": ["a"]}
    for how in ({"customer": "kunde"}, {"date": "day"}, {"ignore": ["plam"]}):
        with pytest.raises(MissingColumnError, match="has no column"):
            clean(table, **how)


def test_named_columns_are_looked_for_in_the_tables_that_have_them(tmp_path: Path) -> None:
    (tmp_path / "plans.csv").write_text("wer;plan;gone\nann;basic;1\n007;plus;0\n")
    (tmp_path / "nps.csv").write_text("client,asked,nps\nann,2024-01-05,3\nann,2024-02-05,4\n")
    tables = [read_orders(tmp_path / name) for name in ("plans.csv", "nps.csv")]
    plans, nps = clean_all(tables, ORDERS, customer="wer", date="asked", ignore=["gone"])
    assert (plans.columns, plans.dated, nps.columns, nps.dated) == (("plan",), False, ("nps",), True)
    with pytest.raises(MissingColumnError, match="--ignore"):
        clean_all(tables, ORDERS, ignore=["nowhere"])


def test_a_file_without_a_header_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "known.csv").write_text("007,basic,3\n008,plus,4\nann,plus,4\n")
    table = clean_attributes(read_orders(tmp_path / "known.csv", header=False), ORDERS)
    assert table.columns == ("column 2", "column 3")


def test_hostile_names_and_values_stay_what_they_are() -> None:
    names = ["*", "^.*$", " ", "frequency", "_churned", "silence", "=1+1", "a\nb"]
    table = clean({"customer": ["ann", "007"]} | {name: ["\x1b[31m", "=cmd|"] for name in names})
    columns = at(table).columns
    assert len(columns) == len(set(columns)) == len(names) + 1
    assert {"attribute_*", "attribute_frequency", "attribute__churned", "attribute_silence"} <= set(columns)
    assert at(table).filter(customer_id="ann")["attribute_*"].item() == "\x1b[31m"


def test_a_column_that_got_another_name_can_be_ignored_by_either() -> None:
    table = {"customer": ["ann"], "churned": ["no"], "plan": ["a"]}
    for name in ("churned", "attribute_churned"):
        assert clean(table, ignore=[name]).columns == ("plan",)


def test_every_format_of_orders_is_one_of_attributes(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Kunde": ["ann", "007"], "Ort": ["Köln", None], "Räume": [2.5, 3.0]})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_excel(tmp_path / "a.xlsx")
    frame.write_ndjson(tmp_path / "a.ndjson")
    (tmp_path / "a.csv").write_bytes("Kunde;Ort;Räume\r\nann;Köln;2,5\r\n007;;3\r\n".encode("cp1252"))
    for suffix in ("parquet", "xlsx", "ndjson", "csv"):
        table = clean_attributes(read_orders(tmp_path / f"a.{suffix}"), ORDERS)
        assert table.rows.drop("known_at").rows() == [("007", None, 3.0), ("ann", "Köln", 2.5)], suffix
        assert not any("--delimiter" in note or "--encoding" in note for note in table.notes)


def test_two_tables_cannot_give_one_column() -> None:
    plans = clean({"customer": ["ann"], "plan": ["a"]})
    with pytest.raises(DataError, match="both give a column plan") as caught:
        snapshot(ORDERS, cutoff=CUTOFF, attributes=[plans, plans])
    assert "--ignore plan" in caught.value.hint


def test_only_clean_tables_are_taken() -> None:
    with pytest.raises(UsageError, match="not clean"):
        order_book(ORDERS, [pl.DataFrame({"customer": ["ann"]})])  # type: ignore[list-item]


def test_the_order_of_rows_and_columns_in_the_file_changes_nothing() -> None:
    table = {"customer": ["ann", "007", "ann"], "day": ["2024-01-01"] * 3, "plan": ["a", "b", "c"], "nps": [1, 2, 3]}
    frame = pl.DataFrame(table)
    other = frame.reverse().select("nps", "plan", "day", "customer")
    assert clean_attributes(other, ORDERS).rows.equals(clean_attributes(frame, ORDERS).rows)


SURVEY = {
    "customer": ["ann", "ann", "ann", "007"],
    "answered_on": ["2024-03-01", "2024-05-31", "2024-06-01", "2024-06-01"],
    "nps": ["9", "", "2", "5"],
    "plan": ["basic", "plus", "gone", "basic"],
}


def test_only_answers_before_the_cutoff_count_column_by_column_the_latest() -> None:
    assert at(clean(SURVEY)).rows() == [
        ("007", None, 0, None, None),
        ("008", None, 0, None, None),
        ("ann", 9, 1, 92, "plus"),  # of 31 May nothing is known of nps; what was said on 1 June is not seen
    ]
    later = at(clean(SURVEY), date(2024, 6, 2))
    assert later.rows() == [("007", 5, 1, 1, "basic"), ("008", None, 0, None, None), ("ann", 2, 2, 1, "gone")]


def test_history_is_cut_for_attributes_too() -> None:
    book = order_book(ORDERS, clean(SURVEY))
    seen = history(book, cutoff=CUTOFF).attributes[0].rows["known_at"]
    assert seen.max() == datetime(2024, 5, 31)


def test_an_undated_table_is_known_at_every_cutoff() -> None:
    table = clean({"customer": ["ann", "007"], "plan": ["basic", None], "rooms": ["2,5", "3"]})
    for cutoff in (date(2024, 5, 10), date(2025, 1, 1)):
        assert at(table, cutoff).rows() == [("007", None, 3.0), ("008", None, None), ("ann", "basic", 2.5)]


def test_every_column_has_its_word() -> None:
    table = clean(SURVEY)
    terms = snapshot_terms(table)
    assert [term.name for term in terms] == snapshot(ORDERS, cutoff=CUTOFF, attributes=table).columns
    assert [(term.name, term.kind) for term in terms[-4:]] == [
        ("nps", "integer"),
        ("n_nps", "integer"),
        ("nps_age_days", "days"),
        ("plan", "text"),
    ]


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["007", "008", "ann", "nobody"]),
        st.integers(-40, 40),
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.sampled_from(["basic", "plus"])),
    ),
    max_size=25,
)


def told(answers: Sequence[tuple[str, int, int | None, str | None]]) -> pl.DataFrame:
    """What is known of three customers at the cutoff by answers that are clean already."""
    customers = pl.DataFrame({"customer_id": ["007", "008", "ann"]})
    return with_attributes(customers, (table_of(answers),), cutoff=CUTOFF)


def table_of(answers: Sequence[tuple[str, int, int | None, str | None]]) -> AttributeTable:
    """A clean dated table; days are counted from the cutoff."""
    start = datetime(2024, 6, 1, 9, 30)
    rows = [(who, start + timedelta(days=days), score, plan) for who, days, score, plan in answers]
    types = [pl.String(), pl.Datetime("us"), pl.Int64(), pl.String()]
    schema = pl.Schema(zip(("customer_id", "known_at", "nps", "plan"), types, strict=True))
    return AttributeTable("answers", pl.DataFrame(rows, schema=schema, orient="row"), dated=True)


@settings(deadline=None, max_examples=60)
@given(answers=ANSWERS, later=ANSWERS)
def test_what_is_said_on_or_after_the_cutoff_changes_nothing(answers: Any, later: Any) -> None:
    before = [answer for answer in answers if answer[1] < 0]
    after = [(who, abs(days), *said) for who, days, *said in later]
    assert told(before).equals(told(before + after))


@settings(deadline=None, max_examples=40)
@given(answers=ANSWERS)
def test_the_latest_answers_are_those_of_an_asof_join_in_sql(answers: Any) -> None:
    answers = list({(who, days): (who, days, *said) for who, days, *said in answers}.values())  # no ties
    with duckdb.connect() as connection:
        connection.sql("create table rows (customer_id varchar, known_at timestamp, nps bigint, plan varchar)")
        connection.sql(
            "create table customers as select unnest(['007', '008', 'ann']) as customer_id, "
            "timestamp '2024-06-01' as cutoff"
        )
        if answers:
            connection.executemany("insert into rows values (?, ?, ?, ?)", table_of(answers).rows.rows())
        found = connection.execute(
            """
            select c.customer_id, n.nps,
                (select count(nps) from rows r where r.customer_id = c.customer_id and known_at < c.cutoff),
                datediff('day', n.known_at, c.cutoff), p.plan
            from customers c
            asof left join (select * from rows where nps is not null) n
                on c.customer_id = n.customer_id and c.cutoff > n.known_at
            asof left join (select * from rows where plan is not null) p
                on c.customer_id = p.customer_id and c.cutoff > p.known_at
            order by 1
            """
        ).fetchall()
    assert told(answers).rows() == found


def test_of_several_answers_of_one_moment_the_greatest_counts() -> None:
    answers = [("ann", -1, 2, "plus"), ("ann", -1, 3, "basic")]
    for order in (answers, answers[::-1]):
        assert told(order).filter(customer_id="ann").row(0)[1:] == (3, 2, 1, "plus")


def test_attributes_of_no_table_leave_the_customer_table_as_it_is() -> None:
    customers = snapshot(ORDERS, cutoff=CUTOFF)
    assert with_attributes(customers, (), cutoff=CUTOFF).equals(customers)
    assert snapshot(ORDERS, cutoff=CUTOFF, attributes=()).equals(customers)


def test_the_country_of_online_retail_is_an_attribute(real_data: Path) -> None:
    path = next(iter(sorted(real_data.glob("**/online_retail*.parquet"))), None)
    if path is None:
        pytest.skip("Online Retail is not here")
    lines = read_orders(path)
    orders, report = clean_orders(lines)
    customer = report.columns["customer"]
    countries = lines.collect(lines.frame.select(customer, "Country")).drop_nulls().unique()
    with pytest.raises(DataError, match="several rows"):  # a few customers ordered from two countries
        clean_attributes(countries, orders)
    table = clean_attributes(countries.sort(pl.all()).unique(customer, keep="first"), orders)
    known = snapshot(orders, cutoff=date(2011, 6, 1), attributes=table)
    assert known["Country"].null_count() == 0
    assert known["Country"].value_counts().sort("count")["Country"][-1] == "United Kingdom"
    assert int((known["Country"] == "United Kingdom").sum()) / known.height == pytest.approx(0.9, abs=0.03)
