"""Scripted and random models: fakes that ship with novum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from novum.errors import AnswerError, ModelError, UsageError
from novum.llm import Message, Request
from novum.llm.nonsense import random_model
from novum.llm.scripted import from_file, from_replies
from novum.llm.structured import ask


def request(step: str = "a/b", text: str = "12345678", **fields: object) -> Request:
    return Request.model_validate({"step": step, "messages": (Message.of("user", text),), **fields})


def test_the_first_matching_pattern_counts() -> None:
    model = from_replies({"write/*": "one", "*": "two"})
    assert model.complete(request("write/abstract")).text == "one"
    assert model.complete(request("plan")).text == "two"


def test_a_list_is_given_in_order_and_its_last_repeats() -> None:
    model = from_replies({"*": ["one", {"two": 2}]})
    assert [model.complete(request()).text for _ in range(3)] == ["one", '{"two": 2}', '{"two": 2}']


def test_a_step_without_a_reply_is_an_error_that_names_it() -> None:
    with pytest.raises(ModelError, match="'plan/x'"):
        from_replies({"write/*": "one"}).complete(request("plan/x"))


def test_usage_is_counted_so_that_budgets_can_be_tested() -> None:
    reply = from_replies({}, "x" * 40, dollars_per_million_tokens=1e6).complete(request(text="y" * 400))
    assert (reply.usage.prompt_tokens, reply.usage.output_tokens, reply.usage.dollars) == (100, 10, 110)


def test_max_tokens_cuts() -> None:
    reply = from_replies({}, "x" * 100).complete(request(max_tokens=3))
    assert reply.text == "x" * 12 and reply.finish == "length" and reply.usage.output_tokens == 3


def test_a_json_file(tmp_path: Path) -> None:
    script = {"replies": {"a*": {"n": 1}}, "default": "d", "capabilities": {"small": True}}
    path = tmp_path / "s.json"
    path.write_text(json.dumps(script))
    model = from_file(path)
    assert model.complete(request()).text == '{"n": 1}' and model.complete(request("z")).text == "d"
    assert model.capabilities.small and model.name == f"scripted:{path}"


def test_a_python_file(tmp_path: Path) -> None:
    path = tmp_path / "s.py"
    path.write_text(
        "capabilities = {'prefill': True}\ndef reply(request):\n    return request.step.upper()\n"
    )
    model = from_file(path)
    assert model.complete(request()).text == "A/B" and model.capabilities.prefill


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", '{"reply": {}}'),
        ("a.py", "x = 1"),
        ("a.json", '{"replies": [1]}'),
        ("a.py", "def broken(:"),
        ("a.py", "import no_such_module"),
        ("a.py", "raise SystemExit(3)"),
        ("a.py", "def reply(request): return ''\ncapabilities = {'typo': 1}"),
        ("a.py", "def reply(request): return ''\ncapabilities = 3"),
    ],
)
def test_a_script_that_is_not_one_is_a_usage_error(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UsageError, match=name):
        from_file(path)
    with pytest.raises(UsageError, match="no script"):
        from_file(tmp_path / "missing.json")


class Plan(BaseModel):
    reasoning: str = Field(max_length=60)
    choice: Literal["a", "b"]
    runs: tuple[int, ...] = Field(min_length=1, max_length=3)
    weight: float = Field(ge=0, le=1)
    note: str | None


def test_random_replies_are_sometimes_valid_and_sometimes_not() -> None:
    model = random_model(1)
    outcomes = []
    for number in range(40):
        try:
            ask(model, request(f"step/{number}", text=f"q{number}"), Plan, retries=0)
            outcomes.append(True)
        except AnswerError:
            outcomes.append(False)
    assert 5 < sum(outcomes) < 35


def test_random_replies_repeat_for_a_seed_and_a_request() -> None:
    def texts(seed: int) -> list[str]:
        model = random_model(seed)
        return [model.complete(request(text=f"q{n}")).text for n in range(10)]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)
