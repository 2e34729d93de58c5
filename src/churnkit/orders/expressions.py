"""Amounts that are computed from columns: `"Quantity * UnitPrice"`. Arithmetic over columns, and nothing else."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from churnkit.errors import UsageError

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?!\w)|\"(?P<quoted>[^\"]+)\"|`(?P<ticked>[^`]+)`|(?P<name>[^\W\d][\w.]*)|(?P<sign>[()+\-*/]))"
)
_DEEPEST: Final = 40
_LONGEST: Final = 1_000
_HINT: Final = 'an expression is columns, numbers, + - * / and parentheses: --amount "Quantity * UnitPrice"'


@dataclass(frozen=True, slots=True)
class Expression:
    """Arithmetic over columns.

    Args:
        text: As it was written.
        columns: The columns in it, in the order of their first mention.
        value: What it comes to, over columns that are numbers.
    """

    text: str
    columns: tuple[str, ...]
    value: pl.Expr


def is_expression(text: str) -> bool:
    """Whether the text is more than one name.

    Example:
        >>> is_expression("Quantity * UnitPrice"), is_expression("Unit Price")
        (True, False)
    """
    return any(sign in text for sign in '+*/()"`-')


def parse_expression(text: str, resolve: Callable[[str], str]) -> Expression:
    """Read an expression.

    Args:
        text: What the user wrote; names with blanks stand in double quotes or backticks.
        resolve: Gives the column for a name, or raises.

    Raises:
        UsageError: It is no arithmetic over columns.

    Example:
        >>> expression = parse_expression('"Unit Price" * (Quantity - 1)', str)
        >>> expression.columns
        ('Unit Price', 'Quantity')
        >>> pl.DataFrame({"Unit Price": [2.5], "Quantity": [3.0]}).select(expression.value).item()
        5.0
    """
    parser = _Parser(text, _tokens(text), resolve)
    value = parser.sum_(0)
    if parser.rest:
        raise _refusal(text, parser.rest[0][1])
    if not parser.columns:
        raise UsageError(f"no column is named in {text!r}", hint=_HINT)
    return Expression(text, tuple(parser.columns), value)


def _refusal(text: str, at: str) -> UsageError:
    return UsageError(f"{text!r} cannot be computed: {at!r} is not expected there", hint=_HINT)


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > _LONGEST:
        raise UsageError("the expression for the amount is too long", hint=_HINT)
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _refusal(text, text[position:].strip()[:20])
        kind = match.lastgroup or ""
        tokens.append(("name" if kind in ("quoted", "ticked") else kind, match[kind]))
        position = match.end()
    return tokens


class _Parser:
    """One level of arithmetic per method, in order of binding."""

    def __init__(self, text: str, tokens: Sequence[tuple[str, str]], resolve: Callable[[str], str]) -> None:
        self.text, self.rest, self.resolve = text, list(tokens), resolve
        self.columns: dict[str, None] = {}

    def sum_(self, depth: int) -> pl.Expr:
        value = self.product(depth)
        while self.rest and self.rest[0] in (("sign", "+"), ("sign", "-")):
            sign = self.rest.pop(0)[1]
            other = self.product(depth)
            value = value + other if sign == "+" else value - other
        return value

    def product(self, depth: int) -> pl.Expr:
        value = self.single(depth)
        while self.rest and self.rest[0] in (("sign", "*"), ("sign", "/")):
            sign = self.rest.pop(0)[1]
            other = self.single(depth)
            value = value * other if sign == "*" else value / other
        return value

    def single(self, depth: int) -> pl.Expr:
        if not self.rest or depth > _DEEPEST:
            raise _refusal(self.text, "the end" if not self.rest else self.rest[0][1])
        kind, word = self.rest.pop(0)
        if kind == "number":
            return pl.lit(float(word))
        if kind == "name":
            column = self.resolve(word)
            self.columns[column] = None
            return pl.col(column)
        if word == "-":
            return -self.single(depth + 1)
        if word == "+":
            return self.single(depth + 1)
        if word == "(":
            value = self.sum_(depth + 1)
            if self.rest and self.rest.pop(0) == ("sign", ")"):
                return value
        raise _refusal(self.text, word)
