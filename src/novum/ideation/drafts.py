"""The forms on which a model writes an idea, and what the code checks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from novum.ideation.facts import Earlier, Facts
from novum.ideation.wording import content_words, token_overlap, whole_sentences
from novum.records import Criterion, SelfScore

SAME_IDEA = 80.0
"""Token overlap of title and hypothesis, 0 to 100, from which two ideas count as the same.

Reworded ideas about one subject lie above it, different ideas about one parameter below: the seed ideas of a
template, pair by pair, and their rewordings are in the tests.
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


class IdeaDraft(BaseModel):
    """A new idea, as a model writes it."""

    reasoning: str = Field(max_length=400)
    subject: str
    title: str = Field(max_length=120)
    hypothesis: str = Field(max_length=420)
    plan: str = Field(max_length=520)

    @property
    def text(self) -> str:
        return f"{self.title}. {self.hypothesis}"


class IdeaRevision(BaseModel):
    """What one round of reflection changes, and the answers to `QUESTIONS`, in their order."""

    reasoning: str = Field(max_length=400)
    hypothesis: str = Field(max_length=420)
    plan: str = Field(max_length=520)
    answers: list[bool] = Field(min_length=len(QUESTIONS), max_length=len(QUESTIONS))
    done: bool


def draft_schema(facts: Facts) -> type[IdeaDraft]:
    """`IdeaDraft` with the template's subjects as the only choices."""
    names = tuple(subject.name for subject in facts.subjects)
    if not names:
        return IdeaDraft
    choice: Any = Literal[names]
    return create_model("IdeaDraft", __base__=IdeaDraft, subject=(choice, ...))


def problems_of(draft: IdeaDraft, earlier: Sequence[Earlier]) -> list[str]:
    """What is wrong with a draft that fits its schema."""
    problems = _thin(draft.hypothesis, draft.plan)
    if len(content_words(draft.title)) < 2:
        problems.append("the title has fewer than two words that say what the idea is about")
    twin = twin_of(draft.text, earlier)
    if twin:
        problems.append(f"this idea exists already ({twin.title!r}); propose one about something else")
    return problems


def problems_of_revision(revision: IdeaRevision) -> list[str]:
    """What is wrong with a revision that fits its schema."""
    return _thin(revision.hypothesis, revision.plan)


def _thin(hypothesis: str, plan: str) -> list[str]:
    named = (("hypothesis", hypothesis), ("plan", plan))
    return [f"the {name} has fewer than five words" for name, text in named if len(text.split()) < 5]


def twin_of(text: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """The earlier idea that is the same as `text` (title and hypothesis), if there is one."""
    return next((idea for idea in earlier if token_overlap(text, idea.text) >= SAME_IDEA), None)


def revised(draft: IdeaDraft, revision: IdeaRevision) -> IdeaDraft:
    """The draft with the revision's sentences, without what a length limit cut off."""
    changes = {
        "hypothesis": whole_sentences(revision.hypothesis),
        "plan": whole_sentences(revision.plan),
    }
    return draft.model_copy(update=changes)


def scores(answers: Sequence[bool]) -> dict[str, SelfScore]:
    """The three self-scores of an idea from the answers to `QUESTIONS`."""
    asked = dict(zip(QUESTIONS, answers, strict=True))
    groups = {"interestingness": INTERESTING, "feasibility": FEASIBLE, "novelty_score": NEW}
    return {
        name: SelfScore(criteria=tuple(Criterion(question=q, met=asked[q]) for q in questions))
        for name, questions in groups.items()
    }
