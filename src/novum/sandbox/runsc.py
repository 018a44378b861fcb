"""The runsc backend: gVisor, a kernel of its own in user space, when a person names it. The strongest against bugs of
the host's kernel, and the slowest.

Covered: the host's kernel is not spoken to by the payload at all; files, network, processes as in the default
backends. Not covered: bugs of gVisor. Memory is bounded by a control group, disk use is watched; needs root.
gVisor ends its sandbox when the program that asked for it is gone, and that ends with novum.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from novum.errors import SandboxError, UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, cgroup, inplace, policy
from novum.sandbox.confined import SPARE_TASKS, Job, check
from novum.sandbox.ending import Ending, OnOutput
from novum.sandbox.foreign import name_tasks, run_foreign
from novum.sandbox.recorded import DISK_WATCHED, outcome
from novum.sandbox.watch import Broken, Usage, too_many

PLACES = (Path("/usr/bin/runsc"), Path("/usr/local/bin/runsc"))
WAIVED = frozenset(
    {"system calls filtered", "no namespaces of its own", "no new privileges", "devices closed"}
)
"""The payload speaks to gVisor's kernel and devices, whose answers to these questions say nothing of the host's."""
OWN_MEMORY = 256 << 20
"""What gVisor itself needs, beside the payload."""
MANY_TASKS = 4096
ANSWER_S = 20.0
COUNT_EVERY_S = 0.5
"""Time between two looks at the number of tasks: gVisor is asked by a program of its own."""
CANNOT_START = 128
COMPLAINT = b"running container: "
APPROXIMATE = (
    f"memory: counted with what gVisor itself takes; the kernel stops a run {OWN_MEMORY >> 20} MiB above the limit",
    DISK_WATCHED,
)
ENTER = """
import ctypes, os, sys
parent, count = int(sys.argv[1]), int(sys.argv[2])
ctypes.CDLL(None).prctl(1, 9)  # be killed when the thread that started this ends
if os.getppid() != parent:
    sys.exit(1)
for path in sys.argv[3:3 + count]:
    open(path + "/cgroup.procs", "w").write("0")
os.execv(sys.argv[3 + count], sys.argv[3 + count:])
"""


def find() -> Path:
    """The program.

    Raises:
        SandboxError: it is not installed, or novum does not run as root.
    """
    program = next((path for path in PLACES if os.access(path, os.X_OK)), None)
    if program is None:
        raise SandboxError("runsc is not installed", f"no program at {PLACES[0]}")
    if os.geteuid() != 0:
        raise SandboxError("runsc needs root here", f"novum runs as uid {os.geteuid()}")
    return program


class Runsc:
    """Runs each command in a gVisor sandbox of its own."""

    name = "runsc"

    def __init__(self, program: Path, hierarchy: cgroup.Hierarchy | None) -> None:
        if hierarchy is None:
            raise SandboxError("runsc needs a control group", "without one its memory cannot be bounded")
        self._program = program
        self._hierarchy = hierarchy

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        return f"runsc: gVisor, no network; memory by control group v{self._hierarchy.version}; disk watched"

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: OnOutput | None = None,
    ) -> Outcome:
        """See `novum.sandbox.Sandbox.run`."""
        job = check(command, workdir, limits, access or Access())
        policy.no_hosts(self.name, access)
        before = inplace.prepare(job.workdir, job.outer_uid)
        try:
            with cgroup.Group(self._hierarchy, limits.memory_bytes + OWN_MEMORY, MANY_TASKS) as group:
                ending = self._contained(job, group, on_output)
        finally:
            returned = inplace.clean(job.workdir, limits, job.outer_uid, before)
        return outcome(ending, returned, self.name, APPROXIMATE)

    def _contained(self, job: Job, group: cgroup.Group, on_output: OnOutput | None) -> Ending:
        name = f"novum-{secrets.token_hex(8)}"
        with tempfile.TemporaryDirectory(prefix="novum-runsc-") as folder:
            bundle = self._bundle(Path(folder), job)
            counter = _Counter(self._program, Path(folder), name, group, job.limits)
            ending = run_foreign(
                self._command(Path(folder), bundle, name, group),
                job.limits,
                stop=lambda process: _stop(process, group),
                environment={},
                watched=job.workdir,
                on_output=on_output,
                check=counter,
            )
        self._settle(ending, group, job)
        ending.peak = ending.peak.most(counter.peak)
        return ending

    def _settle(self, ending: Ending, group: cgroup.Group, job: Job) -> None:
        """Tell the payload's exit from gVisor's, and name the limit that the control group held."""
        if ending.code == CANNOT_START and COMPLAINT in ending.stderr:
            why = ending.stderr.decode(errors="replace")[-500:]
            if b"failed to load " in ending.stderr or b"executable" in ending.stderr:
                raise UsageError(f"the command {job.command[0]!r} cannot be started in the sandbox", why)
            raise SandboxError("gVisor cannot start the sandbox", why)
        if group.read().memory_stops:
            ending.ended, ending.code = "memory", None
            ending.reason = f"it used more memory than its limit of {job.limits.memory_bytes} bytes"
        name_tasks(ending, job.limits)

    def _command(self, folder: Path, bundle: Path, name: str, group: cgroup.Group) -> list[str]:
        python, _ = policy.own_python()
        places = [str(path) for path in group.folders()]
        enter = [str(python), "-I", "-S", "-c", ENTER, str(os.getpid()), str(len(places)), *places]
        flags = ["--network=none", "--ignore-cgroups", f"--root={folder}/state"]
        return [*enter, str(self._program), *flags, "run", f"--bundle={bundle}", name]

    def _bundle(self, folder: Path, job: Job) -> Path:
        (folder / "rootfs").mkdir()
        (folder / "config.json").write_text(json.dumps(_configuration(job)))
        return folder


def _stop(process: subprocess.Popen[bytes], group: cgroup.Group) -> None:
    """All that makes up the sandbox is in the group, and its helpers end with its kernel."""
    group.kill()
    process.kill()


class _Counter:
    """What a run uses: its control group counts, and gVisor its tasks. (gVisor counts mapped files as memory too.)"""

    def __init__(self, program: Path, folder: Path, name: str, group: cgroup.Group, limits: Limits) -> None:
        self._ask = [str(program), f"--root={folder}/state", "events", "--stats", name]
        self._group = group
        self._limits = limits
        self._next = time.monotonic() + COUNT_EVERY_S
        self.peak = Usage()

    def __call__(self) -> Broken | None:
        """The limit that is broken."""
        reading = self._group.read()
        usage = Usage(memory_bytes=reading.memory_bytes, cpu_s=reading.cpu_s or 0.0, tasks=self._tasks())
        self.peak = self.peak.most(usage)
        if self._limits.cpu_s is not None and usage.cpu_s > self._limits.cpu_s:
            return Broken(
                "timeout", f"it used {usage.cpu_s:.1f} s of CPU time; the limit is {self._limits.cpu_s:g} s"
            )
        return too_many(usage.tasks, self._limits)

    def _tasks(self) -> int:
        """Those of this moment when it is time to ask, else none."""
        if time.monotonic() < self._next:
            return 0
        try:
            done = subprocess.run(self._ask, env={}, capture_output=True, timeout=ANSWER_S)
            return int(json.loads(done.stdout)["data"]["pids"]["current"])
        except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
            return 0  # it is starting or ending
        finally:
            self._next = time.monotonic() + COUNT_EVERY_S


def _configuration(job: Job) -> dict[str, Any]:
    told = job.specification("runsc")
    read_only = ["ro", "nosuid", "nodev", "rbind"]
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"}]
    mounts += [{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}]
    for path, size in (("/tmp", told["tmp_bytes"]), ("/dev/shm", told["shm_bytes"])):
        options = [f"size={size}", "mode=1777", "nosuid", "nodev"]
        mounts.append({"destination": path, "type": "tmpfs", "source": "tmpfs", "options": options})  # type: ignore[dict-item]
    links = [(f"/{target}", path) for path, target in job.view.links.items()]
    shown = [(source, dest) for source, dest in (*job.view.binds, *links) if not source.startswith("/sys")]
    shown.sort(key=lambda pair: pair[1].count("/"))
    writable = ["rw", "nosuid", "nodev", "rbind"]
    work = [(str(job.workdir), "/work", writable)]
    # The folders that lead to protected files are mounts too, so that none of them can be renamed.
    work += [(f"{job.workdir}/{name}", f"/work/{name}", writable) for name in job.held]
    work += [(f"{job.workdir}/{name}", f"/work/{name}", read_only) for name in job.access.protected]
    for source, dest, options in [*((a, b, read_only) for a, b in shown), *work]:
        mounts.append({"destination": dest, "type": "bind", "source": source, "options": options})  # type: ignore[dict-item]
    limits = {"RLIMIT_FSIZE": min(job.limits.file_bytes, job.limits.disk_bytes), "RLIMIT_CORE": 0}
    limits["RLIMIT_NPROC"] = job.limits.tasks + SPARE_TASKS
    return {
        "ociVersion": "1.0.2",
        "hostname": "sandbox",
        "root": {"path": "rootfs", "readonly": True},
        "mounts": mounts,
        "process": {
            "terminal": False,
            "user": {"uid": job.outer_uid, "gid": job.outer_uid},
            "args": told["argv"],
            "env": [f"{key}={value}" for key, value in told["environment"].items()],
            "cwd": "/work",
            "noNewPrivileges": True,
            "capabilities": {},
            "rlimits": [{"type": key, "hard": value, "soft": value} for key, value in limits.items()],
        },
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]},
    }
