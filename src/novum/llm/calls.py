"""Model calls in the event log: how one is written, and how it is found again.

A `model_call` event holds: step, request_hash, prompt_id, prompt_hash, model, capabilities, messages,
json_schema, grammar, max_tokens, temperature, seed, text, finish, usage. A message's content is written the
first time it occurs in a log and named by its SHA-256 afterwards, so that a long shared beginning is stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from novum.events import Event
from novum.llm import Capabilities, Message, Reply, Request
from novum.records import Usage


class Found(NamedTuple):
    """A logged call. `drifted` is True when only its step is the one asked for, not the request."""

    event: Event
    drifted: bool

    @property
    def reply(self) -> Reply:
        """What the model said then; nothing is paid for it now."""
        data = self.event.data
        return Reply(
            text=data["text"],
            usage=Usage.model_validate(data["usage"]),
            finish=data["finish"],
            model=data["model"],
            reused=True,
        )


class CallIndex:
    """The calls of a log, by step and request."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._exact: dict[tuple[str, str], Event] = {}
        self._by_step: dict[str, list[Event]] = {}
        self._taken: dict[str, int] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take up a `model_call`; other kinds are ignored."""
        if event.kind != "model_call":
            return
        self._exact.setdefault((event.data["step"], event.data["request_hash"]), event)
        self._by_step.setdefault(event.data["step"], []).append(event)

    def exact(self, request: Request) -> Found | None:
        """The call with this step and this request."""
        event = self._exact.get((request.step, request.hash))
        return Found(event, drifted=False) if event else None

    def nearest(self, request: Request) -> Found | None:
        """The exact call, else the next one with this step that was not given out yet (else the last)."""
        if found := self.exact(request):
            return found
        events = self._by_step.get(request.step)
        if not events:
            return None
        place = self._taken.get(request.step, 0)
        self._taken[request.step] = place + 1
        return Found(events[min(place, len(events) - 1)], drifted=True)

    def capabilities(self, model: str | None = None) -> Capabilities | None:
        """What `model` (default: the first one that answered) could be asked for."""
        for events in self._by_step.values():
            for event in events:
                if model in (None, event.data["model"]):
                    return Capabilities.model_validate(event.data["capabilities"])
        return None


class MessageStore:
    """Which message contents a log already holds."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._known: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            for entry in event.data.get("messages", ()) if event.kind == "model_call" else ():
                if "parts" in entry:
                    self._known[entry["sha256"]] = entry["parts"]

    def entries(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        """The messages as an event holds them: role, sha256, and the parts when they are new."""
        entries: list[dict[str, Any]] = []
        for message in messages:
            digest = hashlib.sha256(message.model_dump_json().encode()).hexdigest()
            entry: dict[str, Any] = {"role": message.role, "sha256": digest}
            if digest not in self._known:
                self._known[digest] = entry["parts"] = message.model_dump(mode="json")["parts"]
            entries.append(entry)
        return entries

    def messages(self, call: Event) -> tuple[Message, ...]:
        """The whole prompt of a logged call, for audit."""
        return tuple(
            Message.model_validate({"role": entry["role"], "parts": self._known[entry["sha256"]]})
            for entry in call.data["messages"]
        )
