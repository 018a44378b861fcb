"""The room: a file system of its own, made of an allow-list, in which the payload lives.

Everything is read-only but /work, /tmp and /dev/shm, which are sized. What is not listed does not exist.
"""

import _stat as stat
import posix as os

from . import kernel
from .kernel import ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, ATTR_RDONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEW_ROOT = "/tmp"  # any folder that always exists; hidden by a mount in this namespace only
DEVICES = ("null", "zero", "full", "random", "urandom")
STANDARD_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
}
MASKED = ("kcore", "sysrq-trigger", "kallsyms", "keys", "kmsg", "timer_list", "sched_debug")
READ_ONLY = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV
TMPFS = kernel.MS_NOSUID | kernel.MS_NODEV


def detach_from_host() -> None:
    """Let no mount made here be seen outside. First thing in a new mount namespace."""
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)


def mount_work(target: str, spec: "dict[str, Any]") -> None:
    """A sized file system in memory for the work folder."""
    owner = f"uid={spec['uid']},gid={spec['uid']},mode=755"
    options = f"size={spec['work_bytes']},nr_inodes={spec['work_inodes']},{owner}"
    try:
        # Large pages, where a file fills them: five times as fast, and a small file takes no more than it needs.
        kernel.mount("work", target, "tmpfs", TMPFS, f"{options},huge=within_size")
    except OSError:  # a kernel without them
        kernel.mount("work", target, "tmpfs", TMPFS, options)


class Room:
    """A room being built below `NEW_ROOT`. Use: `Room(spec)`, `build`, `protect`, `enter`."""

    def __init__(self, spec: "dict[str, Any]") -> None:
        self._spec = spec
        # Opened now, for the new root may hide them.
        self._sources = [(os.open(source, os.O_PATH), dest) for source, dest in spec["binds"]]
        self._devices = [(os.open(f"/dev/{name}", os.O_PATH), f"/dev/{name}") for name in DEVICES]
        self._devices += [(os.open(path, os.O_PATH), path) for path in spec["devices"]]
        self._work = os.open(spec["work"], os.O_PATH | os.O_DIRECTORY)

    def build(self) -> None:
        """Make everything but the read-only cover of the protected files."""
        spec = self._spec
        kernel.mount("room", NEW_ROOT, "tmpfs", TMPFS, "size=8m,nr_inodes=8192,mode=755")
        for path, target in spec["links"].items():
            self._parent(path)
            os.symlink(target, NEW_ROOT + path)
        self._sized("/tmp", spec["tmp_bytes"], 0)
        self._sized("/dev/shm", spec["shm_bytes"], kernel.MS_NOEXEC)
        self._show_work()
        for fd, dest in self._sources:
            self._show(fd, dest, READ_ONLY)
        for fd, dest in self._devices:
            self._show(fd, dest, ATTR_NOSUID | ATTR_NOEXEC)
        for path, target in STANDARD_LINKS.items():
            os.symlink(target, NEW_ROOT + path)
        self._proc()

    def work_fd(self) -> int:
        """An open descriptor of the work folder, good outside the room too."""
        return os.open(NEW_ROOT + "/work", os.O_RDONLY | os.O_DIRECTORY)

    def protect(self) -> None:
        """Cover the protected files of the work folder with read-only views of themselves.

        The folders on the way to them become mounts too, so that none of them can be renamed.
        """
        for name in self._spec["held"]:
            path = f"{NEW_ROOT}/work/{name}"
            kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
        for name in self._spec["protected"]:
            path = f"{NEW_ROOT}/work/{name}"
            kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
            kernel.set_attributes(path, READ_ONLY)

    def enter(self) -> None:
        """Make it the root, read-only, and forget everything else."""
        kernel.set_attributes(NEW_ROOT, READ_ONLY, recursive=False)
        kernel.pivot_to(NEW_ROOT)

    def _show_work(self) -> None:
        target = NEW_ROOT + "/work"
        os.mkdir(target)
        if self._spec["store"] == "memory":
            mount_work(target, self._spec)
        else:
            kernel.bind(self._work, target, ATTR_NOSUID | ATTR_NODEV, recursive=False)

    def _sized(self, path: str, size: int, flags: int) -> None:
        _make_folders(NEW_ROOT + path)
        options = f"size={size},nr_inodes=50100,mode=1777"
        kernel.mount(path[1:], NEW_ROOT + path, "tmpfs", TMPFS | flags, options)

    def _show(self, fd: int, dest: str, attributes: int) -> None:
        target = NEW_ROOT + dest
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            _make_folders(target)
        elif not _is_there(target):
            self._parent(dest)
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o444))
        kernel.bind(fd, target, attributes)

    def _parent(self, path: str) -> None:
        _make_folders((NEW_ROOT + path).rpartition("/")[0])

    def _proc(self) -> None:
        proc = NEW_ROOT + "/proc"
        os.mkdir(proc)
        kernel.mount("proc", proc, "proc", TMPFS | kernel.MS_NOEXEC)
        _write_best_effort(f"{proc}/sys/kernel/pid_max", str(self._spec["pid_max"]))
        _write(f"{proc}/sys/user/max_user_namespaces", "0")
        for name in ("sys", "irq", "bus", "fs"):
            path = f"{proc}/{name}"
            if _is_there(path):
                kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
                kernel.set_attributes(path, READ_ONLY | ATTR_NOEXEC)
        for name in MASKED:
            if _is_there(f"{proc}/{name}"):
                kernel.mount(NEW_ROOT + "/dev/null", f"{proc}/{name}", None, kernel.MS_BIND)


def _make_folders(path: str) -> None:
    """Make a folder and those that lead to it, where they are not there."""
    for end in [at for at, letter in enumerate(path) if letter == "/" and at] + [len(path)]:
        try:
            os.mkdir(path[:end])
        except FileExistsError:
            continue


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError:
        return False
    return True


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _write_best_effort(path: str, text: str) -> None:
    """For a setting that older kernels do not have by namespace; another limit stands for it there."""
    try:
        _write(path, text)
    except OSError:
        return
