"""The forms on which a model writes an idea, and what the code checks of them.

Two kinds of forms with one interface: a capable model writes its sentences (`FreeForms`); a small one chooses what
is changed, which measured quantity answers and in which direction, adds a reason, and the code writes the
sentences (`ChoiceForms`), so that they hang together and name what exists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, Field, create_model

from novum.ideation.facts import Earlier, Facts, Subject
from novum.ideation.wording import token_overlap, whole_sentences
from novum.literature.text import content_words
from novum.records import Criterion, SelfScore

SAME_IDEA = 80.0
"""Token overlap of title and hypothesis, 0 to 100, from which two ideas count as the same.

Reworded ideas lie above it; different ideas of one template lie between 40 and 70.
"""

INTERESTING = (
    "Would the result be useful to someone whichever way it comes out?",
    "Could the hypothesis turn out false?",
    "Is it about a mechanism or a trade-off rather than the size of one number?",
)
FEASIBLE = (
    "Does it need only the listed parameters or one listed function?",
    "Can the listed measurements decide it?",
    "Do five runs or fewer suffice?",
)
NEW = (
    "Does it differ from every existing idea by more than other numbers?",
    "Is the answer more than a consequence of the definitions?",
    "Would a person who knows the field be unsure of the answer?",
)
QUESTIONS = INTERESTING + FEASIBLE + NEW


class Written(NamedTuple):
    """An idea in sentences."""

    subject: str
    title: str
    hypothesis: str
    plan: str

    @property
    def text(self) -> str:
        return f"{self.title}. {self.hypothesis}"


class Forms(Protocol):
    """One kind of forms: `draft` and `revision` are what the model is asked for."""

    draft: type[BaseModel]
    revision: type[BaseModel]

    def written(self, draft: Any) -> Written:
        """The draft in sentences."""

    def problems(self, answer: Any) -> list[str]:
        """What is wrong with a draft or a revision that fits its schema."""

    def revised(self, draft: Any, revision: Any) -> Any:
        """The draft after the revision."""


# -- a capable model writes ----------------------------------------------------------------------------


class IdeaDraft(BaseModel):
    """A new idea."""

    reasoning: str = Field(max_length=2000)
    subject: str
    title: str = Field(max_length=160)
    hypothesis: str = Field(max_length=600)
    plan: str = Field(max_length=1200)


class IdeaRevision(BaseModel):
    """The idea's sentences after a round of reflection."""

    reasoning: str = Field(max_length=2000)
    hypothesis: str = Field(max_length=600)
    plan: str = Field(max_length=1200)
    answers: list[bool] = Field(min_length=len(QUESTIONS), max_length=len(QUESTIONS))
    done: bool


class FreeForms:
    """The model writes hypothesis and plan."""

    def __init__(self, facts: Facts) -> None:
        subject: Any = _one_of([s.name for s in facts.subjects])
        self.draft: type[BaseModel] = create_model("IdeaDraft", __base__=IdeaDraft, subject=(subject, ...))
        self.revision: type[BaseModel] = IdeaRevision

    def written(self, draft: IdeaDraft) -> Written:
        return Written(
            draft.subject, _title(draft.title), whole_sentences(draft.hypothesis), whole_sentences(draft.plan)
        )

    def problems(self, answer: IdeaDraft | IdeaRevision) -> list[str]:
        parts = (("hypothesis", answer.hypothesis), ("plan", answer.plan))
        return [f"the {name} has fewer than five words" for name, text in parts if len(text.split()) < 5]

    def revised(self, draft: IdeaDraft, revision: IdeaRevision) -> IdeaDraft:
        return draft.model_copy(update={"hypothesis": revision.hypothesis, "plan": revision.plan})


# -- a small model chooses -----------------------------------------------------------------------------

_ABOUT_ITSELF = re.compile(r"\b(?:hypothesis|improved|this idea|the idea|the plan|json)\b", re.IGNORECASE)


class ChosenIdea(BaseModel):
    """A new idea; `reason` completes "... because ..."."""

    reasoning: str = Field(max_length=200)
    subject: str
    quantity: str
    direction: Literal["raises", "lowers"]
    reason: str = Field(max_length=200)
    title: str = Field(max_length=110)


class ChosenRevision(BaseModel):
    """Direction and reason after a round of reflection."""

    reasoning: str = Field(max_length=200)
    direction: Literal["raises", "lowers"]
    reason: str = Field(max_length=200)
    answers: list[bool] = Field(min_length=len(QUESTIONS), max_length=len(QUESTIONS))
    done: bool


class ChoiceForms:
    """The code writes hypothesis and plan from what the model chose, which is none of `excluded`."""

    def __init__(self, facts: Facts, excluded: Collection[str] = ()) -> None:
        self._subjects = {s.name: s for s in facts.subjects}
        subject: Any = _one_of([name for name in self._subjects if name not in excluded])
        quantity: Any = _one_of(facts.metrics)
        self.draft: type[BaseModel] = create_model(
            "ChosenIdea", __base__=ChosenIdea, subject=(subject, ...), quantity=(quantity, ...)
        )
        self.revision: type[BaseModel] = ChosenRevision

    def written(self, draft: ChosenIdea) -> Written:
        subject = self._subjects.get(draft.subject) or Subject(draft.subject, "function", "", draft.subject)
        because = _clause(draft.reason.removeprefix("because "))
        return Written(
            subject=draft.subject,
            title=_title(draft.title),
            hypothesis=f"{_change(subject)} {draft.direction} the {draft.quantity}, because {because}.",
            plan=_comparison(subject, draft.quantity),
        )

    def problems(self, answer: ChosenIdea | ChosenRevision) -> list[str]:
        if len(answer.reason.split()) < 4:
            return ["`reason` has fewer than four words"]
        if _ABOUT_ITSELF.search(answer.reason):
            return ["`reason` must name a mechanism, not speak about the idea or the hypothesis"]
        return []

    def revised(self, draft: ChosenIdea, revision: ChosenRevision) -> ChosenIdea:
        return draft.model_copy(update={"direction": revision.direction, "reason": revision.reason})


def _change(subject: Subject) -> str:
    if subject.kind == "function":
        return f"Changing {_clause(subject.description)}"
    return f"{'Increasing' if subject.ordered else 'Changing'} the {subject.label}"


def _comparison(subject: Subject, quantity: str) -> str:
    if subject.kind == "function":
        change = f"Rewrite the function `{subject.name}`, one change a run"
    else:
        values = f" to {', '.join(subject.values)}" if subject.values else " over its range"
        change = f"Set `{subject.name}`{values}, one run each"
    return f"{change}, everything else as in the baseline, and compare the {quantity} with the baseline's."


def _clause(sentence: str) -> str:
    """A sentence as part of another: one line, no full stop, a small first letter unless it is a name."""
    line = whole_sentences(sentence).rstrip(".!? ")
    return line[:1].lower() + line[1:] if line[1:2].islower() or line[1:2] in (" ", ",") else line


# -- both ----------------------------------------------------------------------------------------------


def _one_of(names: Sequence[str]) -> Any:
    """The type of one of `names`; any string when there are none."""
    return Literal[tuple(names)] if names else str


def _title(title: str) -> str:
    return " ".join(title.split()).strip(" .\"'")


def problems_of(written: Written, twin: Earlier | None) -> list[str]:
    """What is wrong with an idea in sentences: an empty title, or that it exists already as `twin`."""
    problems = []
    if len(content_words(written.title)) < 2:
        problems.append("the title has fewer than two words that say what the idea is about")
    if twin:
        problems.append(f"this idea exists already ({twin.title!r}); propose one about something else")
    return problems


def twin_of(text: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """The earlier idea that is `text` (title and hypothesis) in nearly the same words, if there is one."""
    return next((idea for idea in earlier if token_overlap(text, idea.text) >= SAME_IDEA), None)


def scores(answers: Sequence[bool]) -> dict[str, SelfScore]:
    """The three self-scores of an idea from the answers to `QUESTIONS`."""
    asked = dict(zip(QUESTIONS, answers, strict=True))
    groups = {"interestingness": INTERESTING, "feasibility": FEASIBLE, "novelty_score": NEW}
    return {
        name: SelfScore(criteria=tuple(Criterion(question=q, met=asked[q]) for q in questions))
        for name, questions in groups.items()
    }
