"""arXiv's query API: Atom feeds, at most one question every three seconds, as its terms ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from novum.errors import SourceError
from novum.literature.build import make_paper
from novum.literature.identity import normal_arxiv_id
from novum.literature.text import STOPWORDS
from novum.literature.transport import Question, Transport
from novum.records import Paper
from novum.settings import LiteratureSettings

BASE_URL = "https://export.arxiv.org"
MOST = 200
WORDS_ALL_REQUIRED = 4
"""A query of up to this many words must match whole; of a longer one any word may match."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_WORD = re.compile(r"[^\W_]+")


class Arxiv:
    """A Source over arXiv."""

    name = "arxiv"

    def __init__(self, transport: Transport, *, base_url: str = BASE_URL) -> None:
        self._transport = transport
        self._service = Question(self.name, f"{base_url.rstrip('/')}/api/query", interval_s=3.0)

    @classmethod
    def from_settings(cls, settings: LiteratureSettings, transport: Transport) -> Arxiv:
        """The source as the settings describe it."""
        return cls(transport, base_url=settings.base_urls.get(cls.name, BASE_URL))

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """By relevance over all fields."""
        terms = [word for word in _WORD.findall(query) if word.lower() not in STOPWORDS][:20]
        if not terms or limit < 1:
            return []
        joined = (" AND " if len(terms) <= WORDS_ALL_REQUIRED else " OR ").join(f"all:{t}" for t in terms)
        params: dict[str, str | int] = {
            "search_query": joined,
            "start": 0,
            "max_results": min(limit, MOST),
            "sortBy": "relevance",
        }
        return self._ask(params)[:limit]

    def lookup(self, paper_id: str) -> Paper | None:
        """By arXiv id only."""
        scheme, _, identifier = paper_id.partition(":")
        if scheme != "arxiv" or not identifier:
            return None
        found = self._ask({"id_list": identifier, "max_results": 1})
        return found[0] if found else None

    def _ask(self, params: Mapping[str, str | int]) -> list[Paper]:
        return self._transport.ask(self._service.at("", params), parse_feed) or []


def parse_feed(body: bytes) -> list[Paper]:
    """The works of an Atom feed.

    Raises:
        ValueError: it is no feed.
        SourceError: the feed is an error report of the service.
    """
    if b"<!DOCTYPE" in body[:1000] or b"<!ENTITY" in body:
        raise ValueError("an HTML page, or XML with a document type")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(f"no complete XML ({error})") from error
    if root.tag != f"{_ATOM}feed":
        raise ValueError(f"no Atom feed but {root.tag[:60]}")
    papers = []
    for entry in root.iterfind(f"{_ATOM}entry"):
        identifier = entry.findtext(f"{_ATOM}id", "")
        if "/api/errors" in identifier:
            raise SourceError("arxiv did not accept the question", entry.findtext(f"{_ATOM}summary", ""))
        if paper := _paper(entry, identifier):
            papers.append(paper)
    return papers


def _paper(entry: ElementTree.Element, identifier: str) -> Paper | None:
    journal = entry.findtext(f"{_ARXIV}journal_ref", "")
    return make_paper(
        Arxiv.name,
        identifier,
        entry.findtext(f"{_ATOM}title"),
        authors=[author.findtext(f"{_ATOM}name", "") for author in entry.iterfind(f"{_ATOM}author")],
        year=entry.findtext(f"{_ATOM}published", ""),
        venue=journal or "arXiv",
        doi=entry.findtext(f"{_ARXIV}doi", ""),
        arxiv_id=normal_arxiv_id(identifier),
        abstract=entry.findtext(f"{_ATOM}summary", ""),
        url=identifier,
        kind="article" if journal else "misc",
    )
