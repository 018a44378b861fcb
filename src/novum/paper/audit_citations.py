"""The audit of references: each is cited, each cited key is there, each is real, none gets another work's credit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from novum.events import EventLog
from novum.literature.attribution import misattributions
from novum.literature.held import HeldWorks
from novum.literature.importing.bibtex_file import read_bibtex
from novum.literature.library import Library
from novum.literature.shipped import shipped_works
from novum.literature.verify import Verification, verify_reference
from novum.paper.audit_checks import Files
from novum.paper.audit_records import CitationStatus, Finding, Severity
from novum.paper.citations import FEWEST, cited_keys
from novum.records import Paper
from novum.template import Template

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),\n.*?^\}", re.MULTILINE | re.DOTALL)
_BIBITEM = re.compile(r"\\bibitem\{([^{}]*)\}")
_SEVERITY: Mapping[str, Severity] = {
    "not found": "error",
    "differs": "error",
    "retracted": "error",
    "unverifiable": "warning",
}


def check_citations(
    files: Files, template: Template, library: Library, log: EventLog
) -> tuple[list[CitationStatus], list[Finding]]:
    """The status of each reference, and what is wrong with citations as a whole."""
    listed = references(files.bib)
    cited = cited_keys(files.body)
    findings = [*_keys(files, listed, cited), *_attributions(files, listed)]
    everywhere = Library([_shipped(), *library.sources])
    held = _Held(
        Library([HeldWorks(_returned(log), name="recorded")]),
        Library([HeldWorks(template.references, name="template")]),
    )
    statuses = []
    for key, paper in listed.items():
        if paper is None:
            findings.append(_finding(key, "its entry in references.bib cannot be read"))
            continue
        verdict, note, _ = _verified(paper, everywhere, held, asked=bool(library.sources))
        statuses.append(CitationStatus(key=key, cited=key in cited, status=verdict, note=note))
        if verdict in _SEVERITY:
            findings.append(_finding(key, f"{verdict}: {note}", _SEVERITY[verdict]))
    if files.tex and len(listed) < FEWEST:
        text = f"{len(listed)} references, fewer than {FEWEST}"
        findings.append(_finding("references.bib", text, "warning"))
    return statuses, findings


def references(bib: str) -> dict[str, Paper | None]:
    """Key to record of each entry of a references.bib; None where the entry cannot be read."""
    found: dict[str, Paper | None] = {}
    for entry in _ENTRY.finditer(bib):
        found[entry[1]] = next(iter(read_bibtex(entry[0].splitlines(keepends=True))), None)
    return found


@lru_cache(maxsize=1)
def _shipped() -> HeldWorks:
    return HeldWorks((work.paper for work in shipped_works()), name="bibliography")


def _returned(log: EventLog) -> Iterator[Paper]:
    """Every work that a source gave in the study's searches, as it is recorded."""
    for event in log.events("search"):
        yield from (Paper.model_validate(paper) for paper in event.data["papers"])


class _Held(NamedTuple):
    """Works that nobody vouches for now: what the study's searches gave, and what the template declares."""

    recorded: Library
    declared: Library


def _verified(paper: Paper, everywhere: Library, held: _Held, *, asked: bool) -> Verification:
    """The verdict of the sources; they cannot call a work false that one of them gave when the study was made."""
    verdict = verify_reference(paper, everywhere)
    if verdict.verdict != "not found":
        return verdict
    if not asked:
        return Verification("unverifiable", "no source could be asked: none is configured")
    if verify_reference(paper, held.recorded).verdict == "verified":
        note = f"a source gave it when the study was made; {verdict.reason}"
        return Verification("unverifiable", note)
    if verify_reference(paper, held.declared).verdict == "verified":
        return Verification("unverifiable", f"only the template declares it; {verdict.reason}")
    return verdict


def _keys(files: Files, listed: Iterable[str], cited: Iterable[str]) -> Iterator[Finding]:
    items, listed, cited = set(_BIBITEM.findall(files.body)), set(listed), list(cited)
    for key in cited:
        if key not in listed or key not in items:
            yield _finding(key, "is cited but is not a reference")
    for key in sorted((listed | items) - set(cited)):
        yield _finding(key, "is a reference that nothing cites")


def _attributions(files: Files, listed: Mapping[str, Paper | None]) -> Iterator[Finding]:
    works = {key: paper for key, paper in listed.items() if paper is not None}
    for found in misattributions(files.body, works):
        origin = found.introduced_by
        told = f"{origin.title} ({origin.year})"
        yield _finding(
            ", ".join(found.keys),
            f"credits {found.method} to a work that did not introduce it ({told} did): {found.excerpt}",
        )


def _finding(where: str, message: str, severity: Severity = "error") -> Finding:
    return Finding(kind="citation", severity=severity, where=where, message=message)
