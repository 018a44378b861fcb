"""The backend on the system's bubblewrap, for systems that let nothing else make user namespaces.

bubblewrap alone holds little: it is what it is told. It is never run as root (a payload under it could write
/proc/sys), never with an environment (which its process 1 would show), and never found through PATH.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from novum.errors import SandboxError
from novum.sandbox import cgroup, policy, recorded
from novum.sandbox.confined import Confined, Job
from novum.sandbox.ending import Ending
from novum.sandbox.launcher import kernel, room
from novum.sandbox.launcher.room import MASKED
from novum.sandbox.starting import launcher_command
from novum.sandbox.supervise import Chain, Launch, execute

PLACES = (Path("/usr/bin/bwrap"), Path("/usr/local/bin/bwrap"), Path("/bin/bwrap"))
OLDEST = (0, 8, 0)
STAGE = "novum-stage-"
YOUNG_S = 60.0
"""Until a sandbox has surely been built, which its folder is needed for."""
COPIED_BYTES = 1 << 18
REACHABLE = ("/usr/", "/etc/", "/dev/", "/proc/", "/sys/")
"""Places whose content every user can reach."""
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
    own_tasks = 1

    def __init__(self, program: Path, hierarchy: cgroup.Hierarchy | None) -> None:
        super().__init__(hierarchy)
        self._program = program
        self._thread = threading.local()
        _sweep()

    def filled_skip(self, job: Job) -> tuple[str, ...]:
        """Without root the protected files are shown by bubblewrap, not copied."""
        shown = () if job.privileged else job.access.protected
        return (*job.mounted_in_work, *shown)

    def prepared(self, job: Job) -> Job:
        """Without root bubblewrap cannot hold folders of a work folder in memory: it takes the folder itself then."""
        if job.in_memory and job.held and not job.privileged:
            return dataclasses.replace(job, in_memory=False)
        return job

    def approximations(self, job: Job) -> tuple[str, ...]:
        """Without root the copy in memory has a size, and no number of files."""
        found = super().approximations(job)
        return (*found, recorded.FILES_WATCHED) if job.in_memory and not job.privileged else found

    def spawn_uid(self, job: Job) -> int | None:
        """bubblewrap itself must not be root."""
        return job.outer_uid if job.privileged else None

    def execute(self, launch: Launch, after: Callable[[int], None] | None = None) -> Ending:
        """As root in a thread of its own, which gets a mount namespace of its own for the stage."""
        if launch.spawn_uid is None:
            return execute(launch, after)
        try:  # in /tmp, for the payload's uid must be able to go there
            folder = tempfile.mkdtemp(prefix=f"{STAGE}{os.getpid()}-", dir="/tmp")
        except OSError as error:
            raise SandboxError(
                "the sandbox cannot be built", f"no folder can be made in /tmp: {error}"
            ) from error

        def run() -> Ending:
            self._thread.stage = folder
            return execute(launch, after)

        try:
            return _in_thread(run, launch)
        finally:
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def chain(self, job: Job, sent: int, fill: Callable[[int], None]) -> Chain:
        """bubblewrap, and the launcher as process 1 in it."""
        inside = job.specification("init") | {"fill": job.in_memory and not job.privileged}
        if not job.privileged:
            return self._chain_with(str, job, inside, sent)
        stage = Stage(job, self._thread.stage)
        if job.in_memory:
            stage.make_work(fill, inside)
        return self._chain_with(stage.place, job, inside, sent)

    def _chain_with(
        self, place: Callable[[str], str], job: Job, specification: dict[str, Any], sent: int
    ) -> Chain:
        """`place` says where bubblewrap can read a path of the host."""
        _, own = policy.own_python()
        shown = [dest for _, dest in job.view.binds]
        binds = [*job.view.binds, *((str(path), str(path)) for path in own if str(path) not in shown)]
        copied = [bind for bind in binds if _is_copied(*bind, shown)]
        arguments = [str(self._program), *ISOLATION]
        for path, target in job.view.links.items():
            arguments += ["--symlink", target, path]
        arguments += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
        for name in MASKED:
            if _is_open(f"/proc/{name}"):
                arguments += ["--ro-bind-try", "/dev/null", f"/proc/{name}"]
        for path, key in (("/dev/shm", "shm_bytes"), ("/tmp", "tmp_bytes")):
            arguments += ["--perms", "1777", "--size", str(specification[key]), "--tmpfs", path]
        arguments += _work(job, place, specification["work_bytes"])
        for source, dest in binds:
            if (source, dest) not in copied:
                arguments += ["--ro-bind", place(source), dest]
        for path in specification["devices"]:
            arguments += ["--dev-bind", path, path]
        descriptors = [os.open(source, os.O_RDONLY | os.O_CLOEXEC) for source, _ in copied]
        for fd, (_, dest) in zip(descriptors, copied, strict=True):
            arguments += ["--perms", "0444", "--file", str(fd), dest]
        arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]
        return Chain([*arguments, *launcher_command(sent)], specification, descriptors)


class Stage:
    """Where root shows, in a mount namespace that only one thread is in, what another uid cannot reach by itself."""

    def __init__(self, job: Job, folder: str) -> None:
        self._job = job
        self._folder = folder
        self._work = f"{folder}/work"
        self._count = 0
        kernel.unshare(kernel.NEWNS | kernel.CLONE_FS)
        room.detach_from_host()
        kernel.mount("stage", folder, "tmpfs", room.TMPFS, "size=1m,mode=755")

    def make_work(self, fill: Callable[[int], None], specification: dict[str, Any]) -> None:
        """Make the work folder in memory and fill it."""
        os.mkdir(self._work)
        room.mount_work(self._work, specification | {"uid": self._job.outer_uid})
        fd = os.open(self._work, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fill(fd)
        finally:
            os.close(fd)

    def place(self, source: str) -> str:
        """The path that stands for `source`, which is shown there."""
        work = f"{self._job.workdir}/"
        if self._job.in_memory and f"{source}/".startswith(work):
            return self._work + source[len(work) - 1 :]
        if source.startswith(REACHABLE):
            return source
        place = f"{self._folder}/{self._count}"
        self._count += 1
        fd = os.open(source, os.O_PATH)
        try:
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                os.mkdir(place)
            else:
                os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o444))
            kernel.bind(fd, place, 0)
        finally:
            os.close(fd)
        return place


def _is_open(path: str) -> bool:
    """Whether it is there and not root's alone, which the payload never is."""
    try:
        return bool(os.stat(path).st_mode & 0o066)
    except OSError:
        return False


def _is_copied(source: str, dest: str, shown: list[str]) -> bool:
    """Whether it is a small file of /etc: bubblewrap copies one in a fraction of the time that it takes to mount it."""
    if not dest.startswith("/etc/") or any(dest.startswith(f"{other}/") for other in shown):
        return False
    status = os.stat(source)
    return stat.S_ISREG(status.st_mode) and status.st_size <= COPIED_BYTES


def _sweep() -> None:
    """Remove the empty folders of novum processes that were killed; young ones may be of another process namespace."""
    for left in Path("/tmp").glob(f"{STAGE}*"):
        with contextlib.suppress(OSError):
            gone = not Path("/proc", left.name.split("-")[2]).exists()
            if gone and time.time() - left.stat().st_mtime > YOUNG_S:
                left.rmdir()


def _in_thread(run: Callable[[], Ending], launch: Launch) -> Ending:
    """The result of `run` in a thread of its own. An interrupt here ends the run there.

    Not in a pool, which takes a hundredth of a start longer.
    """
    future = Future[Ending]()

    def work() -> None:
        try:
            future.set_result(run())
        except BaseException as error:  # noqa: BLE001 - it is raised again by result()
            future.set_exception(error)

    thread = threading.Thread(target=work, name="novum-sandbox")
    thread.start()
    try:
        return future.result()
    finally:
        launch.cancelled.set()
        thread.join()


def _work(job: Job, place: Callable[[str], str], size: int) -> list[str]:
    if job.in_memory and not job.privileged:
        arguments = ["--size", str(size), "--tmpfs", "/work"]
    else:
        arguments = ["--bind", place(str(job.workdir)), "/work"]
    for name in job.held:
        arguments += ["--bind", place(f"{job.workdir}/{name}"), f"/work/{name}"]
    for name in job.access.protected:
        arguments += ["--ro-bind", place(f"{job.workdir}/{name}"), f"/work/{name}"]
    return arguments
