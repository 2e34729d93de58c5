"""Reasons for a labelled row: at most three columns, in the customer's own values."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.predict.labelled.columns import TableColumn, numbers_of, words_of
from churnkit.predict.labelled.model import Prediction
from churnkit.predict.reasons import LEAST_PUSH, LEAST_SHARE, MOST_REASONS


def table_reasons(cells: pl.DataFrame, prediction: Prediction, decimal: str | None = None) -> list[list[str]]:
    """At most three reasons for each row of a table, the strongest first.

    Of a customer at more risk than usual the columns are told that push the churn probability up, of any other those
    that push it down.

    Args:
        cells: The table.
        prediction: What was predicted for it.
        decimal: The decimal sign of numbers in text.
    """
    said = statements(cells, prediction.columns, decimal)
    return [[said[place][row] for place in _strongest(push)] for row, push in enumerate(np.asarray(prediction.pushes))]


def statements(cells: pl.DataFrame, columns: Sequence[TableColumn], decimal: str | None = None) -> list[list[str]]:
    """What each column says, by column and row: `Contract is Month-to-month`, `tenure 2 (usual is 29)`."""
    told: list[list[str]] = []
    for column in columns:
        if column.kind == "category":
            values = words_of(cells[column.name]).to_list()
            told.append([f"{column.name} is {'missing' if value is None else value}" for value in values])
        else:
            usual = f"(usual is {_plain(column.usual)})"
            told.append(
                [
                    f"{column.name} is missing" if np.isnan(value) else f"{column.name} {_plain(value)} {usual}"
                    for value in numbers_of(cells[column.name], decimal)
                ]
            )
    return told


def _strongest(push: NDArray[np.float64]) -> list[int]:
    strength = push if push.sum() >= 0 else -push
    least = max(LEAST_PUSH, LEAST_SHARE * strength.max())
    order = np.argsort(-strength, kind="stable")[:MOST_REASONS]
    return [int(place) for place in order if strength[place] >= least]


def _plain(value: float) -> str:
    """A number as a person writes it.

    Example:
        >>> [_plain(value) for value in (2.0, 1397.5, 53.85, 0.0042, -12.5)]
        ['2', '1,397.5', '53.85', '0.0042', '-12.5']
    """
    if value and abs(value) < 0.1:
        return f"{value:.3g}"
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")
