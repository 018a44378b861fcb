"""The SQLite file of the offline index: its tables, its transactions, and its errors as ours."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from novum.errors import SourceError

FORMAT = 1
"""Goes up when the tables or the way words are stemmed change."""
CACHE_BYTES = 32 << 20

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE papers(number INTEGER PRIMARY KEY, record TEXT NOT NULL, topics TEXT NOT NULL);
CREATE TABLE aliases(alias TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE common(term TEXT PRIMARY KEY, works INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE imports(file TEXT PRIMARY KEY, done INTEGER NOT NULL, complete INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(title, abstract, authors, topics, content='', tokenize='unicode61');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, 'row');
"""


class IndexFile:
    """A connection with the tables of the index. Thread-safe: one statement or transaction at a time."""

    def __init__(self, path: Path | None) -> None:
        """Open the file at `path`, made when missing; None keeps everything in memory.

        Raises:
            SourceError: the file is damaged, of another format, or cannot be written.
        """
        self.path = path
        self._lock = threading.RLock()
        with self.guarded():
            self._db = _connect(path)
            if self.meta("format") is None:
                self._create()
        if (found := self.meta("format")) != str(FORMAT):
            raise SourceError(
                f"the literature index {path} has format {found}",
                f"this version of novum reads format {FORMAT}",
                "delete the file and import again",
            )

    def _create(self) -> None:
        with self.writing():
            if self.meta("format") is None:  # another process may have been first
                for statement in filter(str.strip, _SCHEMA.split(";\n")):
                    self._db.execute(statement)
                self.set_meta("format", str(FORMAT))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query.

        Raises:
            SourceError: the file cannot be used.
        """
        with self.guarded():
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first row of a query, or None."""
        with self.guarded():
            return self._db.execute(sql, values).fetchone()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that writes, inside `writing`. Returns the number of the row it inserted."""
        return self._db.execute(sql, values).lastrowid or 0

    def meta(self, key: str) -> str | None:
        """What was noted under `key`."""
        if not self.row("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            return None
        row = self.row("SELECT value FROM meta WHERE key = ?", (key,))
        return str(row[0]) if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Note a value, inside `writing`."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing. May be nested; the outermost one commits.

        Raises:
            SourceError: the file cannot be written.
        """
        with self.guarded():
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

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Hold the lock, and raise SourceError for what SQLite and the file system raise."""
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
