"""The backend on the system's bubblewrap, for systems that let nothing else make user namespaces.

bubblewrap alone holds little: it is what it is told. It is never run as root (a payload under it could write
/proc/sys), never with an environment (which its process 1 would show), and never found through PATH.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from novum.sandbox import cgroup, policy
from novum.sandbox.confined import Confined, Job
from novum.sandbox.launcher import BOOT
from novum.sandbox.launcher.room import MASKED, NEW_ROOT
from novum.sandbox.supervise import LAUNCHER, Chain, launcher_command

PLACES = (Path("/usr/bin/bwrap"), Path("/usr/local/bin/bwrap"), Path("/bin/bwrap"))
OLDEST = (0, 8, 0)
LAUNCHER_INSIDE = "/run/novum/launcher"
WORK_STAGED = f"{NEW_ROOT}/work"
ISOLATION = (
    *(
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
    ),
    *("--uid", str(policy.INSIDE_UID), "--gid", str(policy.INSIDE_UID), "--hostname", "sandbox"),
    *("--cap-drop", "ALL"),
)


def find() -> Path | None:
    """A bwrap that root owns and nobody else can change, at a fixed place."""
    for path in PLACES:
        try:
            status = path.stat()
        except OSError:
            continue
        if status.st_uid == 0 and not status.st_mode & 0o022 and os.access(path, os.X_OK):
            return path
    return None


def version(program: Path) -> tuple[int, ...]:
    """What `bwrap --version` says, () when it says nothing of the kind."""
    try:
        done = subprocess.run([program, "--version"], env={}, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    words = done.stdout.split()
    parts = words[-1].split(".") if done.returncode == 0 and words else []
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


class Bubblewrap(Confined):
    """bubblewrap builds the room, and the launcher is process 1 in it."""

    name = "bubblewrap"

    def __init__(self, program: Path, hierarchy: cgroup.Hierarchy | None) -> None:
        super().__init__(hierarchy)
        self._program = program

    def filled_skip(self, job: Job) -> tuple[str, ...]:
        """Without root the protected files are shown by bubblewrap, not copied."""
        shown = () if job.privileged else job.access.protected
        return (*job.mounted_in_work, *shown)

    def chain(self, job: Job, control: int) -> Chain:
        """As root a stage that gives up root before it becomes bubblewrap; then process 1 inside."""
        inside = job.specification("init") | {"fill": job.in_memory and not job.privileged}
        if not job.privileged:
            return Chain(self._command(job, str, control), [inside])
        stage = _Stage(job)
        argv = self._command(job, stage.place, control)
        staged = {"uid": job.outer_uid, "argv": argv, "binds": stage.binds, "work_place": WORK_STAGED}
        return Chain(launcher_command(control), [job.specification("stage") | staged, inside])

    def _command(self, job: Job, place: Callable[[str], str], control: int) -> list[str]:
        """bubblewrap's command line. `place` says where it can read a path of the host."""
        python, own = policy.own_python()
        shown = [dest for _, dest in job.view.binds]
        binds = [*job.view.binds, *((str(path), str(path)) for path in own if str(path) not in shown)]
        specification = job.specification("init")
        arguments = [str(self._program), *ISOLATION]
        for path, target in job.view.links.items():
            arguments += ["--symlink", target, path]
        arguments += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
        for name in MASKED:
            arguments += (
                ["--ro-bind-try", "/dev/null", f"/proc/{name}"] if Path("/proc", name).exists() else []
            )
        for path, key in (("/dev/shm", "shm_bytes"), ("/tmp", "tmp_bytes")):
            arguments += ["--perms", "1777", "--size", str(specification[key]), "--tmpfs", path]
        arguments += _work(job, place, specification["work_bytes"])
        for source, dest in (*binds, (str(LAUNCHER), LAUNCHER_INSIDE)):
            arguments += ["--ro-bind", place(source), dest]
        for path in specification["devices"]:
            arguments += ["--dev-bind", path, path]
        arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]
        boot = [BOOT, str(Path(LAUNCHER_INSIDE).parent), str(control)]
        return [*arguments, str(python), "-I", "-S", "-c", *boot]


class _Stage:
    """Where the stage shows each path of the host, so that a uid that nobody has can reach it."""

    def __init__(self, job: Job) -> None:
        self.binds: list[tuple[str, str]] = []
        self._work = f"{job.workdir}/" if job.in_memory else None

    def place(self, source: str) -> str:
        """The path that stands for `source`."""
        if self._work and f"{source}/".startswith(self._work):
            return WORK_STAGED + source[len(self._work) - 1 :]
        if source.startswith(("/usr", "/etc", "/dev", "/proc", "/sys")):
            return source
        self.binds.append((source, f"{NEW_ROOT}/{len(self.binds)}"))
        return self.binds[-1][1]


def _work(job: Job, place: Callable[[str], str], size: int) -> list[str]:
    if job.in_memory and not job.privileged:
        arguments = ["--size", str(size), "--tmpfs", "/work"]
    else:
        arguments = ["--bind", place(str(job.workdir)), "/work"]
    for name in job.access.protected:
        arguments += ["--ro-bind", place(f"{job.workdir}/{name}"), f"/work/{name}"]
    return arguments
