"""Open a file of records, packed with gzip or not, and say what it holds by looking at its beginning."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, cast

from novum.errors import UsageError

Format = Literal["bibtex", "json lines", "dblp"]
LONGEST_LINE = 16 << 20
"""Bytes. A longer line is no record, and would have to be held in memory whole."""


class RecordFile:
    """Lines of a file, with how far the reading has come. `size` and `done` are bytes on disk."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError when the file cannot be read."""
        self.path = path
        try:
            self._raw = path.open("rb")
            self.size = path.stat().st_size
            packed = self._raw.read(2) == b"\x1f\x8b"
        except OSError as error:
            raise UsageError(f"cannot read {path}", error.strerror or str(error)) from error
        self._raw.seek(0)
        self._text: IO[bytes] = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw)) if packed else self._raw

    @property
    def done(self) -> int:
        """Bytes of the file on disk that have been read."""
        return self._raw.tell()

    def lines(self) -> Iterator[str]:
        """The lines, decoded as UTF-8 without a byte-order mark; other bytes become a replacement character.

        Raises:
            UsageError: the file is damaged from here on, or no text.
        """
        while True:
            try:
                line = self._text.readline(LONGEST_LINE)
            except (EOFError, zlib.error, OSError) as error:
                raise UsageError(
                    f"{self.path} is damaged",
                    f"{error} (after {self.done:,} of {self.size:,} bytes)",
                    "get the file again; what was read before the damage is kept",
                ) from error
            if not line:
                return
            if len(line) >= LONGEST_LINE:
                raise UsageError(
                    f"{self.path} has a line of more than {LONGEST_LINE >> 20} MiB",
                    "JSON must be one object a line",
                    "turn it into JSON lines, for example with `jq -c '.[]'`",
                )
            yield line.decode("utf-8", "replace").lstrip("\ufeff")

    def format(self) -> Format:
        """What the first lines look like; then reads from the beginning again.

        Raises:
            UsageError: it is none of the formats.
        """
        for line in self.lines():
            start = line.lstrip()
            if not start or start.startswith("%"):
                continue
            self._text.seek(0)
            return self._recognised(start)
        raise UsageError(f"{self.path} holds no records", "it is empty")

    def _recognised(self, start: str) -> Format:
        if start.startswith("{"):
            return "json lines"
        if start.startswith("<"):
            return "dblp"
        if "@" in start or self.path.name.removesuffix(".gz").endswith(".bib"):
            return "bibtex"
        raise UsageError(
            f"{self.path} is of no format that novum reads",
            f"it begins with {start[:40]!r}",
            "BibTeX, JSON lines (also OpenAlex, Semantic Scholar, arXiv) and DBLP's XML can be read",
        )

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._text.close()
        self._raw.close()

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
