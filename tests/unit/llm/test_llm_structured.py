"""Asking for a type: validation errors go back to the model, bounded; then one clear error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from novum.errors import AnswerError
from novum.llm import Capabilities, ImagePart, Message, Reply, Request
from novum.llm.scripted import ScriptedModel, from_replies
from novum.llm.structured import ask, ask_text


class Idea(BaseModel):
    name: str = Field(max_length=20)
    score: int = Field(ge=1, le=4)


GOOD = {"name": "a", "score": 2}
NATIVE, PLAIN = Capabilities(json_schema=True), Capabilities()


def request(*extra: Message, **fields: Any) -> Request:
    messages = (Message.of("system", "s"), Message.of("user", "Propose an idea."), *extra)
    return Request(step="ideate/1", messages=messages, **fields)


class Asked:
    """A model that remembers what it was asked."""

    def __init__(self, *replies: Any, capabilities: Capabilities = NATIVE) -> None:
        self.requests: list[Request] = []
        self._inner = from_replies({"*": list(replies)}, capabilities=capabilities)
        self.model = ScriptedModel("scripted:asked", self._reply, capabilities=capabilities)

    def _reply(self, asked: Request) -> str:
        self.requests.append(asked)
        return self._inner.complete(asked.model_copy(update={"max_tokens": 10_000})).text


def test_a_native_schema_is_sent_where_the_model_has_it() -> None:
    asked = Asked(GOOD)
    answer = ask(asked.model, request(), Idea)
    assert answer.value == Idea(**GOOD) and answer.tries == 1 and not answer.repaired
    assert asked.requests[0].json_schema is not None
    assert asked.requests[0].messages == request().messages


def test_else_the_schema_stands_at_the_end_of_the_prompt() -> None:
    asked = Asked(f"Well.\n```json\n{json.dumps(GOOD)}\n```", capabilities=PLAIN)
    assert ask(asked.model, request(), Idea).value.score == 2
    assert asked.requests[0].json_schema is None
    text = asked.requests[0].messages[-1].text
    assert text.startswith("Propose an idea.") and '"maximum":4' in text


def test_an_image_stays_in_the_prompt() -> None:
    asked = Asked(GOOD, capabilities=PLAIN)
    picture = ImagePart(media_type="image/png", data_base64="AA==")
    message = Message.of("user", "Look.").model_copy(update={"parts": (picture,)})
    ask(asked.model, Request(step="a", messages=(message,)), Idea)
    assert picture in asked.requests[0].messages[-1].parts


def test_what_is_wrong_goes_back_under_a_new_step() -> None:
    asked = Asked({"name": "a", "score": 9}, "no json at all", GOOD)
    answer = ask(asked.model, request(), Idea)
    assert answer.tries == 3
    assert [r.step for r in asked.requests] == ["ideate/1", "ideate/1/retry_1", "ideate/1/retry_2"]
    assert "score" in asked.requests[1].messages[-1].text and "4" in asked.requests[1].messages[-1].text
    assert asked.requests[1].messages[-2].text == json.dumps({"name": "a", "score": 9})
    assert len(asked.requests[2].messages) == len(asked.requests[1].messages)
    assert len({r.hash for r in asked.requests}) == 3


def test_a_small_model_is_asked_anew_and_does_not_see_the_reply_that_it_would_repeat() -> None:
    asked = Asked({"name": "a", "score": 9}, GOOD, capabilities=Capabilities(json_schema=True, small=True))
    assert ask(asked.model, request(), Idea).tries == 2
    first, second = asked.requests
    assert [m.role for m in second.messages] == [m.role for m in first.messages]
    assert second.messages[-1].text.startswith(first.messages[-1].text)  # which it need not read again
    assert "score" in second.messages[-1].text and '"score": 9' not in second.messages[-1].text
    assert second.seed != first.seed


def test_the_beginning_of_a_small_models_reply_stays_last() -> None:
    small = Capabilities(prefill=True, small=True)
    asked = Asked("", "The town is large.", capabilities=small)
    answer = ask_text(asked.model, request(Message.of("assistant", "The town")))
    assert answer.value == "The town is large."
    assert [m.role for m in asked.requests[1].messages] == ["system", "user", "assistant"]
    assert asked.requests[1].messages[-1].text == "The town"
    assert "empty" in asked.requests[1].messages[-2].text


def test_the_callers_check_goes_back_too() -> None:
    asked = Asked(GOOD, {"name": "b", "score": 3})
    answer = ask(asked.model, request(), Idea, check=lambda i: [] if i.name == "b" else ["the name is taken"])
    assert answer.value.name == "b"
    assert "the name is taken" in asked.requests[1].messages[-1].text


def test_tries_are_bounded_and_the_last_text_survives() -> None:
    asked = Asked("nope")
    with pytest.raises(AnswerError, match="3 tries") as caught:
        ask(asked.model, request(), Idea)
    assert caught.value.last_text == "nope" and len(asked.requests) == 3


def test_no_retries_means_one_question() -> None:
    asked = Asked("nope")
    with pytest.raises(AnswerError):
        ask(asked.model, request(), Idea, retries=0)
    assert len(asked.requests) == 1


def test_mended_json_is_marked() -> None:
    answer = ask(Asked("{name: 'a', score: 2").model, request(), Idea)
    assert answer.repaired and answer.value == Idea(**GOOD)


def test_half_a_reply_is_never_mended_into_a_whole() -> None:
    class Cut(BaseModel):
        items: list[str]

    whole = json.dumps({"items": ["one", "two", "three", "four"]})
    replies = [Reply(text=whole[:25], finish="length"), Reply(text=whole)]

    class Model(ScriptedModel):
        def complete(self, request: Request) -> Reply:
            asked.append(request)
            return replies[len(asked) - 1]

    asked: list[Request] = []
    answer = ask(Model("scripted:x", lambda _: ""), request(max_tokens=100), Cut)
    assert answer.value.items == ["one", "two", "three", "four"] and not answer.repaired
    assert asked[1].max_tokens == 200 and "cut off" in asked[1].messages[-1].text


def test_the_valid_one_of_several_values_counts() -> None:
    text = f"Not {json.dumps({'name': 'long example', 'score': 99})} but {json.dumps(GOOD)}"
    assert ask(Asked(text).model, request(), Idea).value == Idea(**GOOD)


def test_a_list_can_be_asked_for() -> None:
    assert ask(Asked("[1, 2]").model, request(), list[int]).value == [1, 2]


def test_text_passes_its_check_or_is_asked_again() -> None:
    asked = Asked("It has 7 digits.", "It has none.")
    check = lambda text: ["no digits"] if any(c.isdigit() for c in text) else []  # noqa: E731
    assert ask_text(asked.model, request(), check=check).value == "It has none."
    assert "no digits" in asked.requests[1].messages[-1].text


def test_empty_text_is_not_an_answer() -> None:
    with pytest.raises(AnswerError, match="empty"):
        ask_text(Asked("  \n").model, request())


def test_a_prefill_is_part_of_the_answer_and_stays_last() -> None:
    asked = Asked("    bad", "    return 1", capabilities=Capabilities(prefill=True))
    prefill = Message.of("assistant", "def f():\n")
    check = lambda text: [] if "return" in text else ["it returns nothing"]  # noqa: E731
    assert ask_text(asked.model, request(prefill), check=check).value == "def f():\n    return 1"
    assert all(r.messages[-1] == prefill for r in asked.requests)
    assert asked.requests[1].messages[-3].text == "def f():\n    bad"


@pytest.mark.parametrize("reply", ["def f():\n    return 1", "    return 1"])
def test_a_model_without_prefill_is_told_how_to_begin(reply: str) -> None:
    asked = Asked(reply)
    answer = ask_text(asked.model, request(Message.of("assistant", "def f():\n")))
    assert answer.value == "def f():\n    return 1"
    assert asked.requests[0].messages[-1].role == "user"
    assert "def f():" in asked.requests[0].messages[-1].text


def test_a_grammar_is_dropped_where_the_model_has_none() -> None:
    asked = Asked("x")
    ask_text(asked.model, request(grammar='root ::= "x"'))
    assert asked.requests[0].grammar is None
