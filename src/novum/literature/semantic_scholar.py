"""Semantic Scholar's Academic Graph API, with a key (one question a second) or without (a shared pool)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from novum.literature.build import Kind, items, kind_of_venue, listed, make_paper, mapping, object_with
from novum.literature.transport import Question, Transport
from novum.records import Paper
from novum.settings import LiteratureSettings

BASE_URL = "https://api.semanticscholar.org"
FIELDS = "title,authors,year,venue,journal,externalIds,abstract,url,publicationTypes,citationCount"
MOST = 100
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("Conference", "inproceedings"),
    ("JournalArticle", "article"),
    ("Book", "book"),
    ("BookSection", "incollection"),
)


class SemanticScholar:
    """A Source over Semantic Scholar."""

    name = "semantic_scholar"

    def __init__(self, transport: Transport, *, key: str = "", base_url: str = BASE_URL) -> None:
        """`key` may be empty; the service is slower then, and often busy."""
        self._transport = transport
        url = f"{base_url.rstrip('/')}/graph/v1/paper"
        headers = {"x-api-key": key} if key else {}
        self._service = Question(self.name, url, headers=headers, interval_s=1.0 if key else 3.0)

    @classmethod
    def from_settings(cls, settings: LiteratureSettings, transport: Transport) -> SemanticScholar:
        """The source as the settings describe it."""
        base = settings.base_urls.get(cls.name, BASE_URL)
        return cls(transport, key=settings.semantic_scholar_key, base_url=base)

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """By relevance. Hyphens become spaces, for the service finds nothing for hyphenated words."""
        text = query.replace("-", " ").strip()
        if not text or limit < 1:
            return []
        asked: dict[str, str | int] = {"query": text, "limit": min(limit, MOST), "fields": FIELDS}
        papers = (
            paper_from_json(entry)
            for entry in self._transport.ask(self._service.at("/search", asked), _found) or ()
        )
        return [p for p in papers if p][:limit]

    def lookup(self, paper_id: str) -> Paper | None:
        """By DOI, arXiv id or Semantic Scholar's own id."""
        scheme, _, identifier = paper_id.partition(":")
        prefix = {"doi": "DOI:", "arxiv": "ARXIV:", self.name: ""}.get(scheme)
        if prefix is None or not identifier:
            return None
        answer = self._transport.ask(
            self._service.at(f"/{prefix}{identifier}", {"fields": FIELDS}, of_one_work=True), _one
        )
        return paper_from_json(answer) if answer else None


def _found(body: bytes) -> list[Mapping[str, Any]]:
    """The records of a search. One that finds nothing has no list but a total of 0."""
    answer = object_with(body, "data", "total")
    return [] if answer.get("total") == 0 and "data" not in answer else listed(answer, "data")


def _one(body: bytes) -> Mapping[str, Any]:
    return object_with(body, "paperId", "title")


def paper_from_json(entry: Mapping[str, Any]) -> Paper | None:
    """The record of one work as the service (and its dumps) write it; None without a title."""
    ids = mapping(entry.get("externalIds"))
    types = entry.get("publicationTypes")
    types = types if isinstance(types, list) else []
    venue = entry.get("venue") or mapping(entry.get("journal")).get("name")
    return make_paper(
        SemanticScholar.name,
        str(entry.get("paperId") or ""),
        entry.get("title"),
        authors=[author.get("name") for author in items(entry.get("authors"))],
        year=entry.get("year"),
        venue=venue,
        doi=ids.get("DOI"),
        arxiv_id=ids.get("ArXiv"),
        abstract=entry.get("abstract"),
        url=entry.get("url"),
        kind=next((kind for name, kind in _KINDS if name in types), kind_of_venue(venue)),
        citation_count=entry.get("citationCount"),
    )
