"""What a running sandbox uses, measured from outside, and the first limit that it breaks.

With a control group and a work folder in memory the kernel holds the limits and this only reads its counters.
Without, this is what holds them: approximate, for between two looks a program can take a little more.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from novum.records import Ended, Limits
from novum.sandbox import cgroup
from novum.sandbox.limits import available_memory, machine, size
from novum.sandbox.quota import Disk, Sized, Watched, used_bytes, used_inodes

INTERVAL_S = 0.02
"""Time between two looks, when a look is cheap."""
LONGEST_INTERVAL_S = 0.1
FLOOR = 1 / 32
"""Part of the machine's memory that a run must leave free, whatever its own limit says."""
TEMPORARY_INODES = 50_000
"""Files that /tmp and /dev/shm hold at most, each."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


class Handles(NamedTuple):
    """Descriptors of a running sandbox: its process 1 (or what stands for it), and its folders as it sees them."""

    process_one: int
    work: int
    proc: int
    scratch: tuple[int, ...] = ()
    """/tmp and /dev/shm, in memory and sized."""


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

    def __init__(
        self,
        handles: Handles,
        limits: Limits,
        group: cgroup.Group | None,
        in_memory: bool,
        launcher: int | None = None,
    ) -> None:
        """`launcher` is the process whose descendants are measured when there is no namespace of processes."""
        self._handles = handles
        self._root = None if launcher is None else str(launcher)
        self._in_memory = in_memory
        self._limits = limits
        self._group = group
        self._disk: Sized | Watched = (
            Sized(handles.work)
            if in_memory
            else Watched(handles.work, self._pids, handles.proc, limits.disk_bytes)
        )
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
        self._next_look = now + max(INTERVAL_S, min(4 * took, LONGEST_INTERVAL_S))
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
        if any(used_inodes(folder) > TEMPORARY_INODES for folder in self._handles.scratch):
            return Broken("disk", f"it made more than {TEMPORARY_INODES} files in /tmp or /dev/shm")
        if disk.hidden:
            return Broken(
                "disk",
                "it hid files (a closed or too deep folder, or a closed process), so that its use cannot be bounded",
            )
        return None

    def _under_floor(self) -> Broken | None:
        free = available_memory()
        if free < self._floor:
            return Broken("memory", f"the machine has only {size(free)} of memory left; this run was stopped")
        return None

    def _processes(self) -> Usage:
        """Sum over all processes of the payload."""
        own = self._root if self._root is not None else "1"
        rss = threads = 0
        ticks = _ticks(_stat(own, self._handles.proc))  # of those that it has reaped
        pids = self._pids()
        for pid in pids:
            fields = _stat(pid, self._handles.proc)
            if fields:
                ticks += _ticks(fields)
                threads += int(fields[17])
                rss += int(fields[21]) * _PAGE
        files = sum(map(used_bytes, self._handles.scratch))
        memory = rss + files
        if memory > self._limits.memory_bytes:  # which counts shared pages once for each process: look closer
            memory = self._exact_memory(pids, files)
        return Usage(memory, threads, ticks / _TICK)

    def _pids(self) -> list[str]:
        """The payload's processes: all of its namespace but the first, or all that descend from the launcher."""
        if self._root is None:
            return [name for name in os.listdir(self._handles.proc) if name.isdigit() and name != "1"]
        return descendants(self._root, self._handles.proc)

    def _exact_memory(self, pids: list[str], files: int) -> int:
        anonymous = shared = 0
        for pid in pids:
            text = _read(f"{pid}/smaps_rollup", self._handles.proc)
            sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:]}
            anonymous += sizes.get("Pss_Anon:", 0) + sizes.get("SwapPss:", 0)
            shared += sizes.get("Pss_Shmem:", 0)
        mapped_files = files + (used_bytes(self._handles.work) if self._in_memory else 0)
        return anonymous + files + max(shared - mapped_files, 0)


def too_many(tasks: int, limits: Limits) -> Broken | None:
    """Whether so many processes and threads break the limit."""
    if tasks <= limits.tasks:
        return None
    return Broken("tasks", f"it wanted more processes and threads at once than its limit of {limits.tasks}")


def descendants(root: str, proc: int) -> list[str]:
    """The processes below `root`, which adopts the orphans among them."""
    parents = {}
    for pid in os.listdir(proc):
        if pid.isdigit() and (fields := _stat(pid, proc)):
            parents[pid] = fields[1]
    found: list[str] = []
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found += level
    return found


def _stat(pid: str, proc: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, from the state on."""
    return _read(f"{pid}/stat", proc).rpartition(")")[2].split()


def _ticks(fields: list[str]) -> int:
    return sum(map(int, fields[11:15]))


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
