"""Hosted models: any provider of pydantic-ai's direct API, and any OpenAI-compatible server by its base URL.

The SDKs' own retries are off. The ones here are bounded, wait as long as `Retry-After` says (else with growing,
jittered waits), and never try again after a bad key, an exhausted quota or a request that was refused.

A request whose reply was lost (no answer in time, a connection that was cut, an answer that cannot be read) may have
been billed. They are counted, and fewer of them are tried again than of those that the provider turned away.
"""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from novum.errors import AnswerError, MissingTool, ModelAuthError, ModelError, UsageError
from novum.llm import Capabilities, ImagePart, Message, Reply, Request, TextPart, prices
from novum.records import Usage

if TYPE_CHECKING:
    from pydantic_ai.exceptions import ModelAPIError
    from pydantic_ai.messages import ModelMessage, ModelResponse, UserContent
    from pydantic_ai.models import Model as ProviderModel
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_LONGEST_RETRY_AFTER_S = 300.0
_DEFAULT_CONTEXT_TOKENS = 128_000
_REASONING_TOKENS = 8_000
_MOST_LOST = 3
"""Replies that may be lost in one call before it is given up."""
_GATEWAY_TIMEOUTS = (408, 504, 524)


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
        self._base_url = base_url if name.startswith("openai:") else None
        self._timeout_s = timeout_s
        self._retries = retries
        self._warn = warn
        self._sleep = sleep
        self._rng = rng or random.Random()

    @property
    def name(self) -> str:
        return self._name

    @cached_property
    def capabilities(self) -> Capabilities:
        """From pydantic-ai's profile of the model; needs no key.

        Raises:
            UsageError: no such provider.
            MissingTool: its SDK is not installed.
        """
        from pydantic_ai.models import infer_model_profile
        from pydantic_ai.providers import infer_provider_class

        try:
            infer_provider_class(self._name.partition(":")[0])
            profile = infer_model_profile(self._name)
        except ValueError as error:
            raise UsageError(
                f"{self._name!r} does not name a model", str(error), "see docs/models.md"
            ) from error
        except ImportError as error:
            raise _missing_sdk(self._name, error) from error
        thinks = profile.get("thinking_always_enabled") or profile.get("thinking_enabled_by_default")
        return Capabilities(
            json_schema=profile.get("supports_json_schema_output", False),
            vision=True,
            context_tokens=profile.get("context_window") or _DEFAULT_CONTEXT_TOKENS,
            reasoning_tokens=_REASONING_TOKENS if thinks else 0,
            attempts=min(self._retries + 1, _MOST_LOST),
        )

    def price(self, usage: Usage) -> float | None:
        """By the price table; None for a model behind a base URL, whose price nobody states."""
        return None if self._base_url else prices.dollars(self._name, usage)

    def complete(self, request: Request) -> Reply:
        """Answer `request`, with bounded retries.

        Raises:
            ModelAuthError: a missing or bad key, or no quota.
            AnswerError: the prompt does not fit the context.
            ModelError: refused, or still failing after the last attempt.
        """
        if request.grammar is not None:
            raise UsageError(
                f"the request {request.step!r} has a grammar", "hosted models take JSON schemas only"
            )
        started = time.monotonic()
        lost = 0
        try:
            for attempt in range(self._retries + 1):
                try:
                    response = self._ask(request)
                except _Again as again:
                    lost += again.lost
                    self._pause(attempt, again, lost)
                else:
                    return self._reply(response, time.monotonic() - started, lost)
        except ModelError as error:
            error.lost = lost
            raise
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Nothing to free."""

    def _pause(self, attempt: int, again: _Again, lost: int) -> None:
        """Wait before the next attempt, or raise when there is none."""
        tries = f"{attempt + 1} of {self._retries + 1}"
        longest = (again.retry_after_s or 0) > _LONGEST_RETRY_AFTER_S
        if attempt == self._retries or lost == _MOST_LOST or longest:
            later = f"; it asks to wait {again.retry_after_s:.0f} s" if again.retry_after_s else ""
            raise ModelError(
                f"the model {self._name} could not be asked (attempt {tries})",
                f"{again.reason}{later}",
                "run `novum resume` later; nothing is lost",
            ) from again.__cause__
        growing = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
        # Jitter only ever adds to Retry-After: coming back too early is refused again.
        wait = (
            again.retry_after_s + self._rng.uniform(0, 0.5)
            if again.retry_after_s is not None
            else (growing * self._rng.uniform(0.5, 1.5))
        )
        self._warn(f"{self._name}: {again.reason}; attempt {tries} failed, waiting {wait:.1f} s")
        self._sleep(wait)

    def _ask(self, request: Request) -> ModelResponse:
        from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior, UserError

        try:
            return asyncio.run(self._ask_once(request))
        except ModelAPIError as error:
            raise _classified(self._name, error) from error
        except UnexpectedModelBehavior as error:
            raise _Again(f"the reply could not be read: {error}", None, lost=True) from error
        except UserError as error:  # a missing key, before anything is sent
            raise ModelAuthError(
                f"the model {self._name} cannot be asked", str(error), "set the key, or choose another model"
            ) from error
        except ImportError as error:
            raise _missing_sdk(self._name, error) from error

    async def _ask_once(self, request: Request) -> ModelResponse:
        from pydantic_ai.direct import model_request

        async with self._open() as model:
            return await model_request(
                model,
                _messages(request.messages),
                model_settings=self._model_settings(request),
                model_request_parameters=_parameters(request),
            )

    def _open(self) -> ProviderModel:
        if self._base_url is None:
            from pydantic_ai.models import infer_model

            return infer_model(self._name)
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIChatModel(self._name.partition(":")[2], provider=OpenAIProvider(base_url=self._base_url))

    def _model_settings(self, request: Request) -> ModelSettings:
        thinking = self.capabilities.reasoning_tokens
        settings: ModelSettings = {
            "max_tokens": request.max_tokens + thinking,
            "timeout": self._timeout_s,
            "request_timeout": self._timeout_s,
            "max_retries": 0,
            "seed": request.seed,
        }
        if not thinking:  # models that think refuse a temperature
            settings["temperature"] = request.temperature
        return settings

    def _reply(self, response: ModelResponse, seconds: float, lost: int) -> Reply:
        usage = Usage(
            prompt_tokens=response.usage.input_tokens,
            cached_tokens=response.usage.cache_read_tokens,
            cache_written_tokens=response.usage.cache_write_tokens,
            output_tokens=response.usage.output_tokens,
            seconds=seconds,
            calls=1,
        )
        return Reply(
            text=response.text or "",
            finish=_FINISHES.get(response.finish_reason or "stop", "stop"),
            model=self._name,
            usage=usage.model_copy(update={"dollars": self.price(usage)}),
            lost=lost,
        )


_FINISHES: dict[str, Literal["length", "filtered"]] = {"length": "length", "content_filter": "filtered"}


class _Again(Exception):
    """A failure after which another attempt can help. `retry_after_s` is what the provider asked for."""

    def __init__(self, reason: str, retry_after_s: float | None, *, lost: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.lost = lost


def _classified(name: str, error: ModelAPIError) -> Exception:
    from pydantic_ai import exceptions as failures

    reason = " ".join(str(error).split())[:500]
    if isinstance(error, failures.ModelAuthenticationError | failures.ModelQuotaExceededError):
        return ModelAuthError(
            f"the model {name} refuses this account", reason, "check the key, its rights and its credit"
        )
    if isinstance(error, failures.ModelContextWindowExceededError):
        return AnswerError(f"the prompt does not fit the context of {name}", reason)
    if isinstance(error, failures.ModelRequestRejectedError):
        return ModelError(
            f"the model {name} refused the request", reason, "check the model's name and base URL"
        )
    return _Again(reason, error.retry_after, lost=_may_be_billed(error))


def _may_be_billed(error: ModelAPIError) -> bool:
    """Whether it may have been answered all the same: an error status, or no connection, rules that out."""
    from pydantic_ai.exceptions import ModelConnectionError

    if isinstance(error, ModelConnectionError):
        return error.phase not in ("pool", "connect")
    return getattr(error, "status_code", None) in (None, *_GATEWAY_TIMEOUTS)


def _missing_sdk(name: str, error: ImportError) -> MissingTool:
    return MissingTool(
        f"the provider of {name} is not installed", str(error), 'pip install "novum[providers]"'
    )


def _parameters(request: Request) -> ModelRequestParameters:
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition

    if request.json_schema is None:
        return ModelRequestParameters()
    answer = OutputObjectDefinition(json_schema=request.json_schema, name="answer", strict=True)
    return ModelRequestParameters(output_mode="native", output_object=answer)


def _messages(messages: tuple[Message, ...]) -> list[ModelMessage]:
    from pydantic_ai import messages as provider

    turns: list[ModelMessage] = []
    parts: list[provider.ModelRequestPart] = []
    for message in messages:
        if message.role == "assistant":
            turns += [provider.ModelRequest(parts=parts)] if parts else []
            turns.append(provider.ModelResponse(parts=[provider.TextPart(content=message.text)]))
            parts = []
        elif message.role == "system":
            parts.append(provider.SystemPromptPart(content=message.text))
        else:
            parts.append(provider.UserPromptPart(content=_contents(message.parts)))
    if parts:
        turns.append(provider.ModelRequest(parts=parts))
    return turns


def _contents(parts: Sequence[TextPart | ImagePart]) -> list[UserContent]:
    """The parts, with a cache point between two texts; providers that know none are sent none."""
    from pydantic_ai.messages import CachePoint

    contents: list[UserContent] = []
    for before, part in zip((None, *parts), parts, strict=False):
        if isinstance(before, TextPart) and isinstance(part, TextPart):
            contents.append(CachePoint())
        contents.append(_content(part))
    return contents


def _content(part: TextPart | ImagePart) -> UserContent:
    from pydantic_ai.messages import BinaryContent

    if isinstance(part, TextPart):
        return part.text
    return BinaryContent(data=base64.b64decode(part.data_base64), media_type=part.media_type)
