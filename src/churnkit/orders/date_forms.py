"""How dates are written: the forms a text can have, and the readings that each form allows."""

import re
import unicodedata
from typing import Final

import polars as pl

_TIME: Final = (
    r"^(.+?)(?:[T\s]+|,\s*|T)(\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?\s*([AaPp]\.?[Mm]\.?)?\s*"
    r"(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?(?:\s?\(?[A-Z]{2,5}\)?|\[[\w/]+\])?$"
)
_SEPARATORS: Final = (("-", "-"), ("/", "/"), (".", r"\."), (" ", " "))

# form -> (pattern, readings). A point between the parts means day first wherever it is used; the others are open.
FORMS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    **{f"Y{s}M{s}D": (rf"^\d{{4}}{e}\d{{1,2}}{e}\d{{1,2}}$", (f"%Y{s}%m{s}%d",)) for s, e in _SEPARATORS},
    **{
        f"D{s}M{s}Y": (
            rf"^\d{{1,2}}{e}\d{{1,2}}{e}\d{{4}}$",
            (f"%d{s}%m{s}%Y",) if s == "." else (f"%d{s}%m{s}%Y", f"%m{s}%d{s}%Y"),
        )
        for s, e in _SEPARATORS
    },
    **{
        f"D{s}M{s}y": (
            rf"^\d{{1,2}}{e}\d{{1,2}}{e}\d{{2}}$",
            (f"%d{s}%m{s}%y",) if s == "." else (f"%d{s}%m{s}%y", f"%m{s}%d{s}%y", f"%y{s}%m{s}%d"),
        )
        for s, e in _SEPARATORS
    },
    "8 digits": (r"^\d{8}$", ("%Y%m%d", "%d%m%Y", "%m%d%Y")),
    "month name": (r"\p{L}", ("%d %B %Y", "%B %d %Y", "%Y %B %d", "%d %B %y")),
    "epoch": (r"^\d{9,10}$", ("epoch",)),
    "epoch-ms": (r"^\d{12,13}$", ("epoch-ms",)),
    "excel": (r"^\d{5}([.,]\d+)?$", ("excel",)),
}
COUNTED: Final = {"epoch": 1_000_000, "epoch-ms": 1_000, "excel": 86_400_000_000}
"""Readings that count from a fixed day, with the microseconds of one count."""

_RUN_TOGETHER: Final = ("%d%m%Y", "%m%d%Y")
_EPOCH_YEARS: Final = (1990, 2100)
_EXCEL_SERIALS: Final = (20_000, 80_000)
_EXCEL_DAY_0: Final = -25_569  # 1899-12-30, in days from 1970-01-01

_MONTHS: Final = {
    "jan": "january januar janv janvier enero ene gennaio gen janeiro januari sty styczen stycznia tammikuu tammikuuta",
    "feb": "february februar fevr fev fevrier febrero febbraio fevereiro februari lut luty lutego helmikuu helmikuuta",
    "mar": "march marz mrz maerz mars marzo marco maart mrt marzec marca marts maaliskuu maaliskuuta",
    "apr": "april avr avril abril abr aprile kwi kwiecien kwietnia huhtikuu huhtikuuta",
    "may": "mai mayo maggio mag maio mei maj maja toukokuu toukokuuta",
    "jun": "june juni juin junio giugno giu junho cze czerwiec czerwca kesakuu kesakuuta",
    "jul": "july juli juil juillet julio luglio lug julho lip lipiec lipca heinakuu heinakuuta",
    "aug": "august aout agosto ago augustus augusti sie sierpien sierpnia elokuu elokuuta",
    "sep": "september sept septembre septiembre settembre set setembro wrz wrzesien wrzesnia syyskuu syyskuuta",
    "oct": "october oktober okt octobre octubre ottobre ott outubro out paz pazdziernik pazdziernika lokakuu lokakuuta",
    "nov": "november novembre noviembre novembro lis listopad listopada marraskuu marraskuuta",
    "dec": "december dezember dez decembre diciembre dic dicembre dezembro des desember gru grudzien grudnia joulukuu "
    "joulukuuta",
}  # fmt: skip
_MONTH_OF: Final = {word: month for month, words in _MONTHS.items() for word in [month, *words.split()]}
_ORDINALS: Final = {"st", "nd", "rd", "th", "er", "de", "del", "di", "of", "den", "le", "el"}


def split_times(text: pl.Series) -> pl.DataFrame:
    """Date texts parted into the day, seconds of the day, offset from UTC in seconds, and what form the day has.

    Example:
        >>> split_times(pl.Series(["2015-01-05T09:30:10.5+01:00", "5. März 2015 1:05 PM"])).rows()
        [('2015-01-05', 34210, 3600, 'Y-M-D'), ('5 mar 2015', 47100, None, 'month name')]
    """
    raw = text.str.strip_chars().alias("raw")
    raw = raw.str.replace(r"^(\d{8})(\d{2})(\d{2})(\d{2})$", "${1} ${2}:${3}:${4}")
    parts = raw.str.extract_groups(_TIME).struct.rename_fields(["day", "time", "half", "offset"]).struct.unnest()
    frame = parts.with_columns(day=pl.col("day").fill_null(raw)).with_columns(
        day=_month_names(parts["day"].fill_null(raw))
    )
    clock = pl.col("time").str.split(":")
    hour = clock.list.get(0, null_on_oob=True).cast(pl.Int64)
    minute = clock.list.get(1, null_on_oob=True).cast(pl.Int64)
    second = clock.list.get(2, null_on_oob=True).cast(pl.Int64).fill_null(0)
    afternoon = pl.col("half").str.to_lowercase().str.starts_with("p")
    hour = pl.when(pl.col("half").is_null()).then(hour).otherwise(hour % 12 + 12 * afternoon.cast(pl.Int64))
    real = (hour < 24) & (minute < 60) & (second < 60)
    zone = pl.col("offset").str.replace(":", "")
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    offset = sign * (zone.str.slice(1, 2).cast(pl.Int64, strict=False) * 3600) + sign * (
        zone.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0) * 60
    )
    form = pl.lit(None, dtype=pl.String)
    for name, (pattern, _) in reversed(FORMS.items()):
        form = pl.when(pl.col("day").str.contains(pattern)).then(pl.lit(name)).otherwise(form)
    return frame.select(
        "day",
        pl.when(pl.col("time").is_null()).then(0).when(real).then(hour * 3600 + minute * 60 + second).alias("seconds"),
        pl.when(zone.is_in(["Z", "UTC", "GMT"])).then(0).otherwise(offset).alias("offset"),
        form.alias("form"),
    )


def read_days(day: pl.Expr, reading: str) -> pl.Expr:
    """Days (as microseconds from 1970, UTC) under one reading; null where it does not fit.

    Example:
        >>> days = pl.DataFrame({"day": ["5/1/2015", "13/1/2015"]})
        >>> days.select(read_days(pl.col("day"), "%m/%d/%Y").dt.date())["day"].to_list()
        [datetime.date(2015, 5, 1), None]
    """
    if reading not in COUNTED:
        moment = day.str.to_datetime(reading, strict=False, time_unit="us")
        least = 100 if "%B" in reading else 1900 if reading in _RUN_TOGETHER else 1  # %Y reads 15 as the year 15
        return pl.when(moment.dt.year() >= least).then(moment)
    number = day.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    if reading == "excel":
        number = pl.when(number.is_between(*_EXCEL_SERIALS)).then(number + _EXCEL_DAY_0)
        return ((number * 86_400).round(0) * 1_000_000).cast(pl.Int64).cast(pl.Datetime("us"))
    moment = (number * COUNTED[reading]).cast(pl.Int64).cast(pl.Datetime("us"))
    return pl.when(moment.dt.year().is_between(*_EPOCH_YEARS)).then(moment)


def two_readings(part: pl.DataFrame, readings: list[str]) -> str:
    """One value read in both ways, in words."""
    shown = part.select(
        "day", *[read_days(pl.col("day"), reading).dt.date().alias(reading) for reading in readings[:2]]
    )
    day, first, second = shown.filter(pl.col(readings[0]) != pl.col(readings[1])).row(0)
    return f"{day!r} is {first} or {second}"


def _month_names(day: pl.Series) -> pl.Series:
    """The names of months in English short form, parted by single blanks; other texts as they are."""
    lettered = day.str.contains(r"\p{L}")
    if not lettered.any():
        return day
    words = day.filter(lettered).str.extract_all(r"\p{L}+").explode().unique().drop_nulls().to_list()
    meant = {word: _month_of(word) for word in words}
    known = {word: f" {month} " for word, month in meant.items() if month is not None}
    if not known:
        return day
    ordered = sorted(known, key=lambda word: (-len(word), word))
    spoken = day.str.replace_many(ordered, [known[word] for word in ordered], leftmost=True)
    spoken = spoken.str.replace_all(r"[\s,./-]+", " ").str.strip_chars()
    return pl.select(pl.when(lettered).then(spoken).otherwise(day)).to_series().alias(day.name)


def _month_of(word: str) -> str | None:
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c) and c != "\u0307"
    )
    plain = re.sub("ß", "ss", plain)
    if plain in _MONTH_OF:
        return _MONTH_OF[plain]
    weekday = re.match(r"^(mon|tue|wed|thu|fri|sat|sun)(day|sday|nesday|rsday|urday)?s?$", plain)
    return "" if plain in _ORDINALS or weekday else None
