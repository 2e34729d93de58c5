"""A small shop that never was: a seeded order file to try things with.

All draws are whole numbers taken from the raw PCG64 stream, which NumPy guarantees, so the same seed gives the same
file with every Python and NumPy version, on every machine.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from churnkit.errors import UsageError

_FIRST_DAY: Final = date(2023, 1, 1)
_DAYS: Final = 730
_PRODUCTS: Final = (  # name, price in cents, how often it is chosen
    ("Espresso beans 1 kg", 1890, 16),
    ("Filter coffee 500 g", 1090, 14),
    ("Decaf beans 500 g", 1240, 5),
    ("Single origin Ethiopia 250 g", 990, 8),
    ("Single origin Colombia 250 g", 940, 8),
    ("Cold brew bottle", 420, 6),
    ("Green tea 100 g", 750, 5),
    ("Earl Grey 100 g", 690, 5),
    ("Paper filters 100 pcs", 390, 10),
    ("Cleaning tablets", 850, 5),
    ("Oat drink 1 l", 229, 9),
    ("Chocolate bar 70 %", 349, 9),
    ("Mug", 1250, 3),
    ("Milk jug", 1990, 2),
    ("Hand grinder", 5900, 1),
    ("Moka pot", 3450, 1),
)
_COUNTRIES: Final = (("Germany", 55), ("Austria", 18), ("Netherlands", 15), ("France", 12))
_KINDS: Final = (("regular", 34), ("occasional", 24), ("once", 26), ("leaver", 16))
_JITTER: Final = (55, 70, 80, 90, 95, 100, 105, 110, 120, 135, 160)  # gaps, in percent of the customer's own
_BUSY_MONTHS: Final = (90, 92, 96, 98, 96, 92, 82, 84, 98, 104, 118, 128)
_GUESTS_IN_1000, _REFUNDS_IN_1000 = 8, 28


class _Line(NamedTuple):
    day: int
    customer: int
    refund: bool
    product: int
    quantity: int


class _Dice:
    """Whole numbers from the raw stream."""

    def __init__(self, seed: int) -> None:
        self.stream = np.random.PCG64(seed)

    def below(self, n: int) -> int:
        return int(self.stream.random_raw()) % n

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def chance(self, in_1000: int) -> bool:
        return self.below(1000) < in_1000

    def pick(self, weights: Sequence[int]) -> int:
        left = self.below(sum(weights))
        for index, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return index
        raise AssertionError("the weights add up")


def sample_orders(customers: int = 400, seed: int = 7) -> pl.DataFrame:
    """The raw order lines of a small coffee shop in 2023 and 2024: regulars, one-time buyers, leavers, refunds, guests.

    Args:
        customers: How many customers the shop has.
        seed: Same seed, same lines.

    Returns:
        One row per line, by day: `order_id customer_id order_date product quantity unit_price country`. A refund has a
        negative quantity; a guest has no customer id.

    Raises:
        UsageError: No customers, too many, or a negative seed.

    Example:
        >>> orders = sample_orders(customers=50, seed=1)
        >>> orders.columns
        ['order_id', 'customer_id', 'order_date', 'product', 'quantity', 'unit_price', 'country']
        >>> orders.equals(sample_orders(customers=50, seed=1))
        True
    """
    if not 1 <= customers <= 1_000_000:
        raise UsageError(f"a sample of {customers} customers cannot be made", hint="--customers takes 1 to 1000000")
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative", hint="--seed takes a whole number from 0")
    dice = _Dice(seed)
    countries = [dice.pick([weight for _, weight in _COUNTRIES]) for _ in range(customers)]
    baskets = [basket for customer in range(customers) for basket in _history(customer, dice)]
    baskets.sort(key=lambda basket: (basket[0].day, basket[0].customer, basket[0].refund))
    width = max(4, len(str(customers)))
    rows = []
    for number, basket in enumerate(baskets, start=10_001):
        guest = not basket[0].refund and dice.chance(_GUESTS_IN_1000)
        for line in basket:
            name, cents, _ = _PRODUCTS[line.product]
            rows.append(
                (
                    f"{'R' if line.refund else ''}{number}",
                    None if guest else f"C{line.customer + 1:0{width}d}",
                    _FIRST_DAY + timedelta(days=line.day),
                    name,
                    line.quantity,
                    cents / 100,
                    _COUNTRIES[countries[line.customer]][0],
                )
            )
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


_SCHEMA: Final = {
    "order_id": pl.String,
    "customer_id": pl.String,
    "order_date": pl.Date,
    "product": pl.String,
    "quantity": pl.Int64,
    "unit_price": pl.Float64,
    "country": pl.String,
}


def _history(customer: int, dice: _Dice) -> Iterator[list[_Line]]:
    """The baskets of one customer, each with its refund right after it, if it has one."""
    kind = _KINDS[dice.pick([weight for _, weight in _KINDS])][0]
    gap = dice.between(16, 48) if kind in ("regular", "leaver") else dice.between(70, 170)
    favourites = [dice.pick([weight for _, _, weight in _PRODUCTS]) for _ in range(3)]
    day = dice.below(_DAYS * 4 // 5)
    last = min(_DAYS, day + dice.between(3, 12) * gap) if kind == "leaver" else _DAYS
    while day < last:
        if dice.below(128) < _BUSY_MONTHS[(_FIRST_DAY + timedelta(days=day)).month - 1]:
            basket = _basket(day, customer, favourites, dice)
            yield basket
            returned_on = day + dice.between(2, 12)
            if dice.chance(_REFUNDS_IN_1000) and returned_on < _DAYS:
                line = basket[dice.below(len(basket))]
                yield [line._replace(day=returned_on, refund=True, quantity=-line.quantity)]
            if kind == "once":
                return
        day += max(1, gap * _JITTER[dice.below(len(_JITTER))] // 100)


def _basket(day: int, customer: int, favourites: list[int], dice: _Dice) -> list[_Line]:
    lines: dict[int, _Line] = {}
    for _ in range(dice.pick((52, 30, 12, 6)) + 1):
        chosen = favourites[dice.below(3)] if dice.chance(650) else dice.pick([weight for _, _, weight in _PRODUCTS])
        lines[chosen] = _Line(day, customer, refund=False, product=chosen, quantity=dice.pick((70, 22, 8)) + 1)
    return list(lines.values())
