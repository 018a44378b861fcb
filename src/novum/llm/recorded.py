"""Every reply is an event: resume, replay, tests and audit are one mechanism.

A request whose step and hash are in the log is answered from the log and not paid for again. Any other is
checked against the budget, asked, and written to the log before its reply is returned. A request whose reply was
lost on its way may have been billed, so it is written with the most that it can have used.
"""

from __future__ import annotations

import threading
from typing import Any, Literal

from novum.errors import AnswerError, ModelError, ReplayMiss
from novum.events import EventLog
from novum.llm import Capabilities, Model, Reply, Request
from novum.llm.budget import Budget, WorstCase
from novum.llm.calls import CallIndex, MessageStore
from novum.records import Usage

_MESSAGE_TOKENS = 16  # a chat template's marks around one message
_IMAGE_TOKENS = 4096


class RecordedModel:
    """A model whose calls are recorded in a study's log. Thread-safe as far as `model` is."""

    def __init__(
        self,
        model: Model,
        log: EventLog,
        budget: Budget,
        mode: Literal["live", "replay"] = "live",
        *,
        name: str = "",
    ) -> None:
        """`replay` never asks `model`: an unknown request is answered by its step alone, or is an error.

        `name` is what the records call the model (default: its own name); a replay looks for the same.
        """
        self._name = name or model.name
        self._model = model
        self._log = log
        self._budget = budget
        self._mode = mode
        self._mutex = threading.Lock()
        self._index = CallIndex(log.events("model_call"))
        self._messages = MessageStore(log.events("model_call"))
        log.listeners.append(self._index.add)

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return self._model.capabilities

    def price(self, usage: Usage) -> float | None:
        return self._model.price(usage)

    def close(self) -> None:
        self._model.close()

    def complete(self, request: Request) -> Reply:
        """Answer from the log, else ask and record.

        Raises:
            BudgetExceeded: the call could exceed the budget; it was not made.
            AnswerError: a filter of the provider withheld the answer, now or when it was recorded.
            ModelError: as the model's; written to the log as `model_failed`.
            ReplayMiss: in replay, the log holds no such step.
        """
        reply = self._reply(request)
        if reply.finish == "filtered":
            raise AnswerError(
                f"a filter of {self.name} withheld the answer to {request.step!r}", last_text=reply.text
            )
        return reply

    def _reply(self, request: Request) -> Reply:
        if found := self._index.exact(request):
            return found.reply
        if self._mode == "replay":
            return self._replayed(request)
        with self._budget.reserve(worst_case(self._model, request)):
            try:
                reply = self._model.complete(request)
            except ModelError as error:
                self._record_failure(request, type(error).__name__, error.text, error.lost)
                raise
            if reply.lost:
                self._record_failure(request, "LostReply", "asked again: a reply was lost", reply.lost)
            self._record(request, reply)
        return reply

    def _replayed(self, request: Request) -> Reply:
        found = self._index.nearest(request)
        if found is None:
            raise missing(request.step, str(self._log.path))
        self._log.append("warning", message=drift_notice(request.step), step=request.step)
        return found.reply

    def _record_failure(self, request: Request, error: str, message: str, lost: int) -> None:
        """`lost` requests are counted with the most that they can have used."""
        data: dict[str, Any] = {"lost": lost, "usage": lost_usage(self._model, request, lost).model_dump()}
        self._log.append(
            "model_failed",
            step=request.step,
            request_hash=request.hash,
            model=self.name,
            error=error,
            message=message,
            **(data if lost else {}),
        )

    def _record(self, request: Request, reply: Reply) -> None:
        with self._mutex:
            self._log.append(
                "model_call",
                step=request.step,
                request_hash=request.hash,
                prompt_id=request.prompt_id,
                prompt_hash=request.prompt_hash,
                model=self.name,
                capabilities=self.capabilities.model_dump(),
                messages=self._messages.entries(request.messages),
                json_schema=request.json_schema,
                grammar=request.grammar,
                max_tokens=request.max_tokens,
                temperature=request.temperature,
                seed=request.seed,
                text=reply.text,
                finish=reply.finish,
                usage=reply.usage.model_dump(),
            )


def worst_case(model: Model, request: Request) -> WorstCase:
    """The most that `request` can use, when every reply but the last is lost and billed."""
    usage = lost_usage(model, request, model.capabilities.attempts)
    return WorstCase(usage.prompt_tokens + usage.output_tokens, usage.dollars)


def lost_usage(model: Model, request: Request, times: int) -> Usage:
    """The most that asking `request` can use, `times` over: no tokenizer makes more tokens than there are bytes."""
    prompt = 0
    for message in request.messages:
        images = sum(part.kind == "image" for part in message.parts)
        prompt += len(message.text.encode()) + _MESSAGE_TOKENS + images * _IMAGE_TOKENS
    if request.json_schema is not None:
        prompt += len(str(request.json_schema).encode())
    if model.capabilities.small:  # an embedded model refuses a prompt that is longer than its context
        prompt = min(prompt, model.capabilities.context_tokens)
    output = request.max_tokens + model.capabilities.reasoning_tokens
    # Where a provider charges for what it keeps, a prompt that is kept whole costs most.
    once = Usage(prompt_tokens=prompt, cache_written_tokens=prompt, output_tokens=output)
    # Priced one by one: a longer prompt may cost more a token.
    dollars = model.price(once)
    return Usage(
        prompt_tokens=times * prompt,
        cache_written_tokens=times * prompt,
        output_tokens=times * output,
        dollars=None if dollars is None else times * dollars,
        calls=times,
    )


def missing(step: str, log: str) -> ReplayMiss:
    """The error for a step that a log does not hold."""
    return ReplayMiss(
        f"the event log {log} holds no reply for the step {step!r}",
        "the study that wrote it took another way",
        "replay with the version of novum in its study.toml, or continue it with `novum resume`",
    )


def drift_notice(step: str) -> str:
    """What to note when a reply is taken by its step alone."""
    return f"drifted: the request of step {step!r} is not the logged one; its reply was taken by the step"
