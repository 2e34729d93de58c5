from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from churnkit.errors import ChurnkitError, DataError, ExtraMissingError, UsageError
from churnkit.orders.clean import SCHEMA, clean_orders
from churnkit.orders.ids import read_ids
from churnkit.orders.lines import Origin, RawLines
from churnkit.orders.report import CleaningReport
from churnkit.orders.sample import sample_orders
from churnkit.terms import ORDERS
from raw_lines import as_text, text_lines

FILLER = [("f1", f"2024-03-{day:02d}", "1.00") for day in range(1, 31)]


def cleaned(*rows: tuple[str, str, str], filler: bool = True, **options: Any) -> tuple[pl.DataFrame, CleaningReport]:
    """Lines of customer, date and amount; thirty ordinary lines stand before them."""
    every = [*(FILLER if filler else []), *rows]
    return clean_orders(
        text_lines("customer,date,amount\n" + "".join(",".join(row) + "\n" for row in every)), **options
    )


def reasons(report: CleaningReport) -> dict[str, tuple[int, int | None]]:
    return {each.reason: (each.lines, each.amount_cents) for each in report.dropped}


def assert_balanced(report: CleaningReport) -> None:
    assert report.lines_read == report.lines_kept + sum(each.lines for each in report.dropped)
    if report.amount_read_cents is not None:
        lost = sum(each.amount_cents or 0 for each in report.dropped)
        assert report.amount_read_cents == (report.revenue_cents or 0) + lost


def test_the_columns_are_those_of_the_vocabulary() -> None:
    orders, _ = cleaned()
    assert tuple(orders.columns) == tuple(term.name for term in ORDERS)
    assert orders.schema == SCHEMA


@pytest.mark.parametrize(
    ("row", "reason", "cents"),
    [
        (("", "2024-03-05", "5.00"), "missing_customer", 500),
        (("   ", "2024-03-05", "5.00"), "missing_customer", 500),
        (("NULL", "2024-03-05", "5.00"), "missing_customer", 500),
        (("nan", "2024-03-05", "5.00"), "missing_customer", 500),
        (("k", "", "5.00"), "missing_date", 500),
        (("k", "2023-02-29", "5.00"), "impossible_date", 500),
        (("k", "1900-01-01", "5.00"), "impossible_date", 500),
        (("k", "9999-12-31", "5.00"), "impossible_date", 500),
        (("k", "2026-03-05", "5.00"), "future_date", 500),
        (("k", "2024-03-05", ""), "missing_amount", 0),
        (("k", "2024-03-05", "x"), "unreadable_amount", 0),
        (("k", "2024-03-05", "nan"), "non_finite_amount", 0),
        (("k", "2024-03-05", "1e400"), "non_finite_amount", 0),
        (("k", "2024-03-05", "1e20"), "impossible_amount", 0),
        (("Total", "", "35.00"), "total_line", 3500),
        (("customer", "date", "amount"), "repeated_header", 0),
        (("", "", ""), "blank_line", 0),
    ],
)
def test_each_rule_drops_counts_and_places_its_lines(row: tuple[str, str, str], reason: str, cents: int) -> None:
    orders, report = cleaned(row)
    assert reasons(report) == {reason: (1, cents)}
    assert report.dropped[0].examples == ("orders.csv:32",)
    assert orders.height == 30
    assert_balanced(report)
    assert report.rejects.rows() == [("orders.csv:32", reason, *(cell or None for cell in row))]


def test_a_line_is_dropped_for_one_reason_only() -> None:
    _, report = cleaned(("", "soon", "x"), ("", "2024-03-05", "nan"))
    assert reasons(report) == {"missing_customer": (2, 0)}


def test_rejects_are_in_file_order_whatever_their_columns_are_called() -> None:
    lines = text_lines("customer,date,reason,place\na,2024-01-13,x,y\n,2024-01-14,p,q\nb,,r,s\n")
    _, report = clean_orders(lines)
    assert report.rejects.columns == ["place_", "reason_", "customer", "date", "reason", "place"]
    assert report.rejects["place_"].to_list() == ["orders.csv:3", "orders.csv:4"]


def test_places_name_the_file_that_a_line_came_from() -> None:
    frame = pl.DataFrame({"customer": ["a", "b", None], "date": ["2024-01-13"] * 3}).lazy()
    lines = RawLines(frame, (Origin("a.csv", 2, 2), Origin("b.csv", 1, 2)), text=True)
    assert clean_orders(lines)[1].dropped[0].examples == ("b.csv:2",)


def test_a_future_date_is_kept_where_a_cutoff_is_given() -> None:
    orders, report = cleaned(("k", "2099-03-05", "5.00"), cutoff=date(2024, 4, 1))
    assert report.dropped == ()
    assert orders.height == 31
    past, _ = cleaned(cutoff=date(2024, 4, 1))
    assert orders.filter(pl.col("ordered_at") < date(2024, 4, 1)).equals(past)


def test_a_year_without_orders_is_no_reason_to_drop_what_follows() -> None:
    many = [("k", f"2026-03-{day:02d}", "5.00") for day in range(1, 4)]
    assert cleaned(*many)[1].dropped == ()
    assert cleaned(("a", "2020-01-13", "1"), ("a", "2024-01-13", "1"), filler=False)[1].dropped == ()


def test_a_missing_amount_matters_only_in_a_file_with_amounts() -> None:
    orders, report = clean_orders(text_lines("customer,date\na,2024-01-13\nb,2024-01-14\n"))
    assert orders["amount_cents"].null_count() == 2
    assert (report.revenue_cents, report.amount_read_cents, report.refunded_cents) == (None, None, None)
    assert (report.orders, report.customers_with_orders) == (2, 2)


def test_too_many_unreadable_amounts_are_refused() -> None:
    bad = [("k", "2024-03-05", "free")] * 4
    with pytest.raises(DataError, match=r"4 of 34 amounts .*'free' \(orders\.csv:32\)"):
        cleaned(*bad)


def test_an_amount_that_is_none_is_not_passed_over_in_silence() -> None:
    _, report = clean_orders(text_lines("customer,date,amount\na,2024-01-13,free\nb,2024-01-14,soon\n"))
    assert report.revenue_cents is None
    assert any("amount is not the amount: it holds values such as 'free'" in note for note in report.notes)


def test_nothing_left_is_an_error_that_says_why() -> None:
    with pytest.raises(DataError, match=r"no customer: 2"):
        clean_orders(text_lines("customer_id,date\nNULL,2024-01-13\nNULL,2024-01-14\n"))


def test_ids_stay_text_exactly_as_in_the_file() -> None:
    ids = ["00123", "=1+1", "[red]x[/red]", " a", "a", "Ångström", "客户七", "1e5", "17850.0"]
    orders, report = clean_orders(pl.DataFrame({"customer": ids, "date": ["2024-01-13"] * 9}))
    assert sorted(orders["customer_id"].cast(pl.String)) == sorted(ids)
    assert any("blanks or capitals" in note for note in report.notes)


def test_integers_that_went_through_a_float_are_repaired_if_all_did() -> None:
    def ids(*values: object) -> list[str]:
        orders, _ = clean_orders(pl.DataFrame({"customer": values, "date": ["2024-01-13"] * len(values)}))
        return orders["customer_id"].cast(pl.String).to_list()

    assert ids("12583.0", "17850.0") == ids(12583, 17850) == ids(12583.0, 17850.0) == ["12583", "17850"]
    assert ids("12583.0", "A17850") == ["12583.0", "A17850"]
    assert read_ids(pl.Series([1.5, 2.0]), "customer")[0].to_list() == ["1.5", "2.0"]


def test_orders_are_told_apart_by_id_and_by_day() -> None:
    text = "customer,order,date,amount\na,1,2024-01-13,5\na,1,2024-01-13,6\na,2,2024-01-13,7\na,1,2024-01-20,-5\n"
    orders, report = clean_orders(text_lines(text))
    assert (report.orders, report.refunds, report.refunded_cents, report.revenue_cents) == (2, 1, -500, 1300)
    assert orders["order_key"].to_list() == [1, 1, 2, 1]


def test_a_customer_with_refunds_only_has_no_order() -> None:
    _, report = cleaned(("r", "2024-03-05", "-5.00"))
    assert (report.customers, report.customers_with_orders) == (2, 1)
    assert (report.first_order_on, report.last_order_on) == (date(2024, 3, 1), date(2024, 3, 30))


def test_an_order_that_nets_to_nothing_is_an_order() -> None:
    orders, report = cleaned(
        ("k", "2024-03-05", "0.1"), ("k", "2024-03-05", "0.2"), ("k", "2024-03-05", "-0.3"), filler=False
    )
    assert (report.orders, report.refunds, report.revenue_cents) == (1, 0, 0)
    assert sorted(orders["amount_cents"]) == [-30, 10, 20]


def test_duplicates_are_counted_and_kept_unless_told_otherwise() -> None:
    row = ("k", "2024-03-05", "5.00")
    _, kept = cleaned(row, row, row)
    assert (kept.duplicates, kept.lines_kept, kept.dropped) == (2, 33, ())
    _, deduped = cleaned(row, row, row, dedupe=True)
    assert reasons(deduped) == {"duplicate_line": (2, 1000)}
    assert deduped.dropped[0].examples == ("orders.csv:33", "orders.csv:34")


def test_lines_that_differ_in_any_column_are_no_duplicates() -> None:
    text = "customer,date,amount,colour\na,2024-01-13,5,red\na,2024-01-13,5,blue\na,2024-01-13,5,red\n"
    assert clean_orders(text_lines(text))[1].duplicates == 1


def test_amounts_in_several_currencies_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 currencies \(EUR, USD\)"):
        clean_orders(text_lines("customer,date,amount,currency\na,2024-01-13,5,EUR\na,2024-01-14,5,usd\n"))
    assert (
        clean_orders(text_lines("customer,date,amount,currency\na,2024-01-13,5,EUR\na,2024-01-14,5,\n"))[1].lines_kept
        == 2
    )


def test_cancelled_orders_are_pointed_out() -> None:
    _, report = clean_orders(text_lines("customer,date,status\na,2024-01-13,cancelled\na,2024-01-14,done\n"))
    assert any("1 lines are marked cancelled in status" in note for note in report.notes)


def test_the_zone_decides_the_day() -> None:
    lines = text_lines("customer,date\na,2024-01-13T23:30:00Z\n")
    assert clean_orders(lines, tz="Europe/Berlin")[0]["ordered_at"].to_list() == [datetime(2024, 1, 14, 0, 30)]
    with pytest.raises(UsageError, match="zone"):
        clean_orders(lines, tz="Mars/Base")


def test_a_named_date_format_decides_ambiguous_dates() -> None:
    lines = text_lines("customer,date\na,1/2/2024\nb,3/4/2024\n")
    orders, _ = clean_orders(lines, date_format="%m/%d/%Y")
    assert orders["ordered_at"].dt.month().to_list() == [1, 3]


def test_any_frame_with_an_arrow_stream_is_accepted() -> None:
    raw = {"customer": ["a", "b"], "date": ["2024-01-13", "2024-01-14"], "amount": [5.0, 7.5]}

    class Stream:
        """What pandas, DuckDB and PyArrow have in common."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pl.DataFrame(raw).__arrow_c_stream__(requested_schema)

    expected, _ = clean_orders(pl.DataFrame(raw))
    assert_frame_equal(clean_orders(Stream())[0], expected)
    assert_frame_equal(clean_orders(pl.LazyFrame(raw))[0], expected)


def test_columns_that_play_no_part_may_be_of_any_type() -> None:
    raw = pl.DataFrame(
        {
            "customer": ["a", "b"], "date": [date(2024, 1, 13)] * 2, "amount": [1, 2], "tags": [["x"], []],
            "empty": [None, None], "detail": [{"a": 1}, None], "bytes": [b"x", None], "yes": [True, None],
        }
    ).with_columns(kind=pl.Series(["p", "q"]).cast(pl.Categorical))  # fmt: skip
    assert clean_orders(raw)[1].revenue_cents == 300
    assert clean_orders(raw, columns={"customer": "kind"})[1].customers == 2


def test_sums_beyond_64_bits_are_exact() -> None:
    rows = [("k", "2024-03-05", "9e13")] * 1200
    _, report = cleaned(*rows, filler=False)
    assert report.revenue_cents == 1200 * 9 * 10**15


lines_of_a_shop = st.lists(
    st.tuples(
        st.sampled_from(["", "NULL", "a", "b", "00c", "d "]),
        st.sampled_from(["", "2023-02-29", "1900-01-01", "2024-01-13", "2024-01-14", "2024-02-01", "2024-03-15"]),
        st.sampled_from(["", "nan", "inf", "1e20", "5.00", "0.10", "-0.30", "12.345"]),
        st.sampled_from(["", "o1", "o2", "17"]),
    ),
    min_size=1,
    max_size=40,
)
GOOD = [
    ("z", f"2024-01-{day:02d}", f"{day}.05", f"g{day}") for day in range(1, 31)
] * 30  # so that no draw has too many bad cells


def shop(rows: list[tuple[str, str, str, str]]) -> RawLines:
    return text_lines("customer,date,amount,order\n" + "".join(",".join(row) + "\n" for row in rows))


@given(lines_of_a_shop, st.booleans())
@settings(max_examples=15, deadline=None)
def test_law_every_line_and_every_cent_is_kept_or_dropped(rows: list[tuple[str, str, str, str]], dedupe: bool) -> None:
    orders, report = clean_orders(shop(GOOD + rows), dedupe=dedupe)
    assert_balanced(report)
    assert report.lines_read == len(GOOD) + len(rows)
    assert orders.height == report.lines_kept
    assert orders["amount_cents"].sum() == report.revenue_cents
    assert report.rejects.height == sum(each.lines for each in report.dropped)


@given(lines_of_a_shop, st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_law_row_order_changes_nothing(rows: list[tuple[str, str, str, str]], random: Any) -> None:
    every = GOOD + rows
    orders, report = clean_orders(shop(every))
    shuffled = random.sample(every, len(every))
    again, report_again = clean_orders(shop(shuffled))
    assert_frame_equal(orders, again, categorical_as_str=True)
    assert reasons(report) == reasons(report_again)
    assert report.found == report_again.found
    assert report.notes == report_again.notes


@given(lines_of_a_shop)
@settings(max_examples=10, deadline=None)
def test_law_clean_lines_come_out_as_they_went_in(rows: list[tuple[str, str, str, str]]) -> None:
    orders, report = clean_orders(shop(GOOD + rows))
    again, report_again = clean_orders(orders)
    assert_frame_equal(orders, again, categorical_as_str=True)
    for figure in ("lines_kept", "customers", "orders", "refunds", "refunded_cents", "revenue_cents", "last_order_on"):
        assert getattr(report, figure) == getattr(report_again, figure)


@given(lines_of_a_shop)
@settings(max_examples=10, deadline=None)
def test_law_a_doubled_file_deduplicated_is_the_single_file(rows: list[tuple[str, str, str, str]]) -> None:
    every = GOOD + rows
    once, report = clean_orders(shop(every), dedupe=True)
    twice, report_twice = clean_orders(shop(every + every), dedupe=True)
    assert_frame_equal(once, twice, categorical_as_str=True)
    assert report_twice.duplicates == report.duplicates + len(every)


@given(st.integers(2, 1000))
@settings(max_examples=5, deadline=None)
def test_law_money_scales(factor: int) -> None:
    raw = sample_orders(customers=30)
    _, one = clean_orders(raw)
    _, many = clean_orders(raw.with_columns(pl.col("quantity") * factor))
    assert many.revenue_cents == factor * (one.revenue_cents or 0)
    assert (many.orders, many.refunds) == (one.orders, one.refunds)


@given(lines_of_a_shop)
@settings(max_examples=10, deadline=None)
def test_law_lines_after_the_cutoff_change_nothing_before_it(rows: list[tuple[str, str, str, str]]) -> None:
    cutoff = date(2024, 2, 1)
    past = [row for row in GOOD + rows if row[1] < "2024-02-01"]
    whole, _ = clean_orders(shop(GOOD + rows), cutoff=cutoff)
    alone, _ = clean_orders(shop(past), cutoff=cutoff)
    assert_frame_equal(whole.filter(pl.col("ordered_at") < cutoff), alone, categorical_as_str=True)


def test_cdnow_adds_up_to_the_published_total(real_data: Path) -> None:
    rows = [line.split() for line in (real_data / "CDNOW_master.txt").read_text().splitlines()]
    text = text_lines("\n".join(",".join(row) for row in rows) + "\n")
    orders, report = clean_orders(text)
    assert (report.lines_read, report.lines_kept, report.customers) == (69_659, 69_659, 23_570)
    assert (report.revenue_cents, report.orders, report.duplicates) == (250_031_563, 67_591, 255)
    assert (report.first_order_on, report.last_order_on) == (date(1997, 1, 1), date(1998, 6, 30))
    assert report.dropped == ()
    assert orders["quantity_milli"].sum() == 167_881_000
    typed, _ = clean_orders(pl.read_parquet(real_data / "cdnow_master.parquet"))
    assert_frame_equal(orders, typed, categorical_as_str=True)


def test_the_cdnow_sample_without_header_is_understood(real_data: Path) -> None:
    rows = [line.split() for line in (real_data / "CDNOW_sample.txt").read_text().splitlines()]
    _, report = clean_orders(text_lines("\n".join(",".join(row) for row in rows) + "\n", header=False))
    assert report.columns == {"customer": "1", "date": "3", "amount": "5"}
    assert (report.customers, report.revenue_cents) == (2_357, 24_409_194)


def test_online_retail_is_accounted_for_and_text_and_types_agree(real_data: Path) -> None:
    text = pl.read_csv(real_data / "online_retail.csv.gz", infer_schema=False)
    lines = RawLines(text.lazy(), (Origin("online_retail.csv.gz", text.height, 2),), text=True)
    orders, report = clean_orders(lines)
    assert (report.lines_read, report.customers, report.duplicates) == (541_909, 4_372, 5_268)
    assert [(each.reason, each.lines) for each in report.dropped] == [("missing_customer", 135_080)]
    assert report.amount_read_cents == 974_774_793
    assert_balanced(report)
    assert report.columns["amount"] == "Quantity * UnitPrice"
    assert any("end in .0" in note for note in report.notes)
    typed, typed_report = clean_orders(pl.read_parquet(real_data / "online_retail.parquet"))
    assert_frame_equal(orders, typed, categorical_as_str=True)
    assert reasons(report) == reasons(typed_report)


def test_the_groceries_are_read_without_amounts(real_data: Path) -> None:
    frame = pl.read_csv(real_data / "groceries_excel_mixed_dates.csv", has_header=False, infer_schema=False)
    orders, report = clean_orders(text_lines(frame.write_csv(include_header=False), header=False))
    assert report.columns == {"customer": "1", "date": "2", "product": "3"}
    assert (report.lines_kept, report.customers, report.duplicates) == (38_765, 3_898, 759)
    assert orders["product"].n_unique() == 167
    assert (report.first_order_on, report.last_order_on) == (date(2014, 1, 1), date(2015, 12, 30))


def test_the_sample_is_the_same_from_text_and_from_the_frame() -> None:
    raw = sample_orders(customers=60)
    assert_frame_equal(clean_orders(as_text(raw))[0], clean_orders(raw)[0], categorical_as_str=True)


@given(
    st.lists(
        st.tuples(
            st.text(max_size=8), st.text(alphabet="0123456789-/.:TZ +amAM ,janMAR", max_size=20), st.text(max_size=8)
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None)
def test_law_any_text_is_accounted_for_or_refused_in_words(rows: list[tuple[str, str, str]]) -> None:
    raw = pl.DataFrame(rows, schema={"customer": pl.String, "date": pl.String, "amount": pl.String}, orient="row")
    try:
        _, report = clean_orders(raw)
    except ChurnkitError:  # anything else would fail the test
        return
    assert_balanced(report)


def test_a_frame_that_cannot_be_handed_over_names_what_is_missing() -> None:
    class Foreign:
        """As a pandas frame with texts does where PyArrow is not installed."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise ImportError("pyarrow is required")

    with pytest.raises(ExtraMissingError, match="PyArrow") as caught:
        clean_orders(Foreign())
    assert "pip install pyarrow" in caught.value.hint
