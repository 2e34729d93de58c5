"""The fields of a model file's manifest, each checked on the way in."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from churnkit.errors import ModelFileError

_Value = TypeVar("_Value")


def field_of(manifest: Mapping[str, Any], name: str, kind: type[_Value]) -> _Value:
    """A field of exactly this kind.

    Raises:
        ModelFileError: It is missing or of another kind.
    """
    value = manifest.get(name)
    if type(value) is not kind:
        raise ModelFileError(f"{name} of the model is missing or of the wrong kind")
    return value


def texts_of(manifest: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts."""
    values = field_of(manifest, name, list)
    if not all(isinstance(value, str) for value in values):
        raise ModelFileError(f"{name} of the model is not a list of texts")
    return tuple(values)


def number_of(manifest: Mapping[str, Any], name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within bounds."""
    value = manifest.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelFileError(f"{name} of the model is not a number")
    if not low <= value <= high:
        raise ModelFileError(f"{name} of the model is not a number from {low:g} to {high:g}")
    return float(value)
