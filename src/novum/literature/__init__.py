"""The Source port: look works up in the literature. "Nothing found" and "could not ask" are different."""

from __future__ import annotations

from typing import Protocol

from novum.records import Paper

__all__ = ["Paper", "Source"]


class Source(Protocol):
    """One place to look works up. Thread-safe."""

    @property
    def name(self) -> str:
        """`offline`, `semantic_scholar` ..."""

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """The works that answer `query` best, best first; empty when there are none.

        Raises:
            SourceError: it could not be asked.
        """

    def lookup(self, paper_id: str) -> Paper | None:
        """The work with this id (`doi:...`, `arxiv:...`), or None when the source does not hold it.

        Raises:
            SourceError: it could not be asked.
        """
