"""One user of the cores at a time, over threads and processes.

The embedded model takes the cores for each reply; two at once, or one beside a running experiment, slow each
other 2.5-fold to 40-fold (measured on two cores). So a reply holds this lock, and whoever runs an experiment
beside an embedded model may hold it too. The lock is the kernel's: it ends with the process that holds it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from novum.errors import ModelError

_POLL_S = 0.1
_NOTICE_AFTER_S = 1.0


class Cores:
    """The lock. Thread-safe; the thread that holds it may take it again."""

    def __init__(self, path: Path) -> None:
        """`path` is the lock's file, the same for all processes of a user."""
        self._path = path
        self._mutex = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self, notice: Callable[[str], None]) -> Iterator[None]:
        """Wait for the cores, hold them. `notice` is told once when another process has them.

        Raises:
            ModelError: the lock's file cannot be written.
        """
        with self._mutex:
            file = self._wait(notice) if self._depth == 0 else None
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if file is not None:
                    os.close(file)

    def _wait(self, notice: Callable[[str], None]) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ModelError(
                f"cannot write the lock {self._path}",
                str(error),
                "set NOVUM_CACHE to a folder that can be written",
            ) from error
        try:
            self._poll(file, notice)
        except BaseException:
            os.close(file)
            raise
        return file

    @staticmethod
    def _poll(file: int, notice: Callable[[str], None]) -> None:
        started = time.monotonic()
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not told and time.monotonic() - started > _NOTICE_AFTER_S:
                    notice("waiting: another process of novum is using the embedded model")
                    told = True
                time.sleep(_POLL_S)
