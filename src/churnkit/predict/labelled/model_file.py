"""The file of a labelled model: the same container as that of a model of orders, with a label in its manifest."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from churnkit.errors import ModelFileError
from churnkit.models.container import write_container
from churnkit.models.learned_blend import LearnedBlend
from churnkit.predict.columns import TableColumn
from churnkit.predict.labelled.labels import Label
from churnkit.predict.labelled.model import BASE_RATE, BLEND, LabelledModel
from churnkit.predict.manifest import field_of, number_of, texts_of

MARK = "label"  # the key of the manifest that a model of orders does not have
_FACTS = ("figures", "training", "fingerprint", "versions")
_MOST_LOG_ODDS, _MOST_SLOPE = 50.0, 20.0
_MOST_COLUMNS = 5_000


def labelled_bytes(model: LabelledModel) -> bytes:
    """The bytes of a model file; the same model gives the same bytes."""
    manifest: dict[str, Any] = {
        "kind": model.kind,
        MARK: {
            "column": model.label.column,
            "churned": list(model.label.churned),
            "stayed": list(model.label.stayed),
        },
        "id_column": model.id_column or "",
        "columns": [column.to_manifest() for column in model.columns],
        "base_rate": model.base_rate,
        "trees_weight": model.blend.trees_weight,
        "slope": model.blend.slope,
        "shift": model.blend.shift,
        "notes": list(model.notes),
        "seed": model.seed,
        **{name: getattr(model, name) for name in _FACTS},
    }
    return write_container(manifest, model.blend.to_arrays())


def labelled_model_of(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LabelledModel:
    """The model of a container, every field checked.

    Raises:
        ModelFileError: It holds what no labelled model can hold.
    """
    kind = field_of(manifest, "kind", str)
    if kind not in (BLEND, BASE_RATE):
        raise ModelFileError(f"the model is of the unknown kind {kind!r}", hint="upgrade churnkit")
    label = field_of(manifest, MARK, dict)
    columns = _columns_of(manifest)
    return LabelledModel(
        kind=kind,  # type: ignore[arg-type]  # checked above
        label=Label(field_of(label, "column", str), texts_of(label, "churned"), texts_of(label, "stayed")),
        id_column=field_of(manifest, "id_column", str) or None,
        columns=columns,
        base_rate=number_of(manifest, "base_rate", 0.0, 1.0),
        blend=LearnedBlend.from_arrays(
            arrays,
            sum(column.width for column in columns),
            trees_weight=number_of(manifest, "trees_weight", 0.0, 1.0),
            slope=number_of(manifest, "slope", 0.0, _MOST_SLOPE),
            shift=number_of(manifest, "shift", -_MOST_LOG_ODDS, _MOST_LOG_ODDS),
        ),
        notes=texts_of(manifest, "notes"),
        seed=int(number_of(manifest, "seed", 0, 2**32 - 1)),
        **{name: field_of(manifest, name, dict) for name in _FACTS},
    )


def _columns_of(manifest: Mapping[str, Any]) -> tuple[TableColumn, ...]:
    listed = field_of(manifest, "columns", list)
    if not 0 < len(listed) <= _MOST_COLUMNS:
        raise ModelFileError("the columns of the model are none, or too many")
    columns = tuple(TableColumn.from_manifest(each) for each in listed)
    if len({column.name for column in columns}) < len(columns):
        raise ModelFileError("a column of the model is there twice")
    return columns
