"""A web search with an address of the user's choice: any server that answers like SearXNG does.

`GET ADDRESS?q=QUERY&format=json` gives `{"results": [{"title", "url", "content"}, ...]}`. Pages are no papers:
what has neither DOI nor arXiv id in its address is evidence for novelty and cannot be verified as a reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from novum.errors import UsageError
from novum.literature.build import listed, make_paper, object_with
from novum.literature.transport import Question, Transport
from novum.records import Paper
from novum.settings import LiteratureSettings


class WebSearch:
    """A Source over a web search."""

    name = "web"

    def __init__(self, transport: Transport, *, base_url: str) -> None:
        self._transport = transport
        self._service = Question(self.name, base_url, {"format": "json"}, interval_s=1.0)

    @classmethod
    def from_settings(cls, settings: LiteratureSettings, transport: Transport) -> WebSearch:
        """The source as the settings describe it.

        Raises:
            UsageError: no address is set.
        """
        base = settings.base_urls.get(cls.name, "")
        if not base.startswith(("http://", "https://")):
            raise UsageError(
                "the literature source 'web' has no address",
                "`literature.base_urls.web` is not an http(s) address",
                "set it to the search address of a SearXNG server, or remove 'web' from the sources",
            )
        return cls(transport, base_url=base)

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """Pages in the order in which the server ranks them."""
        text = " ".join(query.split())
        if not text or limit < 1:
            return []
        pages = self._transport.ask(self._service.at("", {"q": text}), _found) or ()
        papers = (_page(entry) for entry in pages)
        return [p for p in papers if p][:limit]

    def lookup(self, paper_id: str) -> Paper | None:
        """Never holds a work: a page about it is not the work."""
        return None


def _found(body: bytes) -> list[Mapping[str, Any]]:
    """The pages. None from engines of which some did not answer is no answer: the server does not say which did."""
    answer = object_with(body, "results")
    pages = listed(answer, "results")
    if not pages and (silent := answer.get("unresponsive_engines")):
        raise ValueError(f"it found nothing, and engines did not answer: {silent}")
    return pages


def _page(entry: Mapping[str, Any]) -> Paper | None:
    url = str(entry.get("url") or "")
    on_arxiv = url if "arxiv.org/" in url else ""
    at_doi = url if "doi.org/" in url else ""
    content = entry.get("content")
    return make_paper(
        WebSearch.name, url, entry.get("title"), doi=at_doi, arxiv_id=on_arxiv, abstract=content, url=url
    )
