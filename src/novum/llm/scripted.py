"""Replies from a user's file: to test a template, or novum itself, without a model.

A JSON file maps patterns of step keys to replies; the first pattern that matches counts:

    {"replies": {"ideate/*": {"name": "slow_start", "title": "..."},
                 "experiment/*/edit*": ["first reply", "second reply"],
                 "write/*": "a paragraph"},
     "default": "anything else",
     "dollars_per_million_tokens": 3.0,
     "capabilities": {"json_schema": true, "small": true}}

A list is given out in order and its last reply repeats; an object is given as JSON. All keys but `replies` may
be left out. A Python file defines `reply(request) -> str` and may define `capabilities`, a dict.
"""

from __future__ import annotations

import fnmatch
import json
import runpy
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from novum.errors import ModelError, UsageError
from novum.llm import Capabilities, Reply, Request
from novum.records import Record, Usage

_CHARS_PER_TOKEN = 4


class Script(Record):
    """A JSON script."""

    replies: dict[str, Any] = Field(default_factory=dict)
    default: Any = None
    dollars_per_million_tokens: float = Field(default=0.0, ge=0)
    capabilities: Capabilities = Capabilities(json_schema=True)


class ScriptedModel:
    """Answers with `reply(request)`. Tokens are counted as characters / 4. Thread-safe if `reply` is."""

    def __init__(
        self,
        name: str,
        reply: Callable[[Request], str],
        *,
        capabilities: Capabilities | None = None,
        dollars_per_million_tokens: float = 0.0,
    ) -> None:
        self._name = name
        self._reply = reply
        self._capabilities = capabilities or Capabilities(json_schema=True)
        self._rate = dollars_per_million_tokens

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def complete(self, request: Request) -> Reply:
        """The script's reply, cut at `max_tokens`.

        Raises:
            ModelError: the script has no reply for this step.
        """
        text = self._reply(request)
        limit = request.max_tokens * _CHARS_PER_TOKEN
        prompt = sum(len(message.text) for message in request.messages)
        usage = Usage(prompt_tokens=_tokens(prompt), output_tokens=_tokens(min(len(text), limit)), calls=1)
        return Reply(
            text=text[:limit],
            finish="length" if len(text) > limit else "stop",
            model=self._name,
            usage=usage.model_copy(update={"dollars": self.price(usage)}),
        )

    def price(self, usage: Usage) -> float | None:
        return (usage.prompt_tokens + usage.output_tokens) * self._rate / 1e6

    def close(self) -> None:
        """Nothing to free."""


def from_replies(
    replies: Mapping[str, Any], default: Any = None, *, name: str = "scripted:replies", **options: Any
) -> ScriptedModel:
    """A model of pattern -> reply, as in a JSON script; `options` as for `ScriptedModel`."""
    return ScriptedModel(name, _Replies(replies, default).reply, **options)


def from_file(path: Path) -> ScriptedModel:
    """A model of a `.json` or `.py` script.

    Raises:
        UsageError: the file is missing or not such a script.
    """
    if not path.is_file():
        raise UsageError(f"there is no script {path}", "", "name a .json or .py file: scripted:replies.json")
    load = _from_python if path.suffix == ".py" else _from_json
    return load(path)


def _from_json(path: Path) -> ScriptedModel:
    try:
        script = Script.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"the script {path} is not valid", str(error), "see docs/models.md") from error
    return from_replies(
        script.replies,
        script.default,
        name=f"scripted:{path}",
        capabilities=script.capabilities,
        dollars_per_million_tokens=script.dollars_per_million_tokens,
    )


def _from_python(path: Path) -> ScriptedModel:
    try:
        names = runpy.run_path(str(path))
        given = names.get("capabilities")
        capabilities = Capabilities.model_validate(given) if given is not None else None
    except (Exception, SystemExit) as error:  # whatever the user's own code raises is a fault of that file
        raise UsageError(
            f"the script {path} cannot be run",
            f"{type(error).__name__}: {error}",
            "mend it; see docs/models.md for what a script is",
        ) from error
    reply = names.get("reply")
    if not callable(reply):
        raise UsageError(
            f"the script {path} defines no function reply(request) -> str", "", "see docs/models.md"
        )
    return ScriptedModel(f"scripted:{path}", reply, capabilities=capabilities)


class _Replies:
    def __init__(self, replies: Mapping[str, Any], default: Any) -> None:
        self._replies = replies
        self._default = default
        self._given: dict[str, int] = {}
        self._mutex = threading.Lock()

    def reply(self, request: Request) -> str:
        for pattern, value in self._replies.items():
            if fnmatch.fnmatchcase(request.step, pattern):
                return _text(self._next(pattern, value) if isinstance(value, list) else value)
        if self._default is None:
            raise ModelError(
                f"the script has no reply for the step {request.step!r}",
                f"its patterns: {', '.join(self._replies) or 'none'}",
                "add one, or a default",
            )
        return _text(self._default)

    def _next(self, pattern: str, values: list[Any]) -> Any:
        with self._mutex:
            place = self._given.get(pattern, 0)
            self._given[pattern] = place + 1
        return values[min(place, len(values) - 1)] if values else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tokens(chars: int) -> int:
    return -(-chars // _CHARS_PER_TOKEN)
