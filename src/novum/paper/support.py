r"""Whether the abstract of a cited work supports the sentence that cites it: supports, unrelated or unknown.

A model is asked one short question for each sentence and work, up to a bound; what it was not asked stays
`unknown`, and the log says so. No abstract is `unknown` without a question. A sentence that the code made from the
work's own record is supported by it. Abstracts are untrusted: `supports` needs words in common with the sentence,
which the code counts, and an `unrelated` work leaves only sentences of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field

from novum.paper.brief import plain
from novum.paper.citations import SHARED_STEMS, Shelf, Work, cited_keys, shared_words
from novum.paper.document import Section
from novum.paper.places import Place, places, uncited, with_sentence, without_citation
from novum.paper.works import summary_of
from novum.tools import Question, Tools
from novum.untrusted import as_line

JUDGED = {("quick", True): 3, ("quick", False): 10, ("full", True): 20, ("full", False): 60}
"""Most questions, by profile and whether the model is a small one."""
_ABSTRACT = {True: 400, False: 1200}
_FROM_THE_RECORD = (r"\worksummary{", r"\worktitle{")
_ORIGINS = ("model", "template", "code")


class Judgement(BaseModel):
    """A small model's judgement."""

    verdict: Literal["supports", "unrelated", "unknown"]


class ReasonedJudgement(BaseModel):
    """A model's judgement after a word of reasoning."""

    reasoning: str = Field(max_length=200)
    verdict: Literal["supports", "unrelated", "unknown"]


class _Pair(NamedTuple):
    place: Place
    work: Work


def judged(tools: Tools, sections: Sequence[Section], shelf: Shelf) -> tuple[Section, ...]:
    """The sections after every citation was judged: a model's sentence loses works that are unrelated to it."""
    pairs = sorted(_pairs(sections, shelf), key=lambda pair: _ORIGINS.index(pair.place.origin))
    most, asked = JUDGED[(tools.profile, tools.is_small("writing"))], 0
    kept = tuple(sections)
    for place, work in pairs:
        verdict, by, note = _without_a_model(place, work)
        if not note and asked >= most:
            verdict, by, note = "unknown", "nobody", f"not judged: {most} questions are asked at most"
        elif not note:
            asked += 1
            verdict, by, note = _asked(tools, place, work, f"write/cite/judge_{asked}")
        removed = verdict == "unrelated" and place.origin == "model"
        tools.log.note(
            "citation",
            step="write/cite/judge",
            key=work.key,
            paper=work.paper.id,
            sentence=uncited(place.sentence),
            verdict=verdict,
            by=by,
            note=note,
            removed=removed,
        )
        if removed:
            kept = _without(kept, place, work.key)
    return kept


def _pairs(sections: Sequence[Section], shelf: Shelf) -> Iterator[_Pair]:
    for place in places(sections):
        for key in cited_keys(place.sentence):
            if work := shelf.by_key(key):
                yield _Pair(place, _with_summary(work))


def _with_summary(work: Work) -> Work:
    """The work with the shipped summary in place of an abstract that its record lacks."""
    if work.paper.abstract.strip():
        return work
    return replace(work, paper=work.paper.model_copy(update={"abstract": summary_of(work.paper)}))


def _without_a_model(place: Place, work: Work) -> tuple[str, str, str]:
    """(verdict, by, note) where no question is needed; an empty note where one is."""
    if place.origin == "code" and any(mark in place.sentence for mark in _FROM_THE_RECORD):
        return "supports", "code", "made from the record of the work"
    if not work.paper.abstract.strip():
        return "unknown", "nobody", "the work has no abstract"
    return "unknown", "nobody", ""


def _asked(tools: Tools, place: Place, work: Work, step: str) -> tuple[str, str, str]:
    small, said = tools.is_small("writing"), plain(uncited(place.sentence))
    inputs = {
        "sentence": said,
        "title": as_line(work.paper.title, 200),
        "abstract": as_line(work.paper.abstract, _ABSTRACT[small]),
    }
    question = Question(
        step,
        "writing",
        "cite_support",
        inputs,
        max_tokens=24 if small else 160,
        temperature=0.0,
        retries=0 if small else 1,
    )
    form: type[BaseModel] = Judgement if small else ReasonedJudgement
    answer = tools.ask(question, form, default=lambda: form.model_construct(verdict=""))
    verdict = str(getattr(answer, "verdict", ""))
    if not verdict:
        return "unknown", "nobody", "the model gave no valid answer"
    if verdict == "supports" and shared_words(said, work.paper) < SHARED_STEMS:
        return "unknown", "model", "the model said that it supports, but the two share hardly a word"
    return verdict, "model", "judged from title and abstract"


def _without(sections: tuple[Section, ...], place: Place, key: str) -> tuple[Section, ...]:
    """Without one citation of a sentence, which may have lost another one before."""
    for now in places(sections):
        if now.name == place.name and uncited(now.sentence) == uncited(place.sentence):
            return with_sentence(sections, now, without_citation(now.sentence, key))
    return sections
