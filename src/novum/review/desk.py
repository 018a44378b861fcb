"""What a review works with: `Tools` in a study, a `Desk` for a paper of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import BaseModel

from novum.errors import AnswerError
from novum.llm import Message, Model, Request
from novum.llm.structured import ask
from novum.prompts import PromptLibrary
from novum.settings import Profile, Role
from novum.tools import Question, no_problems

T = TypeVar("T", bound=BaseModel)


class Asker(Protocol):
    """The part of `Tools` that a review needs."""

    @property
    def models(self) -> Mapping[Role, Model]:
        """The model of the role `review` is the one that is asked."""

    @property
    def profile(self) -> Profile:
        """How much is asked."""

    def ask(
        self,
        question: Question,
        schema: type[T],
        *,
        default: Callable[[], T] | None = None,
        check: Callable[[T], list[str]] = no_problems,
    ) -> T:
        """As `Tools.ask`."""


@dataclass(frozen=True)
class Desk:
    """Asks without a study: nothing is recorded, and a failed step takes its default silently."""

    models: Mapping[Role, Model]
    profile: Profile
    seed: int = 0
    prompts: PromptLibrary = field(default_factory=PromptLibrary)

    def ask(
        self,
        question: Question,
        schema: type[T],
        *,
        default: Callable[[], T] | None = None,
        check: Callable[[T], list[str]] = no_problems,
    ) -> T:
        """As `Tools.ask`."""
        model = self.models[question.role]
        prompt = self.prompts.render(question.prompt, question.inputs, small=model.capabilities.small)
        request = Request(
            step=question.step,
            messages=(Message.of("system", prompt.system), Message.of("user", prompt.user)),
            max_tokens=question.max_tokens,
            temperature=question.temperature,
            seed=self.seed,
            prompt_id=prompt.id,
            prompt_hash=prompt.hash,
        )
        try:
            return ask(model, request, schema, retries=question.retries, check=check).value
        except AnswerError:
            if default is None:
                raise
            return default()
