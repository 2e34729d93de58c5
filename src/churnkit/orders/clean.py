"""Raw lines to clean order lines: integer cents, one zone, ids as text. Every line is kept or dropped for a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.amounts import Amounts, ParsedNumbers, find_amounts
from churnkit.orders.columns import Columns, Found, choose_columns, column_names, columns_to_look_at
from churnkit.orders.dates import Dates, check_zone, parse_dates
from churnkit.orders.findings import refuse_mixed_currencies, refuse_unreadable_amounts, status_notes
from churnkit.orders.ids import order_keys, read_ids
from churnkit.orders.lines import RawLines
from churnkit.orders.numbers import to_hundredths
from churnkit.orders.order_level import fill_within_orders, once_per_order
from churnkit.orders.report import CleaningReport, account
from churnkit.orders.verdict import dropped, judge

SCHEMA: Final = pl.Schema(
    {
        "customer_id": pl.Categorical(),
        "order_key": pl.Int64(),
        "ordered_at": pl.Datetime("us"),
        "amount_cents": pl.Int64(),
        "quantity_milli": pl.Int64(),
        "product": pl.Categorical(),
        "market": pl.Categorical(),
    }
)
"""The columns of clean order lines; their meaning is in `terms.ORDERS`."""

_SORTED_BY: Final = ("customer_id", "ordered_at", "order_key", "amount_cents", "product", "quantity_milli", "market")
_LINE, _BLANK = "\0line", "\0blank"


@dataclass(frozen=True, slots=True)
class _Cells:
    """The columns that may matter, and for each line a hash of all its columns, and whether all of them are blank."""

    frame: pl.DataFrame
    fingerprint: pl.Series
    blank: pl.Series


def clean_orders(
    lines: Any,
    *,
    columns: Mapping[str, str | None] | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    tz: str = "UTC",
    dedupe: bool = False,
    cutoff: date | None = None,
) -> tuple[pl.DataFrame, CleaningReport]:
    """Turn raw lines into clean order lines (`terms.ORDERS`), and account for every line and every cent.

    Args:
        lines: What `read_orders` gave, or any frame: Polars, pandas, DuckDB, PyArrow. Clean order lines come out as
            they went in.
        columns: Role to column name, where the guess would be wrong; see `find_columns`.
        date_format: How dates are written, as in strftime.
        decimal: The decimal sign of numbers in text.
        tz: The zone that days are counted in; dates without an offset are taken as they are.
        dedupe: Drop lines that repeat an earlier one in every column.
        cutoff: Where the caller is going to cut time. Then dates far in the future are kept, being never looked at.

    Returns:
        The lines, sorted by customer, time, order and amount; and the report.

    Raises:
        MissingColumnError: No customer or date was found, or a column that was named is not there.
        AmbiguousDateError: More than one reading of the dates fits.
        DataError: Too many dates or amounts cannot be read, several currencies, or nothing is left.
        UsageError: No such time zone, date format or decimal sign.

    Example:
        >>> raw = pl.DataFrame({"customer": ["a", "b", ""], "date": ["2024-05-01"] * 3, "amount": ["5", "7.5", "1"]})
        >>> orders, report = clean_orders(raw)
        >>> orders["amount_cents"].to_list(), report.lines_kept
        ([500, 750], 2)
        >>> [(each.reason, each.lines, each.amount_cents) for each in report.dropped]
        [('missing_customer', 1, 100)]
    """
    raw = lines if isinstance(lines, RawLines) else RawLines.from_frame(lines)
    check_zone(tz)
    cells = _read_cells(raw, columns)
    if is_clean(raw.frame.collect_schema()):
        return _clean_again(raw, cells, dedupe=dedupe)
    found = choose_columns(raw, cells.frame, columns, date_format=date_format)
    customer, id_notes = read_ids(cells.frame[found["customer"].column], "customer")
    dates = parse_dates(_named(cells.frame, found["date"], raw), date_format=date_format, tz=tz, place=raw.place)
    order = _order_ids(cells.frame, found.get("order"))
    customer, dates, fill_notes = _filled(customer, dates, order, cells.fingerprint)
    numbers = ParsedNumbers(cells.frame, decimal)
    amounts = _amounts(raw, cells, found, numbers, order, dates)
    parsed = _parsed(cells, found, customer, order, dates, amounts, numbers).with_columns(
        heading=_headings(cells.frame, found, raw)
    )
    has_amounts = amounts.found is not None
    judged = judge(parsed, has_amounts=has_amounts, dedupe=dedupe, has_cutoff=cutoff is not None)
    refuse_unreadable_amounts(judged.filter(pl.col("reason") == "unreadable_amount")["row"], amounts, cells.frame, raw)
    said = (raw.notes, found.notes, id_notes, dates.notes, amounts.notes, fill_notes, status_notes(cells.frame))
    notes = [note for notes in said for note in notes]
    return _finish(raw, judged, _with_amount(found, amounts.found), notes, dates.format)


def is_clean(schema: pl.Schema) -> bool:
    """Whether these are the columns of clean order lines."""
    texts = (pl.String, pl.Categorical)
    return set(schema) == set(SCHEMA) and all(
        schema[name] in texts if dtype == pl.Categorical else schema[name] == dtype for name, dtype in SCHEMA.items()
    )


def _read_cells(raw: RawLines, given: Mapping[str, str | None] | None) -> _Cells:
    names = column_names(raw)
    schema = raw.frame.collect_schema()
    wanted = names if is_clean(schema) else columns_to_look_at(names, raw, given)
    blank = [
        pl.col(n).is_null() | (pl.col(n).str.strip_chars() == "") if schema[n] == pl.String else pl.col(n).is_null()
        for n in names
    ]
    line = pl.struct(names).hash(seed=0).alias(_LINE)
    cells = raw.collect(raw.frame.select(*wanted, line, pl.all_horizontal(blank).alias(_BLANK)))
    if not cells.height:
        raise DataError(f"{raw.name} has no lines", hint="give a file with one line per order")
    return _Cells(cells.select(wanted), cells[_LINE], cells[_BLANK])


def _named(cells: pl.DataFrame, found: Found, raw: RawLines) -> pl.Series:
    """The column under the name that messages use."""
    return cells[found.column] if raw.header else cells[found.column].alias(f"column {found.column}")


def _constant(value: bool | int | None, height: int, dtype: pl.DataType) -> pl.Series:
    return pl.repeat(value, height, dtype=dtype, eager=True)


def _words(cells: pl.DataFrame, found: Found | None) -> pl.Series:
    if found is None:
        return _constant(None, cells.height, pl.String())
    text = cells[found.column].cast(pl.String)
    return pl.select(pl.when(text.str.strip_chars() != "").then(text)).to_series()


def _order_ids(cells: pl.DataFrame, found: Found | None) -> pl.Series | None:
    return None if found is None else read_ids(cells[found.column], "order")[0]


def _filled(
    customer: pl.Series, dates: Dates, order: pl.Series | None, fingerprint: pl.Series
) -> tuple[pl.Series, Dates, list[str]]:
    """Customer and date on every line of an order, in exports that write them on its first line only."""
    if order is None:
        return customer, dates, []
    ids = fill_within_orders(customer, order, fingerprint)
    moments = fill_within_orders(dates.values, order, fingerprint)
    names = [column.name for filled, column in ((ids, customer), (moments, dates.values)) if filled is not None]
    if moments is not None:
        dates = Dates(moments, dates.missing & moments.is_null(), dates.format, dates.notes)
    notes = [f"{name} stands on one line of an order only: taken for its other lines" for name in names]
    return customer if ids is None else ids, dates, notes


def _amounts(
    raw: RawLines, cells: _Cells, found: Columns, numbers: ParsedNumbers, order: pl.Series | None, dates: Dates
) -> Amounts:
    """The amount of each line, such that they may be added up."""
    amounts = find_amounts(cells.frame, found, numbers, cells.fingerprint)
    if amounts.found is not None:
        refuse_mixed_currencies(cells.frame, raw.name)
    if order is None or amounts.shape == "line":
        return amounts
    return replace(
        amounts, values=once_per_order(amounts.shape, amounts.values, order, dates.values, cells.fingerprint)
    )


def _parsed(
    cells: _Cells,
    found: Columns,
    customer: pl.Series,
    order: pl.Series | None,
    dates: Dates,
    amounts: Amounts,
    numbers: ParsedNumbers,
) -> pl.DataFrame:
    """All that is known of each line: the columns of the answer, and what decides whether it is kept."""
    height = cells.frame.height
    quantity = found.get("quantity")
    frame = pl.DataFrame(
        {
            "customer_id": customer,
            "order_key": order_keys(order) if order is not None else _constant(0, height, pl.Int64()),
            "ordered_at": dates.values,
            "amount": amounts.values,
            "quantity": numbers[quantity.column].values if quantity else _constant(None, height, pl.Float64()),
            "product": _words(cells.frame, found.get("product")),
            "market": _words(cells.frame, found.get("market")),
            "line": cells.fingerprint,
            "blank": cells.blank,
            "date_missing": dates.missing,
            "amount_unreadable": amounts.unreadable,
            "id_text": cells.frame[found["customer"].column].cast(pl.String, strict=False),
        }
    )
    return frame.with_columns(
        amount_cents=to_hundredths(pl.col("amount")), quantity_milli=to_hundredths(pl.col("quantity"), places=3)
    )


def _with_amount(found: Columns, amount: Found | None) -> Columns:
    others = [each for each in found.found if each.role != "amount"]
    place = sum(each.role in ("customer", "date") for each in others)
    return Columns((*others[:place], *([amount] if amount is not None else []), *others[place:]), found.notes)


def _headings(cells: pl.DataFrame, found: Columns, raw: RawLines) -> pl.Series:
    """Lines that hold the names of the columns, as files joined end to end do."""
    names = {found["customer"].column, found["date"].column}
    if not raw.text or not raw.header or len(names) < 2:
        return _constant(False, cells.height, pl.Boolean())
    return cells.select(pl.all_horizontal([(pl.col(n) == n).fill_null(value=False) for n in names])).to_series()


def _clean_again(raw: RawLines, cells: _Cells, *, dedupe: bool) -> tuple[pl.DataFrame, CleaningReport]:
    has_amounts = cells.frame["amount_cents"].null_count() < cells.frame.height
    parsed = cells.frame.with_columns(
        pl.col("customer_id", "product", "market").cast(pl.String),
        amount=pl.col("amount_cents").cast(pl.Float64),
        line=cells.fingerprint,
        blank=cells.blank,
        date_missing=pl.col("ordered_at").is_null(),
        amount_unreadable=pl.lit(value=False),
        heading=pl.lit(value=False),
        id_text=pl.lit(None, dtype=pl.String),
    )
    judged = judge(parsed, has_amounts=has_amounts, dedupe=dedupe, has_cutoff=True)
    roles = {"customer": "customer_id", "date": "ordered_at"} | ({"amount": "amount_cents"} if has_amounts else {})
    found = tuple(Found(role, name, "name", f"{role}: {name}, clean already", (name,)) for role, name in roles.items())
    return _finish(raw, judged, Columns(found), list(raw.notes), "datetime")


def _finish(
    raw: RawLines, judged: pl.DataFrame, found: Columns, notes: list[str], date_format: str
) -> tuple[pl.DataFrame, CleaningReport]:
    lost = dropped(judged, raw.place, has_amounts=found.get("amount") is not None)
    kept = judged.filter(pl.col("reason").is_null()).select(SCHEMA.keys())
    if kept.is_empty():
        why = "; ".join(f"{each.sentence}: {each.lines}" for each in lost)
        raise DataError(f"no line of {raw.name} is left ({why})", hint="are these the right columns? --customer --date")
    report = account(raw, judged, kept, found, tuple(dict.fromkeys(notes)), date_format, lost)
    return kept.sort(_SORTED_BY).cast(SCHEMA), report
