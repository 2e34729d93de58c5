"""What a line costs: a column, quantity times price, or the total of an order that must not be added up line by line."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from churnkit.orders.columns import Columns, Found
from churnkit.orders.expressions import is_expression, parse_expression
from churnkit.orders.names import name_key, name_words
from churnkit.orders.numbers import Numbers, parse_numbers

Shape = Literal["line", "repeated", "first"]

_NEARLY_ALL: Final = 0.98
_ORDERS_FOR_A_TOTAL, _ORDERS_FOR_ANY = 3, 20  # orders of several lines it takes to call an amount an order's total


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amount of each line.

    Args:
        found: Where it comes from; None where the file has no amounts.
        values: Float64; null where there is none, possibly NaN or infinite.
        unreadable: True where something stands that is no number.
        shape: Whether each line has its own amount, or the order's total is `repeated` on its lines, or stands on one
            of them only.
        notes: What was assumed, as sentences.
    """

    found: Found | None
    values: pl.Series
    unreadable: pl.Series
    shape: Shape = "line"
    notes: tuple[str, ...] = ()


class ParsedNumbers:
    """The columns of a frame as numbers, each parsed once."""

    def __init__(self, frame: pl.DataFrame, decimal: str | None) -> None:
        self.frame, self.decimal = frame, decimal
        self.known: dict[str, Numbers] = {}

    def __getitem__(self, name: str) -> Numbers:
        if name not in self.known:
            self.known[name] = parse_numbers(self.frame[name], self.decimal)
        return self.known[name]


def find_amounts(frame: pl.DataFrame, columns: Columns, numbers: ParsedNumbers, fingerprint: pl.Series) -> Amounts:
    """Decide what the amount of a line is.

    Args:
        frame: The user's columns.
        columns: Which of them is what.
        numbers: The columns as numbers.
        fingerprint: Equal where two lines are equal, so that a line copied does not pass for a repeated total.
    """
    amount, quantity, price = (columns.get(role) for role in ("amount", "quantity", "price"))
    if amount is not None and amount.how == "given":
        return _computed(frame, numbers, amount)
    pair = _pair(quantity, price) if quantity and price else None
    if amount is None:
        only_price = pair is None and price is not None
        found = pair or (_as_amount(price) if only_price and price else None)
        if found is None:
            empty = pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
            return Amounts(None, empty, pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True))
        return _computed(frame, numbers, found)
    values = numbers[amount.column].values
    if pair is not None and quantity is not None and price is not None:
        unit = numbers[price.column].values
        product = numbers[quantity.column].values * unit
        if _agree(values, product):
            return _computed(frame, numbers, amount)
        if _agree(values, unit):
            return _computed(frame, numbers, _instead(pair, amount.column, "is the price of one unit"))
    order = columns.get("order")
    shape = order_shape(frame[order.column], values, fingerprint, amount.column) if order else "line"
    if shape == "line":
        return _computed(frame, numbers, amount)
    where = (
        "repeats the total of the order on each line" if shape == "repeated" else "stands on one line of an order only"
    )
    if pair is not None:
        return _computed(frame, numbers, _instead(pair, amount.column, where))
    note = f"{amount.column} {where}: it is counted once per order (--amount)"
    parsed = numbers[amount.column]
    return Amounts(amount, values, parsed.unreadable, shape, (*filter(None, [parsed.note]), note))


def _computed(frame: pl.DataFrame, numbers: ParsedNumbers, found: Found) -> Amounts:
    parsed = {name: numbers[name] for name in found.columns}
    notes = tuple(dict.fromkeys(each.note for each in parsed.values() if each.note))
    unreadable = pl.select(
        pl.any_horizontal(*[each.unreadable.alias(name) for name, each in parsed.items()])
    ).to_series()
    if found.column not in frame.columns and is_expression(found.column):
        by_name = {name_key(name): name for name in found.columns} | {name: name for name in found.columns}
        value = parse_expression(found.column, lambda name: by_name.get(name, by_name.get(name_key(name), name))).value
        roots = pl.DataFrame([each.values.alias(name) for name, each in parsed.items()])
        return Amounts(found, roots.select(value.cast(pl.Float64)).to_series(), unreadable, notes=notes)
    return Amounts(found, parsed[found.columns[0]].values, unreadable, notes=notes)


def _quoted(name: str) -> str:
    plain = name.isidentifier()
    return name if plain else f"`{name}`" if '"' in name else f'"{name}"'


def _pair(quantity: Found, price: Found) -> Found:
    text = f"{_quoted(quantity.column)} * {_quoted(price.column)}"
    columns = (quantity.column, price.column)
    return Found("amount", text, quantity.how, f"amount: {text}, quantity times price (--amount)", columns)


def _as_amount(price: Found) -> Found:
    sentence = f"amount: {price.column}, as there is no quantity to multiply it with (--amount)"
    return Found("amount", price.column, price.how, sentence, price.columns)


def _instead(pair: Found, column: str, why: str) -> Found:
    return Found(
        "amount", pair.column, pair.how, f"amount: {pair.column}, because {column} {why} (--amount)", pair.columns
    )


def _agree(left: pl.Series, right: pl.Series) -> bool:
    frame = pl.DataFrame({"left": left, "right": right}).drop_nulls().filter(pl.col("left") != 0)
    near = ((pl.col("left") - pl.col("right")).abs() <= 0.01 + 1e-9 * pl.col("left").abs()).mean()
    return frame.height > 0 and float(frame.select(near).item()) >= _NEARLY_ALL


def order_shape(order: pl.Series, values: pl.Series, fingerprint: pl.Series, name: str) -> Shape:
    """Whether a column speaks of lines, or of orders: repeated on all lines of an order, or on one line of it."""
    frame = pl.DataFrame({"order": order.cast(pl.String), "value": values, "line": fingerprint})
    frame = frame.filter(pl.col("order").str.strip_chars() != "").unique("line")
    if frame.schema["value"] == pl.String:
        frame = frame.with_columns(pl.when(pl.col("value").str.strip_chars() != "").then(pl.col("value")))
    value = pl.col("value")
    orders = frame.group_by("order").agg(
        n=pl.len(), filled=value.is_not_null().sum(), low=value.min(), high=value.max()
    ).filter(pl.col("n") > 1)  # fmt: skip
    needed = _ORDERS_FOR_A_TOTAL if _speaks_of_orders(name) else _ORDERS_FOR_ANY
    if orders.height < needed or orders["high"].n_unique() < 2:
        return "line"
    repeated, first = orders.select(
        ((pl.col("filled") == pl.col("n")) & (pl.col("low") == pl.col("high"))).mean().alias("repeated"),
        (pl.col("filled") == 1).mean().alias("first"),
    ).row(0)
    if repeated >= _NEARLY_ALL:
        return "repeated"
    return "first" if first >= _NEARLY_ALL else "line"


def _speaks_of_orders(name: str) -> bool:
    return bool(name_words(name) & {"total", "grand", "order", "invoice", "subtotal", "basket"})


def once_per_order(
    shape: Shape, values: pl.Series, order: pl.Series, ordered_at: pl.Series, fingerprint: pl.Series
) -> pl.Series:
    """The amount of an order on one of its lines, and 0 on the others, so that adding up lines is right.

    The line that carries a repeated total is the earliest of its order, so lines that come later change nothing.
    """
    frame = pl.DataFrame({"value": values, "order": order.cast(pl.String), "at": ordered_at, "line": fingerprint})
    frame = frame.with_row_index("row")
    several = pl.col("order").is_not_null() & (pl.len().over("order") > 1)
    if shape == "first":
        carried = pl.col("value").is_not_null().any().over("order") & several
        blank = frame.with_columns(
            pl.when(carried & pl.col("value").is_null()).then(0.0).otherwise("value").alias("value")
        )
        return blank["value"]
    place = frame.sort("order", "at", "line", "row", nulls_last=True).select(
        "row", first=pl.int_range(pl.len()).over("order") == 0
    )
    marked = frame.join(place, on="row", how="left", maintain_order="left")
    kept = pl.when(several & ~pl.col("first") & pl.col("value").is_not_null()).then(0.0).otherwise("value")
    return marked.select(kept.alias("value")).to_series()
