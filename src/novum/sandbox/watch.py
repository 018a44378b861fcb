"""What a running sandbox uses, measured from outside, and the first limit that it breaks.

With a control group and a work folder in memory the kernel holds the limits and this only reads its counters.
Without, this is what holds them: approximate, for between two looks a program can take a little more.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from novum.records import Ended, Limits
from novum.sandbox import buffers, cgroup, procfs
from novum.sandbox.gpu import GpuMemory
from novum.sandbox.limits import available_memory, has_swap, size, total_memory
from novum.sandbox.quota import Disk, Sized, Watched, is_full, used_bytes, used_inodes

INTERVAL_S = 0.02
"""Time between two looks, when a look is cheap."""
LONGEST_INTERVAL_S = 0.1
SLOW_INTERVAL_S = 0.1
"""Time between two looks at sockets that are not local, and at GPUs."""
FLOOR = 1 / 32
"""Part of the machine's memory that a run must leave free, whatever its own limit says."""
TEMPORARY_INODES = 50_000
"""Files that /tmp and /dev/shm hold at most, each."""
_TICK = os.sysconf("SC_CLK_TCK")


class Handles(NamedTuple):
    """Descriptors of a running sandbox: its process 1 (or what stands for it), and its folders as it sees them."""

    process_one: int
    work: int
    proc: int
    scratch: tuple[int, ...] = ()
    """/tmp and /dev/shm, in memory and sized."""
    net: int = -1
    """A netlink socket of its network namespace, when it has one of its own."""

    def descriptors(self) -> tuple[int, ...]:
        """All of them."""
        net = (self.net,) if self.net >= 0 else ()
        return (self.process_one, self.work, self.proc, *self.scratch, *net)


class Usage(NamedTuple):
    """What is in use at one moment."""

    memory_bytes: int = 0
    tasks: int = 0
    cpu_s: float = 0.0
    disk_bytes: int = 0
    inodes: int = 0
    gpu_bytes: int = 0

    def most(self, other: Usage) -> Usage:
        """The larger of each."""
        return Usage._make(map(max, self, other))


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
        gpus: tuple[GpuMemory, int | None] | None = None,
    ) -> None:
        """`launcher` is the process whose descendants are measured when there is no namespace of processes; `gpus`
        are those that the run was given, and how much of their memory it may take."""
        self._handles = handles
        self._root = None if launcher is None else str(launcher)
        self._limits = limits
        self._group = group
        self._disk: Sized | Watched = (
            Sized(handles.work)
            if in_memory
            else Watched(handles.work, self._pids, handles.proc, limits, handles.scratch)
        )
        # The inputs that are still there: not the payload's, whichever process the kernel charges with them.
        self._inputs = used_bytes(handles.work)
        self._processor = procfs.Processor()
        self._has_swap = has_swap()
        self._floor = int(total_memory() * FLOOR)
        self._next_look = self._soonest_look = 0.0
        self._gpus = gpus
        self._next_slow_look = 0.0
        self._in_other_sockets = self._in_gpus = 0
        self.peak = Usage()

    def look(self) -> Broken | None:
        """Measure when it is time to, or earlier when the disk fills, and judge."""
        now = time.monotonic()
        if now < self._next_look and not (now >= self._soonest_look and self._disk.is_filling()):
            return None
        broken = self.judge()
        took = time.monotonic() - now
        self._next_look = now + max(INTERVAL_S, min(4 * took, LONGEST_INTERVAL_S))
        self._soonest_look = now + 2 * took  # half of a processor at most
        return broken

    def met(self) -> Broken | None:
        """What a program has met that says so, judged now: a full /tmp is a limit too, but nothing to stop it for."""
        for folder in self._handles.scratch:
            if is_full(folder):
                held = size(used_bytes(folder))
                return Broken("disk", f"it filled /tmp or /dev/shm: {held}, which is the limit there")
        return self.judge()

    def judge(self, ended: bool = False) -> Broken | None:
        """Measure now; the first limit that is broken. Of what has `ended` no socket is left to look at."""
        disk = self._disk.measure()
        if not ended:
            self._look_slowly()
        if self._group:
            reading = self._group.read()
            written = self._written() if disk.in_memory else 0
            tasks = max(reading.tasks - self._group.own_tasks, 0)
            cpu_s = self._processes().cpu_s if reading.cpu_s is None else reading.cpu_s
            usage = Usage(max(reading.memory_bytes - written, 0), tasks, cpu_s)
            stops = reading
        else:
            usage, stops = self._processes(), None
        usage = usage._replace(
            memory_bytes=usage.memory_bytes + (0 if ended else self._in_sockets()),
            disk_bytes=disk.bytes,
            inodes=disk.inodes,
            gpu_bytes=self._in_gpus,
        )
        self.peak = self.peak.most(usage)
        return (
            self._over_counted(usage, stops)
            or self._over_gpu()
            or self._over_disk(disk)
            or self._under_floor()
        )

    def _written(self) -> int:
        """Bytes of the work folder that the payload wrote: they count as its files, and not as its memory."""
        used = used_bytes(self._handles.work)
        self._inputs = min(self._inputs, used)
        return used - self._inputs

    def _look_slowly(self) -> None:
        """Look at what costs more to ask for, not every time."""
        now = time.monotonic()
        if now < self._next_slow_look:
            return
        if self._handles.net >= 0:
            stat = procfs.read("1/net/sockstat", self._handles.proc)
            slow, local = (count(self._handles.net) for count in (buffers.held_slowly, buffers.held_locally))
            self._in_other_sockets = slow.bytes + buffers.unlisted(stat, slow.sockets + local.sockets)
        if self._gpus:
            self._in_gpus = self._gpus[0].taken()
        self._next_slow_look = time.monotonic() + SLOW_INTERVAL_S

    def _in_sockets(self) -> int:
        net = self._handles.net
        return self._in_other_sockets + (buffers.held_locally(net).bytes if net >= 0 else 0)

    def _over_gpu(self) -> Broken | None:
        limit = self._gpus[1] if self._gpus else None
        if limit is None or self._in_gpus <= limit:
            return None
        return Broken("memory", f"it used {size(self._in_gpus)} of GPU memory; the limit is {size(limit)}")

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
        if disk.reason:
            return Broken("disk", disk.reason)
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
        proc = self._handles.proc
        own = self._root if self._root is not None else "1"
        threads = beside = 0
        resident: dict[str, int] = {}
        found = {pid: fields for pid in self._pids() if (fields := procfs.stat(pid, proc))}
        waited_for = procfs.ticks(procfs.stat(own, proc)) + sum(map(procfs.ticks, found.values()))
        for pid, fields in found.items():
            threads += int(fields[17])
            task, shown = pid, fields
            if procfs.is_dead(fields):
                task = procfs.live_task(pid, proc)
                shown = procfs.stat(task, proc) or fields
            resident[task] = procfs.resident(shown)
            beside += procfs.beside(task, shown, proc, self._has_swap)
        files = self._files()
        memory = sum(resident.values()) + files.bytes + beside
        most = self._limits.memory_bytes
        if memory > most:  # which counts shared pages once for each process: look closer
            memory = procfs.exact_memory(resident, files, most - beside, proc) + beside
        return Usage(memory, threads, max(waited_for, self._processor.count(found)) / _TICK)

    def _files(self) -> procfs.Files:
        """The file systems in memory that the payload writes to; those that are not the work folder count as memory."""
        work = (self._handles.work,) if isinstance(self._disk, Sized) else ()
        folders = (*work, *self._handles.scratch)
        devices = frozenset(os.fstat(folder).st_dev for folder in folders)
        return procfs.Files(devices, sum(map(used_bytes, self._handles.scratch)))

    def _pids(self) -> list[str]:
        """The payload's processes: all of its namespace but the first, or all that descend from the launcher."""
        if self._root is None:
            return [name for name in os.listdir(self._handles.proc) if name.isdigit() and name != "1"]
        return procfs.descendants(self._root, self._handles.proc)


def too_many(tasks: int, limits: Limits) -> Broken | None:
    """Whether so many processes and threads break the limit."""
    if tasks <= limits.tasks:
        return None
    return Broken("tasks", f"it wanted more processes and threads at once than its limit of {limits.tasks}")
