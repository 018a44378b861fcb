"""JSON in what models write: each case was seen to break a parser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.llm.extract import json_values, repaired_value

VALUE = {"name": "a", "list": [1, {"deep": [2, 3]}]}
TEXT = json.dumps(VALUE)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"```JSON\n{TEXT}\n```",
        f"```\n{TEXT}\n```",
        f"Sure! Here is the idea:\n\n{TEXT}\n\nI hope it helps.",
        f"THOUGHT: sets {{a, b}} and [1] matter.\n{TEXT}",
        f"{TEXT}\n```",
        '{"name": "a", "list": [1, {"deep": [2, 3,]},],}',
        json.dumps(VALUE, indent=4),
    ],
)
def test_the_value_is_found(text: str) -> None:
    assert json_values(text)[0] == VALUE


def test_a_fence_inside_a_string_does_no_harm() -> None:
    value = {"code": "```python\nprint('{')\n```", "n": 1}
    assert json_values(f"```json\n{json.dumps(value)}\n```") == [value]


def test_a_raw_line_break_in_a_string_is_kept() -> None:
    assert json_values('{"a": "one\ntwo"}') == [{"a": "one\ntwo"}]


def test_a_comma_before_a_bracket_inside_a_string_stays() -> None:
    assert json_values('{"a": "x,]", "b": [1,],}') == [{"a": "x,]", "b": [1]}]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_not_json(constant: str) -> None:
    assert {"a": constant} not in json_values(f'{{"a": {constant}}}')
    assert json_values(f'{{"a": {constant}}}') == []


def test_the_longest_value_comes_first() -> None:
    assert json_values(f'For example {{"x": 1}}. Now: {TEXT}')[0] == VALUE


def test_deep_nesting_does_not_overflow_the_stack() -> None:
    assert json_values("[" * 100_000) == []


def test_repair_is_for_what_nothing_else_reads() -> None:
    broken = "Answer: {name: 'a', \"n\": 1"
    assert json_values(broken) == []
    assert repaired_value(broken) == {"name": "a", "n": 1}
    assert repaired_value("no value here") is None


json_objects = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)
plain_prose = st.text(st.characters(blacklist_characters="{}[]"), max_size=60)


@given(json_objects, plain_prose, plain_prose)
def test_prose_around_never_hides_a_value(value: dict[str, Any], before: str, after: str) -> None:
    assert json_values(f"{before}\n{json.dumps(value)}\n{after}") == [value]


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    json_values(text)
    repaired_value(text)
