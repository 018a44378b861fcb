"""Hosted models against a loopback server that fails in the ways providers do."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest
from loopback_provider import Behaviour, answer, cut_off, failure, hang, send, serve

from novum.errors import AnswerError, ModelAuthError, ModelError, UsageError
from novum.llm import Message, Model, Request
from novum.llm.contract import ModelContract
from novum.llm.hosted import HostedModel
from novum.records import Usage


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def open_at(waits: list[float]) -> Callable[..., HostedModel]:
    def opened(url: str, **options: object) -> HostedModel:
        settings = {"timeout_s": 5.0, "retries": 2, "sleep": waits.append, "rng": random.Random(1), **options}
        return HostedModel("openai:some-model", base_url=url, **settings)  # type: ignore[arg-type]

    return opened


def request(**fields: object) -> Request:
    messages = (Message.of("system", "be brief"), Message.of("user", "hi"))
    return Request.model_validate({"step": "a", "messages": messages, "max_tokens": 7, "seed": 3, **fields})


def test_a_reply_carries_text_usage_and_an_unknown_price(open_at: Callable[..., HostedModel]) -> None:
    with serve(answer("hello")) as (url, received):
        reply = open_at(url).complete(request(temperature=0.25))
    assert reply.text == "hello" and reply.finish == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.cached_tokens, reply.usage.output_tokens) == (100, 40, 8)
    assert reply.usage.dollars is None
    assert [m["role"] for m in received[0]["messages"]] == ["system", "user"]
    assert received[0]["temperature"] == 0.25 and received[0]["seed"] == 3
    assert 7 in (received[0].get("max_tokens"), received[0].get("max_completion_tokens"))


def test_a_schema_is_sent_natively(open_at: Callable[..., HostedModel]) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    with serve(answer('{"n": 1}')) as (url, received):
        open_at(url).complete(request(json_schema=schema))
    sent = received[0]["response_format"]["json_schema"]
    assert sent["strict"] is True and sent["schema"]["properties"] == {"n": {"type": "integer"}}


def test_a_shared_beginning_is_marked_for_the_cache_of_a_provider_that_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = request(messages=(Message.of("user", "a long paper, ", "and a question"),))
    body = {
        "id": "x",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 1000,
            "cache_read_input_tokens": 0,
            "output_tokens": 8,
        },
    }
    with serve(lambda handler: send(handler, 200, body)) as (url, received):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url.removesuffix("/v1"))
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a key of nobody")
        reply = HostedModel("anthropic:claude-sonnet-5", retries=0).complete(asked)
    first, second = received[0]["messages"][0]["content"]
    assert (first["text"], second["text"]) == ("a long paper, ", "and a question")
    assert first["cache_control"]["type"] == "ephemeral" and "cache_control" not in second
    assert (reply.usage.prompt_tokens, reply.usage.cache_written_tokens) == (1010, 1000)
    assert reply.usage.dollars == pytest.approx(10 * 2e-6 + 1000 * 2.5e-6 + 8 * 10e-6)


def test_a_provider_without_cache_points_gets_the_text_alone(open_at: Callable[..., HostedModel]) -> None:
    with serve(answer()) as (url, received):
        open_at(url).complete(request(messages=(Message.of("user", "a long paper, ", "and a question"),)))
    content = received[0]["messages"][0]["content"]
    said = content if isinstance(content, str) else "".join(part["text"] for part in content)
    assert said.replace("\n", "") == "a long paper, and a question"


def test_a_cut_reply_says_length(open_at: Callable[..., HostedModel]) -> None:
    with serve(answer("hel", "length")) as (url, _):
        assert open_at(url).complete(request()).finish == "length"


def test_a_conversation_keeps_its_roles(open_at: Callable[..., HostedModel]) -> None:
    turns = (Message.of("user", "a"), Message.of("assistant", "b"), Message.of("user", "c"))
    with serve(answer()) as (url, received):
        open_at(url).complete(request(messages=turns))
    assert [m["role"] for m in received[0]["messages"]] == ["user", "assistant", "user"]


def test_retry_after_is_honoured(open_at: Callable[..., HostedModel], waits: list[float]) -> None:
    with serve(failure(429, "rate_limit_exceeded", headers={"Retry-After": "7"}), answer()) as (
        url,
        received,
    ):
        assert open_at(url).complete(request()).text == "hello"
    assert len(received) == 2
    assert len(waits) == 1 and 7 <= waits[0] <= 8


def test_waits_grow_with_jitter_without_retry_after(
    open_at: Callable[..., HostedModel], waits: list[float]
) -> None:
    with serve(failure(429, "rate_limit_exceeded"), failure(500), answer()) as (url, received):
        open_at(url).complete(request())
    assert len(received) == 3
    assert 0.5 <= waits[0] <= 1.5 and 1.0 <= waits[1] <= 3.0


def test_attempts_are_bounded(open_at: Callable[..., HostedModel], waits: list[float]) -> None:
    with serve(failure(503)) as (url, received), pytest.raises(ModelError, match="3 of 3"):
        open_at(url).complete(request())
    assert len(received) == 3 and len(waits) == 2


def test_a_very_long_retry_after_stops_at_once(
    open_at: Callable[..., HostedModel], waits: list[float]
) -> None:
    slow = failure(429, "rate_limit_exceeded", headers={"Retry-After": "86400"})
    with serve(slow) as (url, received), pytest.raises(ModelError, match="86400"):
        open_at(url).complete(request())
    assert len(received) == 1 and waits == []


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_api_key"), (403, "forbidden"), (429, "insufficient_quota")]
)
def test_a_bad_key_or_no_quota_is_never_tried_again(
    open_at: Callable[..., HostedModel], status: int, code: str
) -> None:
    with serve(failure(status, code)) as (url, received), pytest.raises(ModelAuthError):
        open_at(url).complete(request())
    assert len(received) == 1


def test_a_refused_request_is_not_tried_again(open_at: Callable[..., HostedModel]) -> None:
    with serve(failure(400, "invalid_request_error")) as (url, received):
        with pytest.raises(ModelError, match="refused the request") as caught:
            open_at(url).complete(request())
        assert not isinstance(caught.value, ModelAuthError)
    assert len(received) == 1


def test_a_prompt_beyond_the_context_is_an_answer_error(open_at: Callable[..., HostedModel]) -> None:
    with serve(failure(400, "context_length_exceeded")) as (url, _), pytest.raises(AnswerError):
        open_at(url).complete(request())


def test_a_stalled_server_does_not_hang_the_study(open_at: Callable[..., HostedModel]) -> None:
    started = time.monotonic()
    with serve(hang(1.5)) as (url, received), pytest.raises(ModelError, match="2 of 2"):
        open_at(url, timeout_s=0.3, retries=1).complete(request())
    assert time.monotonic() - started < 5 and len(received) == 2


def test_a_reply_cut_off_by_the_connection_is_asked_again(open_at: Callable[..., HostedModel]) -> None:
    with serve(cut_off, answer()) as (url, received):
        assert open_at(url).complete(request()).text == "hello"
    assert len(received) == 2


def test_a_server_that_is_not_there(open_at: Callable[..., HostedModel], waits: list[float]) -> None:
    with serve(answer()) as (url, _):
        pass
    with pytest.raises(ModelError, match="could not be asked"):
        open_at(url).complete(request())
    assert len(waits) == 2


def test_a_missing_key_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ModelAuthError, match="ANTHROPIC_API_KEY"):
        HostedModel("anthropic:claude-sonnet-5").complete(request())


def test_an_unknown_provider_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="nonesuch"):
        _ = HostedModel("nonesuch:model").capabilities


def test_capabilities_and_prices_need_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    model = HostedModel("anthropic:claude-sonnet-5")
    assert model.capabilities.json_schema and model.capabilities.context_tokens >= 200_000
    assert model.price(Usage(prompt_tokens=100_000)) == pytest.approx(0.2)
    assert HostedModel("openai:nobody-knows-this-model").price(Usage(prompt_tokens=1)) is None


def test_a_thinking_model_gets_room_to_think_and_no_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    model = HostedModel("openai:o3")
    assert model.capabilities.reasoning_tokens > 0
    settings = model._model_settings(request())
    assert "temperature" not in settings
    assert settings["max_tokens"] == 7 + model.capabilities.reasoning_tokens


class TestContract(ModelContract):
    @pytest.fixture
    def model(self) -> Iterator[Model]:
        with serve(answer()) as (url, _):
            yield HostedModel("openai:m", base_url=url, retries=0)


@pytest.mark.parametrize(
    ("behaviour", "lost"),
    [
        (cut_off, 1),
        (failure(504), 1),
        (failure(500), 0),
        (failure(503), 0),
        (failure(429, "rate_limit_exceeded"), 0),
    ],
)
def test_a_reply_that_may_have_been_billed_is_told(
    open_at: Callable[..., HostedModel], behaviour: Behaviour, lost: int
) -> None:
    """Only the last attempt counted, though each lost one can be on the bill."""
    with serve(behaviour, answer()) as (url, _):
        assert open_at(url).complete(request()).lost == lost


def test_a_failure_tells_how_many_replies_were_lost(open_at: Callable[..., HostedModel]) -> None:
    with serve(hang(1.0)) as (url, _), pytest.raises(ModelError) as caught:
        open_at(url, timeout_s=0.2, retries=1).complete(request())
    assert caught.value.lost == 2
    with (
        serve(cut_off, failure(401, "invalid_api_key")) as (url, _),
        pytest.raises(ModelAuthError) as refused,
    ):
        open_at(url).complete(request())
    assert refused.value.lost == 1


def test_a_server_that_is_not_there_bills_nothing(open_at: Callable[..., HostedModel]) -> None:
    with serve(answer()) as (url, _):
        pass
    with pytest.raises(ModelError) as caught:
        open_at(url).complete(request())
    assert caught.value.lost == 0


def test_no_more_replies_are_lost_than_the_model_says(open_at: Callable[..., HostedModel]) -> None:
    """A budget reserves for `attempts`, so no call may bill more."""
    with serve(cut_off) as (url, received):
        model = open_at(url, retries=9)
        with pytest.raises(ModelError) as caught:
            model.complete(request())
    assert len(received) == caught.value.lost == model.capabilities.attempts == 3
    assert open_at(url, retries=0).capabilities.attempts == 1


def test_an_answer_that_a_filter_withheld_is_paid_for(open_at: Callable[..., HostedModel]) -> None:
    with serve(answer("", "content_filter")) as (url, _):
        reply = open_at(url).complete(request())
    assert reply.finish == "filtered"
    assert (reply.usage.prompt_tokens, reply.usage.output_tokens) == (100, 8)
