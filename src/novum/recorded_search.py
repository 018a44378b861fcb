"""Ask the literature once: what it said is in the event log, and a resumed or replayed study reads it there."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from novum.events import Event
from novum.literature.library import Library
from novum.records import Paper, Search
from novum.tools import Tools


class Found(NamedTuple):
    """What one search gave: the works, best first, and the search itself, which says whether it was answered."""

    papers: tuple[Paper, ...]
    search: Search


def recorded_search(tools: Tools, query: str, limit: int = 10) -> Found:
    """Search the library, or take the same search from the log.

    A search that no source answered is kept too: what followed from it must not change when the study is
    resumed, or model calls that were paid for would be paid for again.
    """
    return _recorded(tools, tools.library, query, limit, instead=False)


def citable_search(tools: Tools, query: str, limit: int = 10) -> Found:
    """Like `recorded_search`, for works to cite: what no source answered is asked of the shipped bibliography.

    `search` is that of the sources all the same, so that an unanswered search stays one.
    """
    found = recorded_search(tools, query, limit)
    if found.search.answered:
        return found
    return Found(_recorded(tools, _shipped(), query, limit, instead=True).papers, found.search)


def _recorded(tools: Tools, library: Library, query: str, limit: int, *, instead: bool) -> Found:
    for event in tools.log.events("search"):
        data = event.data
        if (data["query"], data["limit"], bool(data.get("instead"))) == (query, limit, instead):
            return _from_event(event)
    papers, search = library.search(query, limit)
    found = Found(tuple(papers), search)
    tools.log.append(
        "search",
        query=query,
        limit=limit,
        search=search.model_dump(mode="json"),
        papers=[paper.model_dump(mode="json") for paper in found.papers],
        **({"instead": True} if instead else {}),
    )
    return found


@lru_cache(maxsize=1)
def _shipped() -> Library:
    from novum.literature.offline import OfflineIndex

    return Library([OfflineIndex(None)])


def _from_event(event: Event) -> Found:
    papers = tuple(Paper.model_validate(paper) for paper in event.data["papers"])
    return Found(papers, Search.model_validate(event.data["search"]))
