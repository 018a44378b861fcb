r"""Rounds of citation over the finished draft: the model says what needs support, picks a work, and says where it goes.

The model chooses among labels that the code gave: a sentence of the draft, a work that a search found, words of the
sentence behind which the citation stands. The code searches, checks and inserts the key. A round that ends without
a citation leaves a record of why; so does the bound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, create_model

from novum.literature.attribution import misattributions
from novum.literature.similarity import similarity
from novum.literature.text import STOPWORDS
from novum.paper.brief import plain
from novum.paper.citations import SHARED_STEMS, Shelf, Work, telling_words, usable
from novum.paper.document import Section
from novum.paper.places import Place, citable, with_citation, with_sentence
from novum.recorded_search import citable_search
from novum.records import Paper
from novum.tools import Question, Tools
from novum.untrusted import as_line

ROUNDS = {("quick", True): 1, ("quick", False): 3, ("full", True): 20, ("full", False): 20}
"""Most rounds, by profile and whether the model is a small one."""
_SENTENCES = {True: 8, False: 80}
_OFFERED = {True: 4, False: 8}
_ABSTRACT = {True: 160, False: 500}
_FOUND = 8
_QUERY_WORDS = 12
_NONE = "none"
_WORD = re.compile(r"[^\W\d_]{3,}")


class Need(BaseModel):
    """The sentence that most needs a work behind it; `_labelled` narrows it to the labels that were shown."""

    reasoning: str = Field(max_length=160)
    sentence: str
    query: str = Field(max_length=90)


class SmallNeed(BaseModel):
    """The same of a small model; the code makes the query."""

    sentence: str


class Pick(BaseModel):
    """The work that supports the sentence, and the words of the sentence behind which it is cited."""

    reasoning: str = Field(max_length=160)
    work: str
    after: str = Field(max_length=80)


class SmallPick(BaseModel):
    """The same of a small model; the citation stands at the end of the sentence."""

    work: str


class Draft(NamedTuple):
    """The draft's sections and the works that it may cite, as the rounds go on."""

    sections: tuple[Section, ...]
    shelf: Shelf


def add_citations(tools: Tools, sections: Sequence[Section], shelf: Shelf) -> tuple[Draft, list[Work]]:
    """The draft after its rounds, and the works that they picked, in order."""
    small = tools.is_small("writing")
    draft, picked, tried = Draft(tuple(sections), shelf), list[Work](), set[str]()
    most = ROUNDS[(tools.profile, small)]
    for round_ in range(1, most + 1):
        left = [p for p in citable(draft.sections) if p.sentence not in tried]
        open_ = {f"S{n}": place for n, place in enumerate(left[: _SENTENCES[small]], start=1)}
        place, query = _needed(tools, open_, f"write/cite/need_{round_}")
        if place is None:
            return draft, picked
        tried.add(place.sentence)
        work = _picked(tools, draft.shelf, place, query, f"write/cite/pick_{round_}")
        if work is not None:
            draft = Draft(with_sentence(draft.sections, place, work.sentence), work.shelf)
            tried.add(work.sentence)
            picked.append(work.work)
    _note(
        tools, "write/cite", cut=f"{most} rounds are made at most; sentences beyond them were not considered"
    )
    return draft, picked


def _needed(tools: Tools, open_: dict[str, Place], step: str) -> tuple[Place | None, str]:
    """The sentence to support and what to search for; None when nothing needs support or nothing is left."""
    if not open_:
        return None, ""
    small = tools.is_small("writing")
    inputs = {"sentences": [(label, plain(place.sentence)) for label, place in open_.items()]}
    form = _labelled(SmallNeed if small else Need, "sentence", open_)
    question = Question(
        step, "writing", "cite_need", inputs, max_tokens=20 if small else 300, temperature=0.3, retries=1
    )
    answer = tools.ask(question, form, default=lambda: form.model_construct(sentence=_NONE, query=""))
    place = open_.get(str(getattr(answer, "sentence", _NONE)))
    return place, str(getattr(answer, "query", ""))


class _Cited(NamedTuple):
    work: Work
    shelf: Shelf
    sentence: str


def _picked(tools: Tools, shelf: Shelf, place: Place, query: str, step: str) -> _Cited | None:
    """The work that the model picks for the sentence, cited where it says; None when there is none for it."""
    offered = _offered(tools, place, query)
    if not offered:
        _note(tools, step, sentence=place.sentence, refused="no work was found that speaks of the same")
        return None
    small = tools.is_small("writing")
    works = [
        (label, f"{as_line(p.title, 160)} ({p.year or 'no year'}). {as_line(p.abstract, _ABSTRACT[small])}")
        for label, p in offered.items()
    ]
    form = _labelled(SmallPick if small else Pick, "work", offered)
    question = Question(
        step,
        "writing",
        "cite_pick",
        {"sentence": place.sentence, "works": works},
        max_tokens=20 if small else 300,
        temperature=0.2,
        retries=1,
    )
    answer = tools.ask(question, form, default=lambda: form.model_construct(work=_NONE, after=""))
    paper = offered.get(str(getattr(answer, "work", _NONE)))
    if paper is None:
        _note(tools, step, sentence=place.sentence, refused="the model found none of the works fit")
        return None
    return _cited(tools, shelf, place, paper, str(getattr(answer, "after", "")), step)


def _cited(tools: Tools, shelf: Shelf, place: Place, paper: Paper, after: str, step: str) -> _Cited | None:
    fuller, work = shelf.holding(paper)
    sentence = with_citation(place.sentence, work.key, after)
    wrong = misattributions(sentence, {w.key: w.paper for w in fuller.works})
    if wrong:
        origin = wrong[0].introduced_by
        why = f"it would credit {wrong[0].method} to it, which {origin.title} introduced"
        _note(tools, step, key=work.key, paper=paper.id, sentence=place.sentence, refused=why)
        return None
    _note(tools, step, key=work.key, paper=paper.id, sentence=place.sentence, place=place.name)
    return _Cited(work, fuller, sentence)


def _offered(tools: Tools, place: Place, query: str) -> dict[str, Paper]:
    """The works that a search finds and that share words with the sentence, nearest first, by their labels."""
    said = plain(place.sentence)
    queries = [q for q in (" ".join(query.split()), _own_query(said)) if len(q.split()) >= 2]
    found: dict[str, Paper] = {}
    for asked in dict.fromkeys(queries):
        for paper in citable_search(tools, asked, _FOUND).papers:
            if usable(paper) and telling_words(said, paper) >= SHARED_STEMS:
                found.setdefault(paper.id, paper)
    nearest = sorted(found.values(), key=lambda p: (-similarity(said, p), p.id))
    return {f"W{n}": p for n, p in enumerate(nearest[: _OFFERED[tools.is_small("writing")]], start=1)}


def _own_query(said: str) -> str:
    """The content words of a sentence, as a query."""
    return " ".join([w for w in _WORD.findall(said.lower()) if w not in STOPWORDS][:_QUERY_WORDS])


def _labelled(form: type[BaseModel], field: str, labels: dict[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {field: (Literal[(*labels, _NONE)], ...)}
    return create_model(form.__name__, __base__=form, **fields)


def _note(tools: Tools, step: str, **data: str) -> None:
    tools.log.note("citation", step=step, **data)
