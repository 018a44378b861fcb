"""How much of its disk limit a run uses: told by the file system made for it, or by walking its folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from novum.sandbox.tree import survey


class Disk(NamedTuple):
    """What the work folder holds."""

    bytes: int
    inodes: int
    in_memory: bool
    full_bytes: bool = False
    full_inodes: bool = False
    hidden: bool = False


class Sized:
    """A sized file system in memory: the kernel counts and refuses."""

    def __init__(self, work: int) -> None:
        self._work = work
        self._start_inodes = used_inodes(work)

    def measure(self) -> Disk:
        """Ask the file system."""
        fs = os.fstatvfs(self._work)
        made = max(used_inodes(self._work) - self._start_inodes, 0)
        full_inodes = fs.f_files > 0 and fs.f_ffree == 0
        return Disk(used_bytes(self._work), made, True, fs.f_bfree == 0, full_inodes)


class Watched:
    """The folder itself, walked now and then, and at once when its file system fills fast."""

    def __init__(self, work: int, pids: Callable[[], list[str]], proc: int, limit: int) -> None:
        """`pids` says whose open files count, read below the folder `proc`."""
        self._work = work
        self._pids = pids
        self._proc = proc
        self._limit = limit
        self._next_walk = 0.0
        self._refused: set[str] = set()
        self._hiding: set[str] = set()
        self._used_then = 0
        self._start, self._start_inodes, _ = self._walk()
        self._last = Disk(0, 0, False)

    def measure(self) -> Disk:
        """The last count, or a new one."""
        now = time.monotonic()
        grown = used_bytes(self._work) - self._used_then
        if now < self._next_walk and grown < (self._limit - self._last.bytes) / 2:
            return self._last
        self._used_then = used_bytes(self._work)
        total, count, hidden = self._walk()
        used = max(total - self._start, 0)
        inodes = max(count - self._start_inodes, 0)
        self._last = Disk(used, inodes, False, full_bytes=used > self._limit, hidden=hidden)
        self._next_walk = now + max(0.1, 10 * (time.monotonic() - now))
        return self._last

    def _walk(self) -> tuple[int, int, bool]:
        """Bytes and files in the folder, unlinked files that are still open counted too."""
        total = count = 0
        hidden = False
        for _, status in survey(self._work):
            if status is None:
                hidden = True
            else:
                count += 1
                total += status.st_blocks * 512
        return total + self._unlinked(), count, hidden or bool(self._hiding)

    def _unlinked(self) -> int:
        device = os.fstat(self._work).st_dev
        blocks: dict[int, int] = {}
        refused = set()
        for pid in self._pids():
            try:
                for status in _open_files(pid, self._proc):
                    if status.st_nlink == 0 and status.st_dev == device:
                        blocks[status.st_ino] = status.st_blocks * 512
            except PermissionError:
                refused.add(pid)  # it may just be ending, so it counts when seen twice
            except OSError:
                continue
        self._hiding = refused & self._refused
        self._refused = refused
        return sum(blocks.values())


def used_bytes(folder: int) -> int:
    """Bytes in use on the file system of an open folder."""
    fs = os.fstatvfs(folder)
    return (fs.f_blocks - fs.f_bfree) * fs.f_frsize


def used_inodes(folder: int) -> int:
    """Files and folders on the file system of an open folder."""
    fs = os.fstatvfs(folder)
    return fs.f_files - fs.f_ffree


def _open_files(pid: str, proc: int) -> Iterator[os.stat_result]:
    fd = os.open(f"{pid}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=proc)
    try:
        for name in os.listdir(fd):
            with contextlib.suppress(FileNotFoundError):
                yield os.stat(name, dir_fd=fd)
    finally:
        os.close(fd)
