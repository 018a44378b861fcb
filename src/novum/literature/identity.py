"""When two records are the same work, and what the merged record says.

A work is recognised by its DOI, its arXiv id, or its title with its first author. Each field comes from the
source that knows it best, and `origin` says which source that was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from typing import Any

from novum.literature.text import name_key, title_key
from novum.records import Paper

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ARXIV = re.compile(
    r"(?:arxiv[:./]|abs/|pdf/)?\s*(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?$", re.I
)
MOST_YEARS_APART = 3

# The best source of a field first. Sources that are not named come after those that are.
_ORDER = ("bibliography", "crossref", "dblp", "openalex", "semantic_scholar", "arxiv")
_ABSTRACT_ORDER = ("arxiv", "semantic_scholar", "openalex", "crossref", "import", "bibliography")
_FIELDS = ("title", "authors", "year", "venue", "doi", "arxiv_id", "abstract", "url", "kind", "introduces")


def normal_doi(text: str | None) -> str:
    """`10.1098/rspa.1927.0118` from any way to write it, or "" when there is none. arXiv's own DOIs are not kept."""
    found = _DOI.search(text or "")
    doi = _without_end(found.group()).lower() if found else ""
    return "" if doi.startswith("10.48550/") else doi


def _without_end(doi: str) -> str:
    """Without what ends the sentence or the brackets around a DOI; brackets of its own stay."""
    while doi[-1] in ".,;" or (doi[-1] == ")" and doi.count(")") > doi.count("(")):
        doi = doi[:-1]
    return doi


def normal_arxiv_id(text: str | None) -> str:
    """`1706.03762` from an arXiv id, address or DOI, without its version; "" when there is none."""
    found = _ARXIV.search((text or "").strip())
    return found.group(1).lower() if found else ""


def paper_id(doi: str, arxiv_id: str, source: str, identifier: str) -> str:
    """The id of a record: its DOI before its arXiv id before the source's own identifier."""
    if doi:
        return f"doi:{doi}"
    return f"arxiv:{arxiv_id}" if arxiv_id else f"{source}:{identifier}"


def normal_id(text: str) -> str:
    """An id as a person may type it, in the form that records have."""
    if doi := normal_doi(text):
        return f"doi:{doi}"
    if arxiv_id := normal_arxiv_id(text):
        return f"arxiv:{arxiv_id}"
    return text.strip()


def aliases(paper: Paper) -> tuple[str, ...]:
    """Every key under which this work may be met again."""
    keys = [paper.id.lower() if paper.id.startswith(("doi:", "arxiv:")) else paper.id]
    if paper.doi:
        keys.append(f"doi:{paper.doi.lower()}")
    if paper.arxiv_id:
        keys.append(f"arxiv:{paper.arxiv_id.lower()}")
    if paper.authors and (title := title_key(paper.title)):
        keys.append(f"title:{title}|{name_key(paper.authors[0])}")
    return tuple(dict.fromkeys(keys))


def same_work(a: Paper, b: Paper) -> bool:
    """Whether two records are one work. Two different DOIs, or years far apart, are two works."""
    if a.doi and b.doi:
        return a.doi.lower() == b.doi.lower()
    if a.arxiv_id and b.arxiv_id:
        return a.arxiv_id.lower() == b.arxiv_id.lower()
    if a.id == b.id:
        return True
    if title_key(a.title) != title_key(b.title) or not title_key(a.title):
        return False
    if a.year and b.year and abs(a.year - b.year) > MOST_YEARS_APART:
        return False
    names_a, names_b = ({name_key(n) for n in p.authors} for p in (a, b))
    return bool(names_a & names_b)


def without_origin(paper: Paper, source: str) -> Paper:
    """The record without the fields that `source` gave."""
    empty = {name: Paper.model_fields[name].get_default() for name in _FIELDS if name != "title"}
    gone = {name: empty.get(name, "") for name in _FIELDS if paper.origin.get(name) == source}
    kept = {name: origin for name, origin in paper.origin.items() if origin != source}
    return paper.model_copy(update={**gone, "origin": kept})


def merge(a: Paper, b: Paper) -> Paper:
    """One record of two that are the same work; each field from the source that knows it best."""
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for field in _FIELDS:
        order = _ABSTRACT_ORDER if field == "abstract" else _ORDER
        ranked = sorted((a, b), key=lambda p: (_is_empty(p, field), _rank(p, field, order)))
        values[field] = getattr(ranked[0], field)
        if not _is_empty(ranked[0], field):
            origin[field] = ranked[0].origin.get(field, ranked[0].id.split(":")[0])
    counts = [p.citation_count for p in (a, b) if p.citation_count is not None]
    source, _, identifier = a.id.partition(":")
    return Paper(
        id=paper_id(values["doi"], values["arxiv_id"], source, identifier),
        retracted=a.retracted or b.retracted,
        citation_count=max(counts) if counts else None,
        score=max(a.score, b.score),
        origin=origin,
        **values,
    )


def _is_empty(paper: Paper, field: str) -> bool:
    return getattr(paper, field) in ("", (), None, "misc")


def _rank(paper: Paper, field: str, order: tuple[str, ...]) -> int:
    source = paper.origin.get(field, "")
    return order.index(source) if source in order else len(order)


def grouped(papers: Iterable[Paper]) -> list[list[Paper]]:
    """The records of each work together, works in the order in which they were first met."""
    groups: list[list[Paper]] = []
    by_alias: dict[str, int] = {}
    for paper in papers:
        keys = aliases(paper)
        places = dict.fromkeys(by_alias[key] for key in keys if key in by_alias)
        at = next((n for n in places if all(same_work(p, paper) for p in groups[n])), None)
        if at is None:
            at = len(groups)
            groups.append([])
        groups[at].append(paper)
        for key in keys:
            by_alias.setdefault(key, at)
    return groups


def merge_all(papers: Iterable[Paper]) -> list[Paper]:
    """The works among `papers`, each once, in the order in which they were first met."""
    return [reduce(merge, group) for group in grouped(papers)]
