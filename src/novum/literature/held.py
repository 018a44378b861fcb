"""Works that are at hand already, as a source: a template's references, the shipped records, a study's searches."""

from __future__ import annotations

from collections.abc import Iterable

from novum.literature.identity import aliases, merge_all, normal_id
from novum.literature.text import title_key
from novum.records import Paper


class HeldWorks:
    """A Source over given records, for looking references up. It finds a work by its id or by its whole title."""

    def __init__(self, papers: Iterable[Paper], *, name: str) -> None:
        """`name` is what a verdict says the work was found in."""
        self._name = name
        self._by_alias: dict[str, Paper] = {}
        self._by_title: dict[str, list[Paper]] = {}
        for paper in merge_all(papers):
            for alias in aliases(paper):
                self._by_alias.setdefault(alias, paper)
            self._by_title.setdefault(title_key(paper.title), []).append(paper)

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._name

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """The works whose title is `query`, whatever its case, accents and punctuation."""
        return self._by_title.get(title_key(query), [])[: max(0, limit)] if query.strip() else []

    def lookup(self, paper_id: str) -> Paper | None:
        """The work with this id, DOI or arXiv id."""
        return self._by_alias.get(normal_id(paper_id))
