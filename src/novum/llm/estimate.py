"""What a study will cost before it starts, from the token counts of a recorded one.

Expected: the counts as they were recorded. Worst case: every question needs all its tries, each reply is as long
as it may be, and no prompt comes from the cache. The counts are in `token_counts.json`; `counts_of` makes them
from a study's event log, so that they can be recorded anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError
from novum.events import Event
from novum.records import Record, Usage
from novum.settings import Role

_TABLE = Path(__file__).with_name("token_counts.json")
_TRIES = 3
_RETRY_PROMPT_TOKENS = 200
"""What is wrong with a reply, as it is told to the model."""


class Speed(NamedTuple):
    """How fast a model is. `call_s` is spent on each call beside its tokens."""

    prompt_tokens_per_s: float
    output_tokens_per_s: float
    call_s: float


HOSTED = Speed(prompt_tokens_per_s=5000, output_tokens_per_s=60, call_s=1.0)
"""Assumed: providers differ widely."""
EMBEDDED = Speed(prompt_tokens_per_s=55, output_tokens_per_s=20, call_s=0.05)
"""Fitted to the calls of eight studies of qwen2.5-coder-1.5b on two idle cores; constrained decoding is in it."""


PHASE_ROLES: dict[str, Role] = {
    "ideate": "ideas",
    "novelty": "ideas",
    "experiment": "code",
    "figures": "code",
    "write": "writing",
    "review": "review",
    "improve": "writing",
}
"""Whose model answers most of a phase's questions."""


class Rates(NamedTuple):
    """What a role's model costs: `price` in dollars, its speed, and the tokens of a reply that it may think with."""

    model: str
    price: Callable[[Usage], float | None]
    speed: Speed = HOSTED
    reasoning_tokens: int = 0


class PhaseCounts(Record):
    """Tokens of one phase of a recorded study. `other_s` is its time outside model calls."""

    calls: int
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    worst_prompt_tokens: int
    worst_output_tokens: int
    other_s: float = 0.0


class RecordedCounts(Record):
    """The counts of a profile's phases; `source` says where they come from."""

    source: str
    phases: dict[str, PhaseCounts]


class PhaseEstimate(Record):
    """One phase, or `total`. Seconds are in `usage.seconds`; dollars are None when the price is unknown."""

    phase: str
    expected: Usage
    worst: Usage
    model: str = ""
    """The model of the phase; "" for the total."""


class Estimate(Record):
    """All phases and their sum."""

    source: str
    phases: tuple[PhaseEstimate, ...]
    total: PhaseEstimate


def estimate(
    profile: str,
    rates: Mapping[Role, Rates],
    *,
    table: Path = _TABLE,
) -> Estimate:
    """Tokens, dollars and time of a study, by phase.

    Args:
        profile: `quick` or `full`.
        rates: those of each role in `PHASE_ROLES`.
        table: recorded counts, by profile.

    Raises:
        UsageError: nothing is recorded for the profile.
    """
    profiles = json.loads(table.read_text(encoding="utf-8"))
    if profile not in profiles:
        raise UsageError(
            f"no token counts are recorded for the profile {profile!r}", f"known: {', '.join(profiles)}"
        )
    recorded = RecordedCounts.model_validate(profiles[profile])
    phases = tuple(_phase(name, counts, rates[PHASE_ROLES[name]]) for name, counts in recorded.phases.items())
    total = PhaseEstimate(
        phase="total",
        expected=_sum([phase.expected for phase in phases]),
        worst=_sum([phase.worst for phase in phases]),
    )
    return Estimate(source=recorded.source, phases=phases, total=total)


def counts_of(events: Iterable[Event]) -> dict[str, PhaseCounts]:
    """The counts of a study, by phase (the first part of a step's key)."""
    phases: dict[str, PhaseCounts] = {}
    for event in events:
        if event.kind == "model_call":
            name = event.data["step"].partition("/")[0]
            phases[name] = _with_call(phases.get(name, _NOTHING), event)
        elif event.kind == "phase_finished":
            name = event.data["phase"]
            other = event.data["seconds"] - event.data["model"]
            before = phases.get(name, _NOTHING)
            phases[name] = before.model_copy(update={"other_s": round(before.other_s + other, 1)})
    return phases


_NOTHING = PhaseCounts(
    calls=0, prompt_tokens=0, cached_tokens=0, output_tokens=0, worst_prompt_tokens=0, worst_output_tokens=0
)


def _with_call(counts: PhaseCounts, event: Event) -> PhaseCounts:
    usage = Usage.model_validate(event.data["usage"])
    # A retry is a worst case of the question before it, which has counted it already.
    first = "/retry_" not in event.data["step"]
    longest = event.data["max_tokens"]
    repeated = (_TRIES - 1) * (longest + _RETRY_PROMPT_TOKENS)
    return PhaseCounts(
        calls=counts.calls + 1,
        prompt_tokens=counts.prompt_tokens + usage.prompt_tokens,
        cached_tokens=counts.cached_tokens + usage.cached_tokens,
        output_tokens=counts.output_tokens + usage.output_tokens,
        worst_prompt_tokens=counts.worst_prompt_tokens + first * (_TRIES * usage.prompt_tokens + repeated),
        worst_output_tokens=counts.worst_output_tokens + first * _TRIES * longest,
        other_s=counts.other_s,
    )


def _phase(name: str, counts: PhaseCounts, rates: Rates) -> PhaseEstimate:
    expected = Usage(
        prompt_tokens=counts.prompt_tokens,
        cached_tokens=counts.cached_tokens,
        output_tokens=counts.output_tokens,
        calls=counts.calls,
    )
    calls = _TRIES * counts.calls
    worst = Usage(
        prompt_tokens=counts.worst_prompt_tokens,
        cache_written_tokens=counts.worst_prompt_tokens,
        output_tokens=counts.worst_output_tokens + calls * rates.reasoning_tokens,
        calls=calls,
    )
    return PhaseEstimate(
        phase=name,
        expected=_priced(expected, rates, counts.other_s),
        worst=_priced(worst, rates, _TRIES * counts.other_s),
        model=rates.model,
    )


def _priced(usage: Usage, rates: Rates, other_s: float) -> Usage:
    evaluated = usage.prompt_tokens - usage.cached_tokens
    seconds = (
        evaluated / rates.speed.prompt_tokens_per_s
        + usage.output_tokens / rates.speed.output_tokens_per_s
        + usage.calls * rates.speed.call_s
        + other_s
    )
    return usage.model_copy(update={"seconds": seconds, "dollars": _dollars(usage, rates.price)})


def _dollars(usage: Usage, price: Callable[[Usage], float | None]) -> float | None:
    """The price of as many mean calls: long prompts cost more per token, and the sum is no prompt."""
    calls = max(usage.calls, 1)
    mean = Usage(
        prompt_tokens=round(usage.prompt_tokens / calls),
        cached_tokens=round(usage.cached_tokens / calls),
        cache_written_tokens=round(usage.cache_written_tokens / calls),
        output_tokens=round(usage.output_tokens / calls),
        calls=1,
    )
    dollars = price(mean)
    return None if dollars is None else calls * dollars


def _sum(usages: list[Usage]) -> Usage:
    """The sum; its dollars are unknown when any are."""
    dollars = [usage.dollars for usage in usages]
    known = [amount for amount in dollars if amount is not None]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        seconds=sum(usage.seconds for usage in usages),
        dollars=sum(known) if len(known) == len(dollars) else None,
        calls=sum(usage.calls for usage in usages),
    )
