"""A study in a few lines, from its records: for `novum status`, `novum show` and the end of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from novum.events import Event, read_events
from novum.records import Record, Usage
from novum.store import StudyFolder


class Summary(Record):
    """Where a study stands. Seconds are summed over all processes that worked on it."""

    name: str
    folder: Path
    finished: bool
    phase: str
    idea: str
    runs: dict[str, str]
    answered_share: float | None
    defaulted: tuple[str, ...]
    audit_passes: bool | None
    overall: int | None
    decision: str
    model_calls: int
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    dollars: float | None
    phase_seconds: dict[str, float]
    paper: Path | None

    @property
    def text(self) -> str:
        """For people."""
        lines = [f"{self.name}: {self.idea or 'no idea yet'}"]
        state = (
            "finished" if self.finished else f"stopped in phase {self.phase}" if self.phase else "not begun"
        )
        lines.append(f"  state     {state}")
        lines.append("  runs      " + (", ".join(f"{k} {v}" for k, v in self.runs.items()) or "none"))
        if self.answered_share is not None:
            lines.append(
                f"  steps     {self.answered_share:.0%} answered by the model; defaults: {len(self.defaulted)}"
            )
        if self.audit_passes is not None:
            lines.append(
                f"  audit     {'passes' if self.audit_passes else 'does not pass'} (see `novum check`)"
            )
        if self.overall is not None:
            lines.append(f"  review    {self.overall}/10, {self.decision} (machine-written)")
        cost = "unknown" if self.dollars is None else f"${self.dollars:.2f}"
        cached = f"{self.cached_tokens / self.prompt_tokens:.0%} cached" if self.prompt_tokens else "none"
        lines.append(
            f"  model     {self.model_calls} calls, {self.prompt_tokens} prompt tokens ({cached}), "
            f"{self.output_tokens} written, cost {cost}"
        )
        times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.phase_seconds.items())
        lines.append(f"  time      {sum(self.phase_seconds.values()):.0f} s: {times}")
        if self.paper:
            lines.append(f"  paper     {self.paper}")
        return "\n".join(lines)


def summarise_study(folder: StudyFolder) -> Summary:
    """Summarise the study in `folder`.

    Raises:
        StudyError: it has no event log, or a corrupt one.
    """
    events = read_events(folder.events).events
    finished = _last(events, "study_finished")
    used = usage_of(events)
    review = _json(folder.paper / "reviews" / "meta.json") or {}
    paper = folder.paper / "paper.pdf"
    last_phase = _last(events, "phase_started")
    return Summary(
        name=folder.name,
        folder=folder.root,
        finished=finished is not None,
        phase=last_phase.data["phase"] if last_phase else "",
        idea=(_json(folder.idea) or {}).get("title", ""),
        runs=_runs(folder),
        answered_share=finished.data["answered_share"] if finished else None,
        defaulted=tuple(dict.fromkeys(e.data["step"] for e in events if e.kind == "step_defaulted")),
        audit_passes=finished.data["audit_passes"] if finished else None,
        overall=review.get("overall"),
        decision=review.get("decision", ""),
        model_calls=sum(e.kind == "model_call" for e in events),
        prompt_tokens=used.prompt_tokens,
        cached_tokens=used.cached_tokens,
        output_tokens=used.output_tokens,
        dollars=used.dollars,
        phase_seconds=_phase_seconds(events),
        paper=paper if paper.exists() else None,
    )


def _runs(folder: StudyFolder) -> dict[str, str]:
    found = {}
    for path in sorted(folder.runs.glob("run_*/run.json")):
        found[path.parent.name] = str((_json(path) or {}).get("status", "unreadable"))
    return found


def usage_of(events: Iterable[Event]) -> Usage:
    """What all model calls used, lost ones included; `dollars` is None when the price of any is unknown."""
    total = Usage(dollars=0.0)
    for event in events:
        if event.kind in ("model_call", "model_failed") and "usage" in event.data:
            used = Usage.model_validate(event.data["usage"])
            unknown = used.dollars is None or total.dollars is None
            total = Usage(
                prompt_tokens=total.prompt_tokens + used.prompt_tokens,
                cached_tokens=total.cached_tokens + used.cached_tokens,
                output_tokens=total.output_tokens + used.output_tokens,
                seconds=total.seconds + used.seconds,
                dollars=None if unknown else (total.dollars or 0.0) + (used.dollars or 0.0),
                calls=total.calls + used.calls,
            )
    return total


def _phase_seconds(events: list[Event]) -> dict[str, float]:
    """Seconds by phase; of one that a kill cut short, up to the last event of its process."""
    seconds: dict[str, float] = {}
    begun: Event | None = None
    last = 0.0

    def add(phase: str, spent: float) -> None:
        seconds[phase] = round(seconds.get(phase, 0.0) + spent, 1)

    for event in events:
        if begun and event.kind in ("log_reopened", "study_resumed", "phase_started"):
            add(begun.data["phase"], last - begun.time)
            begun = None
        if event.kind == "phase_started":
            begun = event
        elif event.kind == "phase_finished":
            add(event.data["phase"], event.data["seconds"])
            begun = None
        last = event.time
    if begun:
        add(begun.data["phase"], last - begun.time)
    return seconds


def _last(events: list[Event], kind: str) -> Event | None:
    return next((e for e in reversed(events) if e.kind == kind), None)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
