"""A second opinion on a change of the code: does the diff do what the plan says? It sees nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model

from novum.records import Implemented, PlannedRun
from novum.tools import Question, Tools

MOST_LINES = 80
"""Lines of a diff that are shown."""
_MOST_CITED = 3


class Judged(NamedTuple):
    """What the second opinion says. `lines` are those of the diff that it cites."""

    verdict: Implemented
    reason: str
    lines: tuple[str, ...] = ()


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


def judge_edit(tools: Tools, run: PlannedRun, diff: str, step: str) -> Judged:
    """Ask whether `diff` does what `run` is to do; a verdict of "" when nobody could say."""
    lines = changed_lines(diff)[:MOST_LINES]
    small = tools.is_small("code")
    form: Any = verdict_form(len(lines), with_reason=not small)
    question = Question(
        step=step,
        role="code",
        prompt="experiment_judge",
        inputs={"run": run, "lines": list(enumerate(lines, start=1)), "small": small},
        max_tokens=60 if small else 250,
        temperature=0.0,
        retries=1,
    )
    answer: Any = tools.ask(question, form, default=lambda: None)
    if answer is None:
        return Judged("", "no second opinion was given")
    cited = tuple(dict.fromkeys(lines[int(number) - 1] for number in answer.lines))
    shown = "; ".join(line[:120] for line in cited)
    said = f"{answer.reason.strip()} " if not small else ""
    return Judged(answer.verdict, f"{said}(lines: {shown})", cited)


def changed_lines(diff: str) -> list[str]:
    """The lines of a unified diff that were taken out (`-`) or put in (`+`), blank ones apart."""
    heads = ("+++ ", "--- ")
    return [
        line
        for line in diff.splitlines()
        if line[:1] in ("+", "-") and line[1:].strip() and not line.startswith(heads)
    ]


def verdict_form(count: int, *, with_reason: bool) -> type[BaseModel]:
    """The lines first, then what follows from them."""
    numbers: Sequence[str] = [str(n) for n in range(1, max(count, 1) + 1)]
    fields: dict[str, Any] = {
        "lines": (list[Literal[tuple(numbers)]], Field(min_length=1, max_length=_MOST_CITED))  # type: ignore[misc]
    }
    if with_reason:
        fields["reason"] = (str, Field(min_length=10, max_length=240))
    fields["verdict"] = (Literal["implemented", "partly", "not"], ...)
    return create_model("EditVerdict", __base__=_Form, **fields)
