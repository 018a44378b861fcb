"""One import: read, add in batches, remember how far it came.

A batch and the count of records read are written in one transaction, so an import that is interrupted goes on
where it stopped, and never adds a batch by halves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError
from novum.literature.importing.bibtex_file import read_bibtex
from novum.literature.importing.dblp import read_dblp
from novum.literature.importing.files import Format, RecordFile
from novum.literature.importing.json_lines import read_json_lines
from novum.literature.offline import OfflineIndex
from novum.records import Paper

BATCH = 2000
"""Records in one transaction."""

_READERS: dict[Format, Callable[[Iterator[str]], Iterator[Paper | None]]] = {
    "bibtex": read_bibtex,
    "json lines": read_json_lines,
    "dblp": read_dblp,
}
Progress = Callable[[int, int, int], None]
"""Called with bytes read, bytes in all, and records read so far."""


class ImportReport(NamedTuple):
    """What became of a file. `skipped` records had no title or could not be read."""

    file: str
    format: str
    records: int
    new: int
    merged: int
    skipped: int
    resumed_at: int
    """Records that an earlier, interrupted import had read."""
    already: bool
    """The very same file had been imported before; nothing was done."""


def import_file(
    index: OfflineIndex, path: Path, *, again: bool = False, progress: Progress = lambda *_: None
) -> ImportReport:
    """Add the records of a file to the index. `again` starts from the beginning whatever was read before.

    Raises:
        UsageError: the file cannot be read, or holds no record at all. What was added before stays.
        SourceError: the index cannot be written.
    """
    with RecordFile(path) as file:
        identity = _identity(path)
        done, complete = (0, False) if again else index.progress(identity)
        form = file.format()
        if complete:
            return ImportReport(str(path), form, done, 0, 0, 0, 0, True)
        records = _READERS[form](file.lines())
        counts = [0, 0, 0]
        try:
            read = _add_all(
                index,
                identity,
                islice(records, done, None),
                done,
                counts,
                lambda n: progress(file.done, file.size, n),
            )
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("what was read is kept; the same command goes on from there")
            raise
        finally:
            index.count_words()
        if not read or counts[2] == read - done > 0:
            raise UsageError(
                f"{path} holds no record that can be used", f"read as {form}; a record needs a title"
            )
        return ImportReport(str(path), form, read, counts[0], counts[1], counts[2], done, False)


def _add_all(
    index: OfflineIndex,
    identity: str,
    records: Iterator[Paper | None],
    done: int,
    counts: list[int],
    progress: Callable[[int], None],
) -> int:
    """Returns the records read in all; `counts` gets new, merged, skipped."""
    for batch in _batches(records):
        papers = [paper for paper in batch if paper]
        done += len(batch)
        with index.writing():
            added = index.add(papers)
            index.set_progress(identity, done, complete=False)
        for place, number in enumerate((*added, len(batch) - len(papers))):
            counts[place] += number
        progress(done)
    with index.writing():
        index.set_progress(identity, done, complete=True)
    return done


def _batches(records: Iterator[Paper | None]) -> Iterator[list[Paper | None]]:
    """The records in batches; where the file is damaged, what was read of the last one comes before the error."""
    batch: list[Paper | None] = []
    try:
        for record in records:
            batch.append(record)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except UsageError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _identity(path: Path) -> str:
    about = path.stat()
    return f"{path.resolve()}|{about.st_size}|{about.st_mtime_ns}"
