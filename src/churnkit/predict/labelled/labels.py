"""The label: which of its values mean churned. What is not plain is asked, never guessed."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import polars as pl

from churnkit.errors import DataError
from churnkit.orders.cells import text_of
from churnkit.orders.names import name_words

_YES_WORDS = "yes y true t 1 1.0 ja oui si sí sim"
_CHURNED_WORDS = (
    "churn churned left leave leaver lost cancelled canceled cancel gone inactive closed exited terminated attrited"
)
_STAYED_WORDS = (
    "no n false f 0 0.0 nein non não stay stayed active retained current open loyal existing alive kept non-churn"
)
_GOOD_NEWS_WORDS = "active retained retention stayed alive renewed renewal loyal current"
_YES: Final = frozenset(_YES_WORDS.split())
_CHURNED: Final = _YES | set(_CHURNED_WORDS.split()) | {"attrited customer", "churned customer", "former customer"}
_STAYED: Final = frozenset(_STAYED_WORDS.split()) | {"not churned", "no churn", "existing customer", "current customer"}
_GOOD_NEWS: Final = frozenset(_GOOD_NEWS_WORDS.split())
_NO_LABEL: Final = ("", "null", "na", "n/a", "nan", "<na>", "#n/a")
_MOST_VALUES, _MOST_SHOWN = 20, 5


@dataclass(frozen=True, slots=True)
class Label:
    """The column that says who churned.

    Attributes:
        column: Its name.
        churned: The values that mean churned.
        stayed: The values that mean stayed.
    """

    column: str
    churned: tuple[str, ...]
    stayed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Labels:
    """A label and what it says of each row.

    Attributes:
        label: Which values mean what.
        churned: Float64: 1 churned, 0 stayed, null where the row has no label.
        note: How it was read, with counts.
    """

    label: Label
    churned: pl.Series
    note: str


def read_labels(cells: pl.Series, churned_value: str | None = None) -> Labels:
    """Read the label column.

    Args:
        cells: The column, of any type.
        churned_value: The value that means churned; found by the words of the values where not given.

    Raises:
        DataError: Only one value, or several of which it is not plain which mean churned.

    Example:
        >>> read_labels(pl.Series("Churn", ["No", "Yes", "No", ""])).churned.to_list()
        [0.0, 1.0, 0.0, None]
    """
    text = text_of(cells)
    text = text.to_frame("v").select(
        pl.when(~pl.col("v").str.to_lowercase().is_in(_NO_LABEL)).then("v").alias(cells.name)
    )[cells.name]
    counts = text.drop_nulls().value_counts(name="rows").sort("rows", cells.name, descending=[True, False])
    values = counts[cells.name].to_list()
    if len(values) < 2:
        only = f"only {values[0]!r}" if values else "nothing"
        raise DataError(
            f"the label {cells.name} holds {only}: there is nobody to tell apart",
            hint="give a table of both who churned and who stayed, or name another column: --label COLUMN",
        )
    if len(values) > _MOST_VALUES:
        raise DataError(
            f"the label {cells.name} holds {len(values):,} values, {_listed(values)}: it is no label",
            hint="name a column of a few values that say who churned: --label COLUMN",
        )
    churned = _value_named(values, churned_value, cells.name) if churned_value else _by_words(values, cells.name)
    label = Label(cells.name, tuple(sorted(churned)), tuple(sorted(set(values) - churned)))
    outcome = text.is_in(sorted(churned)).cast(pl.Float64)
    return Labels(label, outcome, _note(label, dict(counts.iter_rows()), text.null_count()))


def _value_named(values: list[str], wanted: str, column: str) -> set[str]:
    found = {value for value in values if value.casefold() == wanted.strip().casefold()}
    if found:
        return found
    near = get_close_matches(wanted, values, n=1)
    raise DataError(
        f"the label {column} has no value {wanted!r}; it holds {_listed(values)}",
        hint=f"did you mean --label-churned {(near or values)[0]!r}?",
    )


def _by_words(values: list[str], column: str) -> set[str]:
    """The values that mean churned, where words say so of each of exactly two values."""
    said = {value: value.casefold() for value in values}
    churned = {value for value, word in said.items() if word in _CHURNED}
    stayed = {value for value, word in said.items() if word in _STAYED}
    good_news = bool(name_words(column) & _GOOD_NEWS) and any(said[value] in _YES for value in churned)
    if len(values) == 2 and len(churned) == len(stayed) == 1 and not good_news:
        return churned
    why = f"{column} sounds like the opposite of churn" if good_news else "which of them mean churned is not plain"
    if len(values) > 2:
        why = f"{len(values):,} values, where a label has two"
    raise DataError(
        f"the label {column} holds {_listed(values)}: {why}",
        hint="name the value that means churned, all others then mean stayed: --label-churned VALUE",
    )


def _listed(values: list[str]) -> str:
    shown = ", ".join(repr(value[:40]) for value in values[:_MOST_SHOWN])
    return shown + (f" and {len(values) - _MOST_SHOWN:,} more" if len(values) > _MOST_SHOWN else "")


def _note(label: Label, counts: dict[str, int], unlabelled: int) -> str:
    def told(values: tuple[str, ...]) -> str:
        shown = ", ".join(f"{value} ({counts[value]:,})" for value in values[:_MOST_SHOWN])
        return shown + (" and others" if len(values) > _MOST_SHOWN else "")

    note = f"{label.column} says churned: {told(label.churned)}; stayed: {told(label.stayed)} (--label-churned)"
    return note + (f"; without a label: {unlabelled:,}" if unlabelled else "")
