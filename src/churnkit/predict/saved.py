"""A model file of either kind: of orders, or of a labelled table. The manifest tells which."""

from os import PathLike
from typing import Any, TypeAlias

from churnkit.models.container import FORMAT_VERSION, read_container
from churnkit.predict import model_file as order_file
from churnkit.predict.labelled.model import LabelledModel
from churnkit.predict.labelled.model_file import MARK, labelled_bytes, labelled_model_of
from churnkit.predict.model import ChurnModel

AnyModel: TypeAlias = ChurnModel | LabelledModel


def load_model(source: bytes | str | PathLike[str]) -> AnyModel:
    """Open a model file. Nothing in it is run, and nothing in it is trusted: every field is checked.

    Args:
        source: The path of the file, or its bytes.

    Returns:
        A `ChurnModel` of orders, or a `LabelledModel` of a table with a label.

    Raises:
        InputNotFoundError: There is no such file.
        ModelFileError: It is not a model of ours, damaged, of a newer format, or holds what no model can hold.
    """
    manifest, arrays = read_container(source)
    if MARK in manifest:
        return labelled_model_of(manifest, arrays)
    return order_file.model_of(manifest, arrays)


def model_bytes(model: AnyModel) -> bytes:
    """The bytes of a model file; the same model gives the same bytes."""
    return labelled_bytes(model) if isinstance(model, LabelledModel) else order_file.model_bytes(model)


def model_card(model: AnyModel) -> dict[str, Any]:
    """What is to be known about a model, as plain JSON values: no array, no customer."""
    if isinstance(model, LabelledModel):
        return {"format_version": FORMAT_VERSION, **model.card()}
    return {**order_file.model_card(model), "label": None}
