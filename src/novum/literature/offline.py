"""The offline index: every work that shipped with novum or was imported, searched by BM25 with no network.

SQLite FTS5. Words are cut and stemmed by `text.words` before they reach it, so the index holds stems; the
records themselves are JSON beside it. The rarest words of a query choose the works that are ranked, which is
what keeps the search fast over hundreds of thousands of works.

BM25: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond".
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from novum.errors import SourceError
from novum.literature.identity import aliases, merge, normal_id, same_work
from novum.literature.shipped import fingerprint, shipped_works
from novum.literature.text import words
from novum.records import Paper

FORMAT = 1
TITLE, ABSTRACT, AUTHORS, TOPICS = 5.0, 1.0, 2.0, 2.0
"""How much a word counts in each column, relative to a word of the abstract."""
WORKS_RANKED = 8000
"""A search ranks about so many works at most: those with its rarest words."""
CACHE_BYTES = 32 << 20
MOST_WORDS = 40
"""Words of a query beyond these do not count."""
COMMON = 100
"""Words in fewer works than this are rare: their counts are not stored."""

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE papers(number INTEGER PRIMARY KEY, record TEXT NOT NULL, topics TEXT NOT NULL);
CREATE TABLE aliases(alias TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE common(term TEXT PRIMARY KEY, works INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE imports(file TEXT PRIMARY KEY, done INTEGER NOT NULL, complete INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(title, abstract, authors, topics, content='', tokenize='unicode61');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, 'row');
"""

_WEIGHTS = f"bm25({TITLE}, {ABSTRACT}, {AUTHORS}, {TOPICS})"
_SEARCH = """
SELECT p.record, -found.rank
FROM (SELECT rowid, rank FROM words WHERE words MATCH ? AND rank MATCH ? ORDER BY rank LIMIT ?) AS found
JOIN papers p ON p.number = found.rowid
ORDER BY found.rank
"""
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
        self._lock = threading.RLock()
        self._count: int | None = None
        with self._guarded():
            self._db = _connect(path)
            if self._meta("format") is None:
                with self.writing():
                    self._create()
            if (found := self._meta("format")) != str(FORMAT):
                raise SourceError(
                    f"the literature index {path} has format {found}",
                    f"this version of novum reads format {FORMAT}",
                    "delete the file and import again",
                )
            if shipped:
                self._add_shipped()

    def _create(self) -> None:
        if self._meta("format") is None:  # another process may have been first
            for statement in filter(str.strip, _SCHEMA.split(";\n")):
                self._db.execute(statement)
            self._set_meta("format", str(FORMAT))

    def _add_shipped(self) -> None:
        current = fingerprint()
        if self._meta("shipped") == current:
            return
        with self.writing():
            if self._meta("shipped") != current:
                for work in shipped_works():
                    self._add_one(work.paper, " ".join((*work.topics, *work.paper.introduces)))
                self._set_meta("shipped", current)

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
        with self._guarded():
            for expression in self._expressions(terms):
                rows = self._db.execute(_SEARCH, (expression, _WEIGHTS, limit)).fetchall()
                if len(rows) >= limit:
                    break
        return [Paper.model_validate_json(r).model_copy(update={"score": score}) for r, score in rows]

    def lookup(self, paper_id: str) -> Paper | None:
        """The work with this id, DOI or arXiv id, or None.

        Raises:
            SourceError: the index cannot be read.
        """
        with self._guarded():
            found = self._by_alias([normal_id(paper_id)])
        return found[1] if found else None

    def works_with(self, word: str) -> int:
        """In how many works a search word is; 0 stands for "fewer than `COMMON`"."""
        with self._guarded():
            row = self._db.execute("SELECT works FROM common WHERE term = ?", (word,)).fetchone()
        return int(row[0]) if row else 0

    def rarity(self, word: str) -> float:
        """Weight of a search word for `similarity`: the logarithm of works in all over works with the word."""
        if self._count is None:
            with self._guarded():
                self._count = int(self._db.execute("SELECT count(*) FROM papers").fetchone()[0])
        return math.log(1 + self._count / (1 + (self.works_with(word) or COMMON // 2)))

    def papers(self) -> Iterator[Paper]:
        """Every work, in the order in which they came in."""
        number = 0
        while True:
            with self._guarded():
                rows = self._db.execute(
                    "SELECT number, record FROM papers WHERE number > ? ORDER BY number LIMIT 1000", (number,)
                ).fetchall()
            if not rows:
                return
            number = rows[-1][0]
            yield from (Paper.model_validate_json(record) for _, record in rows)

    def stats(self) -> IndexStats:
        """Counts over the whole index."""
        with self._guarded():
            row = self._db.execute(
                "SELECT count(*), sum(json_extract(record, '$.abstract') IS NOT NULL),"
                " sum(json_extract(record, '$.doi') IS NOT NULL), min(json_extract(record, '$.year')),"
                " max(json_extract(record, '$.year')) FROM papers"
            ).fetchone()
            pages, size = (self._db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("page_count", "page_size"))
        path = str(self.path) if self.path else "(in memory)"
        return IndexStats(path, row[0], row[1] or 0, row[2] or 0, row[3], row[4], pages * size)

    def _expressions(self, terms: list[str]) -> Iterator[str]:
        """FTS5 expressions for the query, the one that is cheapest to rank first; each finds what the next would.

        What costs is each work that is ranked. So the rarest words choose the works, and all words rank them.
        """
        counts = {term: self.works_with(term) for term in terms}
        rarest = sorted(terms, key=lambda term: counts[term])
        choosing = rarest[:1]
        for term in rarest[1:]:
            if sum(counts[t] or COMMON // 2 for t in (*choosing, term)) > WORKS_RANKED:
                break
            choosing.append(term)
        everything = _any_of(terms)
        if counts[rarest[0]] > WORKS_RANKED and len(rarest) > 1:
            yield f'"{rarest[0]}" AND "{rarest[1]}" AND {everything}'
        yield everything if len(choosing) == len(terms) else f"{_any_of(choosing)} AND {everything}"

    def _by_alias(self, keys: Sequence[str]) -> tuple[int, Paper, str] | None:
        for key in keys:
            row = self._db.execute(
                "SELECT p.number, p.record, p.topics FROM aliases a JOIN papers p USING (number) WHERE a.alias = ?",
                (key,),
            ).fetchone()
            if row:
                return row[0], Paper.model_validate_json(row[1]), row[2]
        return None

    # -- writing ---------------------------------------------------------------------------------------

    def add(self, papers: Iterable[Paper]) -> Added:
        """Add works in one transaction; a work that is there already is merged with what is new about it.

        Raises:
            SourceError: the index cannot be written; nothing of `papers` was added then.
        """
        with self._guarded(), self.writing():
            merged = [self._add_one(paper, "") for paper in papers]
        return Added(merged.count(False), merged.count(True))

    def count_words(self) -> None:
        """Count again in how many works each word is. Call after many works were added."""
        with self._guarded(), self.writing():
            self._db.execute("DELETE FROM common")
            self._count = None
            self._db.execute("INSERT INTO common SELECT term, doc FROM vocabulary WHERE doc >= ?", (COMMON,))

    def progress(self, file: str) -> tuple[int, bool]:
        """How many records of `file` have been read by an import, and whether it was all."""
        with self._guarded():
            row = self._db.execute("SELECT done, complete FROM imports WHERE file = ?", (file,)).fetchone()
        return (int(row[0]), bool(row[1])) if row else (0, False)

    def set_progress(self, file: str, done: int, *, complete: bool) -> None:
        """Remember how far an import of `file` has come; inside `writing`, together with the works."""
        self._db.execute("INSERT OR REPLACE INTO imports VALUES (?, ?, ?)", (file, done, complete))

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing. May be nested; the outermost one commits."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _add_one(self, paper: Paper, topics: str) -> bool:
        """Returns whether the work was there already."""
        known = self._by_alias(aliases(paper))
        if known and same_work(known[1], paper):
            number, old, old_topics = known
            paper = merge(old, paper)
            topics = topics or old_topics
            if paper != old or topics != old_topics:
                row = (number, *_columns(old, old_topics))
                self._db.execute(_DELETE_WORDS, row)
                self._db.execute("DELETE FROM papers WHERE number = ?", (number,))
                self._insert(number, paper, topics)
            return True
        self._insert(None, paper, topics)
        return False

    def _insert(self, number: int | None, paper: Paper, topics: str) -> None:
        paper = paper.model_copy(update={"score": 0.0})
        record = paper.model_dump_json(exclude_defaults=True)
        number = self._db.execute("INSERT INTO papers VALUES (?, ?, ?)", (number, record, topics)).lastrowid
        self._db.execute(
            "INSERT INTO words(rowid, title, abstract, authors, topics) VALUES (?, ?, ?, ?, ?)",
            (number, *_columns(paper, topics)),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO aliases VALUES (?, ?)", [(a, number) for a in aliases(paper)]
        )

    # -- the file --------------------------------------------------------------------------------------

    def _meta(self, key: str) -> str | None:
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return None
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                raise SourceError(
                    f"the literature index {self.path or 'in memory'} cannot be used",
                    f"{type(error).__name__}: {error}",
                    "check the disk and the file's permissions; a damaged file can be deleted and imported again",
                ) from error

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()


def _connect(path: Path | None) -> sqlite3.Connection:
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{CACHE_BYTES >> 10}")
        db.execute(f"PRAGMA mmap_size = {1 << 30}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _any_of(terms: Sequence[str]) -> str:
    return "(" + " OR ".join(f'"{term}"' for term in terms) + ")"


def _columns(paper: Paper, topics: str) -> tuple[str, str, str, str]:
    texts = (paper.title, paper.abstract, " ".join(paper.authors), topics)
    title, abstract, authors, topic = (" ".join(words(text)) for text in texts)
    return title, abstract, authors, topic
