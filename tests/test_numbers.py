import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.errors import DataError, UsageError
from churnkit.orders.numbers import parse_numbers, to_hundredths


def numbers(*texts: str | None, decimal: str | None = None) -> list[float | None]:
    return parse_numbers(pl.Series("amount", texts, dtype=pl.String), decimal).values.to_list()


def cents(*values: float) -> list[int | None]:
    return pl.DataFrame({"x": values}).select(to_hundredths(pl.col("x")))["x"].to_list()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.50", 12.5),
        (" 12.50 ", 12.5),
        ("$1,234.50", 1234.5),
        ("-$5.00", -5.0),
        ("$-5.00", -5.0),
        ("($5.00)", -5.0),
        ("£2.55", 2.55),
        ("USD 7.00", 7.0),
        ("7.00 USD", 7.0),
        ("kr 5.25", 5.25),
        ("5.25 zł", 5.25),
        ("1 234.50", 1234.5),
        ("1\u00a0234.50", 1234.5),
        ("1\u202f234\u202f567.50", 1234567.5),
        ("1'234.50", 1234.5),
        ("1,23,456.50", 123456.5),
        ("12.50-", -12.5),
        ("\u221212.50", -12.5),
        ("+12.50", 12.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
    ],
)
def test_a_number_is_read_whatever_stands_around_it(text: str, value: float) -> None:
    assert numbers(text) == [value]


@pytest.mark.parametrize("text", ["12 %", "abc", "1.2.3,4,5", "12..5", "1,2,3.5", "--5", "#DIV/0!", "0x10", "1_000"])
def test_what_is_no_number_is_unreadable_and_not_missing(text: str) -> None:
    parsed = parse_numbers(pl.Series([text]))
    assert parsed.values.to_list() == [None]
    assert parsed.unreadable.to_list() == [True]


@pytest.mark.parametrize("text", [None, "", "  ", "NULL", "n/a", "-", "None"])
def test_a_blank_is_missing_and_not_unreadable(text: str | None) -> None:
    parsed = parse_numbers(pl.Series([text], dtype=pl.String))
    assert parsed.values.to_list() == [None]
    assert parsed.unreadable.to_list() == [False]


def test_nan_and_infinity_stay_what_they_are() -> None:
    read = numbers("nan", "inf", "-Infinity", "1e309")
    assert math.isnan(read[0] or 0.0)
    assert read[1:] == [math.inf, -math.inf, math.inf]


def test_one_decimal_comma_decides_for_the_whole_column() -> None:
    parsed = parse_numbers(pl.Series(["1.234", "5,50", "7"]))
    assert parsed.values.to_list() == [1234.0, 5.5, 7.0]
    assert "--decimal" in parsed.note


def test_one_decimal_point_decides_for_the_whole_column() -> None:
    assert numbers("1,234", "5.50", "7") == [1234.0, 5.5, 7.0]


def test_marks_that_stand_only_in_numbers_from_1000_on_are_thousands_marks() -> None:
    parsed = parse_numbers(pl.Series(["1.234", "950", "2.500"]))
    assert parsed.values.to_list() == [1234.0, 950.0, 2500.0]
    assert "thousands" in parsed.note


def test_three_digits_after_every_point_are_a_fraction_where_long_numbers_have_no_mark() -> None:
    assert numbers("1.234", "950", "1500") == [1.234, 950.0, 1500.0]


def test_an_open_column_follows_convention_and_says_so() -> None:
    parsed = parse_numbers(pl.Series(["1.234", "2.500"]))
    assert parsed.values.to_list() == [1.234, 2.5]
    assert "--decimal" in parsed.note
    assert numbers("1,234", "2,500") == [1234.0, 2500.0]


def test_the_decimal_sign_can_be_named() -> None:
    assert numbers("1.234", "2.500", decimal=",") == [1234.0, 2500.0]
    assert numbers("1,234", decimal=",") == [1.234]
    with pytest.raises(UsageError, match="decimal sign"):
        numbers("1", decimal=";")


def test_points_and_commas_in_turn_are_refused() -> None:
    with pytest.raises(DataError, match=r"'1,50'|'1\.50'"):
        numbers("1,50", "1.50", "2,50", "2.50")


def test_typed_numbers_pass_unchanged() -> None:
    assert parse_numbers(pl.Series([1, None, 3])).values.to_list() == [1.0, None, 3.0]
    assert parse_numbers(pl.Series(["1.50"]).cast(pl.Decimal(10, 2))).values.to_list() == [1.5]


def test_cents_round_half_away_from_zero_as_the_number_was_written() -> None:
    assert cents(1.005, 2.675, 1.115, 0.285, -0.125, 15.299999999999999, -1.005) == [101, 268, 112, 29, -13, 1530, -101]


def test_what_is_not_finite_or_too_large_has_no_cents() -> None:
    assert cents(math.nan, math.inf, -math.inf, 9.1e13, -9.1e13) == [None] * 5
    assert cents(9e13) == [9 * 10**15]


@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_cents_written_in_the_continental_way_come_back(amounts: list[int]) -> None:
    def written(amount: int) -> str:
        whole, part = divmod(abs(amount), 100)
        return f"{'-' if amount < 0 else ''}{whole:,}".replace(",", ".") + f",{part:02d} €"

    parsed = parse_numbers(pl.Series([written(amount) for amount in amounts]))
    assert parsed.values.to_frame("x").select(to_hundredths(pl.col("x")))["x"].to_list() == amounts
