"""One reply of the embedded model as it comes: tokens, progress, the watchdog, loops, errors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from novum.errors import AnswerError, ModelError
from novum.llm import Reply
from novum.llm.looping import loop_start
from novum.llm.quiet import NativeErrors
from novum.records import Usage

Progress = Callable[[int, float], None]
"""Called per token with the tokens so far and tokens per second; with 0 tokens while the prompt is being read."""

_SLOW_TOKENS_PER_S = 3.0
_SLOW_FOR_S = 5.0
_LOOP_CHECK_EVERY = 16


class ReplyStream:
    """Collects the chunks of one reply, in the worker's thread."""

    def __init__(
        self,
        progress: Progress | None,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cancelled = False
        self.errors = NativeErrors()
        self._progress = progress
        self._warn = warn
        self._pieces: list[str] = []
        self._tokens = 0
        self._clock = clock
        self._first_token_at: float | None = None
        self._window = (0.0, 0)  # when the watchdog's window began, and the tokens then
        self._warned_slow = False
        self._loop_start: int | None = None
        self._failure: Exception | None = None
        self._finish = ""
        self._error: dict[str, Any] | None = None
        self._timings: dict[str, Any] = {}
        self._prompt: dict[str, Any] = {}

    def on_chunk(self, chunk: dict[str, Any]) -> bool:
        """Take one chunk; True stops the generation."""
        try:
            self._take(chunk)
        except Exception as error:  # noqa: BLE001 - llama.cpp would swallow it; `reply` raises it
            self._failure = error
        return self.cancelled or self._failure is not None or self._loop_start is not None

    def _take(self, chunk: dict[str, Any]) -> None:
        self.errors.stop()
        self._error = chunk.get("error", self._error)
        self._timings = chunk.get("timings", self._timings)
        if prompt := chunk.get("prompt_progress"):
            self._on_prompt(prompt)
        for choice in chunk.get("choices", ()):
            self._finish = choice.get("finish_reason") or self._finish
            if piece := choice.get("delta", {}).get("content"):
                self._on_token(piece)

    def _on_prompt(self, prompt: dict[str, Any]) -> None:
        self._prompt = prompt
        evaluated, seconds = prompt["processed"] - prompt["cache"], prompt["time_ms"] / 1000
        if self._progress is not None and seconds > 0:
            self._progress(0, evaluated / seconds)

    def _on_token(self, piece: str) -> None:
        now = self._clock()
        if self._first_token_at is None:
            self._first_token_at = now
            self._window = (now, 1)
        self._pieces.append(piece)
        self._tokens += 1
        elapsed = now - self._first_token_at
        if self._progress is not None:
            self._progress(self._tokens, (self._tokens - 1) / elapsed if elapsed > 0 else 0.0)
        self._watch_speed(now)
        if self._tokens % _LOOP_CHECK_EVERY == 0:
            self._loop_start = loop_start("".join(self._pieces))

    def _watch_speed(self, now: float) -> None:
        began, tokens = self._window
        if now - began < _SLOW_FOR_S:
            return
        speed = (self._tokens - tokens) / (now - began)
        self._window = (now, self._tokens)
        if speed >= _SLOW_TOKENS_PER_S or self._warned_slow:
            return
        self._warned_slow = True
        self._warn(
            f"the embedded model is slow: {speed:.1f} tokens/s; the load is {os.getloadavg()[0]:.1f} on "
            f"{len(os.sched_getaffinity(0))} cores, so other programs are using them"
        )

    def reply(self, name: str, seconds: float) -> Reply:
        """The whole reply.

        Raises:
            AnswerError: the prompt does not fit the context.
            ModelError: llama.cpp refused the request.
            Exception: what a callback raised.
        """
        if self._failure is not None:
            raise self._failure
        if self._error is not None:
            raise _refused(self._error, self.errors.text)
        self.errors.pass_on()
        text = "".join(self._pieces)
        if self._loop_start is not None:
            self._warn("the embedded model repeated itself and was stopped")
            text = text[: self._loop_start]
        return Reply(
            text=text,
            finish="stop" if self._finish == "stop" else "length",
            model=name,
            usage=self._usage(seconds),
        )

    def _usage(self, seconds: float) -> Usage:
        # A stopped generation has no timings; the progress of its prompt and the chunks count instead.
        cached = int(self._timings.get("cache_n", self._prompt.get("cache", 0)))
        evaluated = self._timings.get("prompt_n")
        return Usage(
            prompt_tokens=cached + int(evaluated)
            if evaluated is not None
            else int(self._prompt.get("total", 0)),
            cached_tokens=cached,
            output_tokens=int(self._timings.get("predicted_n", self._tokens)),
            seconds=seconds,
            dollars=0.0,
            calls=1,
        )


def _refused(error: dict[str, Any], detail: str) -> ModelError:
    message = " ".join(f"{error.get('message', error)} {detail}".split())
    if error.get("type") == "exceed_context_size_error":
        return AnswerError(
            "the prompt does not fit the embedded model's context",
            message,
            "raise models.context_tokens in novum.toml",
        )
    return ModelError("the embedded model refused the request", message)
