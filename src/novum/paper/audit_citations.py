"""The audit of references: each is cited, each cited key is there, each resolves in a source."""

from __future__ import annotations

import re
from typing import NamedTuple

from novum.literature.library import Library
from novum.literature.text import fold
from novum.paper.audit_checks import Files
from novum.paper.audit_records import CitationStatus, Finding
from novum.paper.citations import FEWEST, cited_keys
from novum.paper.works import shipped, shipped_titled
from novum.records import Paper
from novum.template import Template

_ENTRY = re.compile(r"^@(\w+)\{([^,\s]+),\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+) = \{(.*)\},?$", re.MULTILINE)
_BIBITEM = re.compile(r"\\bibitem\{([^{}]*)\}")
_PARTS = re.compile(r"[^a-z0-9]+")


class _Reference(NamedTuple):
    key: str
    title: str
    year: str
    doi: str
    arxiv_id: str


def check_citations(
    files: Files, template: Template, library: Library
) -> tuple[list[CitationStatus], list[Finding]]:
    """The status of each reference, and what is wrong with citations as a whole."""
    listed = {r.key: r for r in _references(files.bib)}
    items, cited = set(_BIBITEM.findall(files.body)), cited_keys(files.body)
    findings = [
        Finding(kind="citation", severity="error", where=key, message="is cited but is not a reference")
        for key in cited
        if key not in listed or key not in items
    ]
    statuses = []
    for key, reference in listed.items():
        status, note = _resolved(reference, template, library)
        statuses.append(CitationStatus(key=key, cited=key in cited, status=status, note=note))
        if key not in cited:
            findings.append(
                Finding(
                    kind="citation", severity="error", where=key, message="is a reference that nothing cites"
                )
            )
        if status in ("not found", "differs", "retracted"):
            findings.append(
                Finding(kind="citation", severity="error", where=key, message=f"{status}: {note}")
            )
        elif status == "unanswered":
            findings.append(
                Finding(kind="citation", severity="warning", where=key, message="no source could be asked")
            )
    if files.tex and len(listed) < FEWEST:
        findings.append(
            Finding(
                kind="citation",
                severity="warning",
                where="references.bib",
                message=f"{len(listed)} references, fewer than {FEWEST}",
            )
        )
    return statuses, findings


def _references(bib: str) -> list[_Reference]:
    found = []
    for _, key, body in _ENTRY.findall(bib):
        fields = {name.lower(): value for name, value in _FIELD.findall(body)}
        values = (fields.get(name, "") for name in ("title", "year", "doi", "eprint"))
        found.append(_Reference(key, *values))
    return found


def _resolved(reference: _Reference, template: Template, library: Library) -> tuple[str, str]:
    """(status, note) of one reference, asked of the template, the shipped bibliography, then every source."""
    wanted = (
        f"doi:{reference.doi.lower()}"
        if reference.doi
        else f"arxiv:{reference.arxiv_id}"
        if reference.arxiv_id
        else ""
    )
    own = next((p for p in template.references if p.id.lower() == wanted), None) if wanted else None
    paper = own or (shipped(wanted) if wanted else None) or shipped_titled(_bare(reference.title))
    if paper is not None:
        return _compared(reference, paper)
    if wanted:
        paper, answered, failures = library.lookup(wanted)
    else:
        papers, search = library.search(_bare(reference.title), 5)
        answered, failures = search.answered, search.failures
        paper = next((p for p in papers if _same(p.title, reference.title)), None)
    if paper is not None:
        return _compared(reference, paper)
    return ("not found", "no source holds it") if answered else ("unanswered", "; ".join(failures))


def _compared(reference: _Reference, paper: Paper) -> tuple[str, str]:
    if paper.retracted:
        return "retracted", "the source says that it is retracted"
    if not _same(paper.title, reference.title):
        return "differs", f"the source's title is {paper.title!r}"
    if reference.year and paper.year and abs(int(reference.year) - paper.year) > 1:
        return "differs", f"the source's year is {paper.year}"
    return "verified", paper.id


def _bare(tex: str) -> str:
    return re.sub(r"\\[A-Za-z]+\s?|[{}\\]", "", tex)


def _same(one: str, other: str) -> bool:
    """Titles agree in their letters and digits; LaTeX of accents counts as its letter."""
    a, b = (_PARTS.sub("", fold(_bare(t))) for t in (one, other))
    return a == b
