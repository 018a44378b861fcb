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
    "phase_finished": lambda d: f"   {d['phase']} took {d['seconds']:.1f} s",
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


class View:
    """Shows a study's events and the tokens of a reply as they come. Writes to standard error only."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._phase = ""
        self._step = ""
        self._rate = ""
        self._spent = [0, 0.0]
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
        """Show one event of the log."""
        if event.kind == "phase_started":
            self._phase = event.data["phase"]
        if event.kind == "model_call":
            usage = event.data["usage"]
            self._spent[0] += usage["prompt_tokens"] + usage["output_tokens"]
            self._spent[1] += usage["dollars"] or 0.0
            self._step = event.data["step"]
        line = _LINES.get(event.kind)
        if line is not None:
            self._print(line(event.data))
        self._refresh()

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

    def _refresh(self) -> None:
        if self._status is None:
            return
        elapsed = int(time.monotonic() - self._started)
        dollars = f", ${self._spent[1]:.2f}" if self._spent[1] else ""
        parts = [
            f"{elapsed // 60}:{elapsed % 60:02d}",
            self._phase,
            f"after {self._step}" if self._step else "",
        ]
        parts += [self._rate, f"{self._spent[0]} tokens in all{dollars}"]
        self._status.update("  ".join(part for part in parts if part))
