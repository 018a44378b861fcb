"""Control groups, version 2 or 1: exact limits on memory and tasks for a whole process tree.

Used where this process may make a group below (or beside) its own. Where it may not, `watch` measures instead.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Self

from novum.errors import ContainmentError, SandboxError

PREFIX = "novum-"
CONTROLLERS = ("memory", "pids")


class Reading(NamedTuple):
    """What a group uses and what its limits have stopped."""

    memory_bytes: int
    """Anonymous and shared memory, with files in memory file systems."""
    tasks: int
    cpu_s: float | None
    """None where nothing counts it."""
    memory_stops: int
    task_stops: int


class Hierarchy(NamedTuple):
    """Where groups can be made: a folder for each controller (all the same in version 2)."""

    version: int
    folders: dict[str, Path]


def find() -> Hierarchy | None:
    """The place where this process can make groups with limits, tried out, or None."""
    for candidate in _candidates():
        try:
            group = Group(candidate, memory_bytes=1 << 30, tasks=64)
        except OSError:
            continue
        try:
            _sweep(candidate)
            if _accepts_processes(group):
                return candidate
        finally:
            group.remove()
    return None


class Group:
    """One group for one run. `with Group(...) as group:` ends it; after a failure with all that is in it."""

    def __init__(self, hierarchy: Hierarchy, memory_bytes: int, tasks: int, own_tasks: int = 0) -> None:
        """`own_tasks` are those of the sandbox itself, which count beside `tasks`."""
        self.own_tasks = own_tasks
        self._version = hierarchy.version
        name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        self._folders = {key: folder / name for key, folder in hierarchy.folders.items()}
        for folder in dict.fromkeys(self._folders.values()):
            folder.mkdir()
        try:
            self._limit(memory_bytes, tasks + own_tasks)
        except OSError:
            self.remove()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        if failure:  # else the run has seen to it
            self.kill()
        self.remove()

    def folders(self) -> tuple[Path, ...]:
        """Where the kernel shows it."""
        return tuple(dict.fromkeys(self._folders.values()))

    def add(self, pid: int) -> None:
        """Move a process in; its later children are born in it."""
        for folder in self.folders():
            (folder / "cgroup.procs").write_text(str(pid))

    def doors(self) -> list[int]:
        """New descriptors of files: who writes `0` to each is in; none where only `add` can move a process.

        The kernel lets a thread move itself at once. To move another process it waits until no processor is in the
        middle of anything, which takes longer than all else that is done to start a sandbox.
        """
        if self._version == 2:
            return []
        return [os.open(folder / "tasks", os.O_WRONLY | os.O_CLOEXEC) for folder in self.folders()]

    def read(self) -> Reading:
        """Measure."""
        memory, pids = self._folders["memory"], self._folders["pids"]
        stat = _numbers(memory / "memory.stat")
        tasks = int((pids / "pids.current").read_text())
        stopped = _numbers(pids / "pids.events").get("max", 0)
        if self._version == 2:
            used = stat.get("anon", 0) + stat.get("shmem", 0)
            ooms = _numbers(memory / "memory.events").get("oom_kill", 0)
            cpu: float | None = _numbers(memory / "cpu.stat").get("usage_usec", 0) / 1e6
        else:
            used = stat.get("total_rss", 0) + stat.get("total_shmem", 0)
            ooms = _numbers(memory / "memory.oom_control").get("oom_kill", 0)
            cpu = self._cpu_v1()
        return Reading(used, tasks, cpu, ooms, stopped)

    def kill(self) -> None:
        """Kill everything in it: at once where the kernel can do that, else one by one."""
        try:
            (self._folders["memory"] / "cgroup.kill").write_text("1")
        except OSError:
            for pid in _members(self._folders["memory"]):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Remove it; it must be empty.

        Raises:
            ContainmentError: something in it does not die.
            SandboxError: it cannot be removed for another reason.
        """
        for folder in dict.fromkeys(self._folders.values()):
            _remove(folder)

    def _limit(self, memory_bytes: int, tasks: int) -> None:
        memory, pids = self._folders["memory"], self._folders["pids"]
        (pids / "pids.max").write_text(str(tasks))
        if self._version == 2:
            (memory / "memory.max").write_text(str(memory_bytes))
            _write_if_there(memory / "memory.swap.max", "0")
            _write_if_there(memory / "memory.oom.group", "1")
        else:
            (memory / "memory.limit_in_bytes").write_text(str(memory_bytes))
            _write_if_there(memory / "memory.memsw.limit_in_bytes", str(memory_bytes))
            _write_if_there(memory / "memory.kmem.tcp.limit_in_bytes", str(memory_bytes))

    def _cpu_v1(self) -> float | None:
        folder = self._folders.get("cpuacct")
        return int((folder / "cpuacct.usage").read_text()) / 1e9 if folder else None


def _candidates() -> list[Hierarchy]:
    mounts = _mounts()
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines() if mounts else []:
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(",") if controllers else ["unified"]:
            own[name] = path
    found = []
    if "unified" in mounts and "unified" in own:
        here = mounts["unified"] / own["unified"].lstrip("/")
        places = [here] if here == mounts["unified"] else [here, here.parent]
        found += [Hierarchy(2, dict.fromkeys(CONTROLLERS, place)) for place in places if _has_both(place)]
    if all(name in mounts and name in own for name in CONTROLLERS):
        names = [*CONTROLLERS, *(["cpuacct"] if "cpuacct" in mounts and "cpuacct" in own else [])]
        found.append(Hierarchy(1, {name: mounts[name] / own[name].lstrip("/") for name in names}))
    return found


def _mounts() -> dict[str, Path]:
    """Controller (or `unified`): where it is mounted."""
    found: dict[str, Path] = {}
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        place = Path(left.split(" ")[4])
        if kind == "cgroup2":
            found["unified"] = place
        elif kind == "cgroup":
            found.update({name: place for name in options.split(" ")[-1].split(",") if name != "rw"})
    return found


def _has_both(place: Path) -> bool:
    """Whether groups below `place` get both controllers, which is asked for where it may be."""
    wanted = set(CONTROLLERS)
    control = place / "cgroup.subtree_control"
    try:
        if not wanted <= set(control.read_text().split()):
            control.write_text("+memory +pids")
        return wanted <= set(control.read_text().split())
    except OSError:
        return False


def _accepts_processes(group: Group) -> bool:
    with subprocess.Popen(["/bin/sh", "-c", "read x"], stdin=subprocess.PIPE, env={}) as child:
        try:
            group.add(child.pid)
        except OSError:
            return False
        finally:
            child.kill()
    return True


def _sweep(hierarchy: Hierarchy) -> None:
    """Remove empty groups of novum processes that were killed."""
    for folder in set(hierarchy.folders.values()):
        for left in folder.glob(f"{PREFIX}*"):
            owner = left.name.split("-")[1]
            if not Path(f"/proc/{owner}").exists():
                with contextlib.suppress(OSError):
                    left.rmdir()


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + 2
    while folder.exists():
        try:
            folder.rmdir()
        except OSError as error:
            if time.monotonic() > deadline:
                if _members(folder):
                    raise ContainmentError(
                        "processes outlived their sandbox (FAILED_CONTAINMENT)",
                        f"the control group {folder} still holds some",
                        "look for processes in state D, and restart the machine before the study goes on",
                    ) from error
                raise SandboxError(f"the control group {folder} cannot be removed", str(error)) from error
            time.sleep(0.005)


def _members(folder: Path) -> list[int]:
    try:
        members = map(int, (folder / "cgroup.procs").read_text().split())
        return [pid for pid in members if pid > 0]  # 0 is one that cannot be seen from here
    except OSError:
        return []


def _numbers(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _write_if_there(path: Path, text: str) -> None:
    if path.exists():
        path.write_text(text)
