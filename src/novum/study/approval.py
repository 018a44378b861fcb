"""Where a person has a say: a readable summary, and yes, no or a comment that the model then heeds.

Every answer is an event, so a resumed study does not ask again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel, Field

from novum.errors import Refused
from novum.experiment.plan import make_plan
from novum.paper.write import write_paper
from novum.records import Idea, Plan
from novum.study.opening import Opened
from novum.tools import Question, Tools

MOST_COMMENTS = 3
"""Times that a model is sent back with a comment on the same thing."""


class Answer(NamedTuple):
    """What a person said: yes, or no, or a comment (then `approved` is False)."""

    approved: bool
    comment: str = ""


Ask = Callable[[str, str], Answer]
"""From what is to be approved and its summary to the answer."""


def approve_idea(opened: Opened, idea: Idea, ask: Ask, number: int = 1) -> Idea:
    """The idea as it was approved; `number` counts the ideas that the study proposed.

    Raises:
        Refused: the person said no.
    """
    first = (number - 1) * MOST_COMMENTS + 1
    for round_ in range(first, first + MOST_COMMENTS):
        answer = _answer(opened, "ideas", round_, _idea_summary(idea), ask)
        if answer.approved:
            return idea
        idea = heeded_idea(opened.tools, idea, answer.comment, f"ideate/comment_{round_}")
    return idea


def approve_plan(opened: Opened, plan: Plan, ask: Ask) -> Plan:
    """The plan as it was approved.

    Raises:
        Refused: the person said no.
    """
    for round_ in range(1, MOST_COMMENTS + 1):
        answer = _answer(opened, "plan", round_, _plan_summary(plan), ask)
        if answer.approved:
            return plan
        idea = opened.tools.folder.read(opened.tools.folder.idea, Idea)
        plan = make_plan(opened.tools.heeding(answer.comment, round_), idea)
    return plan


def approve_paper(opened: Opened, tools: Tools, ask: Ask) -> int:
    """Ask for approval of the draft before it is reviewed; each comment makes another draft.

    Returns the number of the draft that was approved, or that heeds the last comment.

    Raises:
        Refused: the person said no.
    """
    for draft in range(MOST_COMMENTS):
        summary = f"The draft is at {tools.folder.draft(draft) / 'paper.pdf'}"
        answer = _answer(opened, "paper", draft + 1, summary, ask)
        if answer.approved:
            return draft
        write_paper(tools.heeding(answer.comment, draft + 1), draft + 1)
    return MOST_COMMENTS


def _answer(opened: Opened, what: str, round_: int, summary: str, ask: Ask) -> Answer:
    if what not in opened.order["approve"]:
        return Answer(True)
    answer = recorded_answer(opened, what, round_, summary, ask)
    if not answer.approved and not answer.comment:
        raise Refused(f"the {what} was not approved", "a person said no", "start another study")
    return answer


def recorded_answer(opened: Opened, what: str, round_: int, summary: str, ask: Ask) -> Answer:
    """What the person says, or said when the study came here before."""
    log = opened.tools.log
    event = log.last("approval", what=what, round=round_)
    if event is None:
        answer = ask(what, summary)
        event = log.append(
            "approval", what=what, round=round_, approved=answer.approved, comment=answer.comment
        )
    return Answer(bool(event.data["approved"]), str(event.data["comment"]))


def _idea_summary(idea: Idea) -> str:
    return f"{idea.title}\n\nHypothesis: {idea.hypothesis}\nPlan: {idea.plan}"


def _plan_summary(plan: Plan) -> str:
    lines = [f"Primary metric: {plan.primary_metric}"]
    for run in plan.runs:
        what = (
            ", ".join(f"{k} = {v}" for k, v in run.arguments.items()) or f"change {run.function}: {run.edit}"
        )
        lines.append(f"{run.name}: {what}\n    {run.rationale}")
    return "\n".join(lines)


class _HeededIdea(BaseModel):
    reasoning: str = Field(min_length=10, max_length=300)
    title: str = Field(min_length=10, max_length=120)
    hypothesis: str = Field(min_length=20, max_length=500)
    plan: str = Field(min_length=20, max_length=500)


def heeded_idea(tools: Tools, idea: Idea, comment: str, step: str) -> Idea:
    """The idea as a model rewrites it to heed a person's comment; as it was when the model gives no answer."""
    question = Question(
        step=step,
        role="ideas",
        prompt="approve_idea",
        inputs={"template": tools.template, "idea": idea, "comment": comment},
        max_tokens=500,
    )
    kept = _HeededIdea.model_construct(
        reasoning="", title=idea.title, hypothesis=idea.hypothesis, plan=idea.plan
    )
    heeded = tools.ask(question, _HeededIdea, default=lambda: kept)
    return idea.model_copy(
        update={"title": heeded.title, "hypothesis": heeded.hypothesis, "plan": heeded.plan}
    )
