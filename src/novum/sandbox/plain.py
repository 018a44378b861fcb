"""Two weaker backends without namespaces of their own, which run only when a person names them.

landlock   a kernel with Landlock but no user namespaces. Covered: files, signals, TCP and all other sockets, system
           calls, limits (watched). Not covered: host processes can be seen (not touched), protected files can be
           changed, and the end of the process tree depends on the launcher's life.
outer      novum itself runs in a container or virtual machine that holds no secrets, has no way out and is bounded;
           that is checked. Then the same without Landlock's promises, where the kernel lacks it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from novum.errors import SandboxError
from novum.records import Limits, Outcome
from novum.sandbox import Access, policy
from novum.sandbox.confined import SPARE_TASKS, Confined, Job
from novum.sandbox.ending import OnOutput
from novum.sandbox.launcher import landlock, seccomp
from novum.sandbox.starting import launcher_command
from novum.sandbox.supervise import Chain

NEEDED_ABI = 6
"""The first Landlock that keeps signals and abstract sockets in."""
TEMPORARY = ".novum-tmp"
WAIVED = frozenset({"host processes hidden", "protected files unchanged"})
REAL_ETC = ("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf")
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
SECRET_FILES = (
    ".ssh",
    ".aws",
    ".netrc",
    ".git-credentials",
    ".docker/config.json",
    ".kube",
    ".config/gcloud",
)
LARGEST_DISK = 128 << 30
LARGEST_MEMORY = 1 << 50


class Plain(Confined):
    """A payload that shares the host's namespaces and is locked in by what it gave up."""

    graceful = True
    own_tasks = 1
    families: tuple[int, ...] = seccomp.NO_SOCKETS

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: OnOutput | None = None,
    ) -> Outcome:
        """See `novum.sandbox.Sandbox.run`; the work folder keeps its own path instead of being /work."""
        temporary = workdir / TEMPORARY
        access = access or Access()
        policy.no_hosts(self.name, access)
        places = {"HOME": str(temporary), "TMPDIR": str(temporary)}
        access = access.model_copy(update={"environment": {**places, **access.environment}})
        try:
            return super().run(command, workdir, limits, access, on_output)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def prepared(self, job: Job) -> Job:
        """The payload works in the folder itself, with a folder for temporary files in it."""
        (job.workdir / TEMPORARY).mkdir(exist_ok=True)
        return dataclasses.replace(job, in_memory=False)

    def chain(self, job: Job, sent: int, fill: Callable[[int], None]) -> Chain:
        """One program, which is told everything."""
        specification = job.specification("plain")
        _, own = policy.own_python()
        shown = [source for source, _ in job.view.binds]
        return Chain(
            launcher_command(sent),
            specification
            | {
                "uid": job.outer_uid,
                "cwd": str(job.workdir),
                "readable": [*shown, *map(str, own), *REAL_ETC, "/proc", str(job.workdir)],
                "writable": [str(job.workdir)],
                "filter": seccomp.program(self.families, reserves=False),
                "deny_tcp": not self.families,
                "rlimits": _with_others(specification["rlimits"], job),
            },
        )


class Landlock(Plain):
    """Files, signals and sockets closed by Landlock and seccomp."""

    name = "landlock"

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        return f"landlock (degraded): Landlock {landlock.abi()}, seccomp, no sockets; limits watched, approximate"

    @staticmethod
    def require() -> None:
        """Raises SandboxError when the kernel's Landlock is too old."""
        if landlock.abi() < NEEDED_ABI:
            raise SandboxError(
                "this kernel's Landlock is too old", f"{NEEDED_ABI} is needed, it has {landlock.abi()}"
            )


class Outer(Plain):
    """The container or virtual machine around novum is the sandbox."""

    name = "outer"
    families = seccomp.LOCAL_AND_IP

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        return "outer: the container or virtual machine that novum runs in, checked; seccomp; limits watched"

    @staticmethod
    def require() -> None:
        """Raises SandboxError, naming every way in which this place is no sandbox."""
        problems = list(_openings())
        if problems:
            raise SandboxError("this machine is not a sandbox by itself", "; ".join(problems))


def _openings() -> Iterator[str]:
    routes = [path for path in ("/proc/net/route", "/proc/net/ipv6_route") if _has_default_route(Path(path))]
    if routes:
        yield "it has a route out"
    secrets = sorted(name for name in os.environ if SECRET_NAME.search(name))
    if secrets:
        yield f"its environment holds {', '.join(secrets)}"
    files = [name for name in SECRET_FILES if (Path.home() / name).exists()]
    if files:
        yield f"the home folder holds {', '.join(files)}"
    if _memory_limit() >= LARGEST_MEMORY:
        yield "no control group bounds its memory"
    disk = os.statvfs("/")
    if disk.f_blocks * disk.f_frsize > LARGEST_DISK:
        yield f"its disk is larger than {LARGEST_DISK >> 30} GiB"


def _has_default_route(path: Path) -> bool:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return False
    for fields in map(str.split, lines):
        name, target = (fields[0], fields[1]) if path.name == "route" else (fields[-1], fields[0] + fields[1])
        if name != "lo" and not target.strip("0"):
            return True
    return False


def _memory_limit() -> int:
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return int(text)
    return LARGEST_MEMORY


def _with_others(rlimits: dict[int, int], job: Job) -> dict[int, int]:
    """Without a namespace the limit on tasks counts all of the user's, so those that are there come on top."""
    if job.privileged:
        return rlimits
    mine = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == os.geteuid():
                    mine += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:
                continue
    return {**rlimits, resource.RLIMIT_NPROC: job.limits.tasks + SPARE_TASKS + mine}
