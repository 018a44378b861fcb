"""Whether a reference is real: it resolves in a source, and title, authors and year agree with what is said there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from novum.literature.identity import MOST_YEARS_APART
from novum.literature.library import Library
from novum.literature.text import name_key, title_key
from novum.records import Paper

Verdict = Literal["verified", "differs", "retracted", "not found", "unverifiable"]
SAME_TITLE = 95.0
"""Least likeness of two titles, in percent of their letters; below it a title is another work's, or was altered."""
_CANDIDATES = 5


class Verification(NamedTuple):
    """The verdict on a reference. `unverifiable`: too few sources could be asked to say that it does not exist."""

    verdict: Verdict
    reason: str
    found: Paper | None = None


def verify_reference(paper: Paper, library: Library) -> Verification:
    """Look the work up by its id, then by its title, and compare. Never raises because a source failed."""
    by_id = library.lookup(paper.id)
    found, failures, answered = by_id.paper, list(by_id.failures), by_id.answered
    if found is None:
        result = library.search(paper.title, _CANDIDATES)
        found = next((p for p in result.papers if not _differences(paper, p)), None)
        failures += result.search.failures
        answered = answered or result.search.answered
    if found is None and (failures or not answered):
        return Verification("unverifiable", _unasked(failures, answered))
    if found is None:
        asked = ", ".join(source.name for source in library.sources)
        return Verification("not found", f"no source holds it (asked: {asked})")
    if found.retracted or paper.retracted:
        return Verification("retracted", "the source says that it was retracted", found)
    if differences := _differences(paper, found):
        return Verification("differs", "; ".join(differences), found)
    return Verification("verified", f"found in {_told_by(found)}", found)


def _unasked(failures: Sequence[str], answered: bool) -> str:
    why = "; ".join(dict.fromkeys(failures)) or "none is configured"
    return f"{'not found, but not every source answered' if answered else 'no source could be asked'}: {why}"


def _differences(cited: Paper, found: Paper) -> list[str]:
    from rapidfuzz.fuzz import ratio

    differences = []
    if ratio(title_key(cited.title), title_key(found.title)) < SAME_TITLE:
        differences.append(f"its title is {found.title!r}, not {cited.title!r}")
    if not _same_authors(cited.authors, found.authors):
        differences.append(f"its authors are {_listed(found.authors)}, not {_listed(cited.authors)}")
    if cited.year and found.year and abs(cited.year - found.year) > MOST_YEARS_APART:
        differences.append(f"its year is {found.year}, not {cited.year}")
    return differences


def _same_authors(cited: Iterable[str], found: Iterable[str]) -> bool:
    """Half of the shorter list is in the other; a source that names no authors contradicts none."""
    names, others = {name_key(n) for n in cited}, {name_key(n) for n in found}
    if not names or not others:
        return True
    return len(names & others) * 2 >= min(len(names), len(others))


def _listed(authors: tuple[str, ...]) -> str:
    return ", ".join(authors[:3]) + (" and others" if len(authors) > 3 else "") if authors else "unknown"


def _told_by(paper: Paper) -> str:
    return ", ".join(sorted(set(paper.origin.values()))) or "a source"
