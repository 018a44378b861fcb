"""The review form: what a model fills in, what the code checks, and how the parts become a review.

One rule binds the decision to the score: `Accept` goes with an overall score of `ACCEPT_FROM` or more, `Reject` with
less. Where a form asks for the decision, an answer that breaks the rule is sent back; the form for small models
does not ask for it, and the rule decides.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from novum.records import Review

ACCEPT_FROM = 6
"""Overall score (1-10) from which the decision is `Accept`."""
SCORES = ("soundness", "presentation", "contribution", "overall", "confidence")

Decision = Literal["Accept", "Reject"]
_Four = Annotated[int, Field(ge=1, le=4)]
_Five = Annotated[int, Field(ge=1, le=5)]
_Ten = Annotated[int, Field(ge=1, le=10)]
_Point = Annotated[str, Field(max_length=600)]


def _sentence(most: int) -> str:
    return rf'^[A-Z]([^.?!"\\\n]|\.[0-9]){{15,{most}}}[.?]$'


Sentence = Annotated[str, Field(pattern=_sentence(190))]
"""One sentence of at most about 28 words; a decimal point does not end it."""
LongSentence = Annotated[str, Field(pattern=_sentence(280))]


class SmallReviewForm(BaseModel):
    """The form for a small model: single sentences, no lists, no decision.

    A limit of characters would cut a sentence, and a small model then goes on as if the form were over; the pattern
    of a sentence makes it end in time.
    """

    reasoning: Sentence
    summary: LongSentence
    strength: Sentence
    other_strength: Sentence
    weakness: Sentence
    other_weakness: Sentence
    question: Sentence
    limitation: Sentence
    ethical_concerns: bool
    soundness: _Four
    presentation: _Four
    contribution: _Four
    overall: _Ten
    confidence: _Five

    @property
    def strengths(self) -> list[str]:
        return [self.strength, self.other_strength]

    @property
    def weaknesses(self) -> list[str]:
        return [self.weakness, self.other_weakness]

    @property
    def questions(self) -> list[str]:
        return [self.question]

    @property
    def limitations(self) -> list[str]:
        return [self.limitation]


class ReviewForm(BaseModel):
    """The form for a capable model."""

    reasoning: str = Field(max_length=3000)
    summary: str = Field(max_length=2000)
    strengths: list[_Point] = Field(min_length=1, max_length=6)
    weaknesses: list[_Point] = Field(min_length=1, max_length=8)
    questions: list[_Point] = Field(max_length=6)
    limitations: list[_Point] = Field(max_length=5)
    ethical_concerns: bool
    soundness: _Four
    presentation: _Four
    contribution: _Four
    overall: _Ten
    confidence: _Five
    decision: Decision


class Revision(BaseModel):
    """What one round of reflection changes: scores, and a weakness and a question that were missed ("" for none)."""

    reasoning: str = Field(max_length=600)
    weakness: str = Field(max_length=300)
    question: str = Field(max_length=300)
    soundness: _Four
    presentation: _Four
    contribution: _Four
    overall: _Ten
    confidence: _Five
    done: bool


class SmallRevision(BaseModel):
    """The same for a small model, which names no question."""

    reasoning: Sentence
    weakness: Sentence
    soundness: _Four
    presentation: _Four
    contribution: _Four
    overall: _Ten
    confidence: _Five
    done: bool


def decision_for(overall: int) -> Decision:
    """The decision that goes with an overall score."""
    return "Accept" if overall >= ACCEPT_FROM else "Reject"


def problems_of(form: ReviewForm | SmallReviewForm) -> list[str]:
    """What is wrong with a filled form whose fields fit their types and ranges."""
    problems = []
    if len(form.summary.split()) < 8:
        problems.append("the summary has fewer than eight words")
    strengths, weaknesses = _two_sides(form)
    for name, points in (("strength", strengths), ("weakness", weaknesses)):
        if not points:
            problems.append(f"there is no {name} of three words or more that is not said elsewhere already")
    if isinstance(form, ReviewForm) and form.decision != decision_for(form.overall):
        problems.append(
            f"the decision {form.decision!r} contradicts the overall score {form.overall}: "
            f"{ACCEPT_FROM} or more goes with 'Accept', less with 'Reject'"
        )
    return problems


def review_of(form: ReviewForm | SmallReviewForm) -> Review:
    """The filled form as a review."""
    strengths, weaknesses = _two_sides(form)
    return Review(
        summary=whole_sentences(form.summary),
        strengths=strengths,
        weaknesses=weaknesses,
        questions=_points(form.questions),
        limitations=_points(form.limitations),
        ethical_concerns=form.ethical_concerns,
        soundness=form.soundness,
        presentation=form.presentation,
        contribution=form.contribution,
        overall=form.overall,
        confidence=form.confidence,
        decision=decision_for(form.overall),
    )


def revised(review: Review, revision: Revision | SmallRevision) -> Review:
    """The review with the revision's scores and its additions, the decision following the score."""
    return Review.model_validate(
        {
            **review.model_dump(),
            **{name: getattr(revision, name) for name in SCORES},
            "weaknesses": _with(review.weaknesses, revision.weakness),
            "questions": _with(review.questions, revision.question)
            if isinstance(revision, Revision)
            else review.questions,
            "decision": decision_for(revision.overall),
        }
    )


def no_review(reason: str) -> Review:
    """The review that stands where none could be made: lowest scores, rejected, marked as a default."""
    return Review(
        summary=f"No review could be made: {reason}. The scores below are placeholders, not a judgement.",
        strengths=(),
        weaknesses=(),
        questions=(),
        limitations=(),
        ethical_concerns=False,
        soundness=1,
        presentation=1,
        contribution=1,
        overall=1,
        confidence=1,
        decision="Reject",
        source="default",
    )


def _two_sides(form: ReviewForm | SmallReviewForm) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Strengths and weaknesses that say something, each once: what is called a strength is no weakness too."""
    strengths = [p for p in _points(form.strengths) if len(p.split()) >= 3]
    called = {p.lower().rstrip(".") for p in strengths}
    weaknesses = [
        p for p in _points(form.weaknesses) if len(p.split()) >= 3 and p.lower().rstrip(".") not in called
    ]
    return tuple(strengths), tuple(weaknesses)


def whole_sentences(text: str) -> str:
    """`text` on one line without a last sentence that a length limit cut; all of it when none is whole."""
    line = " ".join(text.split())
    end = max(line.rfind(f"{mark} ") for mark in ".!?")
    return line if line.endswith((".", "!", "?")) or end < 0 else line[: end + 1]


def _points(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))


def _with(points: tuple[str, ...], text: str) -> tuple[str, ...]:
    return _points([*points, text])
