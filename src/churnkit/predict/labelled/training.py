"""Training on a labelled table, and the honest figures: every customer judged by a model that had not seen them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.errors import MissingColumnError, ShortHistoryError
from churnkit.evaluate.baselines import fit_plain_logistic
from churnkit.evaluate.metrics import auc, brier, calibration_error, log_loss
from churnkit.models.folds import stratified_folds
from churnkit.models.learned_blend import LearnedBlend, fit_learned_blend
from churnkit.orders.cells import words_of
from churnkit.predict.columns import TableColumn, choose_columns, matrix_of, numbers_among
from churnkit.predict.guards import sentences
from churnkit.predict.labelled.labels import Labels
from churnkit.predict.labelled.model import BASE_RATE, BLEND, LabelledModel, Prediction, column_pushes
from churnkit.predict.labelled.table import CustomerTable
from churnkit.predict.provenance import versions
from churnkit.predict.suspects import auc_of_category, auc_of_number
from churnkit.terms import percent

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Progress: TypeAlias = Callable[[str], None]

FEWEST_ROWS, FEWEST_OF_A_KIND = 50, 10
_FOLDS, _FOLDS_OF_MANY, _MANY = 10, 5, 20_000
_SUSPECT = 0.99  # AUC of a column alone
_MOST_SUSPECTS = 5


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what the models of its cross-validation say of the table it learned from.

    Attributes:
        model: Fitted to all rows with a label.
        unseen: For each row of the table what a model says that had not seen this row.
    """

    model: LabelledModel
    unseen: Prediction


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows with a label, sorted by what is in them, so that their order in the file changes nothing."""

    X: FloatArray
    y: FloatArray
    place: IntArray  # in the table
    splines: list[int]


def train_labelled(
    table: CustomerTable,
    *,
    decimal: str | None = None,
    folds: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Trained:
    """Train on a table whose label says who churned, and judge it by stratified cross-validation.

    Within each fold, the members are weighed and calibrated on folds of the training
    part alone. One model fitted to all rows is kept.

    Args:
        table: A table with labels (`customer_table`).
        decimal: The decimal sign of numbers in text.
        folds: Of the cross-validation; ten where not given, five from 20,000 rows up.
        seed: Of the folds and fits.
        jobs: Folds that are fitted at the same time; the result does not depend on it.
        progress: Called with the name of each phase as it begins.

    Raises:
        ShortHistoryError: Too few rows, or too few of an outcome: nothing can be told.
        DataError: No column is left to learn from.
    """
    if table.labels is None:
        raise MissingColumnError("a label is needed to train", hint="name the column: --label COLUMN")
    say = progress or _say_nothing
    labelled = table.labels.churned.is_not_null()
    _check_enough(table.labels)
    chosen = choose_columns(table.cells.filter(labelled), decimal)
    X, noticed = matrix_of(table.cells, chosen.columns, decimal)
    rows = _sorted(X, table, chosen.columns)
    say("learning")
    blend = fit_learned_blend(rows.X, rows.y, spline_columns=rows.splines, seed=seed)
    say("cross-validating")
    probability, pushes = blend.probability(X), column_pushes(blend, X, chosen.columns)
    folds = folds or (_FOLDS if len(rows.y) < _MANY else _FOLDS_OF_MANY)
    plain = np.zeros(len(rows.y))
    fold = stratified_folds(rows.y, folds, seed=seed)
    for held_out, unseen, peer in _fitted_folds(rows, fold, seed, jobs):
        here = fold == held_out
        probability[rows.place[here]] = unseen.probability(rows.X[here])
        pushes[rows.place[here]] = column_pushes(unseen, rows.X[here], chosen.columns)
        plain[here] = peer
    figures = _figures(rows.y, probability[rows.place], plain, folds)
    base_rate = float(rows.y.mean())
    has_signal = figures["has_signal"]
    if not has_signal:
        probability, pushes = np.full(len(X), base_rate), np.zeros_like(pushes)
    notes = (
        *chosen.notes,
        *_suspects(table.cells.filter(labelled), chosen.columns, table.labels.churned.drop_nulls()),
        *_told(figures),
    )
    model = LabelledModel(
        kind=BLEND if has_signal else BASE_RATE,
        label=table.labels.label,
        id_column=table.id_column,
        columns=chosen.columns,
        base_rate=base_rate,
        blend=blend,
        figures=figures,
        training={"customers": len(rows.y), "churned": int(rows.y.sum()), "columns": len(chosen.columns)},
        fingerprint=_fingerprint(rows, chosen.columns),
        versions=versions(),
        seed=seed,
    )
    model = replace(model, notes=(*sentences(model.guards), *table.notes, *notes))
    return Trained(model, Prediction(chosen.columns, probability, pushes, noticed))


def _check_enough(labels: Labels) -> None:
    known, churned = labels.churned.count(), int(labels.churned.sum())
    if known < FEWEST_ROWS or min(churned, known - churned) < FEWEST_OF_A_KIND:
        raise ShortHistoryError(
            f"cannot tell yet: {known:,} customers with a label, {churned:,} of them churned; at least {FEWEST_ROWS} "
            f"are needed, and {FEWEST_OF_A_KIND} of each outcome",
            hint="take a larger table",
        )


def _sorted(X: FloatArray, table: CustomerTable, columns: tuple[TableColumn, ...]) -> _Rows:
    """Twins, alike in all columns and the label, are told apart by their id."""
    assert table.labels is not None
    content = pl.DataFrame(X, schema=[f"x{place}" for place in range(X.shape[1])])
    rows = content.with_columns(
        y=table.labels.churned, id=table.customer_ids, place=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    place = rows.filter(pl.col("y").is_not_null()).sort(pl.all())["place"].to_numpy()
    y = table.labels.churned.to_numpy()[place]
    return _Rows(np.asfortranarray(X[place]), y, place, numbers_among(columns))


def _fitted_folds(rows: _Rows, fold: IntArray, seed: int, jobs: int) -> list[tuple[int, LearnedBlend, FloatArray]]:
    from joblib import Parallel, delayed

    def fitted(held_out: int) -> tuple[int, LearnedBlend, FloatArray]:
        seen = fold != held_out
        X, y = np.asfortranarray(rows.X[seen]), rows.y[seen]
        plain = fit_plain_logistic(X, y)(rows.X[~seen])
        return held_out, fit_learned_blend(X, y, spline_columns=rows.splines, seed=seed), plain

    results: list[tuple[int, LearnedBlend, FloatArray]] = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(fitted)(held_out) for held_out in range(int(fold.max()) + 1)
    )
    return results


def _figures(y: FloatArray, p: FloatArray, plain: FloatArray, folds: int) -> dict[str, Any]:
    base_rate = float(y.mean())
    base_loss = log_loss(y, np.full(len(y), base_rate))
    return {
        "folds": folds,
        "customers": len(y),
        "base_rate": base_rate,
        "auc": auc(y, p),
        "log_loss": log_loss(y, p),
        "brier": brier(y, p),
        "calibration_error": calibration_error(y, p),
        "base_rate_log_loss": base_loss,
        "one_hot_logistic": {
            "auc": round(auc(y, plain), 6),  # its last bits depend on the machine
            "log_loss": round(log_loss(y, plain), 6),
            "brier": round(brier(y, plain), 6),
        },
        "has_signal": log_loss(y, p) < base_loss,
    }


def _told(figures: dict[str, Any]) -> tuple[str, ...]:
    plain = figures["one_hot_logistic"]
    judged = (
        f"Judged by {figures['folds']}-fold cross-validation, each of {figures['customers']:,} customers by a model "
        f"that had not seen them: {percent(figures['base_rate'])} churned; AUC {figures['auc']:.3f}, log loss "
        f"{figures['log_loss']:.3f}, Brier {figures['brier']:.3f}, calibration error "
        f"{figures['calibration_error']:.3f}. The base rate alone: log loss {figures['base_rate_log_loss']:.3f}; "
        f"one-hot logistic regression: AUC {plain['auc']:.3f}, log loss {plain['log_loss']:.3f}."
    )
    no_time = (
        "The table says nothing of when: the probability is that of the label among customers like these, not of a "
        "churn within so many days, and a column that was written after the churn counts as known."
    )
    return judged, no_time


def _suspects(cells: pl.DataFrame, columns: tuple[TableColumn, ...], churned: pl.Series) -> tuple[str, ...]:
    """Columns that alone tell nearly all who churned from those who stayed."""
    y = churned.to_numpy()
    found = {column.name: round(area, 3) for column in columns if (area := _alone(cells, column, y)) > _SUSPECT}
    if not found:
        return ()
    named = ", ".join(f"{name} (AUC {area:.3f})" for name, area in list(found.items())[:_MOST_SUSPECTS])
    more = f" and {len(found) - _MOST_SUSPECTS} more" if len(found) > _MOST_SUSPECTS else ""
    return (
        f"Warning: {named}{more} alone tells who churned: was it written after the churn? Then every figure here is "
        f"too good; leave it out with --ignore {','.join(list(found)[:_MOST_SUSPECTS])}",
    )


def _alone(cells: pl.DataFrame, column: TableColumn, y: FloatArray) -> float:
    """AUC of one column, either way round; a missing value counts as a value, and a category as its rate."""
    if column.kind == "category":
        return auc_of_category(words_of(cells[column.name]).fill_null("").to_numpy().astype(str), y)
    return auc_of_number(matrix_of(cells, [column])[0][:, 0], y)


def _fingerprint(rows: _Rows, columns: tuple[TableColumn, ...]) -> dict[str, Any]:
    """Tells whether two models saw the same table. It says nothing of any one customer."""
    digest = hashlib.sha256(repr([(column.name, column.kind, column.levels) for column in columns]).encode())
    digest.update(np.ascontiguousarray(rows.X).astype("<f8").tobytes())
    digest.update(rows.y.astype("<f8").tobytes())
    return {"customers": len(rows.y), "churned": int(rows.y.sum()), "sha256": digest.hexdigest()}


def _say_nothing(_: str) -> None:
    pass
