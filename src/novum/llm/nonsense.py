"""A model of random replies: a study must end with it all the same, and say that it was assembled from defaults.

Half of its replies to a schema fit it, with random words and numbers; the others are cut off, of the wrong
type, plain words, or empty.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel

_NOUNS = (
    "amber",
    "basin",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbor",
    "inlet",
    "kelp",
    "lagoon",
    "quartz",
)
_WORDS = (*_NOUNS, "is", "was", "of", "the", "and", "7", "0.31", "-4", "42%")


def random_model(seed: int) -> ScriptedModel:
    """Deterministic for a seed and a request."""

    def reply(request: Request) -> str:
        return _reply(random.Random(f"{seed} {request.hash}"), request)

    capabilities = Capabilities(json_schema=True, grammar=True, small=True)
    return ScriptedModel(f"random:{seed}", reply, capabilities=capabilities)


def _reply(rng: random.Random, request: Request) -> str:
    if request.json_schema is None:
        return rng.choice((_words, _paragraphs, _code, _empty))(rng)
    text = json.dumps(_value(rng, request.json_schema))
    spoilt = [text[: len(text) // 2], json.dumps(rng.random()), _words(rng), ""]
    return text if rng.random() < 0.5 else rng.choice(spoilt)


def _words(rng: random.Random, most: int = 40) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(1, max(1, most))))


def _paragraphs(rng: random.Random) -> str:
    return "\n\n".join(_words(rng, 80).capitalize() + "." for _ in range(rng.randint(1, 4)))


def _code(rng: random.Random) -> str:
    return f"```python\ndef {rng.choice(_NOUNS)}({rng.choice(_NOUNS)}):\n    return {_words(rng, 5)}\n```"


def _empty(rng: random.Random) -> str:
    return " " * rng.randint(0, 3)


def _value(rng: random.Random, schema: dict[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "anyOf" in schema:
        return _value(rng, rng.choice(schema["anyOf"]))
    make = _MAKERS.get(schema.get("type", "string"))
    return make(rng, schema) if make else None


def _string(rng: random.Random, schema: dict[str, Any]) -> str:
    if "pattern" in schema:
        return rng.choice(_NOUNS)
    return _words(rng, 12)[: schema.get("maxLength", 400)].ljust(schema.get("minLength", 0), "x")


def _integer(rng: random.Random, schema: dict[str, Any]) -> int:
    low = int(schema.get("minimum", schema.get("exclusiveMinimum", -10)))
    return rng.randint(low, max(low, int(schema.get("maximum", low + 20))))


def _number(rng: random.Random, schema: dict[str, Any]) -> float:
    low = float(schema.get("minimum", schema.get("exclusiveMinimum", -10.0)))
    return rng.uniform(low, max(low, float(schema.get("maximum", low + 20.0))))


def _array(rng: random.Random, schema: dict[str, Any]) -> list[Any]:
    least = int(schema.get("minItems", 0))
    most = min(int(schema.get("maxItems", least + 3)), least + 5)
    return [_value(rng, schema.get("items", {})) for _ in range(rng.randint(least, max(least, most)))]


def _object(rng: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(rng, field) for name, field in schema.get("properties", {}).items()}


_MAKERS: dict[str, Callable[[random.Random, dict[str, Any]], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda rng, _: rng.random() < 0.5,
    "array": _array,
    "object": _object,
}
