"""The Model port: ask a language model, hosted, embedded, by hand, scripted or replayed.

A model is asked through `complete`, synchronously; concurrency is the caller's. `novum.llm.registry.open_model`
turns a name such as `local:qwen2.5-coder-1.5b` or `anthropic:claude-sonnet-5` into a model.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Protocol

from pydantic import Field

from novum.records import Record, Usage

__all__ = ["Capabilities", "ImagePart", "Message", "Model", "Reply", "Request", "TextPart"]


class TextPart(Record):
    """Text in a message."""

    kind: Literal["text"] = "text"
    text: str


class ImagePart(Record):
    """An image in a message, base64-encoded."""

    kind: Literal["image"] = "image"
    media_type: str
    data_base64: str


class Message(Record):
    """One turn. A last message of the assistant is a prefill that the reply continues.

    Between two texts of a message lies a point up to which a provider may keep what it has read, since other
    questions begin alike.
    """

    role: Literal["system", "user", "assistant"]
    parts: tuple[TextPart | ImagePart, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @classmethod
    def of(cls, role: Literal["system", "user", "assistant"], *texts: str) -> Message:
        return cls(role=role, parts=tuple(TextPart(text=text) for text in texts))


class Request(Record):
    """One question. At most one of `json_schema` and `grammar` (GBNF) may be given."""

    step: str
    """A stable readable key: `experiment/run_2/fix_1`."""
    messages: tuple[Message, ...]
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None
    max_tokens: int = Field(default=1024, gt=0)
    temperature: float = 0.7
    seed: int = 0
    prompt_id: str = ""
    """`id@version` of the prompt file."""
    prompt_hash: str = ""

    @property
    def hash(self) -> str:
        """Identifies what was asked, apart from the step's key."""
        return hashlib.sha256(self.model_dump_json(exclude={"step"}).encode()).hexdigest()[:32]


class Reply(Record):
    """What a model said.

    `finish` is `length` when `max_tokens` cut it, `filtered` when the provider withheld it, which is paid for.
    """

    text: str
    usage: Usage = Usage()
    finish: Literal["stop", "length", "filtered"] = "stop"
    model: str = ""
    reused: bool = False
    """True when the event log answered, so nothing was paid."""
    lost: int = 0
    """Earlier requests of the same call whose reply never came; each of them may have been billed."""


class Capabilities(Record):
    """What a model can be asked for. A `small` model gets the prompts written for small models."""

    json_schema: bool = False
    grammar: bool = False
    prefill: bool = False
    vision: bool = False
    small: bool = False
    context_tokens: int = 8192
    reasoning_tokens: int = 0
    """Output tokens that a reply may use for thinking, beside its `max_tokens`."""
    attempts: int = Field(default=1, ge=1)
    """Most requests of one call that can be billed: the last one and those whose reply was lost before it."""


class Model(Protocol):
    """A language model. Thread-safe."""

    @property
    def name(self) -> str:
        """`kind:name`, as in the settings."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can be asked for."""

    def complete(self, request: Request) -> Reply:
        """Answer `request`.

        Raises:
            ModelError: it could not be asked (bounded retries are done).
            ModelAuthError: a bad key or no quota.
        """

    def price(self, usage: Usage) -> float | None:
        """Dollars for `usage`, or None when the price is not known."""

    def close(self) -> None:
        """Free what it holds. Idempotent."""
