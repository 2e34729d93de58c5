"""What a model of labelled churn is: numbers, the values of categories, and what is known about them. No customer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.models.learned_blend import LearnedBlend
from churnkit.predict.columns import TableColumn, groups_of, matrix_of
from churnkit.predict.guards import NAMES
from churnkit.predict.labelled.labels import Label
from churnkit.terms import percent

FloatArray: TypeAlias = NDArray[np.float64]

LabelledKind = Literal["labelled", "labelled-base-rate"]
BLEND, BASE_RATE = get_args(LabelledKind)


@dataclass(frozen=True, slots=True)
class LabelledModel:
    """A model of P(churned by the label), ready to score.

    Attributes:
        kind: `labelled`; `labelled-base-rate` where nothing told customers apart, so that everybody gets the base rate.
        label: The column that said who churned, and its values.
        id_column: The column of ids; None where there was none.
        columns: What the model reads, by name.
        base_rate: Share of the training rows that churned.
        blend: The members.
        figures: The result of the cross-validation.
        notes: What was assumed and noticed in training.
        training: Rows that were learned from.
        fingerprint: Counts and a digest of the training table, without its ids.
        versions: Versions of churnkit and the libraries that made it.
        seed: The seed of the folds and fits.
    """

    kind: LabelledKind
    label: Label
    id_column: str | None
    columns: tuple[TableColumn, ...]
    base_rate: float
    blend: LearnedBlend
    figures: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    fingerprint: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def guards(self) -> dict[str, str | None]:
        """What to know before believing it, under the names that a model of orders has, too."""
        no_signal = (
            "No signal: the columns told customers no better apart than the base rate; everybody gets "
            f"{percent(self.base_rate)}."
        )
        return dict.fromkeys(NAMES) | {"no_signal": no_signal if self.kind == BASE_RATE else None}

    def card(self) -> dict[str, Any]:
        """What is to be known about the model, as plain JSON values, with the keys that a model of orders has too."""
        weight = self.blend.trees_weight
        return {
            "kind": self.kind,
            "cutoff": None,
            "horizon_days": None,
            "activity_window_days": None,
            "base_rate": self.base_rate,
            "has_amounts": None,
            "members": {"boosted_trees": weight, "logistic_regression": 1.0 - weight} if self.kind == BLEND else {},
            "buy_till_you_die": None,
            "season": None,
            "valuation": None,
            "spread": None,
            "guards": self.guards,
            "features": [column.name for column in self.columns],
            "seed": self.seed,
            "figures": self.figures,
            "training": self.training,
            "fingerprint": self.fingerprint,
            "versions": self.versions,
            "label": {
                "column": self.label.column,
                "churned": list(self.label.churned),
                "stayed": list(self.label.stayed),
            },
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model, or the models of a cross-validation, say of each row of a table.

    Attributes:
        columns: What they read.
        probability: P(churned).
        pushes: Log odds that each column adds (`column_pushes`): (rows, columns).
        notes: What was noticed in the table.
    """

    columns: tuple[TableColumn, ...]
    probability: FloatArray
    pushes: FloatArray
    notes: tuple[str, ...] = ()


def predict(model: LabelledModel, cells: pl.DataFrame, decimal: str | None = None) -> Prediction:
    """Score the rows of a table.

    Args:
        model: A trained model.
        cells: A table with the columns of the model, whatever else it holds.
        decimal: The decimal sign of numbers in text.

    Raises:
        MissingColumnError: A column of the model is missing.
    """
    X, notes = matrix_of(cells, model.columns, decimal)
    if model.kind == BASE_RATE:
        return Prediction(
            model.columns, np.full(len(X), model.base_rate), np.zeros((len(X), len(model.columns))), notes
        )
    return Prediction(model.columns, model.blend.probability(X), column_pushes(model.blend, X, model.columns), notes)


def column_pushes(blend: LearnedBlend, X: FloatArray, columns: Sequence[TableColumn]) -> FloatArray:
    """Log odds that each column of the table adds: a number against its usual value, a category against the average.

    Against the average alone, a number on the safe side of the usual one could be told as a reason to worry: a few
    customers at great risk move the average far from what is usual.
    """
    groups, numbers = groups_of(columns), np.array([column.kind == "number" for column in columns])
    usual = np.array([column.usual if column.kind == "number" else np.nan for column in columns])[groups]
    at_usual = blend.contributions(usual[None, :], groups, len(columns))[0]
    return blend.contributions(X, groups, len(columns)) - np.where(numbers, at_usual, 0.0)
