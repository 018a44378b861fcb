"""The offline index: every work that shipped with novum or was imported, searched by BM25 with no network.

SQLite FTS5. Words are cut and stemmed by `text.words` before they reach it, so the index holds stems; the
records themselves are JSON beside it. The rarest words of a query choose the works that are ranked, which is
what keeps the search fast over hundreds of thousands of works.

BM25: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from novum.literature.identity import aliases, merge, normal_id, same_work, without_origin
from novum.literature.index_file import IndexFile
from novum.literature.shipped import SUMMARY, fingerprint, shipped_works
from novum.literature.text import words
from novum.records import Paper

TITLE, ABSTRACT, AUTHORS, TOPICS = 5.0, 1.0, 2.0, 2.0
"""How much a word counts in each column, relative to a word of the abstract."""
WORKS_RANKED = 8000
"""A search ranks about so many works at most: those with its rarest words."""
POSTINGS_READ = 120_000
"""Its commonest words do not count beyond so many occurrences, for they tell works apart least ..."""
LEAST_WORDS = 5
"""... but so many of its words always count."""
MOST_WORDS = 40
"""Words of a query beyond these do not count."""
COMMON = 100
"""Words in fewer works than this are rare: their counts are not stored."""

_WEIGHTS = f"bm25({TITLE}, {ABSTRACT}, {AUTHORS}, {TOPICS})"
_SEARCH = """
SELECT p.record, -found.rank
FROM (SELECT rowid, rank FROM words WHERE words MATCH ? AND rank MATCH ? ORDER BY rank LIMIT ?) AS found
JOIN papers p ON p.number = found.rowid
ORDER BY found.rank
"""
_BY_ALIAS = """
SELECT p.number, p.record, p.topics FROM aliases a JOIN papers p USING (number) WHERE a.alias = ?
"""
_INSERT_WORDS = "INSERT INTO words(rowid, title, abstract, authors, topics) VALUES (?, ?, ?, ?, ?)"
_DELETE_WORDS = """
INSERT INTO words(words, rowid, title, abstract, authors, topics) VALUES ('delete', ?, ?, ?, ?, ?)
"""


class Added(NamedTuple):
    """What became of records that were added."""

    new: int
    merged: int


class IndexStats(NamedTuple):
    """What the index holds."""

    path: str
    works: int
    with_abstract: int
    with_doi: int
    first_year: int | None
    last_year: int | None
    bytes: int


class OfflineIndex:
    """A Source over a local index. Thread-safe; several processes may read while one writes."""

    name = "offline"

    def __init__(self, path: Path | None = None, *, shipped: bool = True) -> None:
        """Open the index at `path`, made when missing; None keeps it in memory. `shipped` adds what ships.

        Raises:
            SourceError: the file is damaged, of another format, or cannot be written.
        """
        self.path = path
        self._file = IndexFile(path)
        if shipped:
            self._add_shipped()

    def _add_shipped(self) -> None:
        current = fingerprint()
        if self._file.meta("shipped") == current:
            return
        with self._file.writing():
            before = self._file.meta("shipped")
            if before == current:  # another process was first
                return
            for work in shipped_works():
                topics = " ".join((*work.topics, *work.paper.introduces))
                if before is None or not self._correct(work.paper, topics):
                    self._add_one(work.paper, topics)
            self._file.set_meta("shipped", current)

    # -- reading ---------------------------------------------------------------------------------------

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """The works that match `query` best by BM25, best first; all of its words count, none is required.

        Raises:
            SourceError: the index cannot be read.
        """
        terms = list(dict.fromkeys(words(query)))[:MOST_WORDS]
        if not terms or limit < 1:
            return []
        rows: list[tuple[str, float]] = []
        for expression in self._expressions(terms):
            rows = self._file.rows(_SEARCH, (expression, _WEIGHTS, limit))
            if len(rows) >= limit:
                break
        return [Paper.model_validate_json(r).model_copy(update={"score": score}) for r, score in rows]

    def lookup(self, paper_id: str) -> Paper | None:
        """The work with this id, DOI or arXiv id, or None.

        Raises:
            SourceError: the index cannot be read.
        """
        found = self._by_alias([normal_id(paper_id)])
        return found[1] if found else None

    def works_with(self, word: str) -> int:
        """In how many works a search word is; 0 stands for "fewer than `COMMON`"."""
        row = self._file.row("SELECT works FROM common WHERE term = ?", (word,))
        return int(row[0]) if row else 0

    @property
    def works(self) -> int:
        """How many works the index holds. Their numbers have no gaps, and counting would read the whole file."""
        return int(self._file.row("SELECT coalesce(max(number), 0) FROM papers")[0])

    def papers(self) -> Iterator[Paper]:
        """Every work, in the order in which they came in."""
        number = 0
        while True:
            rows = self._file.rows(
                "SELECT number, record FROM papers WHERE number > ? ORDER BY number LIMIT 1000", (number,)
            )
            if not rows:
                return
            number = rows[-1][0]
            yield from (Paper.model_validate_json(record) for _, record in rows)

    def stats(self) -> IndexStats:
        """Counts over the whole index."""
        row = self._file.row(
            "SELECT count(*), sum(json_extract(record, '$.abstract') IS NOT NULL),"
            " sum(json_extract(record, '$.doi') IS NOT NULL), min(json_extract(record, '$.year')),"
            " max(json_extract(record, '$.year')) FROM papers"
        )
        pages, size = (self._file.row(f"PRAGMA {name}")[0] for name in ("page_count", "page_size"))
        path = str(self.path) if self.path else "(in memory)"
        return IndexStats(path, row[0], row[1] or 0, row[2] or 0, row[3], row[4], pages * size)

    def _expressions(self, terms: list[str]) -> Iterator[str]:
        """FTS5 expressions for the query, the cheapest to rank first, to be used when it finds enough.

        What costs is each work that is ranked. So the rarest words choose the works, and all words rank them.
        """
        counts = {term: self.works_with(term) or COMMON // 2 for term in terms}
        rarest = sorted(terms, key=lambda term: counts[term])
        choosing = _within(WORKS_RANKED, rarest, counts, least=1)
        ranking = _any_of(_within(POSTINGS_READ, rarest, counts, least=LEAST_WORDS))
        if counts[rarest[0]] > WORKS_RANKED and len(rarest) > 1:
            yield f'"{rarest[0]}" AND "{rarest[1]}" AND {ranking}'
        yield ranking if len(choosing) == len(terms) else f"{_any_of(choosing)} AND {ranking}"

    def _by_alias(self, keys: Sequence[str]) -> tuple[int, Paper, str] | None:
        for key in keys:
            if row := self._file.row(_BY_ALIAS, (key,)):
                return row[0], Paper.model_validate_json(row[1]), row[2]
        return None

    # -- writing ---------------------------------------------------------------------------------------

    def add(self, papers: Iterable[Paper]) -> Added:
        """Add works in one transaction; a work that is there already is merged with what is new about it.

        Raises:
            SourceError: the index cannot be written; nothing of `papers` was added then.
        """
        with self._file.writing():
            merged = [self._add_one(paper, "") for paper in papers]
        return Added(merged.count(False), merged.count(True))

    def count_words(self) -> None:
        """Count again in how many works each word is. Call after many works were added."""
        with self._file.writing():
            self._file.execute("DELETE FROM common")
            self._file.execute(
                "INSERT INTO common SELECT term, doc FROM vocabulary WHERE doc >= ?", (COMMON,)
            )

    def progress(self, file: str) -> tuple[int, bool]:
        """How many records of `file` have been read by an import, and whether it was all."""
        row = self._file.row("SELECT done, complete FROM imports WHERE file = ?", (file,))
        return (int(row[0]), bool(row[1])) if row else (0, False)

    def set_progress(self, file: str, done: int, *, complete: bool) -> None:
        """Remember how far an import of `file` has come; inside `writing`, together with the works."""
        self._file.execute("INSERT OR REPLACE INTO imports VALUES (?, ?, ?)", (file, done, complete))

    def writing(self) -> AbstractContextManager[None]:
        """One transaction over several calls: all of it or nothing."""
        return self._file.writing()

    def _add_one(self, paper: Paper, topics: str) -> bool:
        """Returns whether the work was there already."""
        known = self._by_alias(aliases(paper))
        if known and same_work(known[1], paper):
            number, old, old_topics = known
            self._replace(number, old, old_topics, merge(old, paper), topics or old_topics)
            return True
        self._insert(None, paper, topics)
        return False

    def _correct(self, paper: Paper, topics: str) -> bool:
        """Put a shipped record in place of what the bibliography said before; whether it said anything."""
        known = self._by_alias(aliases(paper))
        if not known or SUMMARY not in known[1].origin.values():
            return False
        number, old, old_topics = known
        # The other sources' fields tell whether it is the same work: a wrong id is what may be corrected.
        rest = without_origin(old, SUMMARY)
        if not same_work(paper, old.model_copy(update={"doi": rest.doi, "arxiv_id": rest.arxiv_id})):
            return False
        corrected = merge(paper, rest)
        for alias in set(aliases(old)) - set(aliases(corrected)):
            self._file.execute("DELETE FROM aliases WHERE alias = ? AND number = ?", (alias, number))
        self._replace(number, old, old_topics, corrected, topics)
        return True

    def _replace(self, number: int, old: Paper, old_topics: str, paper: Paper, topics: str) -> None:
        if paper == old and topics == old_topics:
            return
        self._file.execute(_DELETE_WORDS, (number, *_columns(old, old_topics)))
        self._file.execute("DELETE FROM papers WHERE number = ?", (number,))
        self._insert(number, paper, topics)

    def _insert(self, number: int | None, paper: Paper, topics: str) -> None:
        paper = paper.model_copy(update={"score": 0.0})
        record = paper.model_dump_json(exclude_defaults=True)
        number = self._file.execute("INSERT INTO papers VALUES (?, ?, ?)", (number, record, topics))
        self._file.execute(_INSERT_WORDS, (number, *_columns(paper, topics)))
        for alias in aliases(paper):
            self._file.execute("INSERT OR IGNORE INTO aliases VALUES (?, ?)", (alias, number))

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()


def _within(budget: int, rarest: Sequence[str], counts: Mapping[str, int], least: int) -> list[str]:
    """The first of the words, as many as are in `budget` works together, but at least `least`."""
    total = list(accumulate(counts[term] for term in rarest))
    return [term for place, term in enumerate(rarest) if place < least or total[place] <= budget]


def _any_of(terms: Sequence[str]) -> str:
    return "(" + " OR ".join(f'"{term}"' for term in terms) + ")"


def _columns(paper: Paper, topics: str) -> tuple[str, str, str, str]:
    texts = (paper.title, paper.abstract, " ".join(paper.authors), topics)
    title, abstract, authors, topic = (" ".join(words(text)) for text in texts)
    return title, abstract, authors, topic
