"""What cleaning did: which column is what, what was kept, what was dropped and why, in lines and in money."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from churnkit.orders.columns import Columns
from churnkit.orders.lines import RawLines


@dataclass(frozen=True, slots=True)
class Dropped:
    """The lines that one rule dropped.

    Args:
        reason: Stable code.
        sentence: The rule in words.
        lines: How many.
        amount_cents: Their money, where it can be read; None in a file without amounts.
        examples: Where the first three stand.
    """

    reason: str
    sentence: str
    lines: int
    amount_cents: int | None
    examples: tuple[str, ...]


@dataclass(frozen=True)
class CleaningReport:
    """What became of the lines; `lines_read` is `lines_kept` plus what was dropped, and so for money.

    Args:
        columns: Role to column or expression; the roles that were filled.
        found: How each of these was found.
        notes: What was assumed or noticed, as sentences.
        date_format: How dates were read.
        lines_read: Lines in the files.
        lines_kept: Lines that became order lines.
        customers: Different customers on kept lines.
        customers_with_orders: Those of them with an order, not only refunds.
        orders: Orders: the lines of one customer, order id and day, with a net amount of 0 or more.
        refunds: The same with a net amount below 0.
        refunded_cents: Net amount of the refunds, at most 0; None without amounts.
        first_order_on: Day of the first kept line.
        last_order_on: Day of the last kept line.
        revenue_cents: Net amount of the kept lines; None without amounts.
        amount_read_cents: Net amount of all lines with a readable amount; None without amounts.
        duplicates: Lines that repeat an earlier line in every column.
        dropped: What was dropped, by reason.
    """

    columns: dict[str, str]
    found: Columns
    notes: tuple[str, ...]
    date_format: str
    lines_read: int
    lines_kept: int
    customers: int
    customers_with_orders: int
    orders: int
    refunds: int
    refunded_cents: int | None
    first_order_on: date
    last_order_on: date
    revenue_cents: int | None
    amount_read_cents: int | None
    duplicates: int
    dropped: tuple[Dropped, ...]
    _lines: RawLines = field(repr=False, compare=False)
    _reasons: pl.DataFrame = field(repr=False, compare=False)

    @cached_property
    def rejects(self) -> pl.DataFrame:
        """Every dropped line: where it stands, why it was dropped, and all its columns, in file order."""
        frame = self._lines.frame
        names = frame.collect_schema().names()
        row, place, reason = (_unused(name, names) for name in ("row", "place", "reason"))
        why = self._reasons.select(pl.col("row").alias(row), pl.col("reason").alias(reason))
        lines = frame.with_row_index(row).filter(pl.col(row).is_in(why[row].implode()))
        cells = self._lines.collect(lines).join(why, on=row, how="inner", maintain_order="left").sort(row)
        places = pl.Series(place, [self._lines.place(index) for index in cells[row].to_list()], dtype=pl.String)
        return cells.select(places, reason, *names)


def account(
    raw: RawLines,
    judged: pl.DataFrame,
    kept: pl.DataFrame,
    found: Columns,
    notes: tuple[str, ...],
    date_format: str,
    lost: tuple[Dropped, ...],
) -> CleaningReport:
    """Count what was kept; with what was dropped it makes up what was read."""
    cents = pl.col("amount_cents").cast(pl.Int128).sum()
    net = kept.group_by("customer_id", "order_key", pl.col("ordered_at").dt.date()).agg(cents=cents)
    refunds, bought = net.filter(pl.col("cents") < 0), net.filter(pl.col("cents") >= 0)
    days = kept.select(first=pl.col("ordered_at").min().dt.date(), last=pl.col("ordered_at").max().dt.date())
    first, last = days.row(0)
    has_amounts = kept["amount_cents"].null_count() < kept.height
    return CleaningReport(
        columns=found.names(),
        found=found,
        notes=notes,
        date_format=date_format,
        lines_read=judged.height,
        lines_kept=kept.height,
        customers=kept["customer_id"].n_unique(),
        customers_with_orders=bought["customer_id"].n_unique(),
        orders=bought.height,
        refunds=refunds.height,
        refunded_cents=int(refunds["cents"].sum()) if has_amounts else None,
        first_order_on=first,
        last_order_on=last,
        revenue_cents=int(kept.select(cents).item()) if has_amounts else None,
        amount_read_cents=int(judged.select(cents).item()) if has_amounts else None,
        duplicates=int(judged["repeats"].sum()),
        dropped=lost,
        _lines=raw,
        _reasons=judged.filter(pl.col("reason").is_not_null()).select("row", "reason"),
    )


def _unused(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
