"""Crossref: what publishers registered about a work. Finds by DOI and by title; knows of retractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from novum.literature.build import Kind, first, items, listed, make_paper, mapping, object_with
from novum.literature.transport import Question, Transport
from novum.records import Paper
from novum.settings import LiteratureSettings

BASE_URL = "https://api.crossref.org"
MOST = 100
_KINDS: dict[str, Kind] = {
    "journal-article": "article",
    "proceedings-article": "inproceedings",
    "book": "book",
    "monograph": "book",
    "edited-book": "book",
    "book-chapter": "incollection",
    "dissertation": "thesis",
    "report": "techreport",
}
_RETRACTING = {"retraction", "removal", "withdrawal"}


class Crossref:
    """A Source over Crossref."""

    name = "crossref"

    def __init__(self, transport: Transport, *, contact: str = "", base_url: str = BASE_URL) -> None:
        """With a `contact` mail address the service answers faster."""
        self._transport = transport
        told = {"mailto": contact} if contact else {}
        self._service = Question(self.name, f"{base_url.rstrip('/')}/works", told, interval_s=0.5)

    @classmethod
    def from_settings(cls, settings: LiteratureSettings, transport: Transport) -> Crossref:
        """The source as the settings describe it."""
        base = settings.base_urls.get(cls.name, BASE_URL)
        return cls(transport, contact=settings.contact, base_url=base)

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """By title, authors, venue and year, as in a reference; abstracts are not searched."""
        text = " ".join(query.split())
        if not text or limit < 1:
            return []
        asked: dict[str, str | int] = {"query.bibliographic": text, "rows": min(limit, MOST)}
        papers = (_paper(entry) for entry in self._transport.ask(self._service.at("", asked), _found) or ())
        return [p for p in papers if p][:limit]

    def lookup(self, paper_id: str) -> Paper | None:
        """By DOI only."""
        scheme, _, doi = paper_id.partition(":")
        if scheme != "doi" or not doi:
            return None
        work = self._transport.ask(self._service.at(f"/{quote(doi, safe='')}", {}, of_one_work=True), _one)
        return _paper(work) if work else None


def _found(body: bytes) -> list[Mapping[str, Any]]:
    return listed(object_with(body, "message")["message"], "items")


def _one(body: bytes) -> Mapping[str, Any]:
    work = mapping(object_with(body, "message")["message"])
    if "DOI" not in work and "title" not in work:
        raise ValueError("no work in 'message'")
    return work


def _paper(entry: Mapping[str, Any]) -> Paper | None:
    title, subtitle = first(entry.get("title")), first(entry.get("subtitle"))
    if isinstance(title, str) and isinstance(subtitle, str) and subtitle.strip():
        title = f"{title}: {subtitle}"
    updates = {str(update.get("type")).lower() for update in items(entry.get("updated-by"))}
    return make_paper(
        Crossref.name,
        str(entry.get("DOI") or ""),
        title,
        authors=[_name(author) for author in items(entry.get("author"))],
        year=_year(entry),
        venue=first(entry.get("container-title")) or entry.get("publisher"),
        doi=entry.get("DOI"),
        abstract=entry.get("abstract"),
        url=entry.get("URL"),
        kind=_KINDS.get(str(entry.get("type")), "misc"),
        retracted=bool(updates & _RETRACTING),
        citation_count=entry.get("is-referenced-by-count"),
    )


def _name(author: Mapping[str, Any]) -> str:
    parts = (author.get("given"), author.get("family") or author.get("name"))
    return " ".join(part for part in parts if isinstance(part, str))


def _year(entry: Mapping[str, Any]) -> object:
    """The year of print before that online: it is the one that a reference names."""
    for name in ("published-print", "issued", "published", "published-online", "created"):
        parts = mapping(entry.get(name)).get("date-parts")
        if year := first(first(parts)):
            return year
    return None
