"""Which lines are kept, and why the others are not. The first rule that applies to a line is its reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import polars as pl

from churnkit.orders.report import Dropped

REASONS: Final = {
    "blank_line": "nothing stands on the line",
    "repeated_header": "the header, once more",
    "total_line": "a total below the lines, not an order",
    "duplicate_line": "repeats an earlier line in every column",
    "missing_customer": "no customer",
    "missing_date": "no date",
    "impossible_date": "not a date, or a placeholder such as 1900-01-01 or 9999-12-31",
    "future_date": "more than a year after every other line",
    "missing_amount": "no amount, in a file that has amounts",
    "unreadable_amount": "the amount is not a number",
    "non_finite_amount": "the amount is NaN or infinite",
    "impossible_amount": "the amount is too large to be true",
}
_TOTALS: Final = (
    "total", "totals", "grand total", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "somme", "totale", "totaal",
    "suma", "soma", "summa", "razem", "yhteensä", "i alt", "totalt",
)  # fmt: skip
_FUTURE_GAP_DAYS: Final = 366
_FUTURE_SHARE: Final = 0.001
_FUTURE_LINES: Final = 20  # below that many lines, a long gap before the last one is nothing unusual


def judge(parsed: pl.DataFrame, *, has_amounts: bool, dedupe: bool, has_cutoff: bool) -> pl.DataFrame:
    """The parsed lines with `row`, `reason` (null where the line is kept) and `repeats` (an earlier line, in full).

    A dropped line counts with its money wherever that can be read.
    """
    amount = pl.col("amount")
    judged = parsed.with_row_index("row").with_columns(repeats=~pl.col("line").is_first_distinct())
    total = pl.col("id_text").str.strip_chars().str.to_lowercase().str.strip_chars(":").is_in(_TOTALS)
    rules: list[tuple[str, pl.Expr]] = [
        ("blank_line", pl.col("blank")),
        ("repeated_header", pl.col("heading")),
        ("total_line", total & pl.col("date_missing")),
        ("duplicate_line", pl.col("repeats") & dedupe),
        ("missing_customer", pl.col("customer_id").is_null()),
        ("missing_date", pl.col("date_missing")),
        ("impossible_date", pl.col("ordered_at").is_null()),
    ]
    if has_amounts:
        rules += [
            ("unreadable_amount", pl.col("amount_unreadable")),
            ("missing_amount", amount.is_null()),
            ("non_finite_amount", ~amount.is_finite()),
            ("impossible_amount", pl.col("amount_cents").is_null()),
        ]
    reason = pl.lit(None, dtype=pl.String)
    for name, applies in reversed(rules):
        reason = pl.when(applies.fill_null(False)).then(pl.lit(name)).otherwise(reason)
    judged = judged.with_columns(reason=reason)
    if has_cutoff:
        return judged
    last = last_day_but_strays(judged.filter(pl.col("reason").is_null())["ordered_at"])
    future = (pl.col("ordered_at") > last) & (pl.col("reason").is_null() | pl.col("reason").str.ends_with("_amount"))
    return judged.with_columns(reason=pl.when(future).then(pl.lit("future_date")).otherwise("reason").alias("reason"))


def last_day_but_strays(moments: pl.Series) -> pl.Expr:
    """The last moment before a handful of lines that come more than a year after everything else, if there are any."""
    most = max(1, int(_FUTURE_SHARE * moments.len()))
    none = pl.lit(None, dtype=pl.Datetime("us"))
    if moments.len() < _FUTURE_LINES:
        return none
    tail = moments.top_k(most + 1).sort()
    gaps = (tail.diff() > timedelta(days=_FUTURE_GAP_DAYS)).fill_null(value=False).arg_true()
    return pl.lit(tail[int(gaps[0]) - 1], dtype=pl.Datetime("us")) if gaps.len() else none


def dropped(judged: pl.DataFrame, place: Callable[[int], str], *, has_amounts: bool) -> tuple[Dropped, ...]:
    """What each rule dropped, in the order of the rules."""
    lost = judged.filter(pl.col("reason").is_not_null())
    by_reason = lost.group_by("reason").agg(
        lines=pl.len(),
        cents=pl.col("amount_cents").cast(pl.Int128).sum(),
        rows=pl.col("row").sort().head(3),
    )
    known = {row["reason"]: row for row in by_reason.iter_rows(named=True)}
    return tuple(
        Dropped(
            reason=reason,
            sentence=sentence,
            lines=known[reason]["lines"],
            amount_cents=int(known[reason]["cents"]) if has_amounts else None,
            examples=tuple(place(row) for row in known[reason]["rows"]),
        )
        for reason, sentence in REASONS.items()
        if reason in known
    )
