"""The JSON Schema of what a command answers, made from its terms."""

from collections.abc import Sequence
from typing import Any

from churnkit.output.document import Shape
from churnkit.terms import Kind, Term

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[Kind, dict[str, Any]] = {
    "id": {"type": "string"},
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "days": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "money": {"type": "number"},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "share": {"type": "number"},
    "number": {"type": "number"},
    "figure": {"type": "number"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
    "objects": {"type": "array", "items": {"type": "object"}},
}


def json_schema(shape: Shape, version: str) -> dict[str, Any]:
    """The schema of the one JSON document that a command prints with `--format json`.

    Keys are only ever added within a schema number, so a reader ignores those that it does not know.

    Args:
        shape: What the command promised.
        version: Version of churnkit.

    Example:
        >>> from churnkit.terms import SCORE
        >>> schema = json_schema(Shape(command="score", rows=SCORE), "0.1.0")
        >>> schema["title"], schema["properties"]["rows"]["items"]["properties"]["rank"]["type"]
        ('churnkit/score/1', 'integer')
    """
    properties: dict[str, Any] = {
        "schema": {"const": shape.schema, "description": "Name and number of this schema."},
        "churnkit": {"type": "string", "description": "Version of churnkit that wrote the document."},
        **{term.name: _property(term) for term in shape.head},
        "summary": _object(shape.summary) | {"description": "The figures of the whole."},
        "notes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What was assumed, repaired or left out, as sentences.",
        },
    }
    if shape.rows:
        properties[shape.rows_key] = {"type": "array", "items": _object(shape.rows), "description": "The rows."}
    return {
        "$schema": DIALECT,
        "title": shape.schema,
        "description": f"Output of `churnkit {shape.command} --format json`, churnkit {version}.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _object(terms: Sequence[Term]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {term.name: _property(term) for term in terms},
        "required": [term.name for term in terms],
    }


def _property(term: Term) -> dict[str, Any]:
    described = dict(_TYPES[term.kind])
    if term.of:
        described = {"type": "array", "items": _object(term.of)} if term.kind == "objects" else _object(term.of)
    if term.nullable:
        described["type"] = [described["type"], "null"]
    return described | {"description": term.meaning}
