"""Propose ideas that a template can test, each conditioned on those before it and reflected upon."""

from __future__ import annotations

from collections.abc import Sequence

from novum.errors import TemplateError
from novum.ideation.drafts import (
    QUESTIONS,
    IdeaDraft,
    IdeaRevision,
    draft_schema,
    problems_of,
    problems_of_revision,
    revised,
    scores,
    twin_of,
)
from novum.ideation.facts import Earlier, Facts, facts_of
from novum.ideation.user_idea import user_idea
from novum.ideation.wording import identifier, whole_sentences
from novum.records import Idea, SelfScore
from novum.tools import Question, Tools

__all__ = ["propose_ideas", "user_idea"]

REFLECTIONS = {"quick": 1, "full": 3}
"""Most rounds of reflection on one idea, by profile."""
SHOWN = 12
"""Most earlier ideas in a prompt; the newest of the archive are kept."""


class _NoDraft(Exception):
    """The model proposed nothing valid; its step is marked as defaulted."""


def propose_ideas(tools: Tools, count: int, archive: Sequence[Idea] = ()) -> list[Idea]:
    """Up to `count` ideas, none of them in `archive` or among the template's seed ideas.

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
    for number in range(1, count + 1):
        step = f"ideate/idea_{number}"
        idea = _propose(tools, step, facts, earlier, names) or _default(
            tools.seed + number - 1, facts, earlier, names
        )
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
    tools: Tools, step: str, facts: Facts, earlier: Sequence[Earlier], names: set[str]
) -> Idea | None:
    try:
        draft = _draft(tools, step, facts, earlier)
    except _NoDraft:
        return None
    draft, marks = _reflect(tools, step, facts, earlier, draft)
    return Idea(
        name=identifier(draft.title, names),
        title=draft.title.strip().rstrip("."),
        hypothesis=draft.hypothesis,
        plan=draft.plan,
        subject=draft.subject,
        **marks,
    )


def _draft(tools: Tools, step: str, facts: Facts, earlier: Sequence[Earlier]) -> IdeaDraft:
    def give_up() -> IdeaDraft:
        raise _NoDraft

    draft = tools.ask(
        Question(
            step=step,
            role="ideas",
            prompt="idea_propose",
            inputs={"facts": facts, "earlier": earlier[-SHOWN:]},
            max_tokens=500,
            temperature=0.8,
        ),
        draft_schema(facts),
        default=give_up,
        check=lambda answer: problems_of(answer, earlier),
    )
    changes = {"hypothesis": whole_sentences(draft.hypothesis), "plan": whole_sentences(draft.plan)}
    return draft.model_copy(update=changes)


def _reflect(
    tools: Tools, step: str, facts: Facts, earlier: Sequence[Earlier], draft: IdeaDraft
) -> tuple[IdeaDraft, dict[str, SelfScore]]:
    """The draft after its rounds of reflection, and its self-scores. A failed round changes nothing."""
    marks: dict[str, SelfScore] = {}
    for round_ in range(1, REFLECTIONS[tools.profile] + 1):
        revision = _revision(tools, f"{step}/reflect_{round_}", facts, earlier, draft)
        if not revision.answers:
            break
        candidate = revised(draft, revision)
        if twin_of(candidate.text, earlier) is None:
            draft = candidate
        marks = scores(revision.answers)
        if revision.done:
            break
    return draft, marks


def _revision(
    tools: Tools, step: str, facts: Facts, earlier: Sequence[Earlier], draft: IdeaDraft
) -> IdeaRevision:
    unchanged = IdeaRevision.model_construct(
        reasoning="", hypothesis=draft.hypothesis, plan=draft.plan, answers=[], done=True
    )
    inputs = {"facts": facts, "earlier": earlier[-SHOWN:], "idea": draft, "questions": QUESTIONS}
    return tools.ask(
        Question(step, "ideas", "idea_reflect", inputs, max_tokens=500, temperature=0.4),
        IdeaRevision,
        default=lambda: unchanged,
        check=problems_of_revision,
    )


def _default(seed: int, facts: Facts, earlier: Sequence[Earlier], names: set[str]) -> Idea | None:
    """A sweep of the first parameter, counted from `seed`, that no earlier default swept."""
    parameters = facts.parameters
    for offset in range(len(parameters)):
        parameter = parameters[(seed + offset) % len(parameters)]
        label = parameter.label
        title = f"A Sweep of the {label.title()}: {facts.title}"
        hypothesis = f"Changing {label} alone changes {' and '.join(facts.metrics[:2])} detectably."
        if twin_of(f"{title}. {hypothesis}", earlier) or f"sweep_{identifier(label, ())}" in names:
            continue
        values = f" to {', '.join(parameter.values)}" if parameter.values else " over its declared range"
        return Idea(
            name=f"sweep_{identifier(label, ())}",
            title=title,
            hypothesis=hypothesis,
            plan=f"About `{parameter.name}`. Set it{values}, one run each, everything else as in the baseline, "
            "and compare each run with the baseline.",
            source="default",
        )
    return None
