"""The works that a paper cites: declared by the template, found in the literature, never typed by a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from novum.literature.bibtex import bibitem, bibtex_key, bibtex_keys, entry
from novum.literature.identity import same_work
from novum.literature.similarity import everyday_rarity, similarity
from novum.literature.text import words
from novum.paper.material import Material
from novum.paper.works import shipped, shipped_titled
from novum.recorded_search import citable_search
from novum.records import Paper
from novum.template import CitationHint
from novum.tools import Tools

FEWEST = 10
"""References that a paper should have."""
_CITE = re.compile(r"\\cite\{([^{}]*)\}")
WELCH, HOLM, MACHINES = (
    "comparing two means with unequal variances",
    "correction for many comparisons",
    "research by machines",
)
_METHODS = (
    (
        WELCH,
        "The Generalization of 'Student's' Problem when Several Different Population Variances are Involved",
    ),
    (HOLM, "A Simple Sequentially Rejective Multiple Test Procedure"),
    (MACHINES, "The AI Scientist: Towards Fully Automated Open-Ended Scientific Discovery"),
)
"""What every paper of novum rests on: (topic, title of a shipped record)."""
_FOUND_PER_QUERY = 12
_CANDIDATES, _FEWEST_CANDIDATES = 12, 6
SHARED_STEMS = 2
"""Search words that a work shares with what it is cited for, at least."""


@dataclass(frozen=True)
class Work:
    """A work that may be cited, and what for. `declared` works are the template's."""

    key: str
    paper: Paper
    topic: str
    declared: bool = True


@dataclass(frozen=True)
class Shelf:
    """Every work at hand: declared ones and candidates, each with its key."""

    works: tuple[Work, ...]
    unanswered: int = 0
    """Searches that no source answered."""

    @property
    def declared(self) -> tuple[Work, ...]:
        return tuple(w for w in self.works if w.declared)

    @property
    def candidates(self) -> tuple[Work, ...]:
        return tuple(w for w in self.works if not w.declared)

    def by_key(self, key: str) -> Work | None:
        return next((w for w in self.works if w.key == key), None)

    def about(self, topic: str) -> Work | None:
        return next((w for w in self.works if w.topic == topic), None)

    def holding(self, paper: Paper) -> tuple[Shelf, Work]:
        """The shelf with this work on it, and the work; keys that are there already do not change."""
        for work in self.works:
            if same_work(paper, work.paper):
                return self, work
        base, taken = bibtex_key(paper), {w.key for w in self.works}
        key = next(k for n in count() if (k := f"{base}{_letter(n)}") not in taken)
        work = Work(key, paper, "", declared=False)
        return replace(self, works=(*self.works, work)), work


def _letter(number: int) -> str:
    return "" if number == 0 else chr(ord("a") + number) if number < 26 else str(number)


def usable(paper: Paper) -> bool:
    """Whether a work can be cited: it has what a reference needs, and nobody has retracted it."""
    return bool(paper.title and paper.authors and not paper.retracted)


def gather(tools: Tools, material: Material) -> Shelf:
    """Declared works, works on the statistical methods, and candidates from searches about the idea."""
    template = material.template
    own = {paper.id: paper for paper in template.references}
    chosen: list[tuple[Paper, str, bool]] = []
    unanswered = 0
    for hint in template.paper.citations:
        papers, failed = _declared(tools, hint, own)
        unanswered += failed
        chosen += [(paper, hint.topic, True) for paper in papers]
    chosen += [(p, topic, True) for topic, title in _METHODS if (p := shipped_titled(title))]
    found, failed = _found(tools, material)
    chosen += [(paper, "", False) for paper in found]
    unique: dict[str, tuple[Paper, str, bool]] = {}
    for paper, topic, declared in chosen:
        if not any(same_work(paper, p) for p, _, _ in unique.values()):
            unique[paper.id] = (paper, topic, declared)
    keys = bibtex_keys(paper for paper, _, _ in unique.values())
    works = tuple(Work(keys[p.id], p, topic, declared) for p, topic, declared in unique.values())
    return Shelf(works, unanswered + failed)


def _declared(tools: Tools, hint: CitationHint, own: Mapping[str, Paper]) -> tuple[list[Paper], int]:
    papers = [paper for i in hint.papers if (paper := own.get(i) or shipped(i))]
    if papers:
        return papers, 0
    found, search = citable_search(tools, hint.query, _FOUND_PER_QUERY)
    near = [p for p in found if usable(p) and shared_words(hint.query, p) >= SHARED_STEMS]
    return near[:1], int(not search.answered)


def _found(tools: Tools, material: Material) -> tuple[list[Paper], int]:
    """Works that are near the idea and its field, nearest first, without repeats.

    They share two telling words with them; where too few do, those that share one.
    """
    queries = [material.idea.title, material.idea.hypothesis, *_keyword_queries(material)]
    about = f"{material.idea.title} {material.idea.hypothesis} {_field(material)}"
    papers: dict[str, Paper] = {}
    unanswered = 0
    if material.idea.novelty:
        papers |= {p.id: p for p in material.idea.novelty.nearest}
    for query in queries:
        found, search = citable_search(tools, query, _FOUND_PER_QUERY)
        unanswered += int(not search.answered)
        papers |= {p.id: p for p in found if p.id not in papers}
    ranked = sorted(filter(usable, papers.values()), key=lambda p: (-similarity(about, p), p.id))
    near = [p for p in ranked if telling_words(about, p) >= SHARED_STEMS]
    others = [p for p in ranked if telling_words(about, p) == SHARED_STEMS - 1]
    return [*near, *others[: max(0, _FEWEST_CANDIDATES - len(near))]][:_CANDIDATES], unanswered


def _field(material: Material) -> str:
    template = material.template
    topics = (hint.topic for hint in template.paper.citations)
    return " ".join((template.title, template.domain, *template.paper.keywords, *topics))


def _keyword_queries(material: Material) -> list[str]:
    keywords = material.template.paper.keywords
    domain = material.template.domain
    queries = [f"{domain} {keyword}".strip() for keyword in keywords[:4]]
    return queries or [f"{material.template.title} {domain}".strip()]


def shared_words(query: str, paper: Paper) -> int:
    """How many search words a text and a work's title and abstract have in common."""
    return len(set(words(query)) & set(words(f"{paper.title} {paper.abstract}")))


def telling_words(text: str, paper: Paper) -> int:
    """As `shared_words`, without those that works of every field use."""
    shared = set(words(text)) & set(words(f"{paper.title} {paper.abstract}"))
    return sum(everyday_rarity(word) >= 1 for word in shared)


# -- citing --------------------------------------------------------------------------------------------


class Citer:
    """Puts citations where a sentence speaks of what a declared work is about; each topic once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._topics = list(dict.fromkeys(w.topic for w in shelf.declared))
        self._used: set[str] = set()

    def cite(self, sentence: str) -> str:
        """The sentence with the works of the topic that it shares most words with, if it shares enough."""
        stems = set(words(re.sub(r"\\[a-z]+\{[^{}]*\}", " ", sentence)))
        best, score = "", 1
        for topic in self._topics:
            shared = len(stems & set(words(topic)))
            if topic not in self._used and shared > score:
                best, score = topic, shared
        return self.attach(sentence, best) if best else sentence

    def attach(self, sentence: str, topic: str) -> str:
        """The sentence with the works of `topic` cited before its full stop."""
        keys = [w.key for w in self._shelf.declared if w.topic == topic]
        if not keys:
            return sentence
        self._used.add(topic)
        body = sentence.rstrip()
        end = "." if body.endswith(".") else ""
        return rf"{body.removesuffix('.')}~\cite{{{','.join(keys[:3])}}}{end}"


def cited_keys(tex: str) -> list[str]:
    """The keys of a piece of LaTeX in order of their first citation."""
    keys = [key.strip() for group in _CITE.findall(tex) for key in group.split(",")]
    return list(dict.fromkeys(key for key in keys if key))


def bibliography(keys: Sequence[str], shelf: Shelf) -> str:
    """The list of references in order of citation."""
    cited = [work for key in keys if (work := shelf.by_key(key))]
    items = [rf"\bibitem{{{w.key}}}" + "\n" + bibitem(w.paper) for w in cited]
    widest = "9" * len(str(len(items)))
    return "\n\n".join((rf"\begin{{thebibliography}}{{{widest}}}", *items, r"\end{thebibliography}"))


def references_bib(keys: Sequence[str], shelf: Shelf) -> str:
    """references.bib: the cited works, sorted by key."""
    cited = sorted((w for k in keys if (w := shelf.by_key(k))), key=lambda w: w.key)
    return "\n\n".join(entry(w.paper, w.key) for w in cited) + "\n"
