"""Every source of novum keeps the contract of the port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from novum.literature import Source
from novum.literature.arxiv import Arxiv
from novum.literature.contract import SourceContract
from novum.literature.crossref import Crossref
from novum.literature.held import HeldWorks
from novum.literature.http import HttpAnswer
from novum.literature.offline import OfflineIndex
from novum.literature.openalex import OpenAlex
from novum.literature.scripted import ScriptedSource
from novum.literature.semantic import Reranked
from novum.literature.semantic_scholar import SemanticScholar
from novum.literature.transport import Transport
from novum.literature.web import WebSearch
from novum.records import Paper

TITLES = ["Computing Machinery and Intelligence", "On Turing Machines", "Turing's Sunflowers"]


def transport(service: str) -> Transport:
    def fetch(url: str, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer:
        query = parse_qs(urlsplit(url).query)
        limit = next(
            (int(query[k][0]) for k in ("limit", "per-page", "max_results", "rows") if k in query), 9
        )
        return HttpAnswer(200, {}, BODIES[service](limit))

    return Transport(fetch=fetch, clock=lambda: 0.0, sleep=lambda _: None)


def _feed(limit: int) -> bytes:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2401.0000{n}v2</id><title>{title}</title></entry>"
        for n, title in enumerate(TITLES[:limit])
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()


BODIES = {
    "semantic_scholar": lambda n: json.dumps(
        {"data": [{"paperId": f"p{i}", "title": t} for i, t in enumerate(TITLES[:n])]}
    ).encode(),
    "openalex": lambda n: json.dumps(
        {"results": [{"id": f"https://openalex.org/W{i}", "title": t} for i, t in enumerate(TITLES[:n])]}
    ).encode(),
    "crossref": lambda n: json.dumps(
        {"message": {"items": [{"DOI": f"10.1000/{i}", "title": [t]} for i, t in enumerate(TITLES[:n])]}}
    ).encode(),
    "web": lambda n: json.dumps(
        {"results": [{"url": f"https://example.org/{i}", "title": t} for i, t in enumerate(TITLES)]}
    ).encode(),
    "arxiv": _feed,
}


class TestOffline(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        index = OfflineIndex(None, shipped=False)
        papers = [Paper(id=f"x:{n}", title=t, origin={"title": "test"}) for n, t in enumerate(TITLES)]
        index.add(papers)
        return index


class TestScripted(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return ScriptedSource([Paper(id="x:1", title="Turing", origin={"title": "test"})])


class TestSemanticScholar(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return SemanticScholar(transport("semantic_scholar"))


class TestOpenAlex(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return OpenAlex(transport("openalex"))


class TestCrossref(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return Crossref(transport("crossref"))


class TestArxiv(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return Arxiv(transport("arxiv"))


class TestWeb(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return WebSearch(transport("web"), base_url="https://search.example/search")


class TestHeld(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return HeldWorks([Paper(id="x:1", title="Turing", origin={"title": "test"})], name="held")


class TestReranked(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        inner = ScriptedSource([Paper(id="x:1", title="Turing", origin={"title": "test"})])
        return Reranked(inner, lambda texts: [[1.0]] * len(texts))
