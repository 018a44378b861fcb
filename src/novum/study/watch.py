"""Tell who watches a study what begins: the question that a model is asked, the command that is executed.

The log records what has ended, so that it can be replayed; what begins goes to its listeners alone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from novum.events import Event
from novum.llm import Capabilities, Model, Reply, Request
from novum.records import Limits, Outcome, Usage
from novum.sandbox import Access, Sandbox
from novum.tools import Tools

ASKED, EXECUTED = "asked", "executed"
"""Kinds of what is told: `asked` with its `step`, `executed` with its `command`. No log holds them."""
_Tell = Callable[[str, dict[str, Any]], None]


def watched(tools: Tools) -> Tools:
    """The same tools, which tell the listeners of their log of each question and each command before it begins."""

    def tell(kind: str, data: dict[str, Any]) -> None:
        event = Event(kind, round(time.time(), 3), data)
        for listener in tools.log.listeners:
            listener(event)

    return dataclasses.replace(
        tools,
        models={role: _WatchedModel(model, tell) for role, model in tools.models.items()},
        sandbox=_WatchedSandbox(tools.sandbox, tell),
    )


class _WatchedModel:
    def __init__(self, model: Model, tell: _Tell) -> None:
        self._model, self._tell = model, tell

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def capabilities(self) -> Capabilities:
        return self._model.capabilities

    def price(self, usage: Usage) -> float | None:
        return self._model.price(usage)

    def close(self) -> None:
        self._model.close()

    def complete(self, request: Request) -> Reply:
        self._tell(ASKED, {"step": request.step})
        return self._model.complete(request)


class _WatchedSandbox:
    def __init__(self, sandbox: Sandbox, tell: _Tell) -> None:
        self._sandbox, self._tell = sandbox, tell

    @property
    def name(self) -> str:
        return self._sandbox.name

    @property
    def level(self) -> str:
        return self._sandbox.level

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> Outcome:
        self._tell(EXECUTED, {"command": [Path(command[0]).name, *command[1:]]})
        return self._sandbox.run(command, workdir, limits, access, on_output)
