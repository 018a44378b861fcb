"""Schemas are plain: no references, every property required, order kept."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from novum.llm.schema import schema_of


class Part(BaseModel):
    title: str = Field(max_length=9, description="short")
    kind: Literal["a", "b"] = "a"


class Whole(BaseModel):
    reasoning: str
    parts: tuple[Part, ...] = Field(min_length=1, max_length=3)
    best: Part
    score: int = Field(ge=1, le=4)
    note: str | None = None
    name: str = Field(pattern=r"^[a-z]+$")
    loose: str = Field(default="", pattern=r"[a-z]")


class Loop(BaseModel):
    inner: Loop | None = None


def test_references_are_resolved() -> None:
    text = json.dumps(schema_of(Whole))
    assert "$ref" not in text and "$defs" not in text


def test_reasoning_stays_first_and_everything_is_required() -> None:
    schema = schema_of(Whole)
    assert next(iter(schema["properties"])) == "reasoning"
    assert schema["required"] == list(schema["properties"])
    assert schema["properties"]["best"]["required"] == ["title", "kind"]
    assert schema["additionalProperties"] is False


def test_limits_stay() -> None:
    properties = schema_of(Whole)["properties"]
    assert properties["score"] == {"type": "integer", "minimum": 1, "maximum": 4}
    assert (properties["parts"]["minItems"], properties["parts"]["maxItems"]) == (1, 3)
    assert properties["parts"]["items"]["properties"]["title"]["maxLength"] == 9


def test_a_field_may_be_called_title() -> None:
    assert schema_of(Part)["properties"]["title"] == {
        "type": "string",
        "maxLength": 9,
        "description": "short",
    }


def test_only_anchored_patterns_are_sent() -> None:
    properties = schema_of(Whole)["properties"]
    assert properties["name"]["pattern"] == "^[a-z]+$"
    assert "pattern" not in properties["loose"]


def test_a_type_that_holds_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="Loop"):
        schema_of(Loop)
