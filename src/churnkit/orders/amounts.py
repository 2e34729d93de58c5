"""What a line costs: a column, quantity times price, or an order's total that must not be added up line by line."""

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from churnkit.orders.columns import Columns, Found
from churnkit.orders.numbers import Numbers, parse_numbers
from churnkit.orders.order_level import Shape, order_shape

_NEARLY_ALL: Final = 0.98
_SHAPES: Final = {
    "repeated": "repeats the order's total on each line",
    "first": "stands on one line of an order only",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amount of each line.

    Args:
        found: Where it comes from; None where the file has no amounts.
        values: Float64; null where there is none, possibly NaN or infinite.
        unreadable: True where something stands that is no number.
        shape: Whether each line has its own amount, or an order's total is `repeated` on its lines or stands on its
            `first` line only.
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


def find_amounts(cells: pl.DataFrame, columns: Columns, numbers: ParsedNumbers, fingerprint: pl.Series) -> Amounts:
    """Decide what the amount of a line is.

    What the user named is taken, though the total of an order once per order. A line total goes before quantity times
    price, which goes before the total of an order that is written on its lines.

    Args:
        cells: The user's columns.
        columns: Which of them is what.
        numbers: The columns as numbers.
        fingerprint: Equal where two lines are equal, so that a line copied does not pass for a repeated total.
    """
    amount, quantity, price = (columns.get(role) for role in ("amount", "quantity", "price"))
    pair = _pair(quantity, price) if quantity is not None and price is not None else None
    if amount is None:
        found = pair or (_as_amount(price) if price is not None else None)
        return _computed(numbers, found) if found is not None else _no_amounts(cells.height)
    if amount.value is not None:
        return _computed(numbers, amount)
    if amount.how == "given":
        return _once(cells, columns, numbers, amount, fingerprint)
    if pair is not None and quantity is not None and price is not None:
        values, unit = numbers[amount.column].values, numbers[price.column].values
        if _agree(values, numbers[quantity.column].values * unit):
            return _computed(numbers, amount)
        if _agree(values, unit):
            return _computed(numbers, _instead(pair, amount.column, "is the price of one unit"))
    amounts = _once(cells, columns, numbers, amount, fingerprint)
    if pair is not None and amounts.shape != "line":
        return _computed(numbers, _instead(pair, amount.column, _SHAPES[amounts.shape]))
    return amounts


def _once(
    cells: pl.DataFrame, columns: Columns, numbers: ParsedNumbers, amount: Found, fingerprint: pl.Series
) -> Amounts:
    """The column as it stands, and whether it speaks of lines or of orders."""
    amounts = _computed(numbers, amount)
    order = columns.get("order")
    shape = order_shape(cells[order.column], amounts.values, fingerprint, amount.column) if order else "line"
    if shape == "line":
        return amounts
    note = f"{amount.column} {_SHAPES[shape]}: it is counted once per order (--amount)"
    return replace(amounts, shape=shape, notes=(*amounts.notes, note))


def _no_amounts(height: int) -> Amounts:
    values = pl.repeat(None, height, dtype=pl.Float64, eager=True)
    return Amounts(None, values, pl.repeat(False, height, dtype=pl.Boolean, eager=True))


def _computed(numbers: ParsedNumbers, found: Found) -> Amounts:
    parsed = {name: numbers[name] for name in found.columns}
    notes = tuple(dict.fromkeys(each.note for each in parsed.values() if each.note))
    bad = pl.DataFrame([each.unreadable.alias(name) for name, each in parsed.items()])
    roots = pl.DataFrame([each.values.alias(name) for name, each in parsed.items()])
    value = pl.col(found.column) if found.value is None else found.value
    return Amounts(
        found,
        roots.select(value.cast(pl.Float64).alias("value")).to_series(),
        bad.select(pl.any_horizontal(pl.all()).alias("bad")).to_series(),
        notes=notes,
    )


def _quoted(name: str) -> str:
    if name.isidentifier():
        return name
    return f"`{name}`" if '"' in name else f'"{name}"'


def _pair(quantity: Found, price: Found) -> Found:
    text = f"{_quoted(quantity.column)} * {_quoted(price.column)}"
    return Found(
        role="amount",
        column=text,
        how=quantity.how,
        sentence=f"amount: {text}, quantity times price (--amount)",
        columns=(quantity.column, price.column),
        value=pl.col(quantity.column) * pl.col(price.column),
    )


def _as_amount(price: Found) -> Found:
    sentence = f"amount: {price.column}, as there is no quantity to multiply it with (--amount)"
    return Found("amount", price.column, price.how, sentence, price.columns)


def _instead(pair: Found, column: str, why: str) -> Found:
    sentence = f"amount: {pair.column}, because {column} {why} (--amount)"
    return Found("amount", pair.column, pair.how, sentence, pair.columns, pair.value)


def _agree(left: pl.Series, right: pl.Series) -> bool:
    """Whether two columns hold the same money on nearly all lines."""
    frame = pl.DataFrame({"left": left, "right": right}).drop_nulls().filter(pl.col("left") != 0)
    near = (pl.col("left") - pl.col("right")).abs() <= 0.01 + 1e-9 * pl.col("left").abs()
    return frame.height > 0 and float(frame.select(near.mean()).item()) >= _NEARLY_ALL
