"""Attributes at a cutoff: what the rows dated before it said, column by column the latest that is known.

Beside a dated attribute stand how many answers there were and how old the latest is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final, Literal, TypeAlias

import polars as pl
from polars import col

from churnkit.customers.features import FEATURES
from churnkit.customers.features.registry import FAMILIES
from churnkit.errors import DataError, UsageError
from churnkit.orders.attributes import KEYS, PREFIX, AttributeTable
from churnkit.terms import EXPLAIN, ORDERS, SCORE, SEGMENT, SEGMENT_LIST, Term

_WORDS: Final = frozenset(
    {term.name for terms in (ORDERS, SCORE, SEGMENT, SEGMENT_LIST, EXPLAIN) for term in terms}
    | {feature.name for feature in FEATURES}
    | {*FAMILIES, "churned", "spend"}
)
Attributes: TypeAlias = AttributeTable | Sequence[AttributeTable]


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """A column that an attribute table adds to the customer table.

    Attributes:
        name: Its name there.
        of: The attribute that it belongs to.
        what: The value itself, the number of answers, or the days since the latest.
        dtype: Int64, Float64 or String.
        dated: Whether it depends on the cutoff.
    """

    name: str
    of: str
    what: Literal["value", "answers", "age"]
    dtype: pl.DataType
    dated: bool

    @property
    def term(self) -> Term:
        """The column as a word of the vocabulary."""
        latest = "the latest known before the cutoff" if self.dated else "without a date, as if it had always been so"
        if self.what == "value":
            kind: Literal["text", "integer", "number"] = (
                "text" if self.dtype == pl.String else "integer" if self.dtype.is_integer() else "number"
            )
            return Term(self.name, kind, f"Attribute {self.of}: {latest}. Null where nothing is known.", nullable=True)
        if self.what == "answers":
            return Term(self.name, "integer", f"How often {self.of} was stated before the cutoff.")
        meaning = f"Cutoff minus the day of the latest {self.of}. Null where there is none."
        return Term(self.name, "days", meaning, nullable=True)


def checked_tables(tables: Attributes) -> tuple[AttributeTable, ...]:
    """The tables with names that mean one thing each: a column called like one of ours gets `PREFIX` before it.

    Raises:
        DataError: Two columns would bear one name.
        UsageError: It is no attribute table.
    """
    several = (tables,) if isinstance(tables, AttributeTable) else tuple(tables)
    if not all(isinstance(table, AttributeTable) for table in several):
        raise UsageError("attributes are not clean yet", hint="make them with churnkit.clean_attributes(...)")
    renamed = tuple(replace(table, rows=table.rows.rename(_renamed(table))) for table in several)
    owner: dict[str, str] = {}
    for table in renamed:
        for column in attribute_columns([table]):
            if column.name in owner:
                raise DataError(
                    f"{owner[column.name]} and {table.name} both give a column {column.name}",
                    hint=f"rename one of them, or leave it out: --ignore {column.of}",
                )
            owner[column.name] = table.name
    return renamed


def _renamed(table: AttributeTable) -> dict[str, str]:
    return {name: f"{PREFIX}{name}" for name in table.columns if name in _WORDS or name.startswith("_")}


def attribute_columns(tables: Sequence[AttributeTable]) -> tuple[AttributeColumn, ...]:
    """The columns that tables add to the customer table, in their order there."""
    columns: list[AttributeColumn] = []
    for table in tables:
        for name in table.columns:
            columns.append(AttributeColumn(name, name, "value", table.rows.schema[name], table.dated))
            if table.dated and table.rows.schema[name] != pl.String:
                columns.append(AttributeColumn(f"n_{name}", name, "answers", pl.Int64(), dated=True))
                columns.append(AttributeColumn(f"{name}_age_days", name, "age", pl.Int64(), dated=True))
    return tuple(columns)


def cut(tables: Sequence[AttributeTable], *, cutoff: date) -> tuple[AttributeTable, ...]:
    """The tables without the rows on or after a cutoff."""
    before = col("known_at") < datetime.combine(cutoff, time())
    return tuple(replace(table, rows=table.rows.filter(before)) if table.dated else table for table in tables)


def with_attributes(customers: pl.DataFrame, tables: Sequence[AttributeTable], *, cutoff: date) -> pl.DataFrame:
    """The customer table with what was known of each customer before the cutoff (`attribute_columns`) at its end."""
    for table in cut(tables, cutoff=cutoff):
        for name in table.columns:
            customers = customers.join(
                _latest(table, name, cutoff), on="customer_id", how="left", maintain_order="left"
            )
    counts = [column.name for column in attribute_columns(tables) if column.what == "answers"]
    return customers.with_columns(customers[name].fill_null(0) for name in counts)


def _latest(table: AttributeTable, name: str, cutoff: date) -> pl.DataFrame:
    """What is known of each customer by one attribute; of several values of one moment the greatest."""
    rows = table.rows.select(*KEYS, name).drop_nulls([name])
    if not table.dated:
        return rows.drop("known_at")
    told = [col(name).last()]
    if rows.schema[name] != pl.String:
        age = (pl.lit(cutoff) - col("known_at").last().dt.date()).dt.total_days()
        told += [pl.len().cast(pl.Int64).alias(f"n_{name}"), age.alias(f"{name}_age_days")]
    return rows.sort(*KEYS, name).group_by("customer_id", maintain_order=True).agg(told)
