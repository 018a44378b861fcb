"""Propose ideas that a template can test, each conditioned on those before it and reflected upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from novum.errors import TemplateError
from novum.ideation.drafts import (
    QUESTIONS,
    ChoiceForms,
    Forms,
    FreeForms,
    problems_of,
    scores,
)
from novum.ideation.facts import Earlier, Facts, facts_of
from novum.ideation.twins import known_twin
from novum.ideation.user_idea import user_idea
from novum.ideation.wording import identifier
from novum.records import Idea, SelfScore
from novum.tools import Question, Tools

__all__ = ["propose_ideas", "user_idea"]

REFLECTIONS = {"quick": 1, "full": 3}
"""Most rounds of reflection on one idea, by profile."""
MAX_TOKENS = {True: 500, False: 2000}
"""Longest answer, for a small model and for another, which thinks at length in `reasoning`."""
CHOICES = 3
"""Most drafts of a small model, each about another subject, where those before exist already."""
SHOWN = 12
"""Most earlier ideas in a prompt; the newest of the archive are kept."""


class _NoAnswer(Exception):
    """The model gave no valid answer; the step is marked as defaulted."""


def propose_ideas(
    tools: Tools, count: int, archive: Sequence[Idea] = (), *, first: int = 1, recent: Sequence[str] = ()
) -> list[Idea]:
    """Up to `count` ideas, none of them in `archive` or among the template's seed ideas.

    `first` is the number of the first of them in the study; `recent` are works that the model is shown as seeds.

    An idea that exists already is sent back to the model (bounded). Where the model gives no valid new idea, the
    default is a sweep of a declared parameter chosen by the study's seed (`source="default"`). Fewer than `count`
    come back when every parameter has been proposed.

    Raises:
        TemplateError: there is neither an idea of the model nor a parameter to sweep.
    """
    facts = facts_of(tools.template)
    earlier = [*facts.seed_ideas, *(Earlier(idea.title, idea.hypothesis) for idea in archive)]
    names = {idea.name for idea in archive}
    ideas: list[Idea] = []
    for number in range(first, first + count):
        shown = {"facts": facts, "earlier": earlier[-SHOWN:], "recent": recent}
        idea = _propose(tools, f"ideate/idea_{number}", facts, shown, earlier, names)
        idea = idea or _default(tools.seed + number - 1, facts, names)
        if idea is None:
            break
        ideas.append(idea)
        names.add(idea.name)
        earlier.append(Earlier(idea.title, idea.hypothesis))
    if not ideas and count > 0:
        raise TemplateError(
            f"no idea for the template {facts.title!r}",
            "the model proposed none and the template declares no parameter that is not in the archive",
            "declare parameters in template.toml, or give an idea with --idea FILE",
        )
    return ideas


def _propose(
    tools: Tools,
    step: str,
    facts: Facts,
    shown: dict[str, Any],
    earlier: Sequence[Earlier],
    names: set[str],
) -> Idea | None:
    """One idea of the model after reflection, or None."""
    try:
        forms, draft = _drafted(tools, step, facts, shown, earlier)
    except _NoAnswer:
        return None
    draft, marks = _reflected(tools, step, shown, forms, draft, earlier)
    idea = forms.written(draft)
    return Idea(name=identifier(idea.title, names), **idea._asdict(), **marks)


def _drafted(
    tools: Tools, step: str, facts: Facts, shown: dict[str, Any], earlier: Sequence[Earlier]
) -> tuple[Forms, Any]:
    """The model's draft, which is no earlier idea, and the forms that it is written on.

    A small model that is told that its idea exists proposes it again: what it chose is no longer among its choices.

    Raises:
        _NoAnswer: there is no such draft.
    """
    small = tools.is_small("ideas")
    rounds = min(CHOICES, len(facts.subjects)) if small else 1
    excluded: list[str] = []
    while True:
        forms: Forms = ChoiceForms(facts, excluded) if small else FreeForms(facts)
        last = len(excluded) + 1 >= rounds

        def check(draft: Any, forms: Forms = forms, last: bool = last) -> list[str]:
            written = forms.written(draft)
            twin = known_twin(tools, written.text, earlier) if last else None
            return [*forms.problems(draft), *problems_of(written, twin)]

        key = f"{step}/other_{len(excluded)}" if excluded else step
        question = Question(key, "ideas", "idea_propose", shown, MAX_TOKENS[small], 0.8)
        draft = _ask(tools, question, forms.draft, check)
        if last or known_twin(tools, forms.written(draft).text, earlier) is None:
            return forms, draft
        excluded.append(draft.subject)


def _reflected(
    tools: Tools, step: str, shown: dict[str, Any], forms: Forms, draft: Any, earlier: Sequence[Earlier]
) -> tuple[Any, dict[str, SelfScore]]:
    """The draft after its rounds of reflection, and its self-scores. A round that fails ends them."""
    marks: dict[str, SelfScore] = {}
    for round_ in range(1, REFLECTIONS[tools.profile] + 1):
        inputs = {**shown, "idea": forms.written(draft), "questions": QUESTIONS}
        question = Question(
            f"{step}/reflect_{round_}",
            "ideas",
            "idea_reflect",
            inputs,
            MAX_TOKENS[tools.is_small("ideas")],
            0.4,
        )
        try:
            revision = _ask(tools, question, forms.revision, forms.problems)
        except _NoAnswer:
            break
        candidate = forms.revised(draft, revision)
        if known_twin(tools, forms.written(candidate).text, earlier) is None:
            draft = candidate
        marks = scores(revision.answers)
        if revision.done:
            break
    return draft, marks


def _ask(tools: Tools, question: Question, kind: type[BaseModel], check: Callable[[Any], list[str]]) -> Any:
    def give_up() -> BaseModel:
        raise _NoAnswer

    return tools.ask(question, kind, default=give_up, check=check)


def _default(seed: int, facts: Facts, names: set[str]) -> Idea | None:
    """A sweep of the first parameter, counted from `seed`, that no earlier default swept."""
    parameters = facts.parameters
    for offset in range(len(parameters)):
        parameter = parameters[(seed + offset) % len(parameters)]
        title = f"A Sweep of the {parameter.label.title()}: {facts.title}"
        quantities = " or the ".join(facts.metrics[:2]) or "measured outcome"
        hypothesis = f"Changing the {parameter.label} alone changes the {quantities} detectably."
        name = f"sweep_{identifier(parameter.name.replace('_', ' '), ())}"
        if name in names:
            continue
        values = f" to {', '.join(parameter.values)}" if parameter.values else " over its declared range"
        return Idea(
            name=name,
            title=title,
            hypothesis=hypothesis,
            plan=f"Set `{parameter.name}`{values}, one run each, everything else as in the baseline, and compare "
            "each run with the baseline.",
            subject=parameter.name,
            source="default",
        )
    return None
