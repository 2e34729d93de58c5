"""What a feature is: a small function that returns one Polars expression over the kernel's facts.

The docstring of the function is its glossary line: documentation, terms, model card and reasons are printed from it.
A docstring that says "Null where ..." makes the feature nullable; no feature is ever NaN or infinite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Literal, get_args

import polars as pl
from polars import when

from churnkit.terms import Kind, Term

Family = Literal["silence", "frequency", "gaps", "recent", "trend", "spend", "basket", "refunds"]
Direction = Literal[-1, 0, 1]

FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the customer table.

    Attributes:
        define: The function that returns the expression.
        family: The group that reasons are given in.
        kind: What the value is, as in `churnkit.terms`.
        direction: +1 where a higher value can only raise the churn probability, -1 where it can only lower it, else 0.
    """

    define: Callable[[], pl.Expr]
    family: Family
    kind: Kind
    direction: Direction

    @property
    def name(self) -> str:
        """The column name: the name of the function."""
        return self.define.__name__

    @property
    def meaning(self) -> str:
        """The glossary line: the docstring of the function on one line."""
        return " ".join(cleandoc(self.define.__doc__ or "").split())

    @property
    def nullable(self) -> bool:
        """Whether the glossary line says where the feature is null."""
        return "Null where " in self.meaning

    @property
    def term(self) -> Term:
        """The feature as a word of the vocabulary."""
        return Term(self.name, self.kind, self.meaning, nullable=self.nullable)

    def __call__(self) -> pl.Expr:
        """The expression over the kernel's facts, under the feature's name."""
        return self.define().alias(self.name)


def feature(family: Family, kind: Kind, direction: Direction = 0) -> Callable[[Callable[[], pl.Expr]], Feature]:
    """Make a feature of a function that returns an expression."""

    def wrap(define: Callable[[], pl.Expr]) -> Feature:
        return Feature(define, family, kind, direction)

    return wrap


def ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """`part / whole` in floating point; null where the whole is not positive or either is null."""
    return when(whole > 0).then(part.cast(pl.Float64) / whole.cast(pl.Float64))


def divide(value: pl.Expr, divisor: pl.Expr | int) -> pl.Expr:
    """`value / divisor`, correctly rounded.

    Polars multiplies by the inverse of a constant divisor, which turns 89280 cents into 892.8000000000001. A column as
    divisor is divided by exactly.
    """
    return value.cast(pl.Float64) / (value * 0 + divisor).cast(pl.Float64)


def money(cents: pl.Expr) -> pl.Expr:
    """Cents as currency units: the one place where money becomes a float."""
    return divide(cents, 100)


def spread(n: pl.Expr, total: pl.Expr, squares: pl.Expr) -> pl.Expr:
    """Sample standard deviation from exact integer moments; null below two values."""
    wide = n.cast(pl.Int128)
    scatter = wide * squares - total.cast(pl.Int128) * total
    return ratio(scatter, wide * (wide - 1)).sqrt()


def change(now: pl.Expr, before: pl.Expr) -> pl.Expr:
    """From -1 (nothing now) over 0 (the same) to 1 (nothing before); null where both are 0."""
    return ratio(now - before, now.abs() + before.abs())
