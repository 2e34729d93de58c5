"""Attributes as the learned members read them: numbers as they are, categories one column a value.

Which columns and values are told apart is decided at the cutoff of each fit, by what was known before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Self, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.attributes import AttributeColumn, attribute_columns
from churnkit.customers.kernel import OrderBook
from churnkit.customers.snapshot import history, outcomes, snapshot
from churnkit.errors import ModelFileError
from churnkit.predict.columns import TableColumn, groups_of, matrix_of, numbers_among, plain, typed_column
from churnkit.predict.manifest import field_of
from churnkit.predict.suspects import auc_of_category, auc_of_number

FloatArray: TypeAlias = NDArray[np.float64]

SUSPECT: Final = 0.95  # AUC of an undated attribute alone
_MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of the customer table that comes from an attribute table, as a model reads it.

    Attributes:
        column: What is read.
        of: The attribute that it belongs to: itself, or the one whose answers it counts or dates.
    """

    column: TableColumn
    of: str

    @property
    def family(self) -> str:
        """What reasons are told of: the value by itself, its number of answers and their age together."""
        return self.of if self.column.name == self.of else f"{self.of} answers"

    def to_manifest(self) -> dict[str, Any]:
        """The column as a model file keeps it."""
        return self.column.to_manifest() | {"of": self.of}

    @classmethod
    def from_manifest(cls, each: object) -> Self:
        """The column of `to_manifest`, checked."""
        column = TableColumn.from_manifest(each)
        assert isinstance(each, Mapping)
        return cls(column, field_of(each, "of", str))


Attributes: TypeAlias = tuple[Attribute, ...]


def known_columns(book: OrderBook) -> tuple[AttributeColumn, ...]:
    """The columns of the attributes of a book in the order of their names, whatever the order of the files."""
    return tuple(sorted(attribute_columns(book.attributes), key=lambda column: column.name))


def names_of(attributes: Iterable[Attribute]) -> tuple[str, ...]:
    """Their columns of the customer table."""
    return tuple(attribute.column.name for attribute in attributes)


def choose_attributes(book: OrderBook, customers: pl.DataFrame) -> tuple[Attributes, tuple[str, ...]]:
    """What tells the customers of a table apart, and which attributes do not, with the reason.

    Args:
        book: Whose attributes.
        customers: The customer table at the cutoff of a fit.
    """
    chosen: list[Attribute] = []
    left_out: list[str] = []
    for each in known_columns(book):
        column = typed_column(customers[each.name])
        if isinstance(column, TableColumn):
            chosen.append(Attribute(column, each.of))
        elif each.what == "value":
            left_out.append(f"{each.name} ({column})")
    return tuple(chosen), tuple(left_out)


def attribute_matrix(customers: pl.DataFrame, attributes: Attributes) -> FloatArray:
    """The attributes of customers as a matrix, NaN where nothing is known; a column that is not there is unknown."""
    if not attributes:
        return np.empty((customers.height, 0))
    nothing = pl.repeat(None, customers.height, dtype=pl.Float64, eager=True)
    cells = [customers[name] if name in customers.columns else nothing.alias(name) for name in names_of(attributes)]
    return matrix_of(pl.DataFrame(cells), [attribute.column for attribute in attributes])[0]


def width_of(attributes: Attributes) -> int:
    """Columns of the matrix."""
    return sum(attribute.column.width for attribute in attributes)


def bent(attributes: Attributes) -> list[int]:
    """Where the numbers stand in the matrix: the columns that the regression bends."""
    return numbers_among([attribute.column for attribute in attributes]) if attributes else []


def told_of(attributes: Attributes) -> tuple[str, ...]:
    """The attributes, each once."""
    return tuple(dict.fromkeys(attribute.of for attribute in attributes))


def families_among(attributes: Attributes) -> tuple[str, ...]:
    """What reasons are told of, each once (`Attribute.family`)."""
    return tuple(dict.fromkeys(attribute.family for attribute in attributes))


def groups_among(attributes: Attributes) -> NDArray[np.int64]:
    """For each column of the matrix the place of its family in `families_among`."""
    if not attributes:
        return np.empty(0, dtype=np.int64)
    place = {name: at for at, name in enumerate(families_among(attributes))}
    of = np.array([place[attribute.family] for attribute in attributes])
    return np.asarray(of[groups_of([attribute.column for attribute in attributes])])


def statement_of(family: str, attributes: Attributes, row: Mapping[str, Any], cutoff: date) -> str:
    """What an attribute says of a customer: `plan is basic`, `satisfaction 2 on 2024-03-01 (usual is 8)`.

    Its answers say how often it was stated and how long ago. A value that the model does not tell from other rare ones
    is called so. Empty where it is a number that is as usual.

    Args:
        family: The attribute, or its answers.
        attributes: What the model reads.
        row: The customer.
        cutoff: The cutoff of the row.
    """
    told = next(each for each in attributes if each.family == family)
    value, age = row.get(told.of), row.get(f"{told.of}_age_days")
    if family != told.of:
        return "" if age is None else _answered(told.of, age, row[f"n_{told.of}"])
    column = told.column
    if value is None:
        return f"{column.name} is missing"
    if column.kind == "category" or isinstance(value, str):
        said = column.statement(str(value))
        return said if column.kind == "number" or str(value) in column.levels else f"{said} (rare)"
    if value == column.usual:
        return ""
    if age is None:
        return column.statement(float(value))
    return f"{column.name} {plain(value)} on {cutoff - timedelta(days=age)} (usual is {plain(column.usual)})"


def _answered(name: str, age_days: int, count: int) -> str:
    ago = "1 day ago" if age_days == 1 else f"{age_days:,} days ago"
    return f"{name} stated once, {ago}" if count == 1 else f"{name} stated {count:,} times, last {ago}"


def suspects(book: OrderBook, attributes: Attributes, *, cutoff: date, horizon_days: int) -> dict[str, float]:
    """Undated attributes that alone tell nearly everybody who left within the last horizon, with their AUC.

    That horizon ends where the table was written, if it was written after the fact.

    Args:
        book: Whose attributes.
        attributes: What the model reads.
        cutoff: The end of the last horizon.
        horizon_days: Its length.
    """
    undated = {column.name for column in known_columns(book) if not column.dated}
    asked = tuple(attribute for attribute in attributes if attribute.column.name in undated)
    if not asked:
        return {}
    start = cutoff - timedelta(days=horizon_days)
    churned = outcomes(history(book, cutoff=cutoff), cutoff=start, horizon_days=horizon_days)["churned"]
    y = churned.cast(pl.Float64).to_numpy()
    if len(np.unique(y)) < 2:
        return {}
    customers = snapshot(book, cutoff=start)
    areas = {attribute.of: _alone(attribute_matrix(customers, (attribute,)), attribute, y) for attribute in asked}
    return {name: area for name, area in areas.items() if area > SUSPECT}


def _alone(X: FloatArray, attribute: Attribute, churned: FloatArray) -> float:
    if attribute.column.kind == "category":
        return auc_of_category(np.where(np.isnan(X), -1.0, X), churned)
    return auc_of_number(X[:, 0], churned)


def attributes_of_manifest(manifest: Mapping[str, Any]) -> Attributes:
    """The attributes of a model file, none where it names none.

    Raises:
        ModelFileError: It holds what no model can hold.
    """
    if "attributes" not in manifest:
        return ()
    listed = field_of(manifest, "attributes", list)
    if not 0 < len(listed) <= _MOST:
        raise ModelFileError("the attributes of the model are none, or too many")
    attributes = tuple(Attribute.from_manifest(each) for each in listed)
    if len(set(names_of(attributes))) < len(attributes):
        raise ModelFileError("an attribute of the model is there twice")
    return attributes


def lacking(attributes: Attributes, customers: pl.DataFrame) -> Sequence[str]:
    """The attributes that a customer table does not have."""
    return [name for name in told_of(attributes) if name not in customers.columns]
