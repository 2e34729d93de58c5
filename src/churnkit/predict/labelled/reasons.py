"""Reasons for a labelled row: at most three columns, in the customer's own values."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.orders.cells import numbers_of, words_of
from churnkit.predict.columns import TableColumn
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
    return [[column.statement(value) for value in _values(cells[column.name], column, decimal)] for column in columns]


def _values(cells: pl.Series, column: TableColumn, decimal: str | None) -> pl.Series:
    if column.kind == "category":
        return words_of(cells)
    return pl.Series(numbers_of(cells, decimal)).fill_nan(None)


def _strongest(push: NDArray[np.float64]) -> list[int]:
    strength = push if push.sum() >= 0 else -push
    least = max(LEAST_PUSH, LEAST_SHARE * strength.max())
    order = np.argsort(-strength, kind="stable")[:MOST_REASONS]
    return [int(place) for place in order if strength[place] >= least]
