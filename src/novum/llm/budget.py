"""What a study may spend: dollars, tokens, minutes.

The event log is the account: every `model_call` in it counts, and every lost reply of a `model_failed`, whichever
process made it, so a resumed study goes on from what was spent. Before a call its worst case is reserved; a call
that could exceed the budget is not made. Calls under way at the same time see each other's reservations.

Dollars and tokens are not passed, but for a call under way when the process is killed, which is in no account.
Minutes can be passed by the one call or run under way: how long it takes cannot be known before it, so the longest
one so far stands for it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from novum.errors import BudgetExceeded
from novum.events import Event, EventLog
from novum.records import Usage
from novum.settings import BudgetSettings


class WorstCase(NamedTuple):
    """The most that one call can use. `dollars` is None when the price is unknown."""

    tokens: int
    dollars: float | None


class Budget:
    """A study's limits and what is left of them. Thread-safe."""

    def __init__(
        self,
        dollars: float | None,
        tokens: int | None,
        minutes: float | None,
        log: EventLog,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """None means no limit. `clock` gives seconds since 1970, like the log's."""
        self.dollars = dollars
        self.tokens = tokens
        self.minutes = minutes
        self._clock = clock
        self._started = clock()
        self._mutex = threading.Lock()
        self._reserved: list[WorstCase] = []
        self._spent = Usage(dollars=0.0)
        self._longest_call_s = 0.0
        self._longest_run_s = 0.0
        self._earlier_s = _seconds_worked(list(log.events()))
        for event in log.events():
            self._count(event)
        log.listeners.append(self._count)

    @classmethod
    def from_settings(cls, settings: BudgetSettings, log: EventLog) -> Budget:
        """The budget that the settings state."""
        return cls(settings.dollars, settings.tokens, settings.minutes, log)

    @property
    def spent(self) -> Usage:
        """What the log's calls used, lost ones at their most. `dollars` sums the known prices; None when none is."""
        with self._mutex:
            return self._spent

    @property
    def elapsed_s(self) -> float:
        """Seconds of work on the study, over all processes; the time between them does not count."""
        return self._earlier_s + self._clock() - self._started

    def check(self, worst_tokens: int, worst_dollars: float | None) -> None:
        """Raise unless a call of this worst case fits.

        Raises:
            BudgetExceeded: it could exceed a limit, or a limit in dollars meets an unknown price.
        """
        with self._mutex:
            self._check(WorstCase(worst_tokens, worst_dollars))

    @contextmanager
    def reserve(self, worst: WorstCase) -> Iterator[None]:
        """Hold `worst` while the call is made and its event written.

        Raises:
            BudgetExceeded: as `check`.
        """
        with self._mutex:
            self._check(worst)
            self._reserved.append(worst)
        try:
            yield
        finally:
            with self._mutex:
                self._reserved.remove(worst)

    def check_time(self) -> None:
        """Raise unless a run as long as the longest one so far fits into the minutes.

        Raises:
            BudgetExceeded: it does not.
        """
        if self.minutes is not None and self.elapsed_s + self._longest_run_s > self.minutes * 60:
            raise self._out_of_time()

    def _check(self, worst: WorstCase) -> None:
        self._check_tokens(worst.tokens)
        self._check_dollars(worst.dollars)
        if self.minutes is not None and self.elapsed_s + self._longest_call_s > self.minutes * 60:
            raise self._out_of_time()

    def _check_tokens(self, worst: int) -> None:
        if self.tokens is None:
            return
        used = self._spent.prompt_tokens + self._spent.output_tokens
        held = sum(other.tokens for other in self._reserved)
        if used + held + worst > self.tokens:
            why = f"{used + held} of {self.tokens} tokens are used and the next call can need {worst}"
            raise _exceeded("tokens", why)

    def _check_dollars(self, worst: float | None) -> None:
        if self.dollars is None:
            return
        if worst is None:
            raise BudgetExceeded(
                "a budget in dollars cannot be kept with this model",
                "its price is not known",
                "set a budget in tokens or minutes instead of dollars",
            )
        used = (self._spent.dollars or 0.0) + sum(other.dollars or 0.0 for other in self._reserved)
        if used + worst > self.dollars:
            why = f"${used:.4f} of ${self.dollars:.4f} are used and the next call can cost ${worst:.4f}"
            raise _exceeded("dollars", why)

    def _out_of_time(self) -> BudgetExceeded:
        return _exceeded("minutes", f"{self.elapsed_s / 60:.1f} of {self.minutes:g} minutes are used")

    def _count(self, event: Event) -> None:
        if event.kind == "run_finished":
            self._longest_run_s = max(self._longest_run_s, float(event.data.get("seconds", 0.0)))
        if event.kind not in ("model_call", "model_failed") or "usage" not in event.data:
            return
        usage = Usage.model_validate(event.data["usage"])
        with self._mutex:
            self._spent = add_usage(self._spent, usage)
            if event.kind == "model_call":
                self._longest_call_s = max(self._longest_call_s, usage.seconds)


def add_usage(a: Usage, b: Usage) -> Usage:
    """The sum. An unknown price leaves the known dollars as they are; two unknown ones stay unknown."""
    known = [usage.dollars for usage in (a, b) if usage.dollars is not None]
    return Usage(
        prompt_tokens=a.prompt_tokens + b.prompt_tokens,
        cached_tokens=a.cached_tokens + b.cached_tokens,
        cache_written_tokens=a.cache_written_tokens + b.cache_written_tokens,
        output_tokens=a.output_tokens + b.output_tokens,
        seconds=a.seconds + b.seconds,
        dollars=sum(known) if known else None,
        calls=a.calls + b.calls,
    )


def _seconds_worked(events: list[Event]) -> float:
    """Seconds between the events of one process, for each process that wrote them."""
    pairs = itertools.pairwise(events)
    return sum(max(0.0, after.time - before.time) for before, after in pairs if after.kind not in _BEGINNINGS)


_BEGINNINGS = ("log_reopened", "study_resumed")
"""Kinds of the first event of a process that goes on with a study; logs of old have the second one only."""


def _exceeded(what: str, why: str) -> BudgetExceeded:
    return BudgetExceeded(
        f"the budget in {what} is reached",
        why,
        f"allow more {what}; a study goes on with `novum resume STUDY`, and nothing of it is lost",
    )
