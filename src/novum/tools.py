"""What a phase works with: one `Tools`, given as an argument, never a global.

Every question to a model goes through `Tools.ask` or `Tools.ask_text`: the prompt comes from a file, the answer
is validated, a failure takes the step's documented default, and the event log tells which of them it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from novum.errors import AnswerError, ReplayMiss
from novum.events import EventLog
from novum.literature.library import Library
from novum.literature.semantic import Embed
from novum.llm import Message, Model, Request
from novum.llm.structured import ask, ask_text
from novum.prompts import Prompt, PromptLibrary
from novum.sandbox import Sandbox
from novum.settings import Profile, Role
from novum.store import StudyFolder
from novum.template import Template

T = TypeVar("T", bound=BaseModel)
V = TypeVar("V")


def no_problems(_: object) -> list[str]:
    """The check of an answer that needs none beside its schema."""
    return []


@dataclass(frozen=True)
class Question:
    """One step that a model is asked to answer."""

    step: str
    """Stable readable key; its first part is the phase: `experiment/run_2/fix_1`."""
    role: Role
    prompt: str
    """Name of the prompt file."""
    inputs: Mapping[str, Any]
    max_tokens: int = 800
    temperature: float = 0.7
    retries: int = 2
    attempt: int = 0
    """How often the step was asked before, under another key; each attempt has a seed of its own."""
    prefill: str = ""
    """Beginning of the reply; part of the returned text. A model that cannot continue one is told to begin so."""


@dataclass(frozen=True)
class Tools:
    """The study, its record and the ports."""

    folder: StudyFolder
    log: EventLog
    template: Template
    models: Mapping[Role, Model]
    sandbox: Sandbox
    library: Library
    profile: Profile
    seed: int = 0
    cores: Callable[[], AbstractContextManager[None]] = nullcontext
    """Held while an experiment runs, so that no embedded model of another study shares the cores with it."""
    check_time: Callable[[], None] = lambda: None
    """Called before a run; raises `BudgetExceeded` when the minutes of the budget are used up."""
    embed: Embed | None = None
    """The embedding model of `literature.rerank_model`, where one is set: it tells ideas in other words alike."""
    comment: str = ""
    """What a person said of the last version; every question ends with it."""
    round: int = 0
    """How many comments there were: the steps of a round have keys of their own."""
    prompts: PromptLibrary = field(default_factory=PromptLibrary)

    def heeding(self, comment: str, round_: int) -> Tools:
        """The same tools, whose models are told in every question to heed a person's `comment`."""
        return dataclasses.replace(self, comment=comment, round=round_)

    def is_small(self, role: Role) -> bool:
        """Whether the role's model is a small one, which is asked smaller questions."""
        return self.models[role].capabilities.small

    def ask(
        self,
        question: Question,
        schema: type[T],
        *,
        default: Callable[[], T] | None = None,
        check: Callable[[T], list[str]] = no_problems,
    ) -> T:
        """Ask for a `schema`; `check` returns what is wrong with an answer that fits it.

        Raises:
            AnswerError: no valid answer within the tries, and the step has no default.
        """
        model = self.models[question.role]
        request = self._request(question, model)

        def attempt() -> T:
            answer = ask(model, request, schema, retries=question.retries, check=check)
            if answer.repaired:
                self.log.note("warning", message=f"the JSON of step {request.step!r} was mended by guesswork")
            return answer.value

        return self._answered_or_default(request.step, attempt, default)

    def ask_text(
        self,
        question: Question,
        *,
        grammar: str | None = None,
        default: Callable[[], str] | None = None,
        check: Callable[[str], list[str]] = no_problems,
    ) -> str:
        """Ask for plain text, held to `grammar` (GBNF) where the model can be; `check` as in `ask`.

        Raises:
            AnswerError: no valid answer within the tries, and the step has no default.
        """
        model = self.models[question.role]
        request = self._request(question, model)
        if grammar and model.capabilities.grammar:
            request = request.model_copy(update={"grammar": grammar})

        return self._answered_or_default(
            request.step,
            lambda: ask_text(model, request, retries=question.retries, check=check).value,
            default,
        )

    def _answered_or_default(self, step: str, attempt: Callable[[], V], default: Callable[[], V] | None) -> V:
        try:
            value = attempt()
        except (AnswerError, ReplayMiss) as error:
            if default is None:
                raise
            self.log.note("step_defaulted", step=step, reason=error.text)
            return default()
        self.log.note("step_answered", step=step)
        return value

    def _request(self, question: Question, model: Model) -> Request:
        request = request_for(question, model, self.prompts, seed=self.seed, comment=self.comment)
        return (
            request.model_copy(update={"step": f"{question.step}/comment_{self.round}"})
            if self.comment
            else request
        )


def request_for(
    question: Question, model: Model, prompts: PromptLibrary, *, seed: int = 0, comment: str = ""
) -> Request:
    """`question` as it is put to `model`, with a person's `comment` at its end."""
    prompt = prompts.render(question.prompt, question.inputs, small=model.capabilities.small)
    return Request(
        step=question.step,
        messages=_messages(prompt, comment, question.prefill),
        max_tokens=question.max_tokens,
        temperature=question.temperature,
        seed=seed + question.attempt,
        prompt_id=prompt.id,
        prompt_hash=prompt.hash,
    )


def _messages(prompt: Prompt, comment: str, prefill: str) -> tuple[Message, ...]:
    heed = (
        f"\n\nThe person who leads the study said of the last version: {comment}\nHeed it." if comment else ""
    )
    messages = [
        Message.of("system", prompt.system),
        Message.of("user", *prompt.user_parts[:-1], prompt.user_parts[-1] + heed),
    ]
    if prefill:
        messages.append(Message.of("assistant", prefill))
    return tuple(messages)
