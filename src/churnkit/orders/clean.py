"""Raw lines to clean order lines: integer cents, one zone, ids as text. Every line is kept or dropped for a reason."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.amounts import Amounts, ParsedNumbers, find_amounts, once_per_order
from churnkit.orders.columns import SIDE_COLUMNS, Columns, Found, choose_columns, column_names, columns_to_look_at
from churnkit.orders.dates import BAD_LINES, BAD_SHARE, MISSING_WORDS, Dates, check_zone, parse_dates
from churnkit.orders.facts import Facts
from churnkit.orders.ids import fill_within_orders, order_keys, read_ids
from churnkit.orders.lines import RawLines
from churnkit.orders.names import name_key
from churnkit.orders.numbers import to_hundredths
from churnkit.orders.report import CleaningReport
from churnkit.orders.verdict import dropped, judge

SCHEMA: Final = {
    "customer_id": pl.Categorical(),
    "order_key": pl.Int64(),
    "ordered_at": pl.Datetime("us"),
    "amount_cents": pl.Int64(),
    "quantity_milli": pl.Int64(),
    "product": pl.Categorical(),
    "market": pl.Categorical(),
}
_ORDER_OF_LINES: Final = (
    "customer_id", "ordered_at", "order_key", "amount_cents", "product", "quantity_milli", "market"
)  # fmt: skip
_LINE, _BLANK = "\0line", "\0blank"
_UNPAID: Final = r"(?i)cancel|fail|void|pending|declin|storn|annul|refund"


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

    Example:
        >>> raw = pl.DataFrame({"customer": ["a", "a", ""], "date": ["2024-05-01", "2024-06-01", "2024-06-02"], "amount": ["5", "7.50", "1"]})
        >>> orders, report = clean_orders(raw)
        >>> orders["amount_cents"].to_list(), report.lines_kept, [(d.reason, d.lines, d.amount_cents) for d in report.dropped]
        ([500, 750], 2, [('missing_customer', 1, 100)])
    """
    raw = lines if isinstance(lines, RawLines) else RawLines.from_frame(lines)
    check_zone(tz)
    cells, fingerprint, blank = _read_cells(raw, columns)
    if _is_clean(cells):
        return _clean_again(raw, cells, fingerprint, blank, dedupe=dedupe)
    found = choose_columns(raw, Facts(cells), columns)
    notes = [*raw.notes]
    customer, id_notes = read_ids(cells[found["customer"].column], "customer")
    dates = parse_dates(cells[found["date"].column], date_format=date_format, tz=tz, place=raw.place)
    numbers = ParsedNumbers(cells, decimal)
    amounts = find_amounts(cells, found, numbers, fingerprint)
    order = _text(cells, found.get("order"))
    customer, dates, fill_notes = _filled(customer, dates, order, fingerprint, found)
    if amounts.shape != "line" and order is not None:
        values = once_per_order(amounts.shape, amounts.values, order, dates.values, fingerprint)
        amounts = Amounts(amounts.found, values, amounts.unreadable, amounts.shape, amounts.notes)
    found = _with_amount(found, amounts.found)
    _refuse_mixed_currencies(cells, raw, has_amounts=amounts.found is not None)
    quantity = found.get("quantity")
    parsed = pl.DataFrame(
        {
            "customer_id": customer,
            "order_key": order_keys(order)
            if order is not None
            else pl.repeat(0, cells.height, dtype=pl.Int64, eager=True),
            "ordered_at": dates.values,
            "amount": amounts.values,
            "quantity_milli": _thousandths(numbers[quantity.column].values if quantity else None, cells.height),
            "product": _words(cells, found.get("product")),
            "market": _words(cells, found.get("market")),
            "line": fingerprint,
            "blank": blank,
            "date_missing": dates.missing,
            "amount_unreadable": amounts.unreadable,
            "heading": _headings(cells, found, raw),
            "id_text": cells[found["customer"].column].cast(pl.String),
        }
    ).with_columns(amount_cents=to_hundredths(pl.col("amount")))
    judged = judge(parsed, has_amounts=amounts.found is not None, dedupe=dedupe, has_cutoff=cutoff is not None)
    _refuse_unreadable_amounts(judged, amounts, cells, raw)
    notes += [*id_notes, *dates.notes, *amounts.notes, *fill_notes, *_status_notes(cells)]
    return _report(raw, judged, found, tuple(dict.fromkeys(notes)), dates.format, has_amounts=amounts.found is not None)


def _read_cells(raw: RawLines, given: Mapping[str, str | None] | None) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """The columns that may matter, and for each line a hash of all its columns, and whether all of them are blank."""
    names = column_names(raw)
    schema = raw.frame.collect_schema()
    wanted = columns_to_look_at(names, raw, given)
    blank = [
        (pl.col(n).str.strip_chars() == "").fill_null(True) if schema[n] == pl.String else pl.col(n).is_null()
        for n in names
    ]
    cells = raw.collect(
        raw.frame.select(
            *wanted, pl.struct(names).hash(seed=0).alias(_LINE), pl.all_horizontal(blank).alias(_BLANK)
        )
    )  # fmt: skip
    if not cells.height:
        raise DataError(f"{raw.name} has no lines", hint="give a file with one line per order")
    return cells.select(wanted), cells[_LINE], cells[_BLANK]


def _text(cells: pl.DataFrame, found: Found | None) -> pl.Series | None:
    return None if found is None else read_ids(cells[found.column], found.role)[0]


def _words(cells: pl.DataFrame, found: Found | None) -> pl.Series:
    if found is None:
        return pl.repeat(None, cells.height, dtype=pl.String, eager=True)
    text = cells[found.column].cast(pl.String)
    return pl.select(pl.when(text.str.strip_chars() != "").then(text)).to_series()


def _thousandths(values: pl.Series | None, height: int) -> pl.Series:
    if values is None:
        return pl.repeat(None, height, dtype=pl.Int64, eager=True)
    return values.to_frame("value").select(to_hundredths(pl.col("value"), 3)).to_series()


def _filled(
    customer: pl.Series, dates: Dates, order: pl.Series | None, fingerprint: pl.Series, found: Columns
) -> tuple[pl.Series, Dates, list[str]]:
    """Customer and date on every line of an order, in exports that write them on its first line only."""
    notes: list[str] = []
    if order is None:
        return customer, dates, notes
    filled = fill_within_orders(customer, order, fingerprint)
    if filled is not None:
        notes.append(f"{found['customer'].column} stands on one line of an order only: taken for its other lines")
        customer = filled
    moments = fill_within_orders(dates.values, order, fingerprint)
    if moments is not None:
        notes.append(f"{found['date'].column} stands on one line of an order only: taken for its other lines")
        dates = Dates(moments, dates.missing & moments.is_null(), dates.format, dates.notes)
    return customer, dates, notes


def _with_amount(found: Columns, amount: Found | None) -> Columns:
    rest = tuple(f for f in found.found if f.role != "amount")
    place = sum(f.role in ("customer", "date") for f in rest)
    return Columns((*rest[:place], amount, *rest[place:]) if amount is not None else rest)


def _headings(cells: pl.DataFrame, found: Columns, raw: RawLines) -> pl.Series:
    """Lines that hold the names of the columns, as files joined end to end do."""
    names = [found["customer"].column, found["date"].column]
    if not raw.text or not raw.header or names[0] == names[1]:
        return pl.repeat(False, cells.height, dtype=pl.Boolean, eager=True)
    return cells.select(pl.all_horizontal([pl.col(n).cast(pl.String) == n for n in names]).fill_null(False)).to_series()


def _refuse_mixed_currencies(cells: pl.DataFrame, raw: RawLines, *, has_amounts: bool) -> None:
    for name in cells.columns if has_amounts else ():
        key = name_key(name)
        if key in SIDE_COLUMNS and "status" not in key:
            text = cells[name].cast(pl.String).str.strip_chars().str.to_uppercase()
            present = sorted(
                set(text.drop_nulls().unique().to_list()) - {"", name.upper(), *map(str.upper, MISSING_WORDS)}
            )
            if len(present) > 1:
                raise DataError(
                    f"{raw.name} has amounts in {len(present)} currencies ({', '.join(present[:5])}), in {name}",
                    hint="amounts in several currencies are never added: keep the lines of one, or convert them first",
                )


def _status_notes(cells: pl.DataFrame) -> list[str]:
    notes = []
    for name in cells.columns:
        key = name_key(name)
        if key in SIDE_COLUMNS and "status" in key:
            text = cells[name].cast(pl.String)
            odd = text.filter(text.str.contains(_UNPAID))
            if odd.len():
                values = ", ".join(sorted(odd.unique().to_list())[:4])
                notes.append(
                    f"{odd.len()} lines are marked {values} in {name}: they count as orders unless you take them out"
                )
    return notes


def _refuse_unreadable_amounts(judged: pl.DataFrame, amounts: Amounts, cells: pl.DataFrame, raw: RawLines) -> None:
    if amounts.found is None:
        return
    bad = judged.filter((pl.col("reason") == "unreadable_amount").fill_null(False))["row"]
    filled = int((amounts.values.is_not_null() | amounts.unreadable).sum())
    if bad.len() > max(BAD_SHARE * filled, min(BAD_LINES, filled // 2)):
        column = amounts.found.columns[0]
        examples = ", ".join(f"{cells[column][row]!r} ({raw.place(row)})" for row in bad.head(3).to_list())
        raise DataError(
            f"{bad.len()} of {filled} amounts in {amounts.found.column} are no numbers: {examples}",
            hint="name another column with --amount, or the decimal sign with --decimal",
        )


def _is_clean(cells: pl.DataFrame) -> bool:
    """Whether the frame is one that `clean_orders` made."""
    schema = cells.schema
    texts = (pl.String, pl.Categorical)
    return set(schema) == set(SCHEMA) and all(
        schema[name] in texts if dtype == pl.Categorical else schema[name] == dtype for name, dtype in SCHEMA.items()
    )


def _clean_again(
    raw: RawLines, cells: pl.DataFrame, fingerprint: pl.Series, blank: pl.Series, *, dedupe: bool
) -> tuple[pl.DataFrame, CleaningReport]:
    has_amounts = cells["amount_cents"].null_count() < cells.height
    judged = judge(
        cells.with_columns(
            pl.col("customer_id", "product", "market").cast(pl.String),
            amount=pl.col("amount_cents").cast(pl.Float64),
            line=fingerprint,
            blank=blank,
            date_missing=pl.col("ordered_at").is_null(),
            amount_unreadable=False,
            heading=False,
            id_text=pl.lit(None, dtype=pl.String),
        ),
        has_amounts=has_amounts,
        dedupe=dedupe,
        has_cutoff=True,
    )
    roles = {"customer": "customer_id", "date": "ordered_at"} | ({"amount": "amount_cents"} if has_amounts else {})
    found = Columns(
        tuple(Found(role, name, "name", f"{role}: {name}, clean already", (name,)) for role, name in roles.items())
    )
    return _report(raw, judged, found, raw.notes, "datetime", has_amounts=has_amounts)


def _report(
    raw: RawLines, judged: pl.DataFrame, found: Columns, notes: tuple[str, ...], date_format: str, *, has_amounts: bool
) -> tuple[pl.DataFrame, CleaningReport]:
    lost = dropped(judged, raw.place, has_amounts=has_amounts)
    kept = judged.filter(pl.col("reason").is_null())
    if kept.is_empty():
        why = "; ".join(f"{each.sentence}: {each.lines}" for each in lost)
        raise DataError(
            f"no line of {raw.name} is left ({why})", hint="`churnkit check` shows the columns that were found"
        )
    orders = kept.select(SCHEMA.keys()).sort(_ORDER_OF_LINES).cast(SCHEMA)  # type: ignore[arg-type]
    net = kept.group_by("customer_id", "order_key", pl.col("ordered_at").dt.date()).agg(
        cents=pl.col("amount_cents").cast(pl.Int128).sum()
    )
    refunds = net.filter(pl.col("cents") < 0)
    bought = net.filter(pl.col("cents") >= 0)
    cents = judged.select(
        read=pl.col("amount_cents").cast(pl.Int128).sum(),
        kept=pl.col("amount_cents").filter(pl.col("reason").is_null()).cast(pl.Int128).sum(),
    )
    days = kept["ordered_at"].dt.date()
    first, last = days.min(), days.max()
    if not isinstance(first, date) or not isinstance(last, date):
        raise TypeError("kept lines have dates")
    report = CleaningReport(
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
        revenue_cents=int(cents["kept"][0]) if has_amounts else None,
        amount_read_cents=int(cents["read"][0]) if has_amounts else None,
        duplicates=int(judged["repeats"].sum()),
        dropped=lost,
        _lines=raw,
        _reasons=judged.filter(pl.col("reason").is_not_null()).select("row", "reason"),
    )
    return orders, report
