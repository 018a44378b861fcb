"""What becomes of the plan after each run: continue, revise, answered or abandon, with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from novum.experiment import forms
from novum.experiment.fairness import said_of
from novum.experiment.plan import plan_problems, taken
from novum.records import Idea, Plan, PlannedRun, Results
from novum.tools import Question, Tools

Decision = Literal["continue", "revise", "answered", "abandon"]
_FEWEST_RUNS = 3
"""Runs, the baseline included, before a question can be called answered (valid ones) or an idea abandoned."""


class Following(NamedTuple):
    """What a run led to: the decision, its reason, and the runs that are left."""

    decision: Decision
    reason: str
    left: tuple[PlannedRun, ...]


def replan(
    tools: Tools, idea: Idea, results: Results, done: PlannedRun, left: Sequence[PlannedRun]
) -> Following:
    """The runs that are left after `done`, as the model decides from all results so far.

    A small model is asked only where the next run could be another one: a run that changes the code is part of
    the plan's question, and it is not given up for another parameter.
    """
    small = tools.is_small("code")
    unchanged = Following("continue", "", tuple(left))
    if small and (not left or left[0].edit or not tools.template.parameters):
        return unchanged
    earlier = [
        *(PlannedRun(name=r.name, rationale="", arguments=r.arguments) for r in results.runs if not r.edited),
        *left[1:],
    ]
    revision = _revision(tools, earlier) if left else None
    if small and revision is None:
        return unchanged
    answer = _asked(tools, idea, results, done, left, earlier, revision)
    tools.log.note(
        "replanned",
        after=done.name,
        decision=answer.decision,
        reason=answer.reasoning,
        interpretation=answer.interpretation,
    )
    if answer.decision in ("answered", "abandon"):
        return Following(answer.decision, without_numbers(answer.reasoning), ())
    if answer.decision == "revise":
        run = _revised(answer, left[0].name).model_copy(update={"exploratory": True})
        return Following("revise", answer.reasoning, (run, *left[1:]))
    return unchanged._replace(reason=answer.reasoning)


def controls_proposed(results: Results) -> list[str]:
    """For each run that won with more of something: the control run that would tell whether that is why."""
    said: dict[str, str] = {}
    for made in results.comparisons:
        if made.verdict == "better" and made.more:
            run = made.a.split("/", 1)[0]
            said[run] = (
                f"{run} is better than the baseline with {said_of(made.more)}: "
                f"a control run, the baseline with its size matched to {run}, would tell whether that is why."
            )
    return list(said.values())


def without_numbers(prose: str) -> str:
    """The sentences of a model's prose that have no digit: what it says of numbers comes from records instead."""
    sentences = re.split(r"(?<=[.!?;]) +", " ".join(prose.split()))
    kept = " ".join(s for s in sentences if not any(c.isdigit() for c in s))
    return kept or "the reason given rests on numbers, which stand with the results"


def _revision(tools: Tools, earlier: Sequence[PlannedRun]) -> Any:
    """The form of another run in place of the next one; None when nothing else can be tried."""
    template = tools.template
    if tools.is_small("code"):
        return forms.pick_parameter(template, taken(earlier))
    kinds = [forms.write_parameter(template)] if template.parameters else []
    kinds += [forms.write_change(template)] if template.editable else []
    return forms.either(kinds) if kinds else None


def _revised(answer: Any, name: str) -> PlannedRun:
    form = answer.revised_run
    return (forms.parameter_run if hasattr(form, "parameter") else forms.code_run)(form, name)


def _settles_too_early(decision: Decision, results: Results) -> bool:
    """Whether a decision to stop rests on too little; attempts at one run are one run."""
    if decision == "answered":
        return sum(run.status == "ok" for run in results.runs) < _FEWEST_RUNS
    return decision == "abandon" and len({run.title for run in results.runs}) < _FEWEST_RUNS


def _asked(
    tools: Tools,
    idea: Idea,
    results: Results,
    done: PlannedRun,
    left: Sequence[PlannedRun],
    earlier: Sequence[PlannedRun],
    revision: Any,
) -> Any:
    form = forms.next_step_form(revision)
    question = Question(
        step=f"experiment/{done.name}/replan",
        role="code",
        prompt="experiment_replan",
        inputs={
            "idea": idea,
            "template": tools.template,
            "results": results,
            "left": left,
            "controls": controls_proposed(results),
        },
        max_tokens=350 if tools.is_small("code") else 800,
        retries=1,
    )

    def check(answer: Any) -> list[str]:
        if _settles_too_early(answer.decision, results):
            return ["one run settles nothing: continue, or revise the next run"]
        if answer.decision != "revise":
            return []
        run = _revised(answer, left[0].name)
        return plan_problems(Plan(hypothesis="", primary_metric="", runs=(run,)), tools.template, earlier)

    return tools.ask(
        question,
        form,
        default=lambda: form.model_construct(
            decision="continue", reasoning="The plan goes on as it was fixed.", interpretation=""
        ),
        check=check,
    )
