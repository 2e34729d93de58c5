from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.errors import AmbiguousDateError, DataError, UsageError
from churnkit.orders.dates import Dates, date_shares, parse_dates
from raw_lines import text_lines

JANUARY_5 = datetime(2015, 1, 5)
MOMENT = datetime(2015, 1, 5, 13, 30)


def parsed(*texts: str | None, date_format: str | None = None, tz: str = "UTC") -> Dates:
    return parse_dates(pl.Series("when", texts, dtype=pl.String), date_format=date_format, tz=tz)


@pytest.mark.parametrize(
    "text",
    [
        "2015-01-05", "2015-1-5", "2015/01/05", "2015.01.05", "05.01.2015", "5.1.2015", "5.1.15", "20150105",
        "5-Jan-2015", "05-Jan-15", "5 January 2015", "Jan 5, 2015", "January 5th, 2015", "Mon, 5 Jan 2015",
        "Monday, January 5, 2015", "2015-Jan-05", "5. Januar 2015", "5 janvier 2015", "5 janv. 2015",
        "5 de enero de 2015", "5 gennaio 2015", "5 de janeiro de 2015", "5 januari 2015", "5 stycznia 2015",
        "5. januar 2015", "5. tammikuuta 2015", "42009", "1420416000", "1420416000000",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert parsed(text).values.to_list() == [JANUARY_5]


@pytest.mark.parametrize(
    ("month", "word"),
    [
        (3, "März"), (3, "marzo"), (3, "mars"), (3, "marca"), (5, "Mai"), (5, "mei"), (5, "maj"), (8, "août"),
        (8, "agosto"), (8, "sierpnia"), (10, "Oktober"), (10, "ottobre"), (10, "października"), (12, "Dez"),
        (12, "décembre"), (12, "diciembre"), (12, "grudnia"), (12, "joulukuuta"), (9, "Sept."),
    ],
)  # fmt: skip
def test_months_are_known_in_other_languages(month: int, word: str) -> None:
    assert parsed(f"17 {word} 2015").values.to_list() == [datetime(2015, month, 17)]


@pytest.mark.parametrize(
    "text",
    [
        "2015-01-05 13:30", "2015-01-05 13:30:00", "2015-01-05T13:30:00", "2015-01-05T13:30:00.999", "05.01.2015 13:30",
        "2015-01-05T13:30:00Z", "2015-01-05 13:30:00 UTC", "2015-01-05T13:30:00+00:00", "2015-01-05 14:30:00+0100",
        "2015-01-05 08:30:00 -0500", "2015-01-05 1:30 PM", "Jan 5, 2015, 1:30:00 PM", "5 Jan 2015 13:30",
        "20150105133000",
    ],
)  # fmt: skip
def test_a_moment_is_read_to_the_second_in_utc(text: str) -> None:
    assert parsed(text).values.to_list() == [MOMENT]


def test_noon_and_midnight_are_told_apart() -> None:
    hours = parsed("2015-01-05 12:00 AM", "2015-01-05 12:00 PM", "2015-01-05 11:59 pm").values.dt.hour().to_list()
    assert hours == [0, 12, 23]


def test_moments_with_an_offset_are_shown_in_the_zone_and_others_are_taken_as_they_are() -> None:
    values = parsed("2015-07-31T23:30:00Z", "2015-07-31T23:30:00", tz="Europe/Berlin").values
    assert [str(value) for value in values] == ["2015-08-01 01:30:00", "2015-07-31 23:30:00"]


def test_local_times_that_do_not_exist_or_exist_twice_do_not_fail() -> None:
    values = parsed("2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-10-27T00:30:00Z", tz="Europe/Amsterdam").values
    assert values.null_count() == 0
    assert values.dt.hour().to_list() == [2, 2, 2]


def test_typed_dates_and_moments_are_taken_in_the_zone() -> None:
    aware = pl.Series([datetime(2015, 7, 31, 23, 30, tzinfo=UTC)]).cast(pl.Datetime("ns", "UTC"))
    assert parse_dates(aware, tz="Europe/Berlin").values.dt.day().to_list() == [1]
    assert parse_dates(pl.Series([date(2015, 1, 5)])).values.to_list() == [JANUARY_5]
    assert parse_dates(pl.Series([20150105])).values.to_list() == [JANUARY_5]
    assert parse_dates(pl.Series([20150105.0, None])).values.to_list() == [JANUARY_5, None]


def test_an_unknown_zone_or_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Europe/Nowhere"):
        parsed("2015-01-05", tz="Europe/Nowhere")
    with pytest.raises(UsageError, match="no date format"):
        parsed("2015-01-05", date_format="YYYY-MM-DD")
    with pytest.raises(UsageError, match="no date format"):
        parsed("2015-01-05", date_format="%Q")


def test_one_value_decides_between_day_first_and_month_first() -> None:
    assert parsed("1/2/2015", "13/2/2015").values.dt.month().to_list() == [2, 2]
    assert parsed("1/2/2015", "2/13/2015").values.dt.month().to_list() == [1, 2]
    assert parsed("1-2-15", "13-2-98").format == "%d-%m-%y"


@pytest.mark.parametrize("texts", [("1/2/2015", "3/4/2015"), ("01-02-2015",), ("1/2/15 10:00", "3/4/15 11:00")])
def test_dates_that_read_both_ways_are_refused_with_both_readings(texts: tuple[str, ...]) -> None:
    with pytest.raises(AmbiguousDateError) as caught:
        parsed(*texts)
    assert "2015-02-01 or 2015-01-02" in str(caught.value)
    assert "--date-format" in caught.value.hint


def test_dates_that_are_the_same_in_both_readings_are_read() -> None:
    assert parsed("1/1/2015", "2/2/2015").values.dt.month().to_list() == [1, 2]


def test_year_first_with_two_digits_is_not_taken_for_day_first() -> None:
    with pytest.raises(AmbiguousDateError, match="2021-07-15 or 2015-07-21"):
        parsed("15-07-21", "16-08-22")


def test_two_orders_of_day_and_month_in_one_column_are_refused() -> None:
    with pytest.raises(AmbiguousDateError, match="do not agree"):
        parsed("13/01/2015", "14/01/2015", "01/13/2015", "01/14/2015")


def test_a_named_format_is_used_and_finds_the_day_before_a_time() -> None:
    assert parsed("1/2/2015", date_format="%m/%d/%Y").values.dt.month().to_list() == [1]
    assert str(parsed("1/2/2015 10:15", date_format="%d/%m/%Y").values[0]) == "2015-02-01 10:15:00"
    assert parsed("2015-005", date_format="%Y-%j").values.to_list() == [JANUARY_5]
    assert str(parsed("2015-01-05 01:00 +0200", date_format="%Y-%m-%d %H:%M %z").values[0]) == "2015-01-04 23:00:00"
    assert parsed("1420416000", date_format="epoch").values.to_list() == [JANUARY_5]


def test_a_few_impossible_dates_are_left_empty_and_many_are_refused_with_their_places() -> None:
    values = parsed("2023-02-29", "2023-02-28", "2023-02-27").values
    assert values.null_count() == 1
    good = ["2015-01-05"] * 90
    assert parsed(*good, "x", "y", "z").values.null_count() == 3
    with pytest.raises(DataError, match=r"10 of 100 dates .*'soon' \(row 91\)"):
        parsed(*good, *["soon"] * 10)


def test_hours_that_do_not_exist_are_impossible() -> None:
    values = parsed("2015-01-05 25:00", "2015-01-05 10:00", "2015-01-05 11:00", "2015-01-05 10:61").values
    assert values.is_null().to_list() == [True, False, False, True]


def test_blanks_are_missing_and_placeholders_are_impossible() -> None:
    dates = parsed("", None, "NULL", "1900-01-01", "1970-01-01", "9999-12-31", "2015-01-05", "2015-01-06", "2015-01-07")
    assert dates.missing.to_list() == [True] * 3 + [False] * 6
    assert dates.values.is_null().to_list() == [True] * 6 + [False] * 3


def test_plain_numbers_are_no_dates() -> None:
    assert date_shares(pl.Series(["17850", "12583"]))[0] == 0
    assert date_shares(pl.Series(["12.50", "7.00"]))[0] == 0
    assert date_shares(pl.Series(["00001", "123456"]))[0] == 0
    assert date_shares(pl.Series(["19970101", "19970112"]))[0] == 1


def damaged(days: list[date], *, kept: str = "%d-%m-%Y") -> list[str]:
    """What a spreadsheet that expects month first makes of texts with day first."""
    return [day.strftime(kept) if day.day > 12 else f"{day.day}/{day.month}/{day.year}" for day in days]


def test_a_column_that_a_spreadsheet_half_converted_is_read_as_it_was() -> None:
    days = [date(2014, 1, 1) + timedelta(days=offset) for offset in range(90)]
    dates = parsed(*damaged(days))
    assert dates.values.dt.date().to_list() == days
    assert "spreadsheet" in dates.notes[0]
    assert "--date-format" in dates.notes[0]


def test_the_same_damage_with_day_and_month_exchanged_is_read_as_it_was() -> None:
    days = [date(2014, 1, 1) + timedelta(days=offset) for offset in range(90)]
    texts = [day.strftime("%m-%d-%Y") if day.day > 12 else f"{day.month}/{day.day}/{day.year}" for day in days]
    assert parsed(*texts).values.dt.date().to_list() == days


def test_too_few_days_to_be_sure_are_refused() -> None:
    with pytest.raises(AmbiguousDateError, match="2 ways"):
        parsed("21-07-2015", "22-07-2015", "5/1/2015", "6/2/2015")


def test_forms_that_do_not_complement_each_other_are_refused() -> None:
    days = [date(2014, 1, 1) + timedelta(days=offset) for offset in range(90)]
    early = [f"{day.day}/{day.month}/{day.year}" for day in days if day.day <= 12]
    with pytest.raises(AmbiguousDateError, match="2 ways"):
        parsed(*[day.strftime("%d-%m-%Y") for day in days], *early)


def test_a_reading_that_falls_outside_the_history_is_refused() -> None:
    days = [date(2014, 1, 1) + timedelta(days=offset) for offset in range(60)]
    left = [day.strftime("%d-%m-%Y") for day in days if day.day > 12]
    exchanged = [f"{day.month}/{day.day}/{day.year}" for day in days if day.day <= 12]  # January and February only
    with pytest.raises(AmbiguousDateError, match="2 ways"):
        parsed(*left, *exchanged)


def test_dates_that_were_converted_and_then_written_year_first_are_refused() -> None:
    days = [date(2014, 1, 1) + timedelta(days=offset) for offset in range(90)]
    texts = [day.strftime("%d/%m/%Y") if day.day > 12 else f"{day.year}-{day.day:02d}-{day.month:02d}" for day in days]
    with pytest.raises(AmbiguousDateError, match="exchanged day and month"):
        parsed(*texts)


def test_two_forms_that_each_read_in_one_way_only_are_both_read() -> None:
    dates = parsed("2015-01-05", "2015-01-13", "13/02/2015", "05/02/2015")
    assert dates.values.dt.month().to_list() == [1, 1, 2, 2]
    assert "2 ways" in dates.notes[0]


def test_no_date_of_the_damaged_groceries_is_wrong(real_data: Path) -> None:
    path = real_data / "groceries_excel_mixed_dates.csv"
    text = pl.read_csv(path, has_header=False, infer_schema=False).to_series(1).str.strip_chars()
    values = parse_dates(text).values
    parts = text.str.extract_groups(r"^(\d+)[-/](\d+)[-/](\d+)$")
    expected = parts.struct.unnest().select(pl.date(*[pl.col(n).cast(pl.Int32) for n in ("3", "2", "1")])).to_series()
    assert (values.dt.date() == expected).all()
    assert text.str.contains("/").sum() == 15_256
    assert (values.min(), values.max()) == (datetime(2014, 1, 1), datetime(2015, 12, 30))


@given(
    st.lists(st.dates(date(1990, 1, 1), date(2049, 12, 31)), min_size=1, max_size=30),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y", "%B %d, %Y", "%Y-%m-%dT%H:%M:%S"]),
)
@settings(max_examples=30, deadline=None)
def test_days_written_in_a_plain_format_come_back(days: list[date], written: str) -> None:
    assert parsed(*[day.strftime(written) for day in days]).values.dt.date().to_list() == days


def test_lines_give_their_places_in_messages() -> None:
    lines = text_lines("customer,date\na,2015-01-05\nb,soon\n")
    with pytest.raises(DataError, match=r"orders\.csv:3"):
        parse_dates(pl.Series(["2015-01-05", "soon", "later"] * 20), place=lambda row: lines.place(min(row, 1)))


def test_a_blank_or_a_bad_value_changes_nothing_for_the_others() -> None:
    days = [f"2015-01-{day:02d}" for day in range(1, 31)]
    plain = parsed(*days)
    assert parsed(*days, "", "soon").values.head(30).to_list() == plain.values.to_list()
    assert parsed(*days, "").format == plain.format == "%Y-%m-%d"
    with pytest.raises(AmbiguousDateError):
        parsed("15-01-05", "15-01-06")
