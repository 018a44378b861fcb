"""A source with given answers, for tests of templates and of novum itself."""

from __future__ import annotations

from collections.abc import Sequence

from novum.errors import SourceError
from novum.literature.identity import aliases
from novum.literature.text import words
from novum.records import Paper


class ScriptedSource:
    """Holds `papers`, ranked by how many words of the query they have; with `error` it cannot be asked."""

    def __init__(
        self, papers: Sequence[Paper] = (), *, name: str = "scripted", error: SourceError | None = None
    ) -> None:
        self._papers = tuple(papers)
        self._name = name
        self._error = error
        self.queries: list[str] = []
        """Every query that was asked."""

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._name

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """The papers that share a word with the query.

        Raises:
            SourceError: the error that the source was given.
        """
        self.queries.append(query)
        if self._error:
            raise self._error
        asked = set(words(query))
        shared = [(len(asked & set(words(f"{p.title} {p.abstract}"))), p) for p in self._papers]
        ranked = sorted((entry for entry in shared if entry[0]), key=lambda entry: -entry[0])
        return [paper.model_copy(update={"score": float(n)}) for n, paper in ranked[: max(0, limit)]]

    def lookup(self, paper_id: str) -> Paper | None:
        """The paper with this id, DOI or arXiv id.

        Raises:
            SourceError: the error that the source was given.
        """
        if self._error:
            raise self._error
        return next((paper for paper in self._papers if paper_id in (paper.id, *aliases(paper))), None)
