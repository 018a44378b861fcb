"""JSON schemas of pydantic types, plain enough for every decoder: no references, every property required."""

from __future__ import annotations

import re
from typing import Any

from pydantic import TypeAdapter

# What a decoder does not need; `description` stays, for models that read it.
_DROPPED = frozenset({"title", "default", "examples", "$defs"})
_ANCHORED = re.compile(r"\^(?!.*\(\?).*\$", re.DOTALL)


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of a pydantic type. Properties keep their order, so a `reasoning` field that is declared first
    is written first. Limits (length, range, pattern) stay; validation repeats them afterwards.

    Raises:
        ValueError: the type refers to itself.
    """
    schema = TypeAdapter(kind).json_schema()
    simple = _simplify(schema, schema.get("$defs", {}), ())
    assert isinstance(simple, dict)
    return simple


def _simplify(node: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_simplify(item, definitions, inside) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolved(node, definitions, inside)
    if len(node.get("allOf", ())) == 1:
        merged = {**node, **node["allOf"][0]}
        return _simplify({key: value for key, value in merged.items() if key != "allOf"}, definitions, inside)
    simple = {
        key: _value(key, value, definitions, inside) for key, value in node.items() if key not in _DROPPED
    }
    if not _ANCHORED.fullmatch(simple.get("pattern", "^$")):
        del simple["pattern"]  # decoders take anchored patterns without look-around only
    if "properties" in simple:
        simple["required"] = list(simple["properties"])
        simple["additionalProperties"] = False
    return simple


def _value(key: str, value: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if key == "properties":  # its keys are names of fields, which may be called `title`
        return {name: _simplify(field, definitions, inside) for name, field in value.items()}
    if key in ("enum", "const", "required"):
        return value
    return _simplify(value, definitions, inside)


def _resolved(node: dict[str, Any], definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    name = node["$ref"].rpartition("/")[2]
    if name in inside:
        raise ValueError(f"the type {name} refers to itself; a reply cannot be of it")
    own = {key: value for key, value in node.items() if key != "$ref"}
    return _simplify({**definitions[name], **own}, definitions, (*inside, name))
