"""What a running sandbox uses, measured from outside, and the first limit that it breaks.

With a control group and a work folder in memory the kernel holds the limits and this only reads its counters.
Without, this is what holds them: approximate, for between two looks a program can take a little more.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

from novum.records import Ended, Limits
from novum.sandbox import cgroup
from novum.sandbox.limits import available_memory, machine, size

INTERVAL_S = 0.02
"""Time between two looks, when a look is cheap."""
FLOOR = 1 / 32
"""Part of the machine's memory that a run must leave free, whatever its own limit says."""
TEMPORARY_INODES = 50_000
"""Files that /tmp and /dev/shm hold at most, each."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


class Handles(NamedTuple):
    """Descriptors of a running sandbox: its process 1, and its folders as it sees them."""

    process_one: int
    work: int
    proc: int
    tmp: int
    shm: int


class Usage(NamedTuple):
    """What is in use at one moment."""

    memory_bytes: int = 0
    tasks: int = 0
    cpu_s: float = 0.0
    disk_bytes: int = 0
    inodes: int = 0

    def most(self, other: Usage) -> Usage:
        """The larger of each."""
        return Usage(
            max(self.memory_bytes, other.memory_bytes),
            max(self.tasks, other.tasks),
            max(self.cpu_s, other.cpu_s),
            max(self.disk_bytes, other.disk_bytes),
            max(self.inodes, other.inodes),
        )


class Broken(NamedTuple):
    """A limit that was broken, and how, in words."""

    ended: Ended
    reason: str


class Meter:
    """Measures one sandbox."""

    def __init__(self, handles: Handles, limits: Limits, group: cgroup.Group | None, in_memory: bool) -> None:
        self._handles = handles
        self._limits = limits
        self._group = group
        self._disk: _Full | _Tree = _Full(handles.work) if in_memory else _Tree(handles, limits.disk_bytes)
        self._floor = int(machine().memory_bytes * FLOOR)
        self._next_look = 0.0
        self.peak = Usage()

    def look(self) -> Broken | None:
        """Measure when it is time to, and judge."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        broken = self.judge()
        took = time.monotonic() - now
        self._next_look = now + max(INTERVAL_S, 10 * took)
        return broken

    def judge(self) -> Broken | None:
        """Measure now; the first limit that is broken."""
        disk = self._disk.measure()
        if self._group:
            reading = self._group.read()
            in_work = disk.bytes if disk.in_memory else 0
            tasks = max(reading.tasks - cgroup.OWN_TASKS, 0)
            usage = Usage(max(reading.memory_bytes - in_work, 0), tasks, reading.cpu_s)
            stops = reading
        else:
            usage, stops = self._processes(), None
        self.peak = self.peak.most(usage._replace(disk_bytes=disk.bytes, inodes=disk.inodes))
        return self._over_counted(usage, stops) or self._over_disk(disk) or self._under_floor()

    def _over_counted(self, usage: Usage, stops: cgroup.Reading | None) -> Broken | None:
        limits = self._limits
        if usage.memory_bytes > limits.memory_bytes or (stops and stops.memory_stops):
            used = size(max(usage.memory_bytes, limits.memory_bytes if stops else 0))
            return Broken("memory", f"it used {used} of memory; the limit is {size(limits.memory_bytes)}")
        if stops and stops.task_stops:
            return too_many(limits.tasks + 1, limits)
        if broken := too_many(usage.tasks, limits):
            return broken
        if limits.cpu_s is not None and usage.cpu_s > limits.cpu_s:
            return Broken(
                "timeout", f"it used {usage.cpu_s:.1f} s of CPU time; the limit is {limits.cpu_s:g} s"
            )
        return None

    def _over_disk(self, disk: Disk) -> Broken | None:
        limits = self._limits
        if disk.full_bytes:
            return Broken(
                "disk",
                f"it filled its disk space: {size(disk.bytes)}, and the limit is {size(limits.disk_bytes)}",
            )
        if disk.full_inodes or disk.inodes > limits.inodes:
            return Broken("disk", f"it made {disk.inodes} files; the limit is {limits.inodes}")
        if max(used_inodes(self._handles.tmp), used_inodes(self._handles.shm)) > TEMPORARY_INODES:
            return Broken("disk", f"it made more than {TEMPORARY_INODES} files in /tmp or /dev/shm")
        if disk.hidden:
            return Broken("disk", "a process hid its open files, so that its disk use cannot be bounded")
        return None

    def _under_floor(self) -> Broken | None:
        free = available_memory()
        if free < self._floor:
            return Broken("memory", f"the machine has only {size(free)} of memory left; this run was stopped")
        return None

    def _processes(self) -> Usage:
        """Sum over all processes but the first, which is ours."""
        rss = threads = ticks = 0
        pids = []
        for name in os.listdir(self._handles.proc):
            if name.isdigit():
                fields = self._stat(name)
                if fields is None:
                    continue
                ticks += sum(map(int, fields[11:15]))
                if name != "1":
                    threads += int(fields[17])
                    rss += int(fields[21]) * _PAGE
                    pids.append(name)
        files = used_bytes(self._handles.tmp) + used_bytes(self._handles.shm)
        memory = rss + files
        if memory > self._limits.memory_bytes:  # which counts shared pages once for each process: look closer
            memory = self._exact_memory(pids, files)
        return Usage(memory, threads, ticks / _TICK)

    def _stat(self, pid: str) -> list[str] | None:
        text = _read(f"{pid}/stat", self._handles.proc)
        return text.rpartition(")")[2].split() if text else None

    def _exact_memory(self, pids: list[str], files: int) -> int:
        anonymous = shared = 0
        for pid in pids:
            text = _read(f"{pid}/smaps_rollup", self._handles.proc)
            sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:]}
            anonymous += sizes.get("Pss_Anon:", 0) + sizes.get("SwapPss:", 0)
            shared += sizes.get("Pss_Shmem:", 0)
        mapped_files = files + used_bytes(self._handles.work)
        return anonymous + files + max(shared - mapped_files, 0)


def too_many(tasks: int, limits: Limits) -> Broken | None:
    """Whether so many processes and threads break the limit."""
    if tasks <= limits.tasks:
        return None
    return Broken("tasks", f"it wanted more processes and threads at once than its limit of {limits.tasks}")


class Disk(NamedTuple):
    """What the work folder holds."""

    bytes: int
    inodes: int
    in_memory: bool
    full_bytes: bool = False
    full_inodes: bool = False
    hidden: bool = False


class _Full:
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


class _Tree:
    """The folder itself, walked now and then, and at once when its file system fills fast."""

    def __init__(self, handles: Handles, limit: int) -> None:
        self._handles = handles
        self._limit = limit
        self._next_walk = 0.0
        self._used_then = 0
        self._start, self._start_inodes, _ = self._walk()
        self._last = Disk(0, 0, False)

    def measure(self) -> Disk:
        """The last count, or a new one."""
        now = time.monotonic()
        grown = used_bytes(self._handles.work) - self._used_then
        if now < self._next_walk and grown < (self._limit - self._last.bytes) / 2:
            return self._last
        self._used_then = used_bytes(self._handles.work)
        total, count, hidden = self._walk()
        used = max(total - self._start, 0)
        inodes = max(count - self._start_inodes, 0)
        self._last = Disk(used, inodes, False, full_bytes=used > self._limit, hidden=hidden)
        self._next_walk = now + max(0.1, 10 * (time.monotonic() - now))
        return self._last

    def _walk(self) -> tuple[int, int, bool]:
        """Bytes and files in the folder, unlinked files that are still open counted too."""
        total = count = 0
        for _, folders, files, fd in os.fwalk(".", dir_fd=self._handles.work, onerror=None):
            count += len(folders) + len(files)
            for name in files:
                with contextlib.suppress(OSError):
                    total += os.lstat(name, dir_fd=fd).st_blocks * 512
        unlinked, hidden = self._unlinked()
        return total + unlinked, count, hidden

    def _unlinked(self) -> tuple[int, bool]:
        device = os.fstat(self._handles.work).st_dev
        blocks: dict[int, int] = {}
        hidden = False
        for pid in os.listdir(self._handles.proc):
            if not pid.isdigit() or pid == "1":
                continue
            try:
                for status in _open_files(pid, self._handles.proc):
                    if status.st_nlink == 0 and status.st_dev == device:
                        blocks[status.st_ino] = status.st_blocks * 512
            except PermissionError:
                hidden = True
            except OSError:
                continue
        return sum(blocks.values()), hidden


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


def _read(path: str, folder: int) -> str:
    """The text of a file of /proc, empty when its process is gone."""
    try:
        fd = os.open(path, os.O_RDONLY, dir_fd=folder)
    except OSError:
        return ""
    try:
        return os.read(fd, 1 << 16).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
