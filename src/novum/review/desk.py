"""What a review works with: `Tools` in a study, a `Desk` for a paper of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import BaseModel

from novum.errors import AnswerError
from novum.llm import Model
from novum.llm.structured import ask
from novum.prompts import PromptLibrary
from novum.settings import Profile, Role
from novum.tools import Question, no_problems, request_for

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
        request = request_for(question, model, self.prompts, seed=self.seed)
        try:
            return ask(model, request, schema, retries=question.retries, check=check).value
        except AnswerError:
            if default is None:
                raise
            return default()
