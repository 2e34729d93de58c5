"""Which column is which: what was named, what the names say, and what is in them. Every guess says how to undo it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Literal

import polars as pl

from churnkit.errors import DataError, MissingColumnError, UsageError
from churnkit.orders.expressions import Expression, is_expression, parse_expression
from churnkit.orders.facts import Facts
from churnkit.orders.guesses import MONEY, can_be, ids_by_content
from churnkit.orders.lines import RawLines
from churnkit.orders.names import ROLES, name_key, name_score
from churnkit.orders.shop_systems import ShopSystem, shop_system

How = Literal["given", "name", "content"]

_SURE: Final = 45  # a name that scores less may stand for something else
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Found:
    """The column, or the expression, that fills one role.

    Args:
        role: What it is needed for.
        column: Name of the column, or the expression.
        how: `given` by the user, by its `name`, or by its `content`.
        sentence: All of that in words, with the flag that overrides it.
        columns: The columns that it reads.
        value: What an expression comes to, over columns that are numbers; None for a single column.
    """

    role: str
    column: str
    how: How
    sentence: str
    columns: tuple[str, ...]
    value: pl.Expr | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of each role that was filled, in the order of the roles; and what else is worth saying."""

    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, role: str) -> Found:
        found = self.get(role)
        if found is None:
            raise KeyError(role)
        return found

    def get(self, role: str) -> Found | None:
        """What fills a role, if anything does."""
        return next((found for found in self.found if found.role == role), None)

    def names(self) -> dict[str, str]:
        """Role to column or expression."""
        return {found.role: found.column for found in self.found}


def find_columns(
    lines: RawLines, given: Mapping[str, str | None] | None = None, *, date_format: str | None = None
) -> Columns:
    """Find out which column is which.

    Args:
        lines: The raw lines.
        given: Role to column name (or number, from 1), where the user named them; `amount` may be an expression.
        date_format: How dates are written, where the user said so.

    Raises:
        MissingColumnError: A column that was named is not there, or no customer or date was found.
        DataError: There are no lines.

    Example:
        >>> lines = RawLines.from_frame(pl.DataFrame({"Kunde": ["a", "a"], "Datum": ["1.2.2024", "3.2.2024"]}))
        >>> find_columns(lines).names()
        {'customer': 'Kunde', 'date': 'Datum'}
    """
    names = column_names(lines)
    cells = lines.collect(lines.frame.select(columns_to_look_at(names, lines, given)))
    return choose_columns(lines, cells, given, date_format=date_format)


def column_names(lines: RawLines) -> list[str]:
    """The user's columns in file order.

    Raises:
        DataError: There are none.
    """
    names = lines.frame.collect_schema().names()
    if not names:
        raise DataError(f"{lines.name} is empty", hint="give a file with one line per order")
    return names


def columns_to_look_at(names: list[str], lines: RawLines, given: Mapping[str, str | None] | None) -> list[str]:
    """The columns that may matter: all, unless the names alone offer a customer and a date."""
    named = {role: text for role, text in (given or {}).items() if text is not None}
    certain = all(
        role in named or any(name_score(role, name) >= _SURE for name in names) for role in ("customer", "date")
    )
    if not lines.header or not certain or named:
        return names
    system = shop_system(names)
    keys = {key for role in system.roles.values() for key in role} if system else set()
    keys |= {key for side in SIDE_COLUMNS.values() for key in side}
    return [n for n in names if name_key(n) in keys or any(name_score(role, n) for role in ROLES)]


SIDE_COLUMNS: Final = {
    "currency": ("currency", "currencycode", "wahrung", "waehrung", "devise", "moneda", "valuta", "waluta", "moeda"),
    "status": ("status", "orderstatus", "financialstatus", "paymentstatus"),
}
"""Keys of columns that fill no role but are looked at: currencies are never mixed, cancelled orders are pointed out."""


def choose_columns(
    lines: RawLines,
    cells: pl.DataFrame,
    given: Mapping[str, str | None] | None = None,
    *,
    date_format: str | None = None,
) -> Columns:
    """`find_columns` over cells that were read already."""
    if not cells.height:
        raise DataError(f"{lines.name} has no lines", hint="give a file with one line per order")
    every = column_names(lines)
    named = {role: text for role, text in (given or {}).items() if text is not None}
    for role in named:
        if role not in ROLES:
            raise UsageError(f"there is no role {role!r}", hint=f"columns are named for {', '.join(ROLES)}")
    finder = _Finder(lines, Facts(cells), every, date_is_known=date_format is not None)
    for role, text in named.items():
        finder.take_given(role, text)
    for role in ("customer", "date", "order", "product", "quantity", "price", "amount", "market"):
        if role not in finder.found:
            finder.find(role)
    finder.require_customer_and_date()
    if not lines.header or finder.found["customer"].how == "content":
        finder.find_rest_by_content()
    return Columns(tuple(finder.found[role] for role in ROLES if role in finder.found), tuple(finder.notes()))


class _Finder:
    """The search, one role after the other; a column fills one role."""

    def __init__(self, lines: RawLines, facts: Facts, every: list[str], *, date_is_known: bool) -> None:
        self.lines, self.facts, self.every, self.date_is_known = lines, facts, every, date_is_known
        self.system: ShopSystem | None = shop_system(every) if lines.header else None
        self.found: dict[str, Found] = {}

    @property
    def free(self) -> list[str]:
        taken = {name for found in self.found.values() for name in found.columns}
        return [name for name in self.facts.frame.columns if name in self.every and name not in taken]

    def take_given(self, role: str, text: str) -> None:
        expression: Expression | None = None
        if role == "amount" and text not in self.every and is_expression(text):
            expression = parse_expression(text, lambda name: resolve(name, self.every, role, self.lines))
        columns = expression.columns if expression else (resolve(text, self.every, role, self.lines),)
        column = expression.text if expression else columns[0]
        value = expression.value if expression else None
        self.found[role] = Found(role, column, "given", f"{role}: {column}, as given", columns, value)

    def find(self, role: str) -> None:
        scored = sorted(
            ((score, -self.every.index(name), name) for name in self.free if (score := self.score(role, name)) > 0),
            reverse=True,
        )
        if scored:
            best = scored[0][2]
            why = (
                f"as in the exports of {self.system.name}"
                if self.by_system(role, best) and self.system
                else "by its name"
            )
            others = [name for _, _, name in scored[1:2]]
            self.put(role, best, "name", why, others)
        elif role in ("customer", "date"):
            self.find_by_content(role)

    def put(self, role: str, name: str, how: How, why: str, others: Iterable[str] = ()) -> None:
        column = f"column {name}" if not self.lines.header else name
        rest = "".join(f"; the next best was {other}" for other in others)
        self.found[role] = Found(role, name, how, f"{role}: {column}, {why}{rest} (--{role})", (name,))

    def by_system(self, role: str, name: str) -> int:
        """Points for a column that a known export has for this role."""
        keys = self.system.roles.get(role, ()) if self.system else ()
        key = name_key(name)
        return 200 - 5 * keys.index(key) if key in keys else 0

    def score(self, role: str, name: str) -> int:
        """Name and content together; 0 where the column cannot be what is looked for."""
        points = self.by_system(role, name)
        if not points and self.lines.header and not (self.system and role in MONEY):
            points = name_score(role, name)
        if not points:
            return 0
        facts = self.facts[name]
        known = role == "date" and self.date_is_known and points >= _SURE
        if not facts.filled or not (known or can_be(role, facts, points)):
            return 0
        penalty = 20 * (2 * facts.filled < facts.lines)
        if role == "customer":
            penalty += 25 * facts.is_unique
        return max(points - penalty, 1)

    def find_by_content(self, role: str) -> None:
        names = [name for name in self.free if self.facts[name].filled]
        if role == "date":
            dated = [name for name in names if self.facts[name].is_date]
            if dated:
                self.put(role, dated[0], "content", "the column that holds dates", dated[1:2])
            return
        customers, orders = ids_by_content(self.facts, names, header=self.lines.header)
        if orders and "order" not in self.found:
            self.put("order", orders[0], "content", "ids with one customer and one day each")
        if customers:
            self.put(role, customers[0], "content", "ids that repeat", customers[1:2])

    def find_rest_by_content(self) -> None:
        """What is bought and for how much, where no names say it."""
        names = [name for name in self.free if self.facts[name].filled and not self.facts[name].is_date]
        money = [name for name in names if self.facts[name].is_number and self.facts[name].fractions]
        if len(money) == 1 and "amount" not in self.found:
            self.put("amount", money[0], "content", "the one column of numbers with a fraction")
        words = [name for name in names if not self.facts[name].is_number and self.facts[name].distinct > 1]
        words = [name for name in words if not self.facts[name].is_unique]
        if words and "product" not in self.found:
            best = max(words, key=lambda name: (self.facts[name].distinct, -self.every.index(name)))
            self.put("product", best, "content", "words that repeat")

    def notes(self) -> list[str]:
        """What is called an amount and is none, and what may be one, where no amount was found."""
        if any(role in self.found for role in ("amount", "price")):
            return []
        free = [self.facts[name] for name in self.free]
        named = [each for each in free if self.lines.header and each.filled and name_score("amount", each.name) >= 75]
        said = [f"{each.name} is not the amount: it holds values such as {each.example!r}" for each in named]
        if not self.lines.header:
            numbers = [each.name for each in free if each.is_number and each.fractions]
            if numbers:
                said.append(f"which column is the amount cannot be told: {', '.join(numbers)}? (--amount)")
        return said

    def require_customer_and_date(self) -> None:
        missing = [role for role in ("customer", "date") if role not in self.found]
        if not missing:
            return
        if not self.lines.header:
            raise MissingColumnError(
                f"{self.lines.name} has no header, and no column reads like a {missing[0]}",
                hint="say which by number: --customer 1 --date 2",
            )
        if "date" in missing:
            raise self.no_date()
        raise MissingColumnError(
            f"{self.lines.name} has no customer column. It has {_listed(self.every)}", hint="name it: --customer COLUMN"
        )

    def no_date(self) -> MissingColumnError:
        named = next((n for n in self.free if name_score("date", n) >= 80 and self.facts[n].filled), None)
        if named is not None:
            return MissingColumnError(
                f"{self.lines.name} has no date column: {named} is called one, but holds values such as "
                f"{self.facts[named].example!r}",
                hint="name another with --date COLUMN, or how it is written with --date-format",
            )
        customer = self.facts[self.found["customer"].columns[0]] if "customer" in self.found else None
        more = "" if customer is not None else ", and none reads like a customer"
        if customer is not None and customer.is_unique:
            more = f", and each {customer.name} stands on one line"
        return MissingColumnError(
            f"{self.lines.name} holds no orders: no column holds dates{more}. It has {_listed(self.every)}",
            hint="give a line per order with its customer and date (--date COLUMN names it), or, for customers "
            "with a column that says who churned: churnkit score FILE --label COLUMN",
        )


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def resolve(text: str, names: list[str], role: str, lines: RawLines) -> str:
    """The column that the user means by a name, or by a number from 1.

    Raises:
        MissingColumnError: There is none.
    """
    if text in names:
        return text
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= len(names):
        return names[int(text) - 1]
    keys = {name_key(name): name for name in reversed(names)}
    close = get_close_matches(name_key(text), keys, n=1, cutoff=0.6)
    meant = f"did you mean {keys[close[0]]!r}? " if close else ""
    raise MissingColumnError(
        f"{lines.name} has no column {text!r} (--{role}); it has {_listed(names)}",
        hint=f"{meant}name one of these: --{role} COLUMN",
    )
