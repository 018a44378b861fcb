"""Answers of services, kept on disk with their age, so that a resumed study asks nothing twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path


class AnswerCache:
    """One file an answer, named by the hash of its question. Safe for several processes.

    An empty answer stands for "not there" (404). A cache that cannot be written is no cache, not an error.
    """

    def __init__(self, folder: Path, max_age_s: float, *, clock: Callable[[], float] = time.time) -> None:
        """Answers older than `max_age_s` seconds are asked for again; 0 switches the cache off."""
        self._folder = folder
        self._max_age_s = max_age_s
        self._clock = clock

    def get(self, address: str) -> bytes | None:
        """The answer to `address`, or None when there is none that is young enough."""
        if self._max_age_s <= 0:
            return None
        path = self._path(address)
        with contextlib.suppress(OSError):
            age = self._clock() - path.stat().st_mtime
            if age <= self._max_age_s:
                asked, _, body = path.read_bytes().partition(b"\n")
                return body if asked == address.encode() else None
        return None

    def put(self, address: str, body: bytes) -> None:
        """Keep the answer to `address`."""
        if self._max_age_s <= 0:
            return
        path = self._path(address)
        part = path.with_suffix(f".{os.getpid()}.part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(address.encode() + b"\n" + body)
            os.utime(part, (self._clock(), self._clock()))
            part.replace(path)

    def _path(self, address: str) -> Path:
        digest = hashlib.sha256(address.encode()).hexdigest()
        return self._folder / digest[:2] / digest
