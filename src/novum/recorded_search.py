"""Ask the literature once: what it said is in the event log, and a resumed or replayed study reads it there."""

from __future__ import annotations

from typing import NamedTuple

from novum.events import Event
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
    event = tools.log.last("search", query=query, limit=limit)
    if event is not None:
        return _from_event(event)
    papers, search = tools.library.search(query, limit)
    found = Found(tuple(papers), search)
    tools.log.append(
        "search",
        query=query,
        limit=limit,
        search=search.model_dump(mode="json"),
        papers=[paper.model_dump(mode="json") for paper in found.papers],
    )
    return found


def _from_event(event: Event) -> Found:
    papers = tuple(Paper.model_validate(paper) for paper in event.data["papers"])
    return Found(papers, Search.model_validate(event.data["search"]))
