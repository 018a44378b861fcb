"""The forms that a model fills in to plan runs.

A small model answers one question at a time and picks: a parameter, one of the values worth trying, one of the
changes that the template names. What it cannot pick it cannot get wrong. A large model fills in the whole plan.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, Union

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from novum.records import Direction, Metric, PlannedRun
from novum.template import Template, Value

_MOST_WORDS = 34


def _whole(sentence: str) -> str:
    """A sentence that runs into the end of its grammar has words run together; a lost model repeats one."""
    words = sentence.rstrip(".").split()
    if len(words) > _MOST_WORDS:
        raise ValueError(f"write at most {_MOST_WORDS} words")
    if any(a == b for a, b in pairwise(words)):
        raise ValueError("a word stands there twice in a row")
    return sentence


# Prose without digits, bounded by words: a small model's numbers in prose are guesses.
_TAIL = rf"(,? [a-z'-]{{1,17}}){{7,{_MOST_WORDS}}}[.]$"
_Words = Annotated[str, Field(pattern=rf"^[A-Z][a-z]{{0,14}}{_TAIL}"), AfterValidator(_whole)]
# Where a value is set, a free sentence soon wants to say it, and cannot.
_Expectation = Annotated[
    str, Field(pattern=rf"^If the hypothesis holds, this run will show that{_TAIL}"), AfterValidator(_whole)
]
_SENTENCE = Field(min_length=20, max_length=220)


MOST_EXTRA = 2
"""Metrics that a plan may declare beside the template's."""


class Change(NamedTuple):
    """A change of one function, in words."""

    function: str
    text: str


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExtraMetric(_Form):
    """A metric of a plan beside the template's, which changed code reports itself."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{2,39}$")
    unit: str = Field(max_length=20)
    direction: Direction
    description: str = Field(min_length=10, max_length=160)


def _form(name: str, **fields: Any) -> type[BaseModel]:
    return create_model(name, __base__=_Form, **fields)


def _one_of(names: Sequence[str]) -> Any:
    return Literal[tuple(names)]


def _any_of(forms: Sequence[type[BaseModel]]) -> Any:
    return Union[tuple(forms)]  # noqa: UP007 - how many there are is known at run time only


def either(forms: Sequence[type[BaseModel]]) -> Any:
    """The type of an answer that fits one of `forms`."""
    return _any_of(forms)


# -- one run, picked -----------------------------------------------------------------------------------


def pick_parameter(template: Template, taken: Collection[tuple[str, Value]], only: str = "") -> Any:
    """One value of one parameter, not among those `taken`; of the parameter `only` where it still has one.

    None when every value is taken.
    """
    left = {
        p.name: values
        for p in template.parameters
        if (values := [str(v) for v in p.suggestions if (p.name, v) not in taken])
    }
    if only in left:
        left = {only: left[only]}
    forms = [
        _form(
            f"Set_{name}",
            rationale=(_Expectation, ...),
            parameter=(_one_of([name]), ...),
            value=(_one_of(values), ...),
        )
        for name, values in left.items()
    ]
    return _any_of(forms) if forms else None


def pick_change(offered: Sequence[Change]) -> Any:
    """One of the changes that the template names; None when there is none left."""
    forms = [
        _form(
            f"Rewrite_{function}",
            rationale=(_Words, ...),
            function=(_one_of([function]), ...),
            change=(_one_of([c.text for c in offered if c.function == function]), ...),
        )
        for function in dict.fromkeys(c.function for c in offered)
    ]
    return _any_of(forms) if forms else None


# -- the whole plan, written ---------------------------------------------------------------------------


def write_parameter(template: Template) -> type[BaseModel]:
    """One run that sets one parameter to any value in its range (checked afterwards)."""
    return _form(
        "ParameterRun",
        rationale=(str, _SENTENCE),
        parameter=(_one_of([p.name for p in template.parameters]), ...),
        value=(str, Field(min_length=1, max_length=20)),
    )


def write_change(template: Template) -> type[BaseModel]:
    """One run that changes the code: one function where the template names some, or anything."""
    return _form(
        "CodeRun",
        rationale=(str, _SENTENCE),
        function=(_one_of([*(f.name for f in template.functions), "any"]), ...),
        change=(str, Field(min_length=20, max_length=400)),
    )


def question_form(template: Template) -> type[BaseModel]:
    """What decides, before there are runs."""
    return _form("QuestionForm", **_question(template))


def plan_form(template: Template, parameter_runs: int, code_runs: int) -> type[BaseModel]:
    """The whole plan: what decides, then the runs."""
    fields = _question(template)
    for name, count, form in (
        ("parameter_runs", parameter_runs, write_parameter),
        ("code_runs", code_runs, write_change),
    ):
        if count:
            fields[name] = (list[form(template)], Field(min_length=1, max_length=count))  # type: ignore[misc]
    if code_runs:
        fields["extra_metrics"] = (list[ExtraMetric], Field(default_factory=list, max_length=MOST_EXTRA))
    return _form("PlanForm", **fields)


def extra_metrics(answer: Any) -> tuple[Metric, ...]:
    """The metrics that a filled-in plan declares beside the template's."""
    return tuple(
        Metric(**form.model_dump(), self_reported=True) for form in getattr(answer, "extra_metrics", ())
    )


def _question(template: Template) -> dict[str, Any]:
    return {
        "reasoning": (str, Field(min_length=40, max_length=400)),
        # A template of which no metric is known before the baseline has run has none to choose from.
        "primary_metric": (_one_of([m.name for m in template.metrics] or [template.primary_metric]), ...),
    }


# -- after a run ---------------------------------------------------------------------------------------


def next_step_form(revision: Any) -> type[BaseModel]:
    """How to go on after a run; `revised_run` counts for `revise` only, and there is none without `revision`."""
    decisions = (
        ("continue", "revise", "answered", "abandon") if revision else ("continue", "answered", "abandon")
    )
    fields: dict[str, Any] = {
        "reasoning": (str, Field(min_length=20, max_length=300)),
        # Goes into the notes, where every number comes from a record: so it has none.
        "interpretation": (_Words, ...),
        "decision": (_one_of(decisions), ...),
    }
    if revision:
        fields["revised_run"] = (revision, ...)
    return _form("NextStep", **fields)


# -- from forms to runs --------------------------------------------------------------------------------


def parameter_run(form: Any, name: str) -> PlannedRun:
    """The planned run of a filled-in parameter form."""
    return PlannedRun(
        name=name, rationale=form.rationale.strip(), arguments={form.parameter: number_or_text(form.value)}
    )


def code_run(form: Any, name: str) -> PlannedRun:
    """The planned run of a filled-in code form."""
    function = "" if form.function == "any" else form.function
    return PlannedRun(
        name=name, rationale=form.rationale.strip(), function=function, edit=form.change.strip()
    )


def number_or_text(text: str) -> Value:
    """`text` as the number it spells, else as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip().strip("\"'")
