"""The plan: which runs, fixed before run 1, and what becomes of it after each run.

A small model fills in a form (a parameter from a list, a value in its range, a function from a list); a large
one also edits files freely. What a form cannot hold (ranges, repetition) is checked here.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from novum.records import Idea, Plan, PlannedRun, Results
from novum.template import Parameter, Template
from novum.tools import Question, Tools

Value = str | int | float
MAX_RUNS = {"quick": 3, "full": 5}


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


def make_plan(tools: Tools, idea: Idea, *, comment: str = "", round_: int = 0) -> Plan:
    """Ask for the plan of `idea`; the default is a sweep of declared parameters.

    `comment` is what a person said of the plan of the round before.
    """
    template = tools.template
    count = MAX_RUNS[tools.profile]
    form = plan_form(template, count)
    question = Question(
        step=f"experiment/plan/comment_{round_}" if comment else "experiment/plan",
        role="code",
        prompt="experiment_plan",
        inputs={"idea": idea, "template": template, "count": count, "comment": comment},
        max_tokens=900,
    )
    chosen: dict[str, Plan] = {}

    def check(answer: BaseModel) -> list[str]:
        plan = _plan_of(answer, idea)
        problems = plan_problems(plan, template)
        if not problems:
            chosen["plan"] = plan
        return problems

    def default() -> BaseModel:
        chosen["plan"] = default_plan(template, idea, count, tools.seed)
        return form.model_construct()

    tools.ask(question, form, default=default, check=check)
    plan = chosen["plan"]
    tools.log.note("question", **plan_question(plan))
    return plan


def plan_question(plan: Plan) -> dict[str, Any]:
    """Hypothesis, primary metric and planned comparisons with their hash: what is fixed before run 1."""
    fixed = {
        "hypothesis": plan.hypothesis,
        "primary_metric": plan.primary_metric,
        "comparison": "each run with the baseline run_0, on the same seeds",
    }
    digest = hashlib.sha256(repr(sorted(fixed.items())).encode()).hexdigest()[:16]
    return {**fixed, "sha256": digest}


# -- forms ---------------------------------------------------------------------------------------------


def choice(names: Sequence[str]) -> Any:
    """The type of one of `names`; a decoder can be held to it."""
    return Literal[tuple(names)]


def parameter_run_form(template: Template) -> type[BaseModel]:
    """One run that sets one declared parameter."""
    return create_model(
        "ParameterRun",
        __base__=_Form,
        rationale=(str, Field(min_length=20, max_length=220)),
        parameter=(choice([p.name for p in template.parameters]), ...),
        value=(str, Field(min_length=1, max_length=20)),
    )


def code_run_form(template: Template) -> type[BaseModel]:
    """One run that changes the code: one function where the template names some, else anything."""
    names = [f.name for f in template.functions] or ["any"]
    return create_model(
        "CodeRun",
        __base__=_Form,
        rationale=(str, Field(min_length=20, max_length=220)),
        function=(choice(names), ...),
        change=(str, Field(min_length=20, max_length=300)),
    )


def plan_form(template: Template, count: int) -> type[BaseModel]:
    """The form of a plan of `count` runs: parameter runs first, then code runs, as far as there are any."""
    code_runs = 0 if not template.editable else max(1, count // 2)
    parameter_runs = count - code_runs if template.parameters else 0
    if not template.parameters:
        code_runs = count
    fields: dict[str, Any] = {
        "reasoning": (str, Field(min_length=40, max_length=400)),
        "primary_metric": (choice([m.name for m in template.metrics]), ...),
    }
    if parameter_runs:
        fields["parameter_runs"] = (
            list[parameter_run_form(template)],  # type: ignore[misc]
            Field(min_length=parameter_runs, max_length=parameter_runs),
        )
    if code_runs:
        fields["code_runs"] = (
            list[code_run_form(template)],  # type: ignore[misc]
            Field(min_length=code_runs, max_length=code_runs),
        )
    return create_model("PlanForm", __base__=_Form, **fields)


def _plan_of(answer: Any, idea: Idea) -> Plan:
    runs = [parameter_run(r, f"run_{i}") for i, r in enumerate(getattr(answer, "parameter_runs", []), start=1)]
    first = len(runs) + 1
    for number, run in enumerate(getattr(answer, "code_runs", []), start=first):
        runs.append(code_run(run, f"run_{number}"))
    return Plan(hypothesis=idea.hypothesis, primary_metric=answer.primary_metric, runs=tuple(runs))


def parameter_run(form: Any, name: str) -> PlannedRun:
    """The planned run of a filled-in parameter form."""
    return PlannedRun(
        name=name, rationale=form.rationale.strip(), arguments={form.parameter: number_or_text(form.value)}
    )


def code_run(form: Any, name: str) -> PlannedRun:
    """The planned run of a filled-in code form."""
    function = "" if form.function == "any" else form.function
    return PlannedRun(name=name, rationale=form.rationale.strip(), function=function, edit=form.change.strip())


def number_or_text(text: str) -> Value:
    """`text` as the number it spells, else as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip().strip("\"'")


# -- checks --------------------------------------------------------------------------------------------


def plan_problems(plan: Plan, template: Template, earlier: Sequence[PlannedRun] = ()) -> list[str]:
    """What is wrong with the runs of `plan`, each in a sentence for the model."""
    problems = []
    seen = [frozenset(run.arguments.items()) for run in earlier if not run.edit]
    for run in plan.runs:
        for name, value in run.arguments.items():
            problem = value_problem(template.parameter(name), value)
            if problem:
                problems.append(f"{run.name}: {problem}")
        arguments = frozenset(run.arguments.items())
        if not run.edit and arguments in seen:
            problems.append(f"{run.name}: another run sets {dict(run.arguments)} already; choose another value")
        seen.append(arguments)
    return problems


def value_problem(parameter: Parameter | None, value: Value) -> str:
    """Why `value` cannot be set, or ""."""
    if parameter is None:
        return "there is no such parameter"
    if parameter.kind == "choice":
        if value not in parameter.choices:
            return f"{parameter.name} must be one of {list(parameter.choices)}, not {value!r}"
    elif isinstance(value, str):
        return f"{parameter.name} must be a number, not {value!r}"
    elif parameter.kind == "int" and value != int(value):
        return f"{parameter.name} must be a whole number, not {value!r}"
    elif not _in_range(parameter, value):
        return f"{parameter.name} must be from {parameter.minimum} to {parameter.maximum}, not {value!r}"
    if value == parameter.default:
        return f"{parameter.name} = {value!r} is the baseline's value; choose another"
    return ""


def _in_range(parameter: Parameter, value: int | float) -> bool:
    low = -float("inf") if parameter.minimum is None else parameter.minimum
    high = float("inf") if parameter.maximum is None else parameter.maximum
    return low <= value <= high


# -- defaults ------------------------------------------------------------------------------------------


def default_plan(template: Template, idea: Idea, count: int, seed: int) -> Plan:
    """The documented default: `count` suggested values of declared parameters, chosen by `seed`."""
    runs = tuple(
        default_run(template, f"run_{number}", seed + number) for number in range(1, count + 1)
    )
    unique = {frozenset(run.arguments.items()): run for run in runs if run.arguments}
    metric = template.metrics[0].name if template.metrics else ""
    return Plan(hypothesis=idea.hypothesis, primary_metric=metric, runs=tuple(unique.values()))


def default_run(template: Template, name: str, seed: int, taken: Sequence[PlannedRun] = ()) -> PlannedRun:
    """A run that sets one declared parameter to one of its suggested values, not among those `taken`."""
    used = {pair for run in taken for pair in run.arguments.items()}
    options = [
        (p.name, value)
        for p in template.parameters
        for value in p.suggestions
        if value != p.default and (p.name, value) not in used
    ]
    if not options:
        return PlannedRun(name=name, rationale="The template declares nothing to vary.", source="default")
    parameter, value = random.Random(seed).choice(options)
    return PlannedRun(
        name=name,
        rationale=f"The effect of {parameter} on the outcome is measured by setting it apart from the baseline.",
        arguments={parameter: value},
        source="default",
    )


# -- after each run ------------------------------------------------------------------------------------


def replan_form(template: Template) -> type[BaseModel]:
    """What the model answers after a run; `revised_run` counts for `revise` only."""
    return create_model(
        "NextStep",
        __base__=_Form,
        reasoning=(str, Field(min_length=20, max_length=300)),
        # Goes into the notes, where every number comes from a record: so it has none.
        interpretation=(str, Field(pattern=r"^[^0-9\"\\]{30,260}$")),
        decision=(Literal["continue", "revise", "answered", "abandon"], ...),
        revised_run=(parameter_run_form(template), ...),
    )


def replan(tools: Tools, idea: Idea, results: Results, done: PlannedRun, left: Sequence[PlannedRun]) -> list[PlannedRun]:
    """The runs that are left after `done`, as the model decides from all results so far."""
    if not left or not tools.template.parameters:
        return list(left)
    form = replan_form(tools.template)
    following = left[0]
    question = Question(
        step=f"experiment/{done.name}/replan",
        role="code",
        prompt="experiment_replan",
        inputs={"idea": idea, "template": tools.template, "results": results, "left": left},
        max_tokens=350,
        retries=1,
    )

    def check(answer: Any) -> list[str]:
        if answer.decision != "revise":
            return []
        run = parameter_run(answer.revised_run, following.name)
        plan = Plan(hypothesis=idea.hypothesis, primary_metric="", runs=(run,))
        earlier = [PlannedRun(name=r.name, rationale="", arguments=r.arguments) for r in results.runs if not r.edited]
        return plan_problems(plan, tools.template, [*earlier, *left[1:]])

    def default() -> BaseModel:
        return form.model_construct(
            decision="continue", reasoning="The plan goes on as it was fixed.", interpretation=""
        )

    answer: Any = tools.ask(question, form, default=default, check=check)
    tools.log.note("replanned", after=done.name, decision=answer.decision, reason=answer.reasoning,
        interpretation=answer.interpretation)
    if answer.decision in ("answered", "abandon"):
        return []
    if answer.decision == "revise":
        revised = parameter_run(answer.revised_run, following.name)
        return [revised.model_copy(update={"exploratory": True}), *left[1:]]
    return list(left)
