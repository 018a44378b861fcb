"""What a study will cost, before it starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from novum.cli.estimate import print_estimate
from novum.errors import UsageError
from novum.events import Event
from novum.llm.estimate import EMBEDDED, HOSTED, PHASE_ROLES, Estimate, Rates, Speed, counts_of
from novum.llm.estimate import estimate as estimate_by_role
from novum.llm.prices import dollars
from novum.records import Usage
from novum.settings import ModelSettings, Role, Settings

ROLES: tuple[Role, ...] = tuple(PHASE_ROLES.values())


def estimate(
    profile: str,
    price: Callable[[Usage], float | None],
    *,
    speed: Speed = HOSTED,
    reasoning_tokens: int = 0,
    **options: Path,
) -> Estimate:
    """The estimate with one model in every role."""
    rates = Rates("scripted:x", price, speed, reasoning_tokens)
    return estimate_by_role(profile, dict.fromkeys(ROLES, rates), **options)


def call(step: str, prompt: int = 100, cached: int = 60, output: int = 20, max_tokens: int = 50) -> Event:
    usage = Usage(prompt_tokens=prompt, cached_tokens=cached, output_tokens=output, calls=1).model_dump()
    return Event("model_call", 0.0, {"step": step, "usage": usage, "max_tokens": max_tokens})


def finished(phase: str, seconds: float, model: float) -> Event:
    return Event("phase_finished", 0.0, {"phase": phase, "seconds": seconds, "model": model})


def test_counts_are_taken_by_phase_and_a_retry_is_no_new_question() -> None:
    events = [call("write/a"), call("write/a/retry_1"), call("review/1"), finished("write", 10.0, 7.0)]
    counts = counts_of(events)
    assert counts["write"].calls == 2 and counts["write"].prompt_tokens == 200
    assert counts["write"].worst_output_tokens == 150
    assert counts["write"].worst_prompt_tokens == 300 + 2 * 250
    assert counts["write"].other_s == 3.0
    assert counts["review"].calls == 1


def test_an_estimate_prices_and_times_each_phase(tmp_path: Path) -> None:
    counts = counts_of([call("write/a"), call("review/1"), finished("write", 10.0, 7.0)])
    table = tmp_path / "t.json"
    phases = {name: count.model_dump() for name, count in counts.items()}
    table.write_text(json.dumps({"quick": {"source": "a test", "phases": phases}}))
    price = lambda usage: usage.output_tokens * 0.01  # noqa: E731
    found = estimate("quick", price, speed=Speed(10, 5, 1), table=table)
    write = found.phases[0]
    assert write.expected.dollars == pytest.approx(0.20)
    assert write.expected.seconds == pytest.approx(40 / 10 + 20 / 5 + 1 + 3)
    assert write.worst.dollars == pytest.approx(1.50)
    assert found.total.expected.calls == 2 and found.total.expected.dollars == pytest.approx(0.40)
    thinking = estimate("quick", price, reasoning_tokens=100, table=table)
    assert thinking.total.worst.output_tokens == found.total.worst.output_tokens + 600


def test_an_unknown_price_is_unknown_and_not_zero() -> None:
    found = estimate("quick", lambda _: None)
    assert found.total.expected.dollars is None and found.total.worst.dollars is None


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_the_shipped_table_holds_every_phase_and_the_worst_is_worse(profile: str) -> None:
    found = estimate(profile, lambda usage: dollars("anthropic:claude-sonnet-5", usage), speed=EMBEDDED)
    assert {"ideate", "novelty", "experiment", "write", "review"} <= {phase.phase for phase in found.phases}
    for phase in (*found.phases, found.total):
        assert phase.expected.cached_tokens <= phase.expected.prompt_tokens
        assert phase.worst.prompt_tokens >= phase.expected.prompt_tokens
        assert phase.worst.output_tokens >= phase.expected.output_tokens
        assert phase.expected.dollars is not None and phase.worst.dollars is not None
        assert phase.worst.dollars >= phase.expected.dollars


def test_an_unknown_profile_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="huge"):
        estimate("huge", lambda _: 0.0)


def test_a_price_that_rises_with_the_prompt_is_that_of_a_call_not_of_the_sum(tmp_path: Path) -> None:
    """221,000 tokens of 31 reviews were once priced as one prompt of that length, at twice the price."""
    table = tmp_path / "counts.json"
    counts = {
        "calls": 30,
        "prompt_tokens": 300_000,
        "cached_tokens": 0,
        "output_tokens": 3000,
        "worst_prompt_tokens": 900_000,
        "worst_output_tokens": 90_000,
    }
    table.write_text(json.dumps({"full": {"source": "a test", "phases": {"review": counts}}}))

    def price(usage: Usage) -> float:
        return usage.prompt_tokens * (2e-6 if usage.prompt_tokens > 200_000 else 1e-6)

    made = estimate("full", price, table=table)
    assert made.total.expected.dollars == pytest.approx(0.3)
    assert made.total.worst.dollars == pytest.approx(0.9)


def test_each_phase_costs_what_the_model_of_its_role_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every phase was priced as the default model, so a dear writer beside an embedded default cost nothing."""
    cheap, dear = tmp_path / "cheap.json", tmp_path / "dear.json"
    cheap.write_text('{"replies": {}}')
    dear.write_text('{"replies": {}, "dollars_per_million_tokens": 10}')
    models = ModelSettings(default=f"scripted:{cheap}", writing=f"scripted:{dear}")
    print_estimate(Settings(models=models), json=True)
    made = Estimate.model_validate_json(capsys.readouterr().out)
    costs = {phase.phase: phase.expected.dollars for phase in made.phases}
    assert costs.pop("write") == pytest.approx(made.total.expected.dollars)
    assert set(costs.values()) == {0.0}
    assert {phase.phase for phase in made.phases if phase.model == f"scripted:{dear}"} == {"write"}


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_every_recorded_phase_has_a_role(profile: str) -> None:
    found = estimate(profile, lambda _: 1.0)
    assert {phase.phase for phase in found.phases} <= set(PHASE_ROLES)
