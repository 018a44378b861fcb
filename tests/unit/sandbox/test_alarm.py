"""The clock of a run, which nothing may hold up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sandboxes import LIMITS

from novum.sandbox import Sandbox
from novum.sandbox.alarm import Alarm
from novum.sandbox.supervise import _ends
from novum.sandbox.watch import Broken, Meter

AT_ONCE = LIMITS.model_copy(update={"wall_s": 0.4})
FOREVER_S = 15


def test_an_alarm_rings_at_its_time_and_once() -> None:
    rung: list[float] = []
    began = time.monotonic()
    with Alarm(began + 0.05, lambda: rung.append(time.monotonic())) as alarm:
        alarm.set()
        alarm.set()
        time.sleep(0.3)
    assert alarm.rang
    assert len(rung) == 1
    assert rung[0] >= began + 0.05


def test_an_alarm_that_is_left_or_never_set_does_not_ring() -> None:
    rung: list[int] = []
    for is_set in (True, False):
        with Alarm(time.monotonic() + 0.1, lambda: rung.append(1)) as alarm:
            if is_set:
                alarm.set()
        time.sleep(0.2)
        assert not alarm.rang
    assert rung == []


def test_a_measure_that_waits_for_the_kernel_does_not_hold_up_the_clock(
    sandbox: Sandbox, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(self: Meter) -> Broken | None:
        _ends(self._handles.process_one, FOREVER_S)  # as when /proc answers only once its process is dead
        return None

    monkeypatch.setattr(Meter, "look", look)
    began = time.monotonic()
    outcome = sandbox.run(["/bin/sleep", "60"], work, AT_ONCE)
    assert (outcome.ended, outcome.exit_code) == ("timeout", None)
    assert time.monotonic() - began < FOREVER_S / 2


def test_a_limit_that_such_a_measure_names_is_the_one_that_counts(
    sandbox: Sandbox, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(self: Meter) -> Broken | None:
        _ends(self._handles.process_one, FOREVER_S)
        return Broken("memory", "it used too much")

    monkeypatch.setattr(Meter, "look", look)
    assert sandbox.run(["/bin/sleep", "60"], work, AT_ONCE).ended == "memory"
