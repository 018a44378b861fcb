r"""The citations of a finished draft: rounds of support, related work from abstracts, judgement, and what was asked.

A method that a model credited to another work gets the work that introduced it. The steps after that are bounded by
the profile and recorded: `write/cite/need_N` and `write/cite/pick_N` add citations,
`write/cite/related_N` says what the picked works found, `write/cite/judge_N` judges sentences against abstracts. At
the end of related work the code says whether the literature could be asked, and what is known of the idea's novelty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from novum.events import EventLog
from novum.literature.tex import escape
from novum.paper.audit_literature import Asked
from novum.paper.citations import SHARED_STEMS, Shelf, Work, shared_words, usable
from novum.paper.credit import credited
from novum.paper.document import Block, Section
from novum.paper.material import INDEX_WORKS, Material
from novum.paper.rounds import add_citations
from novum.paper.support import judged
from novum.paper.text import sentence_list
from novum.paper.unbound import unbound_numbers
from novum.paper.works import authors, summary_of, work_sentence
from novum.records import Novelty
from novum.tools import Question, Tools
from novum.untrusted import as_line

TOLD = {("quick", True): 0, ("quick", False): 6, ("full", True): 4, ("full", False): 12}
"""Most works of which related work is written from the abstract, by profile and whether the model is a small one."""
_ABSTRACT_CHARS = 700
_MOST_COPIED = 60
"""Letters of an abstract that a sentence may repeat in one piece."""
_SOURCES = {
    "offline": "the index on this machine",
    "semantic_scholar": "Semantic Scholar",
    "openalex": "OpenAlex",
    "arxiv": "arXiv",
    "crossref": "Crossref",
    "web": "the web",
}


class ToldWork(BaseModel):
    """What one work found; `_told_form` narrows `work` to the labels that were shown."""

    work: str
    sentence: str = Field(min_length=20, max_length=260)


class Told(BaseModel):
    """What works found."""

    works: list[ToldWork]


def cite_draft(
    tools: Tools, material: Material, shelf: Shelf, sections: Sequence[Section]
) -> tuple[tuple[Section, ...], Shelf]:
    """The sections with the citations that they need, and the shelf with the works that came in."""
    sections, shelf = credited(tools, sections, shelf)
    draft, picked = add_citations(tools, sections, shelf)
    related = _related(tools, draft.shelf, draft.sections, picked)
    kept = judged(tools, related, draft.shelf)
    note, shelf = _asked(tools.log, material, draft.shelf)
    return _with_related(kept, lambda s: s.with_blocks((*s.blocks, Block(note)))), shelf


def _with_related(sections: Sequence[Section], change: Callable[[Section], Section]) -> tuple[Section, ...]:
    return tuple(change(s) if s.name == "related" else s for s in sections)


# -- related work from abstracts -----------------------------------------------------------------------


def _related(
    tools: Tools, shelf: Shelf, sections: tuple[Section, ...], picked: Sequence[Work]
) -> tuple[Section, ...]:
    """Related work that says what works found where only their titles stood, and names those that were picked."""
    named = [w for w in shelf.works if _only_named(w, sections)]
    works = [*named, *(w for w in picked if w not in named and _tellable(w))]
    most = TOLD[(tools.profile, tools.is_small("writing"))]
    if len(works) > most:
        cut = (
            f"related work is written from {most} abstracts at most; {len(works) - most} works are only named"
        )
        tools.log.note("citation", step="write/cite/related", cut=cut)
    told = _told(tools, works[:most])
    for work in named:
        if sentence := told.pop(work.key, ""):
            title_alone = work_sentence(work.paper, work.key)
            sections = _with_related(sections, partial(_replaced, old=title_alone, new=sentence))
    if told:
        more = Block(" ".join(told.values()), "model")
        sections = _with_related(sections, lambda s: s.with_blocks((*s.blocks, more)))
    return sections


def _tellable(work: Work) -> bool:
    return bool(work.paper.abstract.strip()) and not summary_of(work.paper)


def _only_named(work: Work, sections: Sequence[Section]) -> bool:
    if not _tellable(work):
        return False
    sentence = work_sentence(work.paper, work.key)
    return any(sentence in block.tex for s in sections if s.name == "related" for block in s.blocks)


def _replaced(section: Section, old: str, new: str) -> Section:
    return section.with_blocks([replace(b, tex=b.tex.replace(old, new, 1)) for b in section.blocks])


def _told(tools: Tools, works: Sequence[Work]) -> dict[str, str]:
    """Key to a sentence of LaTeX on what the work found; without the works of which the model said nothing fit."""
    chunks = [[w] for w in works] if tools.is_small("writing") else [list(works)] if works else []
    told: dict[str, str] = {}
    for number, chunk in enumerate(chunks, start=1):
        told |= _told_of(tools, chunk, f"write/cite/related_{number}")
    return told


def _told_of(tools: Tools, works: Sequence[Work], step: str) -> dict[str, str]:
    labels = {f"W{n}": work for n, work in enumerate(works, start=1)}
    shown = [
        (label, as_line(f"{w.paper.title}. {w.paper.abstract}", _ABSTRACT_CHARS))
        for label, w in labels.items()
    ]
    question = Question(
        step,
        "writing",
        "cite_related",
        {"works": shown},
        max_tokens=90 * len(works) + 40,
        temperature=0.4,
        retries=1,
    )
    form = _told_form(labels)
    answer = tools.ask(question, form, default=lambda: form.model_construct(works=[]))
    told: dict[str, str] = {}
    for one in answer.works:
        work, sentence = labels[one.work], " ".join(one.sentence.split())
        if why := _unfit(sentence, work):
            tools.log.note("sentence_dropped", step=step, sentence=sentence, reason=why)
            continue
        told[work.key] = rf"{escape(sentence.rstrip('.!?'))}~\cite{{{work.key}}}."
    return told


def _told_form(labels: dict[str, Work]) -> type[Told]:
    choice: Any = Literal[tuple(labels)]
    one: Any = create_model("ToldWork", __base__=ToldWork, work=(choice, ...))
    many: Any = list[one]
    return create_model("Told", __base__=Told, works=(many, Field(max_length=len(labels))))


def _unfit(sentence: str, work: Work) -> str:
    """Why a sentence about a work cannot stand; "" when it can."""
    if unbound_numbers(sentence):
        return "it states a number"
    if any(mark in sentence for mark in "\\{}$"):
        return "it is not plain text"
    if shared_words(sentence, work.paper) < SHARED_STEMS:
        return "it is not about the work"
    abstract = " ".join(work.paper.abstract.split())
    pieces = (sentence[i : i + _MOST_COPIED] for i in range(len(sentence) - _MOST_COPIED + 1))
    return "it copies the abstract" if any(piece in abstract for piece in pieces) else ""


# -- what was asked ------------------------------------------------------------------------------------


def _asked(log: EventLog, material: Material, shelf: Shelf) -> tuple[str, Shelf]:
    """What the paper says of its own search of the literature and of the idea's novelty; LaTeX."""
    novelty = material.idea.novelty
    known, shelf = _known(novelty, shelf)
    size = any(fact.key == INDEX_WORKS for fact in material.facts)
    said = [*_reached(Asked.of(log), log, size=size), *_verdict(novelty, known)]
    return " ".join(said), shelf


def _reached(asked: Asked, log: EventLog, *, size: bool) -> Iterator[str]:
    """What was asked; with `size`, how many works the index on this machine holds."""
    if asked.unanswered == asked.searches:
        yield (
            "No source of the literature could be asked when this paper was written; the works that it cites are "
            "taken from the bibliography that ships with novum, and nothing is known of works beyond it."
        )
        return
    answered = {
        name
        for e in log.events("search")
        if not e.data.get("instead")
        for name in e.data["search"]["sources"]
    }
    names = [escape(_SOURCES.get(name, name)) for name in sorted(answered)]
    yield f"The literature was searched in {sentence_list(names)}."
    if size:
        yield rf"The index on this machine held \config{{{INDEX_WORKS}}} works when the idea was judged."
    if asked.failures:
        failed = sentence_list([escape(_SOURCES.get(name, name)) for name in sorted(asked.failures)])
        yield f"Not every search could be made: {failed} did not answer all of them."


def _verdict(novelty: Novelty | None, known: str) -> Iterator[str]:
    if novelty is None:
        yield "Whether the question of this paper has been answered before was not judged."
    elif novelty.verdict == "novel":
        yield "In what was found, no work asks the question of this paper."
    elif novelty.verdict == "known":
        yield f"The question of this paper has been asked before{known}; the study is to be read as a replication."
    else:
        yield "Whether the question of this paper has been answered before is unknown."


def _known(novelty: Novelty | None, shelf: Shelf) -> tuple[str, Shelf]:
    """` by Kermack and McKendrick~\\cite{...}` for the work that has the idea already, when it can be cited."""
    if novelty is None or novelty.verdict != "known":
        return "", shelf
    paper = next((p for p in novelty.nearest if p.id == novelty.known_as), None)
    if paper is None or not usable(paper):
        return "", shelf
    shelf, work = shelf.holding(paper)
    return rf" by {authors(paper)}~\cite{{{work.key}}}", shelf
