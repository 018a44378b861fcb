"""A model that answers from a study's event log: no model, no network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from novum.events import read_events
from novum.llm import Capabilities, Reply, Request
from novum.llm.calls import CallIndex
from novum.llm.recorded import drift_notice, missing
from novum.records import Usage


class ReplayModel:
    """Replies from `events.jsonl`: by step and request, else by step alone, which is a warning. Thread-safe."""

    def __init__(
        self, path: Path, *, original: str | None = None, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        """`original` is the logged model whose capabilities are taken on (default: the first that answered).

        Raises:
            StudyError: the log cannot be read.
        """
        self._path = path
        self._original = original
        self._warn = warn
        self._mutex = threading.Lock()
        self._index = CallIndex(read_events(path).events)

    @property
    def name(self) -> str:
        return f"replay:{self._path}" + (f"#{self._original}" if self._original else "")

    @property
    def capabilities(self) -> Capabilities:
        """Those of the model that answered then, so that the same prompts are chosen."""
        return self._index.capabilities(self._original) or Capabilities()

    def complete(self, request: Request) -> Reply:
        """The logged reply.

        Raises:
            ReplayMiss: the log holds none for this step.
        """
        with self._mutex:
            found = self._index.nearest(request)
        if found is None:
            raise missing(request.step, str(self._path))
        if found.drifted:
            self._warn(drift_notice(request.step))
        return found.reply

    def price(self, usage: Usage) -> float | None:
        """Nothing: it was paid for then."""
        return 0.0

    def close(self) -> None:
        """Nothing to free."""
