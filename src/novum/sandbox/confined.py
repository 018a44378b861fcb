"""What the two default backends have in common: the same policy, limits and supervision around another builder."""

from __future__ import annotations

import os
import resource
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novum.errors import SandboxError, UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, cgroup, inplace, policy, recorded, workfolder
from novum.sandbox.ending import Ending, OnOutput
from novum.sandbox.gpu import GpuMemory
from novum.sandbox.launcher import landlock, seccomp
from novum.sandbox.limits import MIB, check_limits
from novum.sandbox.proxy import PORT, Proxy
from novum.sandbox.supervise import Chain, Launch, execute
from novum.sandbox.workfolder import Inventory, Returned

OPEN_FILES = 2048
SPARE_TASKS = 3
"""RLIMIT_NPROC is this much above the limit, so that the control group or the watcher names the limit first."""


@dataclass(frozen=True)
class Job:
    """One run, checked, with all that a builder needs to know."""

    command: tuple[str, ...]
    workdir: Path
    limits: Limits
    access: Access
    view: policy.View
    outer_uid: int
    """The payload's uid outside: this process's own, or one that nobody has when that is root."""
    in_memory: bool
    content_bytes: int
    content_entries: int

    @property
    def privileged(self) -> bool:
        """Whether novum runs as root, which the payload must not."""
        return os.geteuid() == 0

    @property
    def mounted_in_work(self) -> tuple[str, ...]:
        """Names in the work folder where something of the view appears, for a path of the host is below /work."""
        inside = [Path(dest).relative_to("/work") for _, dest in self.view.binds if dest.startswith("/work/")]
        return tuple(str(path) for path in inside)

    @property
    def held(self) -> tuple[str, ...]:
        """The folders in the work folder that lead to protected files, parents first."""
        folders = [str(folder) for name in self.access.protected for folder in reversed(Path(name).parents)]
        return tuple(dict.fromkeys(folder for folder in folders if folder != "."))

    def specification(self, mode: str) -> dict[str, Any]:
        """What the launcher is told."""
        limits = self.limits
        work_bytes = limits.disk_bytes + self.content_bytes  # the inputs do not count as written
        devices = policy.gpu_devices(self.access)
        copies = policy.copied(self.view.binds)
        return {
            "mode": mode,
            "parent": os.getpid(),
            "uid": policy.INSIDE_UID,
            "outer_uid": os.geteuid(),
            "outer_gid": os.getegid(),
            "store": "memory" if self.in_memory else "folder",
            "work": str(self.workdir),
            "work_bytes": work_bytes,
            "work_inodes": limits.inodes + self.content_entries + 2,
            "tmp_bytes": min(1024 * MIB, limits.memory_bytes // 4),
            "shm_bytes": min(512 * MIB, limits.memory_bytes // 4),
            "binds": [bind for bind in self.view.binds if bind not in copies],
            "copies": copies,
            "links": self.view.links,
            "devices": devices,
            "protected": list(self.access.protected),
            "held": list(self.held),
            "pid_max": max(limits.tasks + 310, 400),
            "argv": list(self.command),
            "environment": policy.environment(self.access),
            "cwd": "/work",
            "rlimits": self._rlimits(),
            "landlock": landlock.abi() > 0,
            "readable": ["/"],
            "writable": ["/work", "/tmp", "/dev/shm"],
            "device_files": [*(f"/dev/{name}" for name in DEVICES), *devices],
            "deny_tcp": False,
            "proxy_port": PORT if self.access.hosts else 0,
            "filter": seccomp.program(reserves=self.in_memory),
        }

    def _rlimits(self) -> dict[int, int]:
        limits = self.limits
        chosen = {
            resource.RLIMIT_NPROC: limits.tasks + SPARE_TASKS,
            resource.RLIMIT_FSIZE: limits.file_bytes
            if self.in_memory
            else min(limits.file_bytes, limits.disk_bytes + self.content_bytes),
            # With 0 a crash still starts the program that the host's core_pattern may name, outside and as root;
            # 1 is the value with which the kernel starts none, and it is too small for a file.
            resource.RLIMIT_CORE: 1,
            resource.RLIMIT_NOFILE: OPEN_FILES,
            # Whatever the user may do: no real-time scheduling, no higher priority, little locked memory.
            resource.RLIMIT_RTPRIO: 0,
            resource.RLIMIT_NICE: 0,
            resource.RLIMIT_MEMLOCK: 8 * MIB,
            resource.RLIMIT_MSGQUEUE: MIB,
        }
        if limits.cpu_s is not None:
            chosen[resource.RLIMIT_CPU] = int(limits.cpu_s) + 1
        return chosen


DEVICES = ("null", "zero", "full", "random", "urandom")


class Confined(ABC):
    """A backend that builds a room of its own in new namespaces."""

    name: str
    graceful = False
    """Whether the launcher must live to end the run, and so is asked before it is killed."""
    own_tasks = 2
    """Tasks of the sandbox itself among the payload's: the launcher, and the process 1 that it forks."""

    def __init__(self, hierarchy: cgroup.Hierarchy | None) -> None:
        self._hierarchy = hierarchy

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        groups = (
            f"control groups v{self._hierarchy.version}"
            if self._hierarchy
            else "watched, stopped at 1.0 to 1.6 of the limit"
        )
        lock = f"Landlock {landlock.abi()}" if landlock.abi() else "no Landlock"
        return f"{self.name}: all namespaces, allow-listed files, seccomp, {lock}; memory and tasks: {groups}"

    @abstractmethod
    def chain(self, job: Job, sent: int, fill: Callable[[int], None]) -> Chain:
        """How this backend gets from a plain process to the payload.

        `sent` is the descriptor of the launcher's file. `fill` puts the inputs into an open, empty work
        folder; it is for the backend to call now, or for the launcher to ask for.
        """

    def spawn_uid(self, job: Job) -> int | None:
        """The uid of the first program, when it is not this process's own."""
        return None

    def execute(self, launch: Launch, after: Callable[[int], None] | None = None) -> Ending:
        """Run it."""
        return execute(launch, after)

    def filled_skip(self, job: Job) -> tuple[str, ...]:
        """Names in the work folder that are there by other means than being copied."""
        return job.mounted_in_work

    def prepared(self, job: Job) -> Job:
        """The job as this backend does it."""
        return job

    def approximations(self, job: Job) -> tuple[str, ...]:
        """The limits that are not exact in this run, each with by how much it can pass them."""
        return recorded.approximate(
            job.limits,
            in_memory=job.in_memory,
            grouped=self._hierarchy is not None,
            gpus=job.access.gpu_memory_bytes is not None,
        )

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: OnOutput | None = None,
    ) -> Outcome:
        """See `novum.sandbox.Sandbox.run`."""
        job = self.prepared(check(command, workdir, limits, access or Access()))
        with self._group(limits, job) as group:
            return _Execution(self, job, on_output).run(group)

    def _group(self, limits: Limits, job: Job) -> AbstractContextManager[cgroup.Group | None]:
        """A group whose limit is never below the run's: files in memory count in it, and have a limit of their own."""
        if self._hierarchy is None:
            return nullcontext()
        files = limits.disk_bytes + job.content_bytes if job.in_memory else 0
        return cgroup.Group(self._hierarchy, limits.memory_bytes + files, limits.tasks, self.own_tasks)


class _Execution:
    """One run: the folder in, the payload, the folder back."""

    def __init__(self, backend: Confined, job: Job, on_output: OnOutput | None) -> None:
        self._backend = backend
        self._job = job
        self._on_output = on_output
        self._inventory = Inventory({}, {}, set())
        self._returned = Returned((), ())
        self._skip = (*backend.filled_skip(job), *job.access.protected)

    def run(self, group: cgroup.Group | None) -> Outcome:
        job = self._job
        launch = Launch(
            chain=lambda sent: self._backend.chain(job, sent, self._fill),
            spawn_uid=self._backend.spawn_uid(job),
            limits=job.limits,
            work=None if job.in_memory else job.workdir,
            fill=self._fill,
            outer_uid=job.outer_uid if job.privileged else None,
            group=group,
            gpus=_gpus(job.access),
            proxy=Proxy(job.access.hosts) if job.access.hosts else None,
            graceful=self._backend.graceful,
            on_output=self._on_output,
        )
        owner = job.outer_uid if job.privileged else None
        if job.in_memory:
            ending = self._backend.execute(launch, self._take_back)
        else:
            before = inplace.prepare(job.workdir, owner)
            try:
                ending = self._backend.execute(launch)
            finally:
                self._returned = inplace.clean(job.workdir, job.limits, owner, before)
        approximations = self._backend.approximations(job)
        return recorded.outcome(ending, self._returned, self._backend.name, approximations)

    def _fill(self, target: int) -> None:
        if not self._job.in_memory:
            return
        owner = self._job.outer_uid if self._job.privileged else None
        skip = self._backend.filled_skip(self._job)
        self._inventory = workfolder.fill(self._job.workdir, target, owner, skip)

    def _take_back(self, work: int) -> None:
        job = self._job
        self._returned = workfolder.take_back(work, job.workdir, self._inventory, job.limits, self._skip)


def check(command: Sequence[str], workdir: Path, limits: Limits, access: Access) -> Job:
    """Refuse what cannot be run.

    Raises:
        UsageError: the command, the folder, a limit or what it may see is not usable.
    """
    if not command or not command[0] or any("\0" in part for part in command):
        raise UsageError("there is no command to run", next_step="name a program, and give no NUL characters")
    check_limits(limits)
    workdir = Path(os.path.abspath(workdir))
    workfolder.check_workdir(workdir, limits, access.protected)
    content_bytes, entries = workfolder.content(workdir)
    return Job(
        command=(_program(command[0], access), *command[1:]),
        workdir=workdir,
        limits=limits,
        access=access,
        view=policy.view(access),
        outer_uid=policy.free_uid() if os.geteuid() == 0 else os.geteuid(),
        in_memory=workfolder.fits_memory(limits, content_bytes),
        content_bytes=content_bytes,
        content_entries=entries,
    )


def _gpus(access: Access) -> tuple[GpuMemory, int | None] | None:
    """What watches the memory of its GPUs; without the driver's library that is only refused when there is a limit."""
    if not access.gpus:
        return None
    try:
        return GpuMemory(access.gpus), access.gpu_memory_bytes
    except SandboxError:
        if access.gpu_memory_bytes is None:
            return None
        raise


def _program(name: str, access: Access) -> str:
    """A program without a slash is looked for on the payload's own PATH."""
    if "/" in name:
        return name
    for folder in policy.environment(access)["PATH"].split(":"):
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    raise UsageError(
        f"the command {name!r} does not exist in the sandbox",
        "it is in no folder of the sandbox's PATH",
        "give its whole path, and show its folder with `readonly` (or --ro)",
    )
