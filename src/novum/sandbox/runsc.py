"""The runsc backend: gVisor, a kernel of its own in user space, when a person names it. The strongest against bugs of
the host's kernel, and the slowest.

Covered: the host's kernel is not spoken to by the payload at all; files, network, processes as in the default
backends. Not covered: bugs of gVisor. Memory is bounded by a control group, disk use is watched; needs root.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from novum.errors import SandboxError
from novum.records import Limits, Outcome
from novum.sandbox import Access, cgroup, inplace, policy
from novum.sandbox.confined import Job, check, outcome
from novum.sandbox.ending import OnOutput
from novum.sandbox.foreign import run_foreign

PLACES = (Path("/usr/bin/runsc"), Path("/usr/local/bin/runsc"))
WAIVED = frozenset(
    {"system calls filtered", "no namespaces of its own", "tasks are bounded", "no new privileges"}
)
"""The payload speaks to gVisor's kernel, whose answers to these questions say nothing of the host's."""
OWN_MEMORY = 256 << 20
"""What gVisor itself needs, beside the payload."""
MANY_TASKS = 4096
ANSWER_S = 20.0


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
        group = cgroup.Group(self._hierarchy, limits.memory_bytes + OWN_MEMORY, MANY_TASKS)
        name = f"novum-{secrets.token_hex(8)}"
        try:
            with tempfile.TemporaryDirectory(prefix="novum-runsc-") as folder:
                bundle = self._bundle(Path(folder), job)
                ending = run_foreign(
                    self._command(Path(folder), bundle, name, group),
                    limits,
                    stop=lambda process: self._stop(process, Path(folder), name),
                    environment={},
                    watched=job.workdir,
                    on_output=on_output,
                )
            if group.read().memory_stops:
                ending.ended, ending.code = "memory", None
                ending.reason = f"it used more memory than its limit of {limits.memory_bytes} bytes"
        finally:
            group.kill()
            group.remove()
            returned = inplace.clean(job.workdir, limits, job.outer_uid, before)
        return outcome(ending, returned, self.name)

    def _command(self, folder: Path, bundle: Path, name: str, group: cgroup.Group) -> list[str]:
        enter = " && ".join(f"echo $$ > {path}/cgroup.procs" for path in group.folders())
        flags = ["--network=none", "--ignore-cgroups", f"--root={folder}/state"]
        run = [str(self._program), *flags, "run", f"--bundle={bundle}", name]
        return ["/bin/sh", "-c", f'{enter} && exec "$@"', "sh", *run]

    def _stop(self, process: subprocess.Popen[bytes], folder: Path, name: str) -> None:
        for words in (["kill", name, "KILL"], ["delete", "--force", name]):
            subprocess.run(
                [self._program, f"--root={folder}/state", *words],
                env={},
                capture_output=True,
                timeout=ANSWER_S,
            )
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()

    def _bundle(self, folder: Path, job: Job) -> Path:
        (folder / "rootfs").mkdir()
        (folder / "config.json").write_text(json.dumps(_configuration(job)))
        return folder


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
    work = [(str(job.workdir), "/work", ["rw", "nosuid", "nodev", "rbind"])]
    work += [(f"{job.workdir}/{name}", f"/work/{name}", read_only) for name in job.access.protected]
    for source, dest, options in [*((a, b, read_only) for a, b in shown), *work]:
        mounts.append({"destination": dest, "type": "bind", "source": source, "options": options})  # type: ignore[dict-item]
    limits = {"RLIMIT_FSIZE": min(job.limits.file_bytes, job.limits.disk_bytes), "RLIMIT_CORE": 0}
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
