r"""Sentences about works of the literature, from their records alone.

A shipped record has a summary in novum's own words; a work without one is named by its title. Titles and
summaries stand in `\worktitle` and `\worksummary`, which mark them as words about a work, not about this study.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from novum.literature.identity import normal_id
from novum.literature.shipped import SUMMARY, shipped_works
from novum.literature.tex import escape
from novum.literature.text import family_name
from novum.paper.text import word_set
from novum.records import Paper

_VERBS = word_set(
    """adds analyses averages casts compares compiles computes defines derives describes drops encodes
    estimates evolves explains finds fine-tunes founds interleaves introduces learns lets links maps
    minimises normalises predicts projects proves reconciles relates removes replaces reports
    reverse-engineers reviews routes scales separates shows simulates solves speeds surveys tests
    trades trains treats unifies"""
)
_ARTICLES = frozenset({"a", "an", "the"})


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Paper]:
    return {work.paper.id: work.paper for work in shipped_works()}


def shipped(paper_id: str) -> Paper | None:
    """The shipped record with this id."""
    return _shipped().get(normal_id(paper_id))


def shipped_titled(title: str) -> Paper | None:
    """The shipped record with this title, whatever its case."""
    return next((p for p in _shipped().values() if p.title.lower() == title.lower()), None)


def summary_of(paper: Paper) -> str:
    """The summary in novum's own words, or ""; never an abstract, which is somebody else's text."""
    record = paper if paper.origin.get("abstract") == SUMMARY else shipped(paper.id)
    return " ".join(record.abstract.split()).rstrip(".") if record else ""


def authors(paper: Paper) -> str:
    """`Kermack and McKendrick`, `Hatchett et~al.`; LaTeX."""
    names = [escape(family_name(a)) for a in paper.authors]
    if not names:
        return "an anonymous work"
    return f"{names[0]} et~al." if len(names) > 2 else " and ".join(names)


def work_sentence(paper: Paper, key: str) -> str:
    """One sentence on what a work is about, with its citation."""
    cited = rf"{authors(paper)}~\cite{{{key}}}"
    summary = summary_of(paper)
    if not summary:
        return rf"{_capital(cited)} wrote on this in \worktitle{{{escape(paper.title.rstrip('.'))}}}."
    first, _, rest = summary.partition(" ")
    said = rf"\worksummary{{{escape(f'{first.lower()} {rest}')}}}"
    if first.lower() in _VERBS:
        return f"The work of {cited} {said}."
    if first.lower() in _ARTICLES:
        return f"The work of {cited} is {said}."
    # Other words may be names, so their first letter is left as it is.
    return rf"{_capital(cited)}, in short: \worksummary{{{escape(summary)}}}."


def topic_paragraph(topic: str, works: Sequence[tuple[str, Paper]], position: int) -> str:
    """A few sentences on one topic; `works` are (key, record)."""
    subject = escape(topic)
    leads = (
        f"The first line of work that matters here concerns {subject}.",
        f"A second body of work is about {subject}.",
        f"Closely tied to this is research on {subject}.",
        f"The study also rests on what is known of {subject}.",
        f"Then there is {subject}.",
        f"Others have looked at {subject}.",
        f"A further subject is {subject}.",
        f"Something is also known of {subject}.",
        f"The study touches on {subject} as well.",
    )
    lead = leads[position] if position < len(leads) else f"Next comes {subject}."
    return " ".join([lead, *(work_sentence(paper, key) for key, paper in works)])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
