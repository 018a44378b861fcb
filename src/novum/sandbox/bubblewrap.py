"""The backend on the system's bubblewrap, for systems that let nothing else make user namespaces.

bubblewrap alone holds little: it is what it is told. It is never run as root (a payload under it could write
/proc/sys), never with an environment (which its process 1 would show), and never found through PATH.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
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
        specification = job.specification("init")
        specification |= {
            "fill": job.in_memory and not job.privileged,
            "binds": [*specification["binds"], *_interpreter(job)],
        }
        descriptors: list[int] = []
        if job.privileged:
            try:
                shown = self._built(job, specification, fill)
            except OSError as error:
                raise SandboxError("the sandbox cannot be built", str(error)) from error
        else:
            shown, descriptors = _described(job, specification)
        command = [str(self._program), *ISOLATION, *shown, "--chdir", "/", "--", *launcher_command(sent)]
        return Chain(command, specification, descriptors)

    def _built(self, job: Job, specification: dict[str, Any], fill: Callable[[int], None]) -> list[str]:
        """Root builds the room itself, in a mount namespace that only this thread is in: bubblewrap shows it whole.

        That takes a third of the time, and what another uid cannot reach by itself can be in it. The covers of the
        protected files are left to bubblewrap: those of a more privileged namespace would stay when all is over, and
        hold up who takes the files back. So is making it read-only, which is refused while a file in it is open to be
        written, and a program that another thread starts has such files for a moment.
        """
        kernel.unshare(kernel.NEWNS | kernel.CLONE_FS)
        room.detach_from_host()
        folder: str = self._thread.stage
        place = room.Room(specification | {"uid": job.outer_uid}, folder)
        umask = os.umask(0o022)  # this thread's; the room must be open to the payload's user
        try:
            place.build()
            if job.in_memory:
                _with_descriptor(place.work_fd(), fill)
        finally:
            os.umask(umask)
            place.close()
        return ["--dev-bind", folder, "/", *_proc(), *_covers(job, f"{folder}/work"), "--remount-ro", "/"]


def _described(job: Job, specification: dict[str, Any]) -> tuple[list[str], list[int]]:
    """Without root bubblewrap is told of each part of the room, and inherits the small files of it."""
    arguments = []
    for path, target in job.view.links.items():
        arguments += ["--symlink", target, path]
    arguments += [*_proc(), "--dev", "/dev"]
    for path, key in (("/dev/shm", "shm_bytes"), ("/tmp", "tmp_bytes")):
        arguments += ["--perms", "1777", "--size", str(specification[key]), "--tmpfs", path]
    arguments += [*_work(job, specification["work_bytes"]), *_covers(job, str(job.workdir))]
    for source, dest in specification["binds"]:
        arguments += ["--ro-bind", source, dest]
    for path in specification["devices"]:
        arguments += ["--dev-bind", path, path]
    copies = specification["copies"]
    descriptors = [os.open(source, os.O_RDONLY | os.O_CLOEXEC) for source, _ in copies]
    for fd, (_, dest) in zip(descriptors, copies, strict=True):
        arguments += ["--perms", "0444", "--file", str(fd), dest]
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/"], descriptors


def _interpreter(job: Job) -> list[tuple[str, str]]:
    """What the launcher runs on, where the payload does not see it anyway."""
    _, own = policy.own_python()
    shown = [dest for _, dest in job.view.binds]
    return [(str(path), str(path)) for path in own if str(path) not in shown]


def _proc() -> list[str]:
    arguments = ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"]
    for name in MASKED:
        if _is_open(f"/proc/{name}"):
            arguments += ["--ro-bind-try", "/dev/null", f"/proc/{name}"]
    return arguments


def _with_descriptor(fd: int, action: Callable[[int], None]) -> None:
    try:
        action(fd)
    finally:
        os.close(fd)


def _is_open(path: str) -> bool:
    """Whether it is there and not root's alone, which the payload never is."""
    try:
        return bool(os.stat(path).st_mode & 0o066)
    except OSError:
        return False


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


def _work(job: Job, size: int) -> list[str]:
    if job.in_memory:
        return ["--size", str(size), "--tmpfs", "/work"]
    return ["--bind", str(job.workdir), "/work"]


def _covers(job: Job, work: str) -> list[str]:
    """The protected files of the folder `work`, and the folders that lead to them, which cannot be moved then."""
    arguments = []
    for option, names in (("--bind", job.held), ("--ro-bind", job.access.protected)):
        for name in names:
            arguments += [option, f"{work}/{name}", f"/work/{name}"]
    return arguments
