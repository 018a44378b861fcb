"""What a person sees while a study works: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novum.events import Event

_LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "phase_started": lambda d: f"== {d['phase']}",
    "phase_finished": lambda d: (
        f"   {d['phase']} {'stopped after' if d.get('interrupted') else 'took'} {d['seconds']:.1f} s"
    ),
    "step_defaulted": lambda d: f"   {d['step']}: default taken ({_first_line(d['reason'])})",
    "edit_applied": lambda d: f"   {d['run']}: code changed ({d['commit'][:8]})",
    "edit_refused": lambda d: f"   {d['run']}: change not applied ({_first_line(d['reason'])})",
    "run_finished": lambda d: f"   {d['run']}: {d['status']} in {d['seconds']:.1f} s",
    "latex": lambda d: f"   LaTeX ({d.get('engine', '')}): {d.get('seconds', 0):.1f} s",
    "warning": lambda d: f"   note: {_first_line(d['message'])}",
    "study_finished": lambda d: f"== finished: {d['answered_share']:.0%} of the steps answered by the model",
}


def _first_line(text: str) -> str:
    return text.splitlines()[0][:140] if text else ""


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


class View:
    """Shows a study's events and the tokens of a reply as they come. Writes to standard error only."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._phase = ""
        self._run = ""
        self._now = ""
        self._rate = ""
        self._tokens = 0
        self._dollars = 0.0
        self._unpriced = False
        self._status: Any = None

    def __enter__(self) -> View:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.status import Status

            self._status = Status("", console=Console(stderr=True), refresh_per_second=6)
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def event(self, event: Event) -> None:
        """Show one event of the log, or what `novum.study.watch` tells of what begins."""
        self._follow(event.kind, event.data)
        line = _LINES.get(event.kind)
        if line is not None:
            self._print(line(event.data))
        self._refresh()

    def spent(self, used: dict[str, Any]) -> None:
        """Count `used`, a usage as events hold it; a price that is not known is not taken for nothing."""
        self._tokens += used["prompt_tokens"] + used["output_tokens"]
        self._dollars += used["dollars"] or 0.0
        self._unpriced = self._unpriced or used["dollars"] is None

    def _follow(self, kind: str, data: dict[str, Any]) -> None:
        """Keep what is going on: the phase, the step or command that has begun, the run whose code was changed."""
        if kind == "phase_started":
            self._phase, self._now = data["phase"], ""
        elif kind == "asked":
            self._now, self._rate = data["step"], ""
        elif kind == "executed":
            self._now, self._rate = _shortened(" ".join(data["command"])), ""
        elif kind == "edit_applied":
            self._run = data["run"]
        elif kind in ("run_finished", "figure"):
            self._run = self._now = ""
        elif kind == "study_resumed" and "used" in data:
            self.spent(data["used"])
        if kind in ("model_call", "model_failed") and "usage" in data:
            self.spent(data["usage"])

    def progress(self, tokens: int, rate: float) -> None:
        """Show that the embedded model has written `tokens` tokens, at `rate` tokens a second."""
        self._rate = f"{tokens} tokens, {rate:.0f}/s"
        self._refresh()

    def _print(self, text: str) -> None:
        stamp = f"[{time.monotonic() - self._started:6.1f} s] "
        if self._status is not None:
            self._status.console.print(stamp + text, highlight=False, markup=False)
        else:
            print(stamp + text, file=sys.stderr, flush=True)

    @property
    def status(self) -> str:
        """The line that a terminal shows: time, phase, run, what is going on, what was spent."""
        elapsed = int(time.monotonic() - self._started)
        parts = [f"{elapsed // 60}:{elapsed % 60:02d}", self._phase, self._run, self._now, self._rate]
        return "  ".join(part for part in [*parts, f"{self._tokens} tokens in all{self._cost()}"] if part)

    def _cost(self) -> str:
        known = f"${self._dollars:.2f}" if self._dollars else ""
        if self._unpriced:
            return f", more than {known} (a price is unknown)" if known else ", cost unknown"
        return f", {known}" if known else ""

    def _refresh(self) -> None:
        if self._status is not None:
            from rich.markup import escape

            self._status.update(escape(self.status))
