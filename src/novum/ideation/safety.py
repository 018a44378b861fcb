"""Refuse research that could do harm: by rules first, then by the model's judgement.

Covers: topics, ideas and plans of code whose words say that harm is the aim, in the categories of `CATEGORIES`;
docs/responsible-use.md has the measured rates of misses and false alarms. Does not cover: harm that is not in the
words (dual use that is not named, harm of a harmless-looking result), languages other than English, or a model
that judges wrongly. What code can do is bounded by the sandbox, not by this screen.

A refusal is an error with its reason. A person can overrule it; that is recorded with the person's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, Field

from novum.errors import Refused
from novum.ideation.safety_rules import CATEGORIES, Finding, rule_finding
from novum.records import Record
from novum.tools import Question, Tools, no_problems
from novum.untrusted import clean

T = TypeVar("T", bound=BaseModel)
Kind = Literal["topic", "idea", "code"]
_MOST_CHARS = 3000
"""Longest text put to the model; the rules read all of it."""


class Asker(Protocol):
    """The part of `Tools` that asks."""

    def ask(
        self,
        question: Question,
        schema: type[T],
        *,
        default: Callable[[], T] | None = None,
        check: Callable[[T], list[str]] = no_problems,
    ) -> T:
        """As `Tools.ask`."""


class Verdict(Record):
    """What the screen says of one text. `by` tells who found the harm."""

    kind: Kind
    refused: bool
    category: str = "none"
    reason: str = ""
    by: Literal["rules", "model", "nobody"] = "nobody"
    overruled_by: str = ""


class Judgement(BaseModel):
    """A model's judgement of one text. Both a `harmful` aim and a category are needed for a refusal."""

    reasoning: str = Field(max_length=240)
    harmful: bool
    category: Literal[tuple(CATEGORIES)]  # type: ignore[valid-type]

    @property
    def harm(self) -> str:
        """The category of harm that was found, or "none"."""
        return self.category if self.harmful else "none"


def screen(tools: Tools, kind: Kind, text: str, *, overruled_by: str = "", step: str = "") -> Verdict:
    """Screen `text`; `overruled_by` is the name of the person who lets it pass whatever is found.

    Where the model gives no valid judgement the rules decide alone, and the log says so.

    Raises:
        Refused: the text asks for harmful research, and nobody overrules that.
    """
    verdict = judge(tools, kind, text, step=step or f"ideate/safety_{kind}")
    if verdict.refused and overruled_by:
        verdict = verdict.model_copy(update={"overruled_by": overruled_by})
    tools.log.note("safety", **verdict.model_dump(mode="json"))
    if verdict.refused and not overruled_by:
        raise Refused(
            f"the safety screen refuses this {'plan' if kind == 'code' else kind} ({verdict.category})",
            verdict.reason,
            "choose another one; if the screen is wrong, `--overrule-safety NAME` records who says so "
            "(see docs/responsible-use.md)",
        )
    return verdict


def judge(tools: Asker, kind: Kind, text: str, *, step: str) -> Verdict:
    """The verdict on `text`, without refusing: the rules', else the model's.

    A model must find the same harm three times: in the text, in what it said itself that the text aims at (a small
    model often names a harmless aim rightly and calls it harmful all the same), and in the text again with some
    chance in its reply, so that a guess refuses nobody.
    """
    found = rule_finding(text, code=kind == "code")
    if found is not None:
        return _refusal(kind, found, "rules")
    first = _ask(tools, kind, text, step)
    aim = first.reasoning or text
    if (
        first.harm == "none"
        or _ask(tools, kind, aim, f"{step}/aim").harm != first.harm
        or _ask(tools, kind, text, f"{step}/again", temperature=0.7).harm != first.harm
    ):
        return Verdict(kind=kind, refused=False)
    return _refusal(kind, Finding(first.category, f"{CATEGORIES[first.category]}; its aim: {aim}"), "model")


def _refusal(kind: Kind, found: Finding, by: Literal["rules", "model"]) -> Verdict:
    return Verdict(kind=kind, refused=True, category=found.category, reason=found.reason, by=by)


def _ask(tools: Asker, kind: Kind, text: str, step: str, *, temperature: float = 0.0) -> Judgement:
    inputs = {"kind": kind, "text": clean(text).text[:_MOST_CHARS], "categories": CATEGORIES}
    return tools.ask(
        Question(step, "ideas", "safety_screen", inputs, max_tokens=140, temperature=temperature),
        Judgement,
        default=lambda: Judgement(reasoning="", harmful=False, category="none"),
    )
