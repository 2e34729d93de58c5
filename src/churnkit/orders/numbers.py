"""Text to numbers: currency signs, thousands marks, decimal commas, accounting negatives. One decision per column."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from churnkit.errors import DataError, UsageError

Mark = Literal[".", ","]

LARGEST_AMOUNT: Final = 9e13  # in units: its cents still fit an Int64, with room to add them up
_MISSING: Final = ("", "null", "none", "n/a", "na", "nil", "-", "–", "—", "\\n", "#n/a")
_NON_FINITE: Final = r"^[+-]?(nan|inf|infinity)$"
_ENOUGH: Final = 0.95


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers.

    Args:
        values: Float64; null where there is none, NaN or infinite where the file says so.
        unreadable: True where something stands that is no number.
        note: What was assumed, a sentence; empty where nothing had to be.
    """

    values: pl.Series
    unreadable: pl.Series
    note: str = ""


def parse_numbers(column: pl.Series, decimal: str | None = None) -> Numbers:
    """A column of any type as numbers; thousands marks and the decimal sign are decided for the whole column.

    Args:
        column: Text or numbers.
        decimal: The decimal sign where it is known, `"."` or `","`.

    Raises:
        DataError: Some values use a decimal comma, others a decimal point.
        UsageError: `decimal` is neither.

    Example:
        >>> parse_numbers(pl.Series(["1.234,50 €", "(12,00)", "7-", "", "x"])).values.to_list()
        [1234.5, -12.0, -7.0, None, None]
    """
    if decimal not in (None, ".", ","):
        raise UsageError(f"the decimal sign is '.' or ',', not {decimal!r}", hint="--decimal , or --decimal .")
    if column.dtype.is_numeric():
        values = column.cast(pl.Float64)
        return Numbers(values, pl.repeat(False, column.len(), dtype=pl.Boolean, eager=True))
    if column.dtype in (pl.Null, pl.Boolean):
        empty = pl.repeat(None, column.len(), dtype=pl.Float64, eager=True)
        return Numbers(empty, column.is_not_null())
    text = column.cast(pl.String).alias("text")
    distinct = text.value_counts(name="lines").filter(pl.col("text").is_not_null()).sort("text")
    distinct = distinct.with_columns(bare=_bare(pl.col("text")))
    mark, note = _decimal_sign(distinct, decimal)
    known = distinct.select("text", value=_value(pl.col("bare"), mark), missing=pl.col("bare").is_in(_MISSING))
    rows = text.to_frame().join(known, on="text", how="left", maintain_order="left")
    unreadable = rows.select(pl.col("value").is_null() & ~pl.col("missing").fill_null(True)).to_series()
    return Numbers(rows["value"].alias(column.name), unreadable, note)


def to_hundredths(values: pl.Expr, places: int = 2) -> pl.Expr:
    """Finite numbers as whole hundredths (or thousandths, with 3 `places`), half away from zero.

    A float stands for the decimal that it was written as: 1.005 gives 101, though 1.005 * 100 is just below 100.5.

    Example:
        >>> amounts = pl.DataFrame({"x": [1.005, 2.675, -0.125, 15.299999999999999]})
        >>> amounts.select(to_hundredths(pl.col("x")))["x"].to_list()
        [101, 268, -13, 1530]
    """
    scaled = values * 10**places
    mended = pl.when(scaled.abs() < 1e9).then(scaled.round(6)).otherwise(scaled)
    fits = values.is_finite() & (values.abs() <= LARGEST_AMOUNT * 10 ** (2 - places))
    return pl.when(fits).then(mended.round(0, mode="half_away_from_zero")).cast(pl.Int64)


def _bare(text: pl.Expr) -> pl.Expr:
    """The number without what may stand around it; thousands marks that cannot be a decimal sign are gone."""
    return (
        text.str.strip_chars()
        .str.replace_all(r"[−‒]", "-")
        .str.replace_all(r"\p{Sc}", "")
        .str.replace(r"^([+-]?)\s*(?i:[a-z]{3}|kr\.?|zł|kč|ft|lei|r|fr\.?)\s*([+-]?[\d.,(])", "${1}${2}")
        .str.replace(
            r"([\d.,)-])\s*(?i:eur|usd|gbp|chf|sek|nok|dkk|pln|czk|huf|[a-z]{3}|kr\.?|zł|kč|ft|lei|fr\.?)$", "${1}"
        )
        .str.replace_all(r"(\d)[\s  '’](\d)", "${1}${2}")
        .str.replace_all(r"(\d)[\s  '’](\d)", "${1}${2}")
        .str.strip_chars()
        .str.replace(r",-+$", "")
        .str.replace(r"^\((.*)\)$", "-${1}")
        .str.replace(r"^(\d.*)-$", "-${1}")
        .str.replace(r"^([+-])\s+", "${1}")
        .str.to_lowercase()
    )


def _value(bare: pl.Expr, mark: Mark) -> pl.Expr:
    group = "," if mark == "." else r"\."
    point = r"\." if mark == "." else ","
    shape = rf"^[+-]?(\d+|\d{{1,3}}({group}\d{{2,3}})*{group}\d{{3}})?({point}\d*)?(e[+-]?\d+)?$"
    plain = bare.str.replace_all("," if mark == "." else ".", "", literal=True)
    if mark == ",":
        plain = plain.str.replace(",", ".", literal=True)
    readable = (bare.str.contains(shape) & bare.str.contains(r"\d")) | bare.str.contains(_NON_FINITE)
    return pl.when(readable).then(plain).cast(pl.Float64, strict=False)


def _decimal_sign(distinct: pl.DataFrame, decimal: str | None) -> tuple[Mark, str]:
    """The decimal sign of a column, and the sentence that says how it was found."""
    if decimal is not None:
        return ("," if decimal == "," else "."), ""
    bare, lines = pl.col("bare"), pl.col("lines")
    dots, commas = bare.str.count_matches(r"\."), bare.str.count_matches(",")
    one_dot, one_comma = (dots == 1) & (commas == 0), (commas == 1) & (dots == 0)
    both = (dots > 0) & (commas > 0)
    open_ = bare.str.contains(r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$")  # 1.234: either
    last_is_dot = bare.str.contains(r"\.[^.,]*$")
    digits = bare.str.contains(r"^[+-]?[\d.,]*\d[\d.,]*(e[+-]?\d+)?$")
    point = digits & ((both & last_is_dot) | (one_dot & ~open_) | ((commas > 1) & (dots == 0)))
    comma = digits & ((both & ~last_is_dot) | (one_comma & ~open_) | ((dots > 1) & (commas == 0)))
    found = distinct.select(
        point=lines.filter(point).sum(),
        comma=lines.filter(comma).sum(),
        open_dots=lines.filter(open_ & one_dot).sum(),
        open_commas=lines.filter(open_ & one_comma).sum(),
        long_plain=bare.str.contains(r"^[+-]?\d{4,}$").any(),
        short_plain=bare.str.contains(r"^[+-]?\d{1,3}$").any(),
    ).row(0, named=True)
    if found["point"] and found["comma"]:
        return _majority(distinct, found["point"], found["comma"], point, comma)
    if found["comma"]:
        return ",", "amounts are read with a decimal comma (--decimal)"
    if found["point"] or not (found["open_dots"] or found["open_commas"]):
        return ".", ""
    grouped = found["short_plain"] and not found["long_plain"]  # marks stand exactly where a number has four digits
    if found["open_dots"]:
        if grouped and not found["open_commas"]:
            return (
                ",",
                "the point is read as a thousands mark: it stands in numbers from 1000 on and in no other (--decimal)",
            )
        return ".", "the point is read as the decimal sign, though three digits follow it everywhere (--decimal)"
    return ".", "the comma is read as a thousands mark: three digits follow it everywhere (--decimal)"


def _majority(distinct: pl.DataFrame, points: int, commas: int, point: pl.Expr, comma: pl.Expr) -> tuple[Mark, str]:
    mark: Mark = "." if points >= commas else ","
    if max(points, commas) < _ENOUGH * (points + commas):
        examples = [distinct.filter(which)["text"][0] for which in (point, comma)]
        raise DataError(
            f"some numbers have a decimal point, others a decimal comma: {examples[0]!r} and {examples[1]!r}",
            hint="make them one, or name the sign: --decimal . or --decimal ,",
        )
    return mark, f"{min(points, commas)} numbers are written with the other decimal sign and are not read (--decimal)"
