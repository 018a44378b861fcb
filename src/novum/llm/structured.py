"""Ask for a pydantic type or for checked text; what is wrong with a reply goes back to the model, bounded.

The tries of a step have the keys `step`, `step/retry_1`, `step/retry_2`, ... so each is recorded and replayed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from novum.errors import AnswerError
from novum.llm import Capabilities, Message, Model, Reply, Request, TextPart
from novum.llm.extract import json_values, repaired_value
from novum.llm.schema import schema_of

T = TypeVar("T")
_MAX_ERRORS = 6
_LONGER_AFTER_CUT = 2


class Answer(NamedTuple, Generic[T]):
    """A valid answer. `repaired` is True when its JSON was mended by guesswork (worth a note in the log)."""

    value: T
    tries: int
    repaired: bool
    reply: Reply


class _Parsed(NamedTuple):
    value: Any
    problems: list[str]
    repaired: bool = False


def ask(
    model: Model,
    request: Request,
    kind: type[T],
    *,
    retries: int = 2,
    check: Callable[[T], list[str]] | None = None,
) -> Answer[T]:
    """Ask for a `kind`: by native schema where the model has it, else from its text.

    `check` returns what is wrong with an answer that fits the type, in words that help the model.

    Raises:
        AnswerError: no valid answer after `1 + retries` tries; carries the last text.
        ModelError, BudgetExceeded: as `model.complete`.
    """
    schema = schema_of(kind)
    if model.capabilities.json_schema:
        request = request.model_copy(update={"json_schema": schema})
    else:
        request = _with_instruction(request, _schema_instruction(schema))
    adapter: TypeAdapter[T] = TypeAdapter(kind)
    return _loop(model, request, lambda reply: _parse(reply, adapter, check), retries)


def ask_text(
    model: Model,
    request: Request,
    *,
    retries: int = 2,
    check: Callable[[str], list[str]] | None = None,
) -> Answer[str]:
    """Ask for plain text, under the request's grammar where the model has grammars.

    A last message of the assistant is the beginning of the reply; the answer holds it. A model that cannot
    continue a message is told to begin with it.

    Raises:
        AnswerError: the text is empty or does not pass `check` after `1 + retries` tries.
        ModelError, BudgetExceeded: as `model.complete`.
    """
    question, beginning = _split_prefill(request.messages)
    prefill = "".join(message.text for message in beginning)
    if prefill and not model.capabilities.prefill:
        request = request.model_copy(update={"messages": question})
        request = _with_instruction(request, f"Begin your reply with exactly this:\n{prefill}")
    if request.grammar and not model.capabilities.grammar:
        request = request.model_copy(update={"grammar": None})

    def parse(reply: Reply) -> _Parsed:
        text = reply.text if reply.text.startswith(prefill) else prefill + reply.text
        if not reply.text.strip():
            return _Parsed(text, ["the reply is empty"])
        return _Parsed(text, check(text) if check else [])

    return _loop(model, request, parse, retries)


def _loop(model: Model, request: Request, parse: Callable[[Reply], _Parsed], retries: int) -> Answer[Any]:
    attempt = request
    for tries in range(1, retries + 2):
        reply = model.complete(attempt)
        value, problems, repaired = parse(reply)
        if not problems:
            return Answer(value, tries, repaired, reply)
        attempt = _next_try(request, tries, reply, problems, model.capabilities)
    raise AnswerError(
        f"the model {model.name!r} gave no valid answer to the step {request.step!r} in {retries + 1} tries",
        "; ".join(problems),
        "use a stronger model for this role, or look at the reply in events.jsonl",
        last_text=reply.text,
    )


def _next_try(request: Request, tries: int, reply: Reply, problems: list[str], able: Capabilities) -> Request:
    """The question again, with what is wrong with the last reply (what was wrong with earlier ones is left out)."""
    wrong = "\n".join(f"- {problem}" for problem in problems[:_MAX_ERRORS])
    max_tokens = request.max_tokens
    if reply.finish == "length":
        wrong += "\n- it was cut off because it is too long: be shorter"
        max_tokens = max(max_tokens, min(_LONGER_AFTER_CUT * max_tokens, able.context_tokens // 2))
    return request.model_copy(
        update={
            "step": f"{request.step}/retry_{tries}",
            "messages": _asked_anew(request, wrong) if able.small else _with_reply(request, reply, wrong),
            "max_tokens": max_tokens,
            "seed": request.seed + tries,
        }
    )


def _with_reply(request: Request, reply: Reply, wrong: str) -> tuple[Message, ...]:
    question, prefill = _split_prefill(request.messages)
    said = "".join(message.text for message in prefill) + reply.text
    return (
        *question,
        Message.of("assistant", said.strip() or "(nothing)"),
        Message.of("user", f"This reply is not valid:\n{wrong}\nReply again, whole, with that put right."),
        *prefill,
    )


def _asked_anew(request: Request, wrong: str) -> tuple[Message, ...]:
    """Without the reply: a small model that sees it says it again."""
    return _with_instruction(
        request, f"Your last reply was refused:\n{wrong}\nReply anew, without that."
    ).messages


def _split_prefill(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    end = len(messages) - (messages[-1].role == "assistant")
    return messages[:end], messages[end:]


def _parse(reply: Reply, adapter: TypeAdapter[T], check: Callable[[T], list[str]] | None) -> _Parsed:
    values = json_values(reply.text)
    # Mending half a reply would pass off a piece as the whole.
    repaired = not values and reply.finish == "stop"
    if repaired and (mended := repaired_value(reply.text)) is not None:
        values = [mended]
    first: _Parsed | None = None
    for value in values:
        parsed = _validate(value, adapter, check)
        if not parsed.problems:
            return parsed._replace(repaired=repaired)
        first = first or parsed
    return first or _Parsed(None, ["it holds no JSON object; reply with one JSON object and nothing else"])


def _validate(value: Any, adapter: TypeAdapter[T], check: Callable[[T], list[str]] | None) -> _Parsed:
    try:
        # As JSON, so that arrays become tuples and strict modes see JSON's own types.
        valid = adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()]
        return _Parsed(None, problems)
    return _Parsed(valid, check(valid) if check else [])


def _schema_instruction(schema: dict[str, Any]) -> str:
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Reply with one JSON value that fits this JSON schema, and with nothing else:\n{text}"


def _with_instruction(request: Request, instruction: str) -> Request:
    """Add to the last message of the user, so that roles go on alternating."""
    (*before, last), prefill = _split_prefill(request.messages)
    longer = last.model_copy(update={"parts": (*last.parts, TextPart(text=f"\n\n{instruction}"))})
    return request.model_copy(update={"messages": (*before, longer, *prefill)})
