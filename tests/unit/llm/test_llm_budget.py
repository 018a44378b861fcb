"""A budget is checked before each call against its worst case, and is never exceeded."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from novum.errors import BudgetExceeded, ModelError
from novum.events import EventLog
from novum.llm import Capabilities, Message, Request
from novum.llm.budget import Budget, WorstCase, add_usage
from novum.llm.recorded import RecordedModel, worst_case
from novum.llm.scripted import ScriptedModel, from_replies
from novum.records import Usage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[EventLog]:
    with EventLog(tmp_path / "events.jsonl", clock=clock) as opened:
        yield opened


def request(number: int = 0) -> Request:
    return Request(step=f"s/{number}", messages=(Message.of("user", f"question {number}"),), max_tokens=50)


def spend(model: RecordedModel, calls: int) -> int:
    done = 0
    for number in range(calls):
        try:
            model.complete(request(number))
        except BudgetExceeded:
            break
        done += 1
    return done


def tokens_spent(log: EventLog) -> int:
    usages = [Usage(**event.data["usage"]) for event in log.events("model_call")]
    return sum(usage.prompt_tokens + usage.output_tokens for usage in usages)


def test_tokens_are_never_exceeded(log: EventLog) -> None:
    model = RecordedModel(from_replies({}, "x" * 1000), log, Budget(None, 500, None, log))
    assert 0 < spend(model, 100) < 100
    assert tokens_spent(log) <= 500


def test_dollars_are_never_exceeded_by_threads(log: EventLog) -> None:
    inner = from_replies({}, "x" * 1000, dollars_per_million_tokens=1e6)
    model = RecordedModel(inner, log, Budget(1000.0, None, None, log))

    def call(number: int) -> bool:
        try:
            model.complete(request(number))
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(call, range(100)))
    assert 0 < made < 100
    assert tokens_spent(log) <= 1000


def test_a_refused_call_is_not_made(log: EventLog) -> None:
    asked: list[Request] = []
    inner = ScriptedModel("scripted:x", lambda r: asked.append(r) or "text")  # type: ignore[func-returns-value]
    with pytest.raises(BudgetExceeded, match="tokens"):
        RecordedModel(inner, log, Budget(None, 10, None, log)).complete(request())
    assert asked == [] and not list(log.events("model_call", "model_failed"))


def test_a_resumed_study_counts_what_was_spent_and_goes_on_with_more(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        spend(RecordedModel(from_replies({}, "x" * 1000), log, Budget(None, 500, None, log)), 100)
        before = tokens_spent(log)
    with EventLog(path) as log:
        budget = Budget(None, 500, None, log)
        assert budget.spent.prompt_tokens + budget.spent.output_tokens == before
        with pytest.raises(BudgetExceeded):
            RecordedModel(from_replies({}, "x" * 1000), log, budget).complete(request(1000))
        more = Budget(None, 2000, None, log)
        assert RecordedModel(from_replies({}, "x" * 1000), log, more).complete(request(1000)).text


def test_an_unknown_price_refuses_a_budget_in_dollars(log: EventLog) -> None:
    with pytest.raises(BudgetExceeded, match="price is not known"):
        Budget(5.0, None, None, log).check(10, None)
    Budget(None, 100, None, log).check(10, None)


def test_minutes_count_work_and_not_the_time_between(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path, clock=clock) as log:
        clock.now += 60
        log.append("phase_started", phase="ideate")
    clock.now += 86_400
    with EventLog(path, clock=clock) as log:
        budget = Budget(None, None, 3, log, clock=clock)
        log.append("study_resumed")
        assert budget.elapsed_s == 60
        clock.now += 100
        budget.check(1, None)
        clock.now += 30
        with pytest.raises(BudgetExceeded, match="minutes"):
            budget.check(1, None)


def test_the_longest_call_so_far_must_still_fit(log: EventLog, clock: Clock) -> None:
    budget = Budget(None, None, 2, log, clock=clock)
    log.append("model_call", usage=Usage(seconds=90.0, calls=1).model_dump())
    budget.check(1, None)
    clock.now += 31
    with pytest.raises(BudgetExceeded):
        budget.check(1, None)


def test_a_reservation_ends_with_its_call(log: EventLog) -> None:
    budget = Budget(None, 100, None, log)
    with budget.reserve(WorstCase(80, None)), pytest.raises(BudgetExceeded):
        budget.check(30, None)
    budget.check(30, None)


def test_unknown_dollars_stay_unknown_in_a_sum() -> None:
    known, unknown = Usage(dollars=1.0, calls=1), Usage(calls=1)
    assert add_usage(known, unknown).dollars == 1.0
    assert add_usage(unknown, unknown).dollars is None
    assert add_usage(known, unknown).calls == 2


def test_the_worst_case_bounds_every_tokenizer() -> None:
    model = from_replies({}, "x", dollars_per_million_tokens=1e6)
    text = "日本語 digits 1234567890 {}[]"
    worst = worst_case(model, Request(step="a", messages=(Message.of("user", text),), max_tokens=9))
    assert worst.tokens >= len(text.encode()) + 9
    assert worst.dollars == pytest.approx(worst.tokens)


def test_a_call_reserves_for_every_request_that_can_be_billed() -> None:
    asked = Request(step="a", messages=(Message.of("user", "x"),), max_tokens=9)
    once, thrice = (
        worst_case(from_replies({}, "x", capabilities=Capabilities(attempts=n)), asked).tokens for n in (1, 3)
    )
    assert thrice == 3 * once


def test_lost_replies_never_pass_the_budget(log: EventLog) -> None:
    """Five requests shared one reservation, and only the last of them was counted."""

    def lose(_: Request) -> str:
        error = ModelError("no reply")
        error.lost = 3
        raise error

    inner = ScriptedModel(
        "scripted:x", lose, capabilities=Capabilities(attempts=3), dollars_per_million_tokens=1e6
    )
    budget = Budget(1000.0, None, None, log)
    model = RecordedModel(inner, log, budget)
    for number in range(100):
        with pytest.raises((ModelError, BudgetExceeded)):
            model.complete(request(number))
    assert 500 < (budget.spent.dollars or 0.0) <= 1000
    assert 0 < len(list(log.events("model_failed"))) < 100


def test_a_resumed_study_counts_lost_replies_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append("model_failed", lost=1, usage=Usage(output_tokens=90, calls=1).model_dump())
        log.append("model_failed", error="ModelAuthError")
    with EventLog(path) as log:
        assert Budget(None, None, None, log).spent.output_tokens == 90


def test_the_night_after_a_power_cut_is_no_work(tmp_path: Path, clock: Clock) -> None:
    """The warning of the torn line came before the mark of a resume, so the whole night counted."""
    path = tmp_path / "events.jsonl"
    with EventLog(path, clock=clock) as log:
        clock.now += 60
        log.append("phase_started", phase="ideate")
    path.write_bytes(path.read_bytes() + b'{"kind":"torn')
    clock.now += 86_400
    with EventLog(path, clock=clock) as log:
        assert Budget(None, None, 3, log, clock=clock).elapsed_s == 60


def test_the_time_before_a_command_that_marks_no_resume_is_no_work(tmp_path: Path, clock: Clock) -> None:
    """`novum write` wrote into the log on another day, and the days between were charged to the minutes."""
    path = tmp_path / "events.jsonl"
    for _ in range(3):
        with EventLog(path, clock=clock) as log:
            log.append("warning", message="one")
            clock.now += 10
            log.append("warning", message="two")
        clock.now += 86_400
    with EventLog(path, clock=clock) as log:
        assert Budget(None, None, 3, log, clock=clock).elapsed_s == 30


def test_no_run_is_begun_when_the_minutes_do_not_hold_one_as_long_as_the_longest(
    log: EventLog, clock: Clock
) -> None:
    budget = Budget(None, None, 2, log, clock=clock)
    log.append("run_finished", run="run_0", seconds=50.0)
    clock.now += 69
    budget.check_time()
    clock.now += 2
    with pytest.raises(BudgetExceeded, match="minutes"):
        budget.check_time()
    Budget(None, None, None, log, clock=clock).check_time()
