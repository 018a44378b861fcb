"""Recorded replies: nothing is paid for twice, and a log replays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from novum.errors import AnswerError, ModelAuthError, ReplayMiss, StudyError
from novum.events import EventLog, read_events
from novum.llm import Capabilities, Message, Reply, Request
from novum.llm.budget import Budget
from novum.llm.calls import MessageStore
from novum.llm.recorded import RecordedModel, worst_case
from novum.llm.replay import ReplayModel
from novum.llm.scripted import ScriptedModel, from_replies
from novum.records import Usage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def log(path: Path) -> Iterator[EventLog]:
    with EventLog(path) as opened:
        yield opened


def request(step: str = "a/b", text: str = "question", **fields: object) -> Request:
    messages = (Message.of("system", "the same for all"), Message.of("user", text))
    return Request.model_validate({"step": step, "messages": messages, **fields})


def recorded(log: EventLog, *replies: str, mode: str = "live") -> RecordedModel:
    inner = from_replies({"*": list(replies)}, capabilities=Capabilities(prefill=True, small=True))
    return RecordedModel(inner, log, Budget(None, None, None, log), mode)  # type: ignore[arg-type]


def test_the_event_holds_what_an_audit_needs(log: EventLog) -> None:
    recorded(log, "one").complete(request(prompt_id="idea@1", prompt_hash="ab", seed=4))
    (event,) = log.events("model_call")
    for key, value in {
        "step": "a/b",
        "text": "one",
        "finish": "stop",
        "prompt_id": "idea@1",
        "seed": 4,
    }.items():
        assert event.data[key] == value
    assert event.data["usage"]["calls"] == 1
    assert event.data["request_hash"] == request(prompt_id="idea@1", prompt_hash="ab", seed=4).hash


def test_the_same_step_and_request_is_answered_from_the_log_in_another_process(path: Path) -> None:
    with EventLog(path) as log:
        recorded(log, "one").complete(request())
    with EventLog(path) as log:
        reply = recorded(log, "two").complete(request())
        assert reply.text == "one" and reply.reused
        assert len(list(log.events("model_call"))) == 1


def test_another_request_under_the_same_step_is_asked(log: EventLog) -> None:
    model = recorded(log, "one", "two")
    assert model.complete(request()).text == "one"
    assert model.complete(request(text="changed")).text == "two"
    assert model.complete(request(step="a/b/retry_1")).text == "two"
    assert len(list(log.events("model_call"))) == 3


def test_a_failed_call_is_an_event_and_is_asked_again(log: EventLog) -> None:
    def refuse(_: Request) -> str:
        raise ModelAuthError("the key is bad")

    model = RecordedModel(ScriptedModel("scripted:x", refuse), log, Budget(None, None, None, log))
    with pytest.raises(ModelAuthError):
        model.complete(request())
    (event,) = log.events("model_failed")
    assert event.data["error"] == "ModelAuthError" and event.data["step"] == "a/b"
    assert recorded(log, "now it works").complete(request()).text == "now it works"


def test_the_whole_prompt_is_recovered_and_a_shared_message_is_stored_once(path: Path, log: EventLog) -> None:
    model = recorded(log, "one")
    asked = [request(step=f"s/{n}", text=f"question {n}") for n in range(3)]
    for each in asked:
        model.complete(each)
    assert path.read_text().count("the same for all") == 1
    events = read_events(path).events
    store = MessageStore(events)
    calls = [event for event in events if event.kind == "model_call"]
    assert [store.messages(call) for call in calls] == [each.messages for each in asked]


def test_messages_are_not_stored_again_after_a_resume(path: Path) -> None:
    for number in range(2):
        with EventLog(path) as log:
            recorded(log, "one").complete(request(step=f"s/{number}"))
    assert path.read_text().count("the same for all") == 1


def test_replay_mode_never_asks(log: EventLog) -> None:
    recorded(log, "one").complete(request())
    replaying = recorded(log, "asked!", mode="replay")
    assert replaying.complete(request()).text == "one"
    with pytest.raises(ReplayMiss, match="'other'"):
        replaying.complete(request(step="other"))
    assert replaying.complete(request(text="changed")).text == "one"
    assert any("drifted" in event.data["message"] for event in log.events("warning"))


def test_a_log_replays_without_its_model(path: Path) -> None:
    with EventLog(path) as log:
        model = recorded(log, "one", "two")
        paid = [model.complete(request(step)) for step in ("a", "b")]
    replay = ReplayModel(path)
    again = [replay.complete(request(step)) for step in ("a", "b")]
    assert [r.text for r in again] == ["one", "two"]
    assert [r.usage for r in again] == [r.usage for r in paid]
    assert all(r.reused for r in again)
    assert replay.capabilities == Capabilities(prefill=True, small=True)


def test_a_changed_request_replays_by_its_step_in_order_and_says_so(path: Path) -> None:
    with EventLog(path) as log:
        model = recorded(log, "one", "two")
        model.complete(request(text="x"))
        model.complete(request(text="y"))
    told: list[str] = []
    replay = ReplayModel(path, warn=told.append)
    assert [replay.complete(request(text=t)).text for t in ("p", "q", "r")] == ["one", "two", "two"]
    assert len(told) == 3 and "a/b" in told[0]


def test_an_altered_reply_is_what_replays(path: Path) -> None:
    with EventLog(path) as log:
        recorded(log, "the old words").complete(request())
    path.write_text(path.read_text().replace("the old words", "the new words"))
    assert ReplayModel(path).complete(request()).text == "the new words"


def test_a_step_that_the_log_does_not_hold_is_a_miss(path: Path) -> None:
    with EventLog(path) as log:
        recorded(log, "one").complete(request())
    with pytest.raises(ReplayMiss, match="'elsewhere'"):
        ReplayModel(path).complete(request(step="elsewhere"))


def test_a_log_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot read"):
        ReplayModel(tmp_path / "none.jsonl")


def test_a_reply_with_odd_characters_survives(path: Path) -> None:
    odd = 'line\u2028sep "quotes" \\ back 日本 \x00 \ud83d'.replace("\ud83d", "\U0001f600")
    with EventLog(path) as log:
        recorded(log, odd).complete(request())
    assert ReplayModel(path).complete(request()).text == odd
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


class Filtered:
    """A model whose answer a filter withholds, after `lost` replies that never came."""

    def __init__(self, lost: int = 0) -> None:
        self.asked = 0
        self._lost = lost

    name = "hosted:x"
    capabilities = Capabilities(attempts=3)

    def complete(self, _: Request) -> Reply:
        self.asked += 1
        return Reply(text="", finish="filtered", usage=Usage(prompt_tokens=9, calls=1), lost=self._lost)

    def price(self, usage: Usage) -> float | None:
        return float(usage.prompt_tokens + usage.output_tokens)

    def close(self) -> None: ...


def test_a_withheld_answer_is_recorded_with_its_usage_and_not_asked_for_again(path: Path) -> None:
    """It was logged as a failure without usage, and each resume asked and paid again."""
    model = Filtered()
    for _ in range(2):
        with EventLog(path) as log:
            recording = RecordedModel(model, log, Budget(None, None, None, log))
            with pytest.raises(AnswerError, match="filter of hosted:x"):
                recording.complete(request())
            (call,) = log.events("model_call")
            assert call.data["finish"] == "filtered" and call.data["usage"]["prompt_tokens"] == 9
    assert model.asked == 1


def test_lost_replies_are_recorded_with_the_most_that_they_can_have_used(log: EventLog) -> None:
    budget = Budget(None, None, None, log)
    asked = request(max_tokens=50)
    with pytest.raises(AnswerError):
        RecordedModel(Filtered(lost=2), log, budget).complete(asked)
    (failed,) = log.events("model_failed")
    once = worst_case(Filtered(), asked).tokens // 3
    assert failed.data["lost"] == 2
    assert budget.spent.output_tokens == 2 * 50
    assert budget.spent.prompt_tokens + budget.spent.output_tokens == 2 * once + 9
    assert budget.spent.dollars == 2.0 * once


def test_the_records_name_the_model_as_the_order_does(log: EventLog, tmp_path: Path) -> None:
    """`manual:./x/` was recorded as `manual:x`, so a replay found no capabilities and asked in other words."""
    inner = from_replies({}, "one", name="scripted:x", capabilities=Capabilities(small=True))
    RecordedModel(inner, log, Budget(None, None, None, log), name="scripted:./x").complete(request())
    replay = ReplayModel(log.path, original="scripted:./x")
    assert replay.capabilities.small
