"""All sources as one: asked in turn, their answers merged, their failures recorded.

A search is *answered* when at least one source could be asked. "Nothing found" is an answered search with no
papers; "could not ask" is a search that is not answered. A source that refuses its key is asked once, and
said so once, for no retry can help.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import NamedTuple, TypeVar

from novum.errors import SourceError, UsageError
from novum.literature import Source
from novum.literature.answers import AnswerCache
from novum.literature.errors import SourceAuthError
from novum.literature.identity import grouped, merge, normal_id
from novum.literature.offline import OfflineIndex
from novum.literature.semantic import Embed, Reranked, open_embedder
from novum.literature.transport import Patience, Transport
from novum.records import Paper, Search
from novum.settings import LiteratureSettings

T = TypeVar("T")


class SearchResult(NamedTuple):
    """The works found, best first, and the record of the search for the event log and the verdict."""

    papers: tuple[Paper, ...]
    search: Search


class LookupResult(NamedTuple):
    """The work, when a source holds it; `answered` is False when no source could be asked."""

    paper: Paper | None
    answered: bool
    failures: tuple[str, ...]


class Library:
    """Several sources behind one search. Thread-safe. Never raises because a source failed."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """`sources` in the order in which they are asked."""
        self.sources = tuple(sources)
        self._refused: dict[str, str] = {}
        self._lock = threading.Lock()

    def search(self, query: str, limit: int = 10) -> SearchResult:
        """Ask every source for the works that answer `query` best, and merge what they say.

        The order is by reciprocal rank over the sources (Cormack, Clarke and Buettcher 2009), so that a work
        that several sources rank high comes first. An empty query is answered with nothing.
        """
        if not query.strip() or limit < 1:
            return SearchResult((), Search(query=query, answered=True))
        found: list[Paper] = []
        answered: list[str] = []
        failures: list[str] = []
        for source in self.sources:
            papers = self._ask(source, lambda s: s.search(query, limit), failures)
            if papers is not None:
                answered.append(source.name)
                found += [p.model_copy(update={"score": 1 / (60 + rank)}) for rank, p in enumerate(papers, 1)]
        works = sorted(_fused(found), key=lambda p: -p.score)[:limit]
        record = Search(
            query=query,
            answered=bool(answered),
            paper_ids=tuple(p.id for p in works),
            sources=tuple(answered),
            failures=tuple(failures),
            index_works=self._index_works(answered),
        )
        return SearchResult(tuple(works), record)

    def lookup(self, paper_id: str) -> LookupResult:
        """The work with this id, merged over the sources that hold it."""
        paper: Paper | None = None
        answered = False
        failures: list[str] = []
        wanted = normal_id(paper_id)
        for source in self.sources:
            answer = self._ask(source, lambda s: [s.lookup(wanted)], failures)
            answered = answered or answer is not None
            if answer and answer[0]:
                paper = merge(paper, answer[0]) if paper else answer[0]
        return LookupResult(paper, answered, tuple(failures))

    def _index_works(self, answered: Sequence[str]) -> int | None:
        """How many works the index on this machine holds, when it answered: a search of it tells of no others."""
        asked = (s for s in self.sources if s.name in answered and s.name == OfflineIndex.name)
        index = next(asked, None)
        works = self._ask(index, lambda source: getattr(source, "works", None), []) if index else None
        return works if isinstance(works, int) else None

    def _ask(self, source: Source, question: Callable[[Source], T], failures: list[str]) -> T | None:
        if message := self._refused.get(source.name):
            failures.append(message)
            return None
        try:
            return question(source)
        except SourceAuthError as error:
            message = f"{source.name}: {error.what} ({error.why})"
            with self._lock:
                self._refused[source.name] = message
            failures.append(message)
        except SourceError as error:
            failures.append(f"{source.name}: {error.what}" + (f" ({error.why})" if error.why else ""))
        return None


def _fused(found: Sequence[Paper]) -> list[Paper]:
    """Merge the records of each work and add up their scores."""
    return [
        reduce(merge, group).model_copy(update={"score": round(sum(p.score for p in group), 6)})
        for group in grouped(found)
    ]


# -- opening -------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where the index and the cached answers lie: `NOVUM_CACHE`, or the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("NOVUM_CACHE")
    return Path(named) if named else user_cache_path("novum")


def open_offline(cache_dir: Path) -> OfflineIndex:
    """The index in `cache_dir`; in memory, with what ships alone, where that folder cannot be written."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError:
        return OfflineIndex(None)
    path = cache_dir / "literature.db"
    return OfflineIndex(path if os.access(cache_dir, os.W_OK) else None)


def open_embed(settings: LiteratureSettings) -> Embed | None:
    """The embedding model of the settings, or None where none is set.

    Raises:
        MissingTool: it is not there.
    """
    return open_embedder(settings.rerank_model) if settings.rerank_model else None


def _offline(settings: LiteratureSettings, cache_dir: Path, transport: Transport) -> Source:
    index, embed = open_offline(cache_dir), open_embed(settings)
    return Reranked(index, embed) if embed else index


def _semantic_scholar(settings: LiteratureSettings, cache_dir: Path, transport: Transport) -> Source:
    from novum.literature.semantic_scholar import SemanticScholar

    return SemanticScholar.from_settings(settings, transport)


def _openalex(settings: LiteratureSettings, cache_dir: Path, transport: Transport) -> Source:
    from novum.literature.openalex import OpenAlex

    return OpenAlex.from_settings(settings, transport)


def _arxiv(settings: LiteratureSettings, cache_dir: Path, transport: Transport) -> Source:
    from novum.literature.arxiv import Arxiv

    return Arxiv.from_settings(settings, transport)


def _crossref(settings: LiteratureSettings, cache_dir: Path, transport: Transport) -> Source:
    from novum.literature.crossref import Crossref

    return Crossref.from_settings(settings, transport)


def _web(settings: LiteratureSettings, cache_dir: Path, transport: Transport) -> Source:
    from novum.literature.web import WebSearch

    return WebSearch.from_settings(settings, transport)


FACTORIES: dict[str, Callable[[LiteratureSettings, Path, Transport], Source]] = {
    "offline": _offline,
    "semantic_scholar": _semantic_scholar,
    "openalex": _openalex,
    "arxiv": _arxiv,
    "crossref": _crossref,
    "web": _web,
}
"""How each source is made from the settings. A source is loaded when it is used."""


def open_library(settings: LiteratureSettings, cache_dir: Path | None = None) -> Library:
    """The library that the settings ask for. `cache_dir` defaults to `cache_folder()`.

    Raises:
        UsageError: a source is unknown, or `web` has no address.
        MissingTool: an embedding model is wanted that is not there.
        SourceError: the offline index is damaged.
    """
    unknown = [name for name in settings.sources if name not in FACTORIES]
    if unknown:
        raise UsageError(
            f"unknown literature source {unknown[0]!r}",
            f"there are {', '.join(FACTORIES)}",
            "correct `literature.sources` in novum.toml",
        )
    folder = cache_dir or cache_folder()
    cache = AnswerCache(folder / "answers", settings.cache_days * 86400)
    transport = Transport(Patience(timeout_s=settings.timeout_s), cache=cache)
    return Library([FACTORIES[name](settings, folder, transport) for name in dict.fromkeys(settings.sources)])
