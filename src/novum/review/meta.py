"""The meta-review: scores by arithmetic, points chosen from the reviews, a summary in the model's words.

Each score is the mean of the reviews' scores, rounded half up; the decision follows the overall score by the form's
rule; there are ethical concerns when any review has them. Strengths, weaknesses and questions are those of
the reviews that the model chose by number, in its order (without a valid choice: the first of each review in
turn), so that a meta-review cannot raise a point that no reviewer made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, create_model

from novum.records import Review
from novum.review.desk import Asker
from novum.review.form import SCORES, LongSentence, Sentence, decision_for, whole_sentences
from novum.tools import Question

_MOST_POINTS = 4
_SAME_POINT = 85.0
"""Token overlap, 0 to 100, from which two reviewers made the same point."""


class MetaForm(BaseModel):
    """What the model adds to the scores. The lists are numbers of points, the most important first."""

    reasoning: str = Field(max_length=400)
    summary: str = Field(max_length=600)
    strengths: list[int]
    weaknesses: list[int]
    questions: list[int]


class Points(NamedTuple):
    """The distinct points of all reviews."""

    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    questions: tuple[str, ...]


def meta_review(asker: Asker, reviews: Sequence[Review]) -> Review:
    """One review that sums up `reviews` (at least one)."""
    points = Points(
        distinct(r.strengths for r in reviews),
        distinct(r.weaknesses for r in reviews),
        distinct(r.questions for r in reviews),
    )
    default = MetaForm(
        reasoning="",
        summary=reviews[0].summary,
        strengths=_first(points.strengths),
        weaknesses=_first(points.weaknesses),
        questions=_first(points.questions),
    )
    inputs = {"reviews": reviews, "points": points}
    form = asker.ask(
        Question("review/meta", "review", "review_meta", inputs, max_tokens=400, temperature=0.3),
        _schema(points, small=asker.models["review"].capabilities.small),
        default=lambda: default,
        check=lambda answer: (
            [] if len(answer.summary.split()) >= 8 else ["the summary has fewer than eight words"]
        ),
    )
    means = {name: mean_score([getattr(r, name) for r in reviews]) for name in SCORES}
    return Review(
        summary=whole_sentences(form.summary),
        strengths=_chosen(points.strengths, form.strengths),
        weaknesses=_chosen(points.weaknesses, form.weaknesses),
        questions=_chosen(points.questions, form.questions),
        limitations=distinct(r.limitations for r in reviews)[:_MOST_POINTS],
        ethical_concerns=any(r.ethical_concerns for r in reviews),
        decision=decision_for(means["overall"]),
        source="default" if form is default else "model",
        **means,
    )


def mean_score(scores: Sequence[int]) -> int:
    """The mean, rounded half up: 5 and 6 give 6."""
    return (2 * sum(scores) + len(scores)) // (2 * len(scores))


def distinct(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The points of all lists, the first of each before the second of any, without repetitions."""
    from rapidfuzz.fuzz import token_set_ratio

    kept: list[str] = []
    for point in chain.from_iterable(zip_longest(*lists)):
        if point and all(token_set_ratio(point.lower(), other.lower()) < _SAME_POINT for other in kept):
            kept.append(point)
    return tuple(kept)


def _schema(points: Points, *, small: bool) -> type[MetaForm]:
    """The form with as many numbers to choose from as there are points; a small model writes single sentences."""
    fields: dict[str, Any] = {name: _choice(len(getattr(points, name))) for name in Points._fields}
    if small:
        fields |= {"reasoning": (Sentence, ...), "summary": (LongSentence, ...)}
    return create_model("MetaForm", __base__=MetaForm, **fields)


def _choice(count: int) -> Any:
    number = Annotated[int, Field(ge=1, le=max(count, 1))]
    return (list[number], Field(min_length=min(1, count), max_length=min(_MOST_POINTS, count)))


def _first(points: Sequence[str]) -> list[int]:
    return list(range(1, min(len(points), _MOST_POINTS) + 1))


def _chosen(points: Sequence[str], numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(points[n - 1] for n in dict.fromkeys(numbers) if n <= len(points))
