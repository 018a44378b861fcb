"""How much of its disk limit a run uses: told by the file system made for it, or by walking its folder.

The walk is approximate: between two of them a run can write a little more, and a file without a name that only a
mapping or a message in a socket holds is in no folder and behind no descriptor. Such files are told by the use of the
whole file system: when that has grown by more than the limit beyond what is seen, and the run has such holders.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from novum.records import Limits
from novum.sandbox import procfs
from novum.sandbox.limits import size
from novum.sandbox.tree import survey

FLOOR = 1 / 32
"""Part of the disk that a run must leave free, or what its limit leaves of it where that is less."""
NO_END = 1 << 62


class Disk(NamedTuple):
    """What the work folder holds beside the inputs."""

    bytes: int
    inodes: int
    in_memory: bool
    full_bytes: bool = False
    full_inodes: bool = False
    hidden: bool = False
    reason: str = ""
    """Why the run must be stopped, when it is for something else."""


class Sized:
    """A sized file system in memory: the kernel counts and refuses."""

    def __init__(self, work: int) -> None:
        """What `work` holds now are the inputs, which nobody wrote."""
        self._work = work
        self._start, self._start_inodes = used_bytes(work), used_inodes(work)

    def measure(self) -> Disk:
        """Ask the file system."""
        fs = os.fstatvfs(self._work)
        written = max(used_bytes(self._work) - self._start, 0)
        made = max(used_inodes(self._work) - self._start_inodes, 0)
        full_inodes = fs.f_files > 0 and fs.f_ffree == 0
        return Disk(written, made, True, fs.f_bfree == 0, full_inodes)

    def is_filling(self) -> bool:
        """No: it cannot be filled further than it may."""
        return False


class Watched:
    """The folder itself, walked now and then, and at once when its file system fills fast."""

    def __init__(
        self,
        work: int,
        pids: Callable[[], list[str]],
        proc: int,
        limits: Limits,
        scratch: tuple[int, ...] = (),
    ) -> None:
        """`pids` says whose open files count, read below the folder `proc`; `scratch` are folders in memory."""
        self._work = work
        self._pids = pids
        self._proc = proc
        self._limit = limits.disk_bytes
        self._most_inodes = limits.inodes
        self._in_memory = {os.fstat(folder).st_dev for folder in scratch} | {_shared_memory()}
        self._next_walk = 0.0
        self._closed = 0
        """Looks in a row that found a closed process."""
        self._used_start = self._used_then = used_bytes(work)
        self._inodes_then = used_inodes(work)
        fs = os.fstatvfs(work)
        self._floor = floor(fs.f_blocks * fs.f_frsize, fs.f_bavail * fs.f_frsize, self._limit)
        self._start, self._start_inodes, _ = self._walk(NO_END, NO_END)
        self._closed = 0  # what becomes the payload may be closed just then
        self._last = Disk(0, 0, False)

    def measure(self) -> Disk:
        """The last count, or a new one."""
        if free := self._below_floor():
            words = f"the disk has only {size(free)} left, and {size(self._floor)} must stay; this run was stopped"
            return self._last._replace(reason=words)
        now = time.monotonic()
        if now < self._next_walk and not self.is_filling():
            return self._last
        self._used_then, self._inodes_then = used_bytes(self._work), used_inodes(self._work)
        total, count, hidden = self._walk(self._start + self._limit, self._start_inodes + self._most_inodes)
        used = max(total - self._start, 0)
        inodes = max(count - self._start_inodes, 0)
        unseen = self._used_then - self._used_start - used
        self._last = Disk(used, inodes, False, full_bytes=used > self._limit, hidden=hidden)
        if not self._last.full_bytes and unseen > self._limit and self.may_hold_unseen():
            words = (
                f"it holds files without a name: {size(unseen)} more of the disk is in use than its folder "
                f"shows ({size(used)}); the limit is {size(self._limit)}"
            )
            self._last = self._last._replace(reason=words)
        self._next_walk = now + max(0.1, 10 * (time.monotonic() - now))
        return self._last

    def _below_floor(self) -> int | None:
        """The bytes that are free when they are too few (at least 1)."""
        fs = os.fstatvfs(self._work)
        free = fs.f_bavail * fs.f_frsize
        return max(free, 1) if free < self._floor else None

    def is_filling(self) -> bool:
        """Whether its file system has since grown by half of what the run may still write."""
        grown = used_bytes(self._work) - self._used_then
        made = used_inodes(self._work) - self._inodes_then
        return (
            grown >= (self._limit - self._last.bytes) / 2
            or made >= (self._most_inodes - self._last.inodes) / 2
        )

    def _walk(self, most_bytes: int, most_inodes: int) -> tuple[int, int, bool]:
        """Bytes and files in the folder, unlinked files that are still open counted too.

        It ends when there are more than so many, for a long walk holds up the clock.
        """
        total = self._unlinked()
        count = 0
        hidden = False
        for _, status in survey(self._work):
            if status is None:
                hidden = True
            else:
                count += 1
                total += status.st_blocks * 512
            if total > most_bytes or count > most_inodes:
                break
        return total, count, hidden or self._closed > 1

    def _unlinked(self) -> int:
        device = os.fstat(self._work).st_dev
        blocks: dict[int, int] = {}
        closed = False
        for pid in self._pids():
            task = _live_task(pid, self._proc)
            try:
                for _, status in _open_files(task, self._proc):
                    if status.st_nlink == 0 and status.st_dev == device:
                        blocks[status.st_ino] = status.st_blocks * 512
            except PermissionError:
                # Nobody may look at what ends, and what is closed may end now: a second look decides. It need not be
                # the same process, for one may follow another.
                closed = closed or not procfs.is_over(procfs.stat(task, self._proc))
            except OSError:
                continue
        self._closed = self._closed + 1 if closed else 0
        return sum(blocks.values())

    def may_hold_unseen(self) -> bool:
        """Whether a process maps a file without a name, or has a socket where descriptors wait."""
        for pid in self._pids():
            task = _live_task(pid, self._proc)
            maps = procfs.read(f"{task}/maps", self._proc, procfs.MOST_MAPPINGS_BYTES)
            if any(self._is_unseen(line) for line in maps.splitlines()):
                return True
            with contextlib.suppress(OSError):
                for fd, status in _open_files(task, self._proc):
                    if stat.S_ISSOCK(status.st_mode) and _has_descriptors_waiting(task, fd, self._proc):
                        return True
        return False

    def _is_unseen(self, mapping: str) -> bool:
        """Whether a line of /proc/PID/maps is a deleted file that takes place on a disk."""
        if not mapping.endswith(" (deleted)"):
            return False
        major, _, minor = mapping.split()[3].partition(":")
        return os.makedev(int(major, 16), int(minor, 16)) not in self._in_memory


def used_bytes(folder: int) -> int:
    """Bytes in use on the file system of an open folder."""
    fs = os.fstatvfs(folder)
    return (fs.f_blocks - fs.f_bfree) * fs.f_frsize


def used_inodes(folder: int) -> int:
    """Files and folders on the file system of an open folder."""
    fs = os.fstatvfs(folder)
    return fs.f_files - fs.f_ffree


def is_full(folder: int) -> bool:
    """Whether the file system of an open folder takes no more bytes or files."""
    fs = os.fstatvfs(folder)
    return fs.f_bfree == 0 or (fs.f_files > 0 and fs.f_ffree == 0)


def floor(whole: int, free: int, limit: int) -> int:
    """Bytes of a disk that must stay free; never so many that a run within its limit would meet it by itself."""
    return max(min(int(whole * FLOOR), free - limit), 0)


def _shared_memory() -> int:
    """The device of memory that is shared without a file: its mappings look like those of deleted files."""
    fd = os.memfd_create("device")
    try:
        return os.fstat(fd).st_dev
    finally:
        os.close(fd)


def _live_task(pid: str, proc: int) -> str:
    """A folder of /proc that shows what the process has."""
    return procfs.live_task(pid, proc) if procfs.is_dead(procfs.stat(pid, proc)) else pid


def _open_files(task: str, proc: int) -> Iterator[tuple[str, os.stat_result]]:
    fd = os.open(f"{task}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=proc)
    try:
        for name in os.listdir(fd):
            with contextlib.suppress(FileNotFoundError):
                yield name, os.stat(name, dir_fd=fd)
    finally:
        os.close(fd)


def _has_descriptors_waiting(task: str, fd: str, proc: int) -> bool:
    for line in procfs.read(f"{task}/fdinfo/{fd}", proc).splitlines():
        if line.startswith("scm_fds:"):
            return int(line.split()[1]) > 0
    return False
