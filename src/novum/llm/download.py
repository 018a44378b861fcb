"""One file on its way: partial bytes, where they came from, and the check before it gets its name."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from novum.errors import NovumError

Progress = Callable[[int, int], None]
"""Called with the bytes so far and in all."""

_CHUNK_BYTES = 1 << 20


class PullError(NovumError):
    """A model's file could not be fetched, or is not the right one."""


class Download:
    """`TARGET.partial` and `TARGET.partial.json`, from which a later process goes on. One process at a time."""

    def __init__(self, target: Path, size_bytes: int, sha256: str, progress: Progress) -> None:
        self._target = target
        self._total = size_bytes
        self._sha256 = sha256
        self._progress = progress
        self._partial = target.with_name(f"{target.name}.partial")
        self._state = target.with_name(f"{target.name}.partial.json")

    def __enter__(self) -> Download:
        """Open and lock the partial file, cut back to the last whole piece.

        Raises:
            PullError: another process is fetching the same file, or it cannot be written.
        """
        try:
            self._file = self._partial.open("ab")
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise PullError(f"another process is fetching {self._target.name}", "", "wait for it") from error
        except OSError as error:
            raise PullError(f"cannot write {self._partial}", str(error)) from error
        self.source, self.pieces, whole = self._read_state()
        if self.source != "hub":  # bytes of a half piece are fetched again
            self._file.truncate(min(whole, self.size))
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def scratch(self) -> Path:
        """A folder for what is being unpacked."""
        return self._target.with_name(f"{self._target.name}.wheel")

    @property
    def size(self) -> int:
        """Bytes so far."""
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def begin(self, source: str, *, keep: bool = False) -> None:
        """Start from `source`, with what is there when `keep`."""
        if not keep:
            self._file.truncate(0)
            self.pieces = 0
        self.source = source
        self._done = self.size
        self._write_state()

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            PullError: the disk is full, or there are more bytes than the file has.
        """
        if self._done + len(chunk) > self._total:
            self._discard()
            raise PullError(
                f"{self._target.name} is longer than it should be", f"{self._total:,} bytes are expected"
            )
        try:
            self._file.write(chunk)
        except OSError as error:
            raise PullError(
                f"cannot write {self._partial}", str(error), "free some disk space, run it again"
            ) from error
        self._done += len(chunk)
        self._progress(self._done, self._total)

    def append(self, source: IO[bytes]) -> None:
        """Append all of `source`."""
        while chunk := source.read(_CHUNK_BYTES):
            self.write(chunk)

    def piece_done(self) -> None:
        """A whole piece is on disk: a later process goes on after it."""
        self.pieces += 1
        self._write_state()

    def finish(self) -> Path:
        """Check the bytes and give the file its name.

        Raises:
            PullError: they are not the expected ones; nothing is kept.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        found = sha256_of(self._partial)
        if found != self._sha256:
            size = self.size
            self._discard()
            raise PullError(
                f"{self._target.name} is not the expected file; it was deleted",
                f"{size:,} bytes with SHA-256 {found}; expected {self._total:,} bytes with {self._sha256}",
                "run it again, or get the file elsewhere and give it: --path FILE",
            )
        self._partial.rename(self._target)
        self._state.unlink(missing_ok=True)
        return self._target

    def _discard(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def _read_state(self) -> tuple[str, int, int]:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            return str(state["source"]), int(state["pieces"]), int(state["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", 0, 0

    def _write_state(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        state = {"source": self.source, "pieces": self.pieces, "bytes": self.size}
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(self._state)


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
