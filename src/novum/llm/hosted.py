"""Hosted models: any provider of pydantic-ai's direct API, and any OpenAI-compatible server by its base URL.

The SDKs' own retries are off; the ones here are bounded, wait as long as `Retry-After` says (else with growing,
jittered waits), and never try again after a bad key, an exhausted quota or a request that was refused.
"""

from __future__ import annotations

import asyncio
import base64
import random
import threading
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from novum.errors import ModelAuthError, ModelError, UsageError
from novum.llm import Capabilities, ImagePart, Message, Reply, Request
from novum.llm import prices
from novum.records import Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model as ProviderModel

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_CONTEXT_TOKENS = 128_000


class HostedModel:
    """`provider:model`, asked over the network. Thread-safe: each call has a client of its own."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        timeout_s: float = 300.0,
        retries: int = 4,
        warn: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """`base_url` is for `openai:NAME` only. `retries` are attempts after the first; `warn` hears of each."""
        self._name = name
        self._provider, _, self._model_name = name.partition(":")
        self._base_url = base_url if self._provider == "openai" else None
        self._timeout_s = timeout_s
        self._retries = retries
        self._warn = warn
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._mutex = threading.Lock()
        self._model: ProviderModel | None = None
