"""Text to dates: the one format that fits a whole column, or a refusal. Nothing is guessed from a single value."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from churnkit.errors import AmbiguousDateError, DataError, UsageError
from churnkit.orders.date_forms import COUNTED, FORMS, read_days, split_times, two_readings
from churnkit.orders.date_mixture import settle_mixture

MISSING_WORDS: Final = ("", "null", "none", "n/a", "na", "nan", "nat", "nil", "-", "0000-00-00", "0000-00-00 00:00:00")
BAD_SHARE, BAD_LINES = 0.05, 3  # that many values may be no dates before the column is refused
_STRAY = 20  # readings exclude each other: values that only the loser can read, at most one in so many
_ISO: Final = ("%Y-%m-%d", *(f"%Y-%m-%d{t}%H:%M{s}" for t in " T" for s in (":%S", "", ":%S%.f")))
_FOUR_DIGITS: Final = 1_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


@dataclass(frozen=True, slots=True)
class Dates:
    """A column as dates.

    Args:
        values: Datetime("us") without zone, to the second; null where missing or impossible.
        missing: True where the file says nothing.
        format: The format that was found, as `--date-format` takes it.
        notes: What was assumed, as sentences.
    """

    values: pl.Series
    missing: pl.Series
    format: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Every distinct text with its date (`text value read`), under the format that was chosen."""

    known: pl.DataFrame
    format: str
    notes: tuple[str, ...] = ()


def parse_dates(
    column: pl.Series,
    *,
    date_format: str | None = None,
    tz: str = "UTC",
    place: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> Dates:
    """A column of any type as dates in the zone `tz`; dates without an offset are taken as they are.

    Args:
        column: Text, dates, or counts of seconds or days.
        date_format: The format where it is known, as in strftime, or `epoch`, `epoch-ms`, `excel`.
        tz: Zone that moments with an offset are shown in.
        place: Where row i stands, for messages.

    Raises:
        AmbiguousDateError: More than one reading fits all values.
        DataError: Too many values are no dates.
        UsageError: No such zone, or no such format.

    Example:
        >>> dates = parse_dates(pl.Series(["13/01/2015", "05/01/2015", "2023-02-29"]))
        >>> [str(day) for day in dates.values], dates.format
        (['2015-01-13 00:00:00', '2015-01-05 00:00:00', 'None'], '%d/%m/%Y')
    """
    check_zone(tz)
    if column.dtype.is_temporal():
        return _typed(column, tz)
    text = _as_text(column)
    plain = _all_iso(text) if date_format is None else None
    if plain is not None:
        return replace(plain, values=_possible(plain.values).alias(column.name))
    distinct = text.value_counts(name="lines").filter(pl.col("text").is_not_null()).sort("text")
    distinct = distinct.filter(~pl.col("text").str.strip_chars().str.to_lowercase().is_in(MISSING_WORDS))
    if date_format is not None:
        reading = Reading(_given(distinct, date_format, tz), date_format)
    else:
        reading = _detected(distinct, column.name, tz)
    rows = text.to_frame().join(reading.known, on="text", how="left", maintain_order="left")
    missing = rows.select(pl.col("read").is_null()).to_series()
    _refuse_if_too_many(text, rows, missing, reading.format, place)
    return Dates(_possible(rows["value"]).alias(column.name), missing, reading.format, reading.notes)


def date_shares(column: pl.Series) -> tuple[float, float]:
    """The share of values that read as dates, and of those that may be seconds or days counted from a fixed day.

    Example:
        >>> date_shares(pl.Series(["2015-01-05", "soon"])), date_shares(pl.Series(["1420416000", "17850"]))
        ((0.5, 0.0), (0.0, 0.5))
    """
    if column.dtype.is_temporal():
        return (0.0 if column.dtype in (pl.Time, pl.Duration) else 1.0), 0.0
    text = _as_text(column).drop_nulls()
    text = text.filter(~text.str.strip_chars().str.to_lowercase().is_in(MISSING_WORDS))
    if text.is_empty():
        return 0.0, 0.0
    fits = {True: 0, False: 0}
    for (form,), part in split_times(text).drop_nulls(["seconds", "form"]).group_by("form"):
        fits[form in COUNTED] += max(_fitting(part, reading) for reading in FORMS[str(form)][1])
    return fits[False] / text.len(), fits[True] / text.len()


def check_zone(tz: str) -> None:
    """Refuse a time zone that does not exist.

    Raises:
        UsageError: No such zone.
    """
    try:
        ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"there is no time zone {tz!r}", hint="--tz takes a name such as Europe/Berlin") from error


def _all_iso(text: pl.Series) -> Dates | None:
    """The short way for most files: every value is ISO 8601 in one form. None where it is not so."""
    start = text.drop_nulls().head(1)
    for form in _ISO:
        if start.str.to_datetime(form, strict=False).null_count() or not start.len():
            continue
        values = text.str.to_datetime(form, strict=False, time_unit="us")
        years = values.dt.year().drop_nulls()
        if values.null_count() == text.null_count() and (years >= _FOUR_DIGITS).all():
            timed = " with a time" if (values != values.dt.truncate("1d")).any() else ""
            return Dates(values.dt.truncate("1s"), text.is_null(), f"%Y-%m-%d{timed}")
    return None


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():  # 20150105.0 went through a float
        whole = column.is_null().all() or bool((column.drop_nulls() == column.drop_nulls().floor()).all())
        column = column.cast(pl.Int64, strict=False) if whole else column
    return column.cast(pl.String).alias("text")


def _typed(column: pl.Series, tz: str) -> Dates:
    if isinstance(column.dtype, pl.Datetime):
        aware = column.dtype.time_zone is not None
        values = column.dt.convert_time_zone(tz).dt.replace_time_zone(None) if aware else column
    elif column.dtype == pl.Date:
        values = column
    else:
        raise DataError(f"the column {column.name} holds times or durations, not dates", hint="name another: --date")
    values = values.cast(pl.Datetime("us")).dt.truncate("1s")
    return Dates(_possible(values), column.is_null(), str(column.dtype))


def _possible(values: pl.Series) -> pl.Series:
    """No placeholders: nothing up to 1970-01-01, nothing after 2200."""
    moment = pl.col("value")
    day_0 = pl.date(_FIRST_YEAR, 1, 1)
    possible = (moment.dt.date() > day_0) & (moment.dt.year() <= _LAST_YEAR)
    return values.alias("value").to_frame().select(pl.when(possible).then(moment)).to_series().alias(values.name)


def _given(distinct: pl.DataFrame, date_format: str, tz: str) -> pl.DataFrame:
    text = pl.col("text").str.strip_chars()
    if date_format in COUNTED:
        return _in_zone(distinct.with_columns(moment=read_days(text, date_format)), tz, utc=date_format != "excel")
    _check_format(date_format)
    moment = distinct.select("text", "lines", moment=text.str.to_datetime(date_format, strict=False, time_unit="us"))
    if not any(sign in date_format for sign in ("%H", "%I", "%T", "%R", "%X", "%c", "%s", "%+")):
        parts = pl.concat([distinct.select("text"), split_times(distinct["text"])], how="horizontal")
        days = _moments(parts.with_columns(moment=read_days(pl.col("day"), date_format)), tz, utc=False)
        return moment.join(days, on="text", how="left").select(
            "text", value=pl.coalesce(pl.col("moment").dt.replace_time_zone(None), "value"), read=pl.lit(True)
        )
    aware = isinstance(moment.schema["moment"], pl.Datetime) and moment.schema["moment"].time_zone is not None
    plain = moment.with_columns(pl.col("moment").dt.replace_time_zone(None)) if aware else moment
    return _in_zone(plain, tz, utc=aware)


def _check_format(date_format: str) -> None:
    moment = pl.Series([datetime(2015, 1, 5, tzinfo=UTC)])
    try:
        usable = "%" in date_format and moment.dt.strftime(date_format).len() == 1
    except pl.exceptions.ComputeError:
        usable = False
    if not usable:
        raise UsageError(f"{date_format!r} is no date format", hint="--date-format is as in strftime: %d.%m.%Y")


def _in_zone(frame: pl.DataFrame, tz: str, *, utc: bool) -> pl.DataFrame:
    local = pl.col("moment")
    if utc:
        local = local.dt.replace_time_zone("UTC").dt.convert_time_zone(tz).dt.replace_time_zone(None)
    return frame.select("text", value=local.dt.truncate("1s"), read=pl.lit(True))


def _detected(distinct: pl.DataFrame, name: str, tz: str) -> Reading:
    """The one reading that fits."""
    parts = pl.concat([distinct, split_times(distinct["text"])], how="horizontal")
    forms = {
        str(form[0]): part
        for form, part in parts.drop_nulls(["seconds", "form"]).group_by("form")
    }  # fmt: skip
    viable = {form: _viable(forms[form], FORMS[form][1], name) for form in sorted(forms)}
    viable = {form: readings for form, readings in viable.items() if readings}
    chosen, notes = _settle(viable, forms, name)
    read = [forms[form].with_columns(moment=read_days(pl.col("day"), reading)) for form, reading in chosen.items()]
    timed = any(part["seconds"].max() != 0 for part in read)
    values = [
        _moments(part, tz, utc=reading.startswith("epoch")) for part, reading in zip(read, chosen.values(), strict=True)
    ]
    known = distinct.select("text", read=pl.lit(True))
    if values:
        known = known.join(pl.concat(values), on="text", how="left")
    else:
        known = known.with_columns(value=pl.lit(None, dtype=pl.Datetime("us")))
    formats = " or ".join(sorted(set(chosen.values())))
    return Reading(known, formats + (" with a time" if timed else ""), notes)


def _moments(part: pl.DataFrame, tz: str, *, utc: bool) -> pl.DataFrame:
    moment = pl.col("moment").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("seconds"))
    offset = pl.lit(0) if utc else pl.col("offset")
    shown = (moment - pl.duration(seconds=offset)).dt.replace_time_zone("UTC").dt.convert_time_zone(tz)
    local = pl.when(offset.is_null()).then(moment).otherwise(shown.dt.replace_time_zone(None))
    return part.select("text", value=local.dt.truncate("1s"))


def _fitting(part: pl.DataFrame, reading: str) -> int:
    return int(part.select(read_days(pl.col("day"), reading).is_not_null().sum()).item())


def _viable(part: pl.DataFrame, readings: tuple[str, ...], name: str) -> list[str]:
    """The readings of one form that fit as well as the best one; none where not even that fits."""
    fits = part.select("day", "lines", *[read_days(pl.col("day"), reading).alias(reading) for reading in readings])
    lines = {reading: _lines(fits, pl.col(reading).is_not_null()) for reading in readings}
    best = max(readings, key=lambda reading: lines[reading])
    if 2 * lines[best] < part["lines"].sum():
        return []
    found = [best]
    for other in readings:
        only_other = _lines(fits, pl.col(other).is_not_null() & pl.col(best).is_null())
        only_best = _lines(fits, pl.col(best).is_not_null() & pl.col(other).is_null())
        if only_other * _STRAY > only_best and only_other:
            examples = [
                fits.filter(pl.col(a).is_not_null() & pl.col(b).is_null())["day"][0]
                for a, b in ((best, other), (other, best))
            ]
            raise AmbiguousDateError(
                f"the dates in {name} do not agree on one format: {examples[0]!r} reads only as {best}, "
                f"{examples[1]!r} only as {other}",
                hint="mend the file, or name the format and let the others be dropped: --date-format",
            )
        if other != best and not only_best and not fits.select((pl.col(other) == pl.col(best)).all()).item():
            found.append(other)
    return found


def _lines(frame: pl.DataFrame, which: pl.Expr) -> int:
    return int(frame.select(pl.col("lines").filter(which).sum()).item())


def _settle(
    viable: dict[str, list[str]], forms: dict[str, pl.DataFrame], name: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """One reading for each form."""
    total = sum(int(forms[form]["lines"].sum()) for form in viable)
    main = {form: readings for form, readings in viable.items() if forms[form]["lines"].sum() * _STRAY > total}
    if len(main) > 1:
        return settle_mixture({form: (forms[form], readings) for form, readings in viable.items()}, name)
    for form, readings in main.items():
        if len(readings) > 1:
            raise AmbiguousDateError(
                f"the dates in {name} can be read in more than one way: {two_readings(forms[form], readings)}",
                hint=f"say which: --date-format {readings[0]} or --date-format {readings[1]}",
            )
        plain = [f for f in viable if f not in main and (f.startswith("Y") or f == "month name")]  # cannot be mistaken
        return {form: readings[0], **{f: viable[f][0] for f in plain if len(viable[f]) == 1}}, ()
    return {}, ()


def _refuse_if_too_many(
    text: pl.Series, rows: pl.DataFrame, missing: pl.Series, found: str, place: Callable[[int], str]
) -> None:
    bad = (~missing) & rows["value"].is_null()
    count, filled = int(bad.sum()), int((~missing).sum())
    if filled and count > max(BAD_SHARE * filled, min(BAD_LINES, filled // 2)):
        where = bad.arg_true().head(3).to_list()
        examples = ", ".join(f"{text[row]!r} ({place(row)})" for row in where)
        said = f"as {found}" if found else "as dates"
        raise DataError(f"{count} of {filled} dates cannot be read {said}: {examples}", hint="--date-format or --date")
