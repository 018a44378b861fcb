"""The plan: which runs, fixed before run 1, and what becomes of it after each run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any

from novum.experiment import forms
from novum.experiment.forms import Change
from novum.records import Idea, Metric, Plan, PlannedRun
from novum.template import Parameter, Template, Value
from novum.tools import Question, Tools

MAX_RUNS = {"quick": 3, "full": 5}
_MOST_CHANGES = 6
"""Changes shown to a small model at once."""


def make_plan(tools: Tools, idea: Idea) -> Plan:
    """Ask for the plan of `idea`; each run that a model cannot plan is a sweep of a declared parameter.

    At least one run changes the code where the template lets a study change any.
    """
    count = MAX_RUNS[tools.profile]
    code_runs = max(1, count // 2) if tools.template.editable else 0
    if not tools.template.parameters:
        code_runs = count
    planner = _Planner(tools, idea, parameter_runs=count - code_runs, code_runs=code_runs)
    plan = planner.pick() if tools.is_small("code") else planner.write()
    tools.log.note("question", **fixed_question(plan))
    return plan


def fixed_question(plan: Plan) -> dict[str, Any]:
    """Hypothesis, primary metric and comparison with their hash: what is fixed before run 1."""
    fixed = {
        "hypothesis": plan.hypothesis,
        "primary_metric": plan.primary_metric,
        "comparison": "each run with the baseline run_0, on the same number of seeds",
    }
    digest = hashlib.sha256(repr(sorted(fixed.items())).encode()).hexdigest()[:16]
    return {**fixed, "sha256": digest}


class _Planner:
    """Asks for one plan."""

    def __init__(self, tools: Tools, idea: Idea, *, parameter_runs: int, code_runs: int) -> None:
        self.tools = tools
        self.idea = idea
        self.parameter_runs = parameter_runs
        self.code_runs = code_runs
        self.names = [f"run_{number}" for number in range(1, parameter_runs + code_runs + 1)]
        # Alternating, so that a plan that is cut short has tried both ways of changing the experiment.
        self.changes_code = [
            code_runs and (not parameter_runs or position % 2 == 1) for position in range(len(self.names))
        ]

    # -- a small model picks, one run at a time --------------------------------------------------------

    def pick(self) -> Plan:
        template = self.tools.template
        form = forms.question_form(template)
        answer: Any = self.tools.ask(
            self._question("experiment/plan", "experiment_question", {}, 250),
            form,
            default=lambda: form.model_construct(primary_metric=template.primary_metric),
        )
        runs: list[PlannedRun] = []
        for name, changes_code in zip(self.names, self.changes_code, strict=True):
            runs.append(self._pick_run(name, not changes_code, runs))
        return Plan(
            hypothesis=self.idea.hypothesis, primary_metric=answer.primary_metric, runs=_worth_running(runs)
        )

    def _pick_run(self, name: str, sets_parameter: bool, earlier: Sequence[PlannedRun]) -> PlannedRun:
        template, seed = self.tools.template, self.tools.seed
        offered = changes_offered(template, self.idea.subject, seed, earlier)
        if sets_parameter:
            form = forms.pick_parameter(template, taken(earlier), only=self.idea.subject)
        else:
            form = forms.pick_change(offered)
        if form is None and not (template.parameters or template.functions or earlier):
            # Nothing is declared that could be picked: the idea's own words are the change.
            return PlannedRun(
                name=name,
                rationale="The idea is carried out as it is written.",
                edit=self.idea.plan,
                source="default",
            )
        if form is None:
            return default_run(template, name, seed, earlier)
        make = forms.parameter_run if sets_parameter else forms.code_run
        chosen: Any = self.tools.ask(
            self._question(
                f"experiment/plan/{name}",
                "experiment_pick_parameter" if sets_parameter else "experiment_pick_change",
                {"earlier": list(earlier)}
                if sets_parameter
                else {"earlier": list(earlier), "changes": offered},
                220,
            ),
            form,
            default=lambda: None,
        )
        return default_run(template, name, seed, earlier) if chosen is None else make(chosen, name)

    # -- a large model writes the whole plan -----------------------------------------------------------

    def write(self) -> Plan:
        template = self.tools.template
        form: Any = forms.plan_form(template, self.parameter_runs, self.code_runs)
        answer: Any = self.tools.ask(
            self._question("experiment/plan", "experiment_plan", {"count": len(self.names)}, 1500),
            form,
            default=lambda: None,
            check=lambda filled: plan_problems(self._written(filled), template),
        )
        if answer is None:
            return default_plan(template, self.idea, len(self.names), self.tools.seed)
        return self._written(answer)

    def _written(self, answer: Any) -> Plan:
        runs = [
            *((forms.parameter_run, form) for form in getattr(answer, "parameter_runs", [])),
            *((forms.code_run, form) for form in getattr(answer, "code_runs", [])),
        ]
        return Plan(
            hypothesis=self.idea.hypothesis,
            primary_metric=answer.primary_metric,
            runs=tuple(make(form, name) for name, (make, form) in zip(self.names, runs, strict=False)),
            extra_metrics=forms.extra_metrics(answer),
        )

    def _question(self, step: str, prompt: str, inputs: dict[str, Any], max_tokens: int) -> Question:
        common = {"idea": self.idea, "template": self.tools.template}
        return Question(step=step, role="code", prompt=prompt, inputs=common | inputs, max_tokens=max_tokens)


def changes_offered(
    template: Template, subject: str, seed: int, earlier: Sequence[PlannedRun] = ()
) -> list[Change]:
    """Changes that the template names and no earlier run makes: those of the idea's subject, else a few by `seed`."""
    made = {run.edit for run in earlier}
    known = [Change(f.name, text) for f in template.functions for text in f.changes if text not in made]
    about = [change for change in known if change.function == subject]
    return about or random.Random(seed).sample(known, min(_MOST_CHANGES, len(known)))


def taken(runs: Sequence[PlannedRun]) -> set[tuple[str, Value]]:
    return {pair for run in runs for pair in run.arguments.items()}


def _worth_running(runs: Sequence[PlannedRun]) -> tuple[PlannedRun, ...]:
    return tuple(run for run in runs if run.arguments or run.edit)


# -- checks --------------------------------------------------------------------------------------------


def plan_problems(plan: Plan, template: Template, earlier: Sequence[PlannedRun] = ()) -> list[str]:
    """What is wrong with the runs of `plan`, each in a sentence for the model."""
    problems = extra_problems(plan.extra_metrics, template)
    seen = [frozenset(run.arguments.items()) for run in earlier if not run.edit]
    for run in plan.runs:
        for name, value in run.arguments.items():
            problem = value_problem(template.parameter(name), value)
            if problem:
                problems.append(f"{run.name}: {problem}")
        arguments = frozenset(run.arguments.items())
        if not run.edit and arguments in seen:
            problems.append(
                f"{run.name}: another run sets {dict(run.arguments)} already; choose another value"
            )
        seen.append(arguments)
    return problems


def extra_problems(extra: Sequence[Metric], template: Template) -> list[str]:
    """What is wrong with the extra metrics of a plan: those of the template cannot be declared anew."""
    names = [m.name for m in extra]
    problems = [
        f"the metric {name!r} is the template's and cannot be declared anew; choose another name"
        for name in names
        if template.metric(name) is not None
    ]
    if len(set(names)) < len(names):
        problems.append("two extra metrics have the same name")
    return problems


def value_problem(parameter: Parameter | None, value: Value) -> str:
    """Why a run cannot set `value`, or ""."""
    if parameter is None:
        return "there is no such parameter"
    if value == parameter.default:
        return f"{parameter.name} = {value!r} is the baseline's value; choose another"
    return parameter.problem(value)


# -- defaults ------------------------------------------------------------------------------------------


def default_plan(template: Template, idea: Idea, count: int, seed: int) -> Plan:
    """The documented default: `count` suggested values of declared parameters, chosen by `seed`."""
    runs: list[PlannedRun] = []
    for number in range(1, count + 1):
        runs.append(default_run(template, f"run_{number}", seed, runs))
    return Plan(hypothesis=idea.hypothesis, primary_metric=template.primary_metric, runs=_worth_running(runs))


def default_run(template: Template, name: str, seed: int, earlier: Sequence[PlannedRun] = ()) -> PlannedRun:
    """A run that sets one declared parameter to a suggested value that no earlier run has."""
    used = taken(earlier)
    options = [
        (p.name, value) for p in template.parameters for value in p.suggestions if (p.name, value) not in used
    ]
    if not options:
        return PlannedRun(
            name=name, rationale="The template declares nothing more to vary.", source="default"
        )
    parameter, value = random.Random(f"{seed}/{name}").choice(options)
    return PlannedRun(
        name=name,
        rationale=f"The effect of {parameter} is measured by setting it apart from the baseline.",
        arguments={parameter: value},
        source="default",
    )
