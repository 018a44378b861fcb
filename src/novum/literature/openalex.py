"""OpenAlex. Searching needs a (free) key for more than a few questions a day; looking up works without."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from novum.literature.build import LONGEST, Kind, items, listed, make_paper, mapping, object_with
from novum.literature.transport import Question, Transport
from novum.records import Paper
from novum.settings import LiteratureSettings

BASE_URL = "https://api.openalex.org"
SELECT = (
    "id,doi,ids,display_name,publication_year,type,authorships,primary_location,locations,"
    "abstract_inverted_index,is_retracted,cited_by_count"
)
MOST = 200
_KINDS: dict[str, Kind] = {
    "article": "article",
    "review": "article",
    "letter": "article",
    "book": "book",
    "book-chapter": "incollection",
    "dissertation": "thesis",
    "report": "techreport",
}
_OPERATORS = re.compile(r"[\"|!,:()]|\b(?:AND|OR|NOT)\b")


class OpenAlex:
    """A Source over OpenAlex."""

    name = "openalex"

    def __init__(
        self, transport: Transport, *, key: str = "", contact: str = "", base_url: str = BASE_URL
    ) -> None:
        """`contact` is a mail address, which the service asks for."""
        self._transport = transport
        told = {"mailto": contact} if contact else {}
        secret = {"api_key": key} if key else {}
        url = f"{base_url.rstrip('/')}/works"
        self._service = Question(self.name, url, told, secret=secret, interval_s=0.2)

    @classmethod
    def from_settings(cls, settings: LiteratureSettings, transport: Transport) -> OpenAlex:
        """The source as the settings describe it."""
        base = settings.base_urls.get(cls.name, BASE_URL)
        return cls(transport, key=settings.openalex_key, contact=settings.contact, base_url=base)

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """By relevance over titles, abstracts and full text."""
        text = " ".join(_OPERATORS.sub(" ", query).split())
        if not text or limit < 1:
            return []
        asked: dict[str, str | int] = {"search": text, "per-page": min(limit, MOST), "select": SELECT}
        papers = (
            paper_from_json(entry) for entry in self._transport.ask(self._service.at("", asked), _found) or ()
        )
        return [p for p in papers if p][:limit]

    def lookup(self, paper_id: str) -> Paper | None:
        """By DOI, arXiv id (through arXiv's DOIs) or OpenAlex's own id."""
        scheme, _, identifier = paper_id.partition(":")
        path = {
            "doi": f"/doi:{identifier}",
            "arxiv": f"/doi:10.48550/arxiv.{identifier}",
            self.name: f"/{identifier}",
        }.get(scheme)
        if path is None or not identifier:
            return None
        answer = self._transport.ask(self._service.at(path, {"select": SELECT}, of_one_work=True), _one)
        return paper_from_json(answer) if answer else None


def _found(body: bytes) -> list[Mapping[str, Any]]:
    return listed(object_with(body, "results"), "results")


def _one(body: bytes) -> Mapping[str, Any]:
    return object_with(body, "id")


def paper_from_json(entry: Mapping[str, Any]) -> Paper | None:
    """The record of one work as the service (and its dumps) write it; None without a title."""
    location = mapping(entry.get("primary_location"))
    venue = mapping(location.get("source"))
    landing_pages = [str(place.get("landing_page_url")) for place in items(entry.get("locations"))]
    kind = _KINDS.get(str(entry.get("type")), "misc")
    if venue.get("type") == "conference":
        kind = "inproceedings"
    elif venue.get("type") == "journal" and kind == "incollection":
        kind = "article"
    return make_paper(
        OpenAlex.name,
        str(entry.get("id") or "").rpartition("/")[2],
        entry.get("display_name") or entry.get("title"),
        authors=[mapping(a.get("author")).get("display_name") for a in items(entry.get("authorships"))],
        year=entry.get("publication_year"),
        venue=venue.get("display_name") if venue.get("type") != "repository" else "",
        doi=entry.get("doi"),
        arxiv_id=next((page for page in landing_pages if "arxiv.org/abs/" in page), ""),
        abstract=abstract_from_inverted(entry.get("abstract_inverted_index")),
        url=location.get("landing_page_url"),
        kind=kind,
        retracted=entry.get("is_retracted") is True,
        citation_count=entry.get("cited_by_count"),
    )


def abstract_from_inverted(index: object) -> str:
    """OpenAlex sends an abstract as word -> positions; this is the text again, "" for anything else."""
    placed: dict[int, str] = {}
    for word, positions in mapping(index).items():
        for position in positions if isinstance(positions, list) else ():
            if isinstance(position, int) and 0 <= position < LONGEST:
                placed[position] = word
    return " ".join(placed[position] for position in sorted(placed))
